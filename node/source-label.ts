/** The opaque name by which listings tell which snapshots are of one source (listing.md §1). */

import { createHmac } from 'node:crypto'
import { compareBytes, type DeviceId, type VaultKeys } from '../protocol/index.ts'

const labelBytes = 16

/**
 * Names a source: equal for the same paths of the same device, meaningless to who has no vault key.
 *
 * @param paths - absolute, raw; in any order
 * @returns 16 bytes, fresh
 */
export function sourceLabel(keys: VaultKeys, device: DeviceId, paths: readonly Uint8Array[]): Uint8Array {
  const mac = createHmac('sha256', keys.source).update(device)
  for (const path of [...paths].sort(compareBytes)) mac.update('\0').update(path)
  return new Uint8Array(mac.digest().subarray(0, labelBytes))
}

/** The binary logarithm of a number of bytes, rounded up, 0 .. 63: all that listings tell of a snapshot's size. */
export function sizeClassOf(bytes: number): number {
  return bytes <= 1 ? 0 : Math.min(63, Math.ceil(Math.log2(bytes)))
}
