/** What a recovered device has to say to the mesh: decisions without I/O (node/spec/recovery.md §3). */

import {
  admitMember,
  CellarError,
  compareLogs,
  type DeviceId,
  deriveVaultKeys,
  isPaper,
  type Membership,
  memberNow,
  openVaultKeys,
  type Random,
  readersWithoutBox,
  shareVault,
  type Signer,
  vaultNow,
} from '../../protocol/index.ts'
import { freeName } from '../mesh/free-name.ts'
import type { PaperKey } from './paper-key.ts'

/** Who recovers, and as what. */
export interface Newcomer {
  readonly paper: PaperKey
  /** Of the new device. */
  readonly signer: Signer
  readonly name: string
  readonly random: Random
  /** Milliseconds since 1970, for display. */
  readonly atMs: number
}

/** The log as it should be, and the vault keys, the oldest first. */
export interface RecoveryPlan {
  readonly membership: Membership
  readonly vaultKeys: readonly Uint8Array[]
}

/**
 * Checks the log that a device gave, opens the vault keys with the phrase, and lets the new device in: by one entry of
 * the paper device, and one of its own that seals the vault key to itself.
 *
 * @param log - as the device that is left has it, checked by `openMembership`: the paper itself has signed to which
 *   mesh it belongs (M3.11), so nobody can put another mesh in its place
 * @param from - the device that gave it
 * @param begun - what an earlier try has signed, which somebody may have: it is gone on with
 * @throws {CellarError} `PHRASE_WRONG` for a paper device that is no member; `PEER_PROTOCOL` for a log that does not
 *   have whoever gave it; `KEY_INVALID` when the log has no vault key for the paper; `MEMBERSHIP_FORK` when another
 *   keeper has changed the mesh since the earlier try
 */
export function planRecovery(
  log: Membership,
  from: DeviceId,
  newcomer: Newcomer,
  begun: Membership | undefined,
): RecoveryPlan {
  const { paper } = newcomer
  const member = memberNow(log, paper.device)
  if (member === undefined || !isPaper(member)) throw unknownPhrase()
  const giver = memberNow(log, from)
  if (giver === undefined || isPaper(giver))
    throw new CellarError('PEER_PROTOCOL', 'the device that answered is not in the membership that it gave')
  const vaultKeys = openVaultKeys(log, paper.device, paper.seed())
  const newest = vaultKeys.at(-1)
  if (newest === undefined)
    throw new CellarError('KEY_INVALID', 'the mesh has no vault key that this phrase opens')
  return { membership: withNewcomer(goOn(log, begun), newcomer, newest), vaultKeys }
}

/** What a phrase is told that no device knows. */
export function unknownPhrase(): CellarError {
  const why = 'it is of another mesh, was replaced by a new one, or that device has not heard of it yet'
  return new CellarError('PHRASE_WRONG', `the recovery phrase is written right, but not known there: ${why}`)
}

/** The longer of the log and of what was signed before: signing again in its place would fork the mesh. */
function goOn(log: Membership, begun: Membership | undefined): Membership {
  if (begun === undefined || begun.mesh !== log.mesh) return log
  const order = compareLogs(begun, log)
  if (order === 'fork')
    throw new CellarError(
      'MEMBERSHIP_FORK',
      'a keeper has changed the mesh since recovering was begun here; begin again with another --home',
    )
  return order === 'ahead' ? begun : log
}

function withNewcomer(log: Membership, newcomer: Newcomer, vaultKey: Uint8Array): Membership {
  const { paper, signer, name, random, atMs } = newcomer
  const { device } = signer
  const terms = { device, name: freeName(log, device, name), role: 'keeper', atMs } as const
  const admitted = memberNow(log, device) === undefined ? admitMember(log, paper.signer, terms) : log
  const hasKey = vaultNow(admitted)?.vault === deriveVaultKeys(vaultKey).vault
  const lacksBox = readersWithoutBox(admitted).some((reader) => reader.device === device)
  return hasKey && lacksBox ? shareVault(admitted, signer, { vaultKey, random, atMs }) : admitted
}
