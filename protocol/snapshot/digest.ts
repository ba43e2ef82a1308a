/** A digest of what `lstat` says of a directory's entries: equal means unchanged (snapshot.md §5). */

import { nodePrimitives, type Primitives } from '../crypto/primitives.ts'
import type { EntryFacts, EntryType } from './entry.ts'

/** Numbers of the types in digests. */
const TYPE_NUMBERS: Readonly<Record<EntryType, number>> = {
  file: 0,
  dir: 1,
  symlink: 2,
  fifo: 3,
  char: 4,
  block: 5,
}

/** Bytes of a record beside the name. */
const RECORD_BYTES = 2 + 1 + 2 + 4 + 4 + 4 + 8 + 8 + 8 + 8 + 4 + 4
const TWO_32 = 0x1_0000_0000

/**
 * The digest of entries in the order given: SHA-256 over one record for each. Neither content nor the number of
 * the file system is in it: the first is what it stands for, the second changes when a disk is plugged in again.
 *
 * @returns 32 bytes, fresh
 */
export function treeDigest(
  entries: readonly EntryFacts[],
  primitives: Primitives = nodePrimitives,
): Uint8Array {
  let bytes = 0
  for (const { name } of entries) bytes += RECORD_BYTES + name.byteLength
  const records = Buffer.allocUnsafe(bytes)
  const view = new DataView(records.buffer, records.byteOffset, bytes)
  let offset = 0
  for (const entry of entries) offset = writeRecord(records, view, offset, entry)
  return primitives.sha256([records])
}

/**
 * name length u16, name, type u8, mode u16, uid u32, gid u32, links u32, size u64, mtime i64, ctime i64, inode u64,
 * major u32, minor u32.
 */
function writeRecord(records: Buffer, view: DataView, start: number, entry: EntryFacts): number {
  const { name, deviceNumber } = entry
  view.setUint16(start, name.byteLength)
  records.set(name, start + 2)
  const at = start + 2 + name.byteLength
  view.setUint8(at, TYPE_NUMBERS[entry.type])
  view.setUint16(at + 1, entry.mode)
  view.setUint32(at + 3, entry.uid)
  view.setUint32(at + 7, entry.gid)
  view.setUint32(at + 11, entry.linkCount)
  view.setUint32(at + 15, Math.floor(entry.size / TWO_32))
  view.setUint32(at + 19, entry.size % TWO_32)
  view.setBigInt64(at + 23, entry.mtimeNs)
  view.setBigInt64(at + 31, entry.ctimeNs)
  view.setBigUint64(at + 39, entry.inode)
  view.setUint32(at + 47, deviceNumber?.major ?? 0)
  view.setUint32(at + 51, deviceNumber?.minor ?? 0)
  return at + 55
}
