/** Vault keys into the membership log: sealed to those who read, and changed when one of them goes (keys.md §2). */

import {
  CellarError,
  deriveVaultKeys,
  introduceVault,
  type Membership,
  type Random,
  readersWithoutBox,
  shareVault,
  type Signer,
  vaultNow,
} from '../../protocol/index.ts'
import type { VaultRing } from './ring.ts'

/** Who has the vault keys on this device, and draws new ones. */
export interface VaultKeeper {
  readonly ring: Pick<VaultRing, 'newestKey'>
  readonly random: Random
}

const keyBytes = 32

/**
 * Seals the newest vault key to those who read and have no box of it: to be put into the same step as an admission, so
 * that no crash comes between.
 *
 * @throws {CellarError} `NOT_ENTITLED` when one is lacking and this device has not got the newest key to give
 */
export function shareNewest(
  membership: Membership,
  signer: Signer,
  keeper: VaultKeeper | undefined,
  atMs: number,
): Membership {
  const lacking = readersWithoutBox(membership)
  if (keeper === undefined || vaultNow(membership) === undefined || lacking.length === 0) return membership
  const vaultKey = newestOf(membership, keeper)
  if (vaultKey === undefined) {
    const names = lacking.map(({ name }) => name).join(', ')
    const message = `this device lacks the newest vault key, so it cannot give it to ${names}; do it on another keeper`
    throw new CellarError('NOT_ENTITLED', message)
  }
  return shareVault(membership, signer, { vaultKey, random: keeper.random, atMs })
}

/**
 * Brings a new vault key in, for those who read now; to be put into the same step as a removal. A mesh whose log has no
 * vault yet gets the one that it has first.
 *
 * @returns undefined when this device has no key to go on from: then nothing was changed
 */
export function withNewVault(
  membership: Membership,
  signer: Signer,
  keeper: VaultKeeper,
  atMs: number,
): Membership | undefined {
  const before = newestOf(membership, keeper)
  if (before === undefined) return undefined
  const { random } = keeper
  return introduceVault(withVault(membership, signer, keeper, atMs), signer, {
    vaultKey: random.bytes(keyBytes),
    before,
    random,
    atMs,
  })
}

/** Brings the vault key that a mesh has had from the first into its log, where it is not there. */
export function withVault(
  membership: Membership,
  signer: Signer,
  { ring, random }: VaultKeeper,
  atMs: number,
): Membership {
  const vaultKey = ring.newestKey
  if (vaultNow(membership) !== undefined || vaultKey === undefined) return membership
  return introduceVault(membership, signer, { vaultKey, random, atMs })
}

/** The key of the vault that the log has now, or of the one that it has none of; undefined when it is not here. */
function newestOf(membership: Membership, { ring }: VaultKeeper): Uint8Array | undefined {
  const key = ring.newestKey
  const wanted = vaultNow(membership)
  if (key === undefined || wanted === undefined) return key
  return deriveVaultKeys(key).vault === wanted.vault ? key : undefined
}
