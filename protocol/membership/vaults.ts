/** The vaults of a mesh: whose boxes stand in the log, and what opens them (membership.md §6). */

import { compareBytes, concatBytes, equalBytes, fromHex } from '../bytes.ts'
import { beginBoxes, openBox } from '../crypto/box.ts'
import { deriveVaultKeys, deriveVaultSecret } from '../crypto/keys.ts'
import { openSecret, SECRET_NONCE_BYTES, sealSecret } from '../crypto/secret.ts'
import { CellarError, isCellarError } from '../errors.ts'
import type { DeviceId, MeshId, VaultId } from '../ids.ts'
import { vaultBoxesMax } from '../limits.ts'
import { keyOfDevice } from '../statement.ts'
import type { Random } from '../world.ts'
import { memberNow } from './entitlement.ts'
import { isPaper } from './paper.ts'
import type { Member, Membership, MembershipStatement, VaultRecord } from './types.ts'

/** The vault under which chunks are sealed now; undefined in a mesh whose log has none. */
export function vaultNow(membership: Pick<Membership, 'vaults'>): VaultRecord | undefined {
  return membership.vaults.at(-1)
}

/** Members now that read, paper first: those for whom a new vault key is sealed. */
export function readersOf(membership: Membership): Member[] {
  return [...membership.members.values()]
    .filter((member) => member.removedEpoch === undefined && member.capabilities.has('read'))
    .sort((a, b) => Number(isPaper(b)) - Number(isPaper(a)) || a.admittedEpoch - b.admittedEpoch)
}

/** Readers for whom the log has no box of the newest vault. */
export function readersWithoutBox(membership: Membership): Member[] {
  const boxes = new Set(vaultNow(membership)?.boxes.map(({ device }) => device))
  return readersOf(membership).filter(({ device }) => !boxes.has(device))
}

/** A vault's key on its way into the log. */
export interface VaultSealing {
  readonly mesh: MeshId
  /** 32 bytes; borrowed. */
  readonly vaultKey: Uint8Array
  /** Key of the vault before, when this one is new and not the first; borrowed. */
  readonly before?: Uint8Array
  /** For whom; one at least. The first is among those of the first entry. */
  readonly readers: readonly DeviceId[]
  readonly random: Random
}

type VaultStatement = Extract<MembershipStatement, { kind: 'vault' }>

/** What the log is to say: one statement for as many readers as fit, in the order to be signed. */
export function vaultStatements(sealing: VaultSealing): VaultStatement[] {
  const { mesh, vaultKey, before, readers, random } = sealing
  const { vault } = deriveVaultKeys(vaultKey)
  const statements: VaultStatement[] = []
  for (let from = 0; from < readers.length; from += vaultBoxesMax) {
    const sealer = beginBoxes(random.bytes(32))
    const boxes = readers
      .slice(from, from + vaultBoxesMax)
      .sort((a, b) => compareBytes(keyOfDevice(a), keyOfDevice(b)))
      .map((device) => ({
        device,
        sealed: sealer.seal(device, contextOf(mesh, vault), random.bytes(SECRET_NONCE_BYTES), vaultKey),
      }))
    statements.push({
      kind: 'vault',
      vault,
      ...(from === 0 && before !== undefined && { before: sealBefore(mesh, vaultKey, before, random) }),
      ephemeral: sealer.ephemeral,
      boxes,
    })
  }
  return statements
}

/**
 * The vault keys that a device can open, the oldest first: that of a box of its own, and from it all that were before.
 * What does not open, or opens to the key of another vault, is passed over.
 *
 * @param seed - of the device's Ed25519 key, 32 bytes; borrowed
 * @returns 32 bytes each, fresh; empty where there is no box that opens
 */
export function openVaultKeys(membership: Membership, device: DeviceId, seed: Uint8Array): Uint8Array[] {
  const { mesh, vaults } = membership
  for (let at = vaults.length - 1; at >= 0; at--) {
    const record = vaults[at] as VaultRecord
    for (const box of record.boxes.toReversed()) {
      if (box.device !== device) continue
      const key = unlessSealed(() => openBox(seed, device, box, contextOf(mesh, record.vault)))
      if (key !== undefined && isKeyOf(key, record.vault)) return [...keysBefore(membership, at, key), key]
    }
  }
  return []
}

/** The keys of the vaults before one, the oldest first, as far as they open. */
export function keysBefore(membership: Membership, at: number, key: Uint8Array): Uint8Array[] {
  const keys: Uint8Array[] = []
  let newer = key
  for (let n = at; n > 0; n--) {
    const { before, vault } = membership.vaults[n] as VaultRecord
    const older = membership.vaults[n - 1] as VaultRecord
    const opened =
      before && unlessSealed(() => openSecret(beforeInput(membership.mesh, newer, vault), before))
    if (opened === undefined || !isKeyOf(opened, older.vault)) break
    keys.unshift(opened)
    newer = opened
  }
  return keys
}

function sealBefore(mesh: MeshId, vaultKey: Uint8Array, before: Uint8Array, random: Random): Uint8Array {
  if (equalBytes(vaultKey, before)) throw new RangeError('a new vault has a new key')
  const input = beforeInput(mesh, vaultKey, deriveVaultKeys(vaultKey).vault)
  return sealSecret(input, random.bytes(SECRET_NONCE_BYTES), before)
}

function beforeInput(mesh: MeshId, newer: Uint8Array, vault: VaultId) {
  const { associated } = contextOf(mesh, vault)
  return { key: deriveVaultSecret(newer, 'before'), purpose: 'vault-before', associated }
}

function contextOf(mesh: MeshId, vault: VaultId) {
  return { purpose: 'vault-box', associated: concatBytes([fromHex(mesh), fromHex(vault)]) }
}

function isKeyOf(key: Uint8Array, vault: VaultId): boolean {
  return key.byteLength === 32 && deriveVaultKeys(key).vault === vault
}

function unlessSealed(open: () => Uint8Array): Uint8Array | undefined {
  try {
    return open()
  } catch (error) {
    if (isCellarError(error, 'KEY_INVALID')) return undefined
    throw error
  }
}

/**
 * What a vault entry makes of the log (M3.14 .. M3.17).
 *
 * @throws {CellarError} `NOT_ENTITLED` for a signer that does not read; `MEMBERSHIP_INVALID`
 */
export function vaultsAfter(
  before: Membership,
  signer: Member,
  epoch: number,
  statement: VaultStatement,
): VaultRecord[] {
  const refuse = (reason: string) =>
    new CellarError('MEMBERSHIP_INVALID', `an entry of the membership ${reason}`, { epoch })
  if (!signer.capabilities.has('read'))
    throw new CellarError('NOT_ENTITLED', 'a vault key is from a device that reads nothing', { epoch })
  for (const { device } of statement.boxes) {
    if (memberNow(before, device)?.capabilities.has('read') !== true)
      throw refuse('seals a vault key for a device that reads nothing')
  }
  const { vault, ephemeral } = statement
  const boxes = statement.boxes.map((box) => ({ ...box, ephemeral }))
  const current = vaultNow(before)
  if (current?.vault === vault) {
    if (statement.before !== undefined) throw refuse('brings a vault that there is')
    return [...before.vaults.slice(0, -1), { ...current, boxes: [...current.boxes, ...boxes] }]
  }
  if (before.vaults.some((record) => record.vault === vault)) throw refuse('goes back to a vault of before')
  if ((current === undefined) !== (statement.before === undefined))
    throw refuse('does not join its vault to the one before')
  // Else nobody could be sure to have the key after a crash of the device that made it.
  if (!boxes.some(({ device }) => device === signer.device))
    throw refuse('brings a vault key that its signer does not keep')
  return [...before.vaults, { vault, epoch, before: statement.before, boxes }]
}
