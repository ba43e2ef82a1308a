/** The vault keys of one device: that of its key file, and those that the membership log has boxes of (keys.md). */

import {
  deriveVaultKeys,
  type DeviceId,
  keysBefore,
  type Membership,
  openVaultKeys,
  type VaultId,
  vaultNow,
} from '../../protocol/index.ts'
import type { Vault } from '../vault.ts'

/** What a ring is made of. */
export interface RingParts {
  readonly device: DeviceId
  /** Of the device's key, 32 bytes. */
  readonly seed: Uint8Array
  /** The vault key of the key file, 32 bytes; undefined on a device that had none. */
  readonly fileKey: Uint8Array | undefined
  /** See `openVault` of vault.ts. */
  readonly openVault: (vaultKey: Uint8Array, before: readonly Uint8Array[]) => Promise<Vault>
}

/** Vault keys as far as a device has them: what it seals with, and all that it can open. */
export class VaultRing {
  readonly #parts: RingParts
  #vaults: Membership['vaults'] | undefined
  #keys: readonly Uint8Array[] = []
  #vault: Vault | undefined
  #isBehind = false
  #updating: Promise<void> = Promise.resolve()

  private constructor(parts: RingParts) {
    this.#parts = parts
  }

  /** Opens all vault keys that this device has. */
  static async open(parts: RingParts, membership: Membership): Promise<VaultRing> {
    const ring = new VaultRing(parts)
    await ring.update(membership)
    return ring
  }

  /**
   * What seals and opens now; undefined on a device that may not read. Stays as it is: whoever began with it goes on.
   */
  get vault(): Vault | undefined {
    return this.#vault
  }

  /** The key of the newest vault that this device has, 32 bytes, shared: for boxes, and for those who are invited. */
  get newestKey(): Uint8Array | undefined {
    return this.#keys.at(-1)
  }

  /** The log has a newer vault, and no box of it that opens here: what is sealed here, is sealed under an older one. */
  get isBehind(): boolean {
    return this.#isBehind
  }

  /** Takes account of what the log says now; costs nothing while its vaults stay the same. */
  update(membership: Membership): Promise<void> {
    if (membership.vaults === this.#vaults) return this.#updating
    this.#vaults = membership.vaults
    const { device, seed, fileKey, openVault } = this.#parts
    const keys = ringKeys(membership, { device, seed, fileKey })
    const newest = keys.at(-1)
    const wanted = vaultNow(membership)?.vault
    this.#updating = this.#updating.then(async () => {
      this.#vault = newest && (await openVault(newest, keys.slice(0, -1)))
      this.#keys = keys
      this.#isBehind =
        newest !== undefined && wanted !== undefined && deriveVaultKeys(newest).vault !== wanted
    })
    return this.#updating
  }
}

/**
 * The vault keys of a device, the oldest first: what its boxes open, and its key file's where no box leads to it (a
 * mesh that was founded before there were boxes, a key whose box is missing).
 */
export function ringKeys(
  membership: Membership,
  { device, seed, fileKey }: Pick<RingParts, 'device' | 'seed' | 'fileKey'>,
): Uint8Array[] {
  const { vaults } = membership
  const placeOf = (vault: VaultId) => vaults.findIndex((record) => record.vault === vault)
  const keys = new Map<VaultId, Uint8Array>()
  if (fileKey !== undefined) {
    const { vault } = deriveVaultKeys(fileKey)
    for (const key of [...keysBefore(membership, placeOf(vault), fileKey), fileKey])
      keys.set(deriveVaultKeys(key).vault, key)
  }
  // The newest leads to all before it: no box has more, and opening one takes a short command a tenth of its time.
  const newest = vaults.at(-1)?.vault
  if (newest === undefined || !keys.has(newest))
    for (const key of openVaultKeys(membership, device, seed)) keys.set(deriveVaultKeys(key).vault, key)
  // One that the log does not name is older than all that it names.
  return [...keys].sort(([a], [b]) => placeOf(a) - placeOf(b)).map(([, key]) => key)
}
