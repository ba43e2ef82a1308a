/** How much a restore will write: to check the space before, and to tell how far it is. */

import type { ChunkId, SnapshotRoot } from '../../protocol/index.ts'
import { nameText } from '../backup/patterns.ts'
import { type SnapshotReader, splitPath } from '../snapshot-reader.ts'
import { bytesNeeded } from './plan.ts'
import type { Selection } from './selection.ts'

/** What is to be restored, in numbers. */
export interface Estimate {
  /** Files, directories and all others. */
  readonly entries: number
  /** Bytes as the system shows them, holes too. */
  readonly bytes: number
  /** Bytes that must be written: no holes, no file twice for its second name. At most so many, when not counted. */
  readonly bytesToWrite: number
}

/** The counts that the snapshot itself has: right when all of it is restored; holes are among the bytes. */
export function estimateWhole({ stats }: SnapshotRoot): Estimate {
  return { entries: stats.files + stats.dirs + stats.others, bytes: stats.bytes, bytesToWrite: stats.bytes }
}

/**
 * Reads all trees that are asked for, and counts.
 *
 * @param there - bytes that a path, from the top of what is restored, takes in the target already
 */
export async function estimateByReading(
  reader: SnapshotReader,
  trees: readonly ChunkId[],
  selection: Selection,
  signal: AbortSignal,
  there: (path: Uint8Array) => number = () => 0,
): Promise<Estimate> {
  let entries = 0
  let bytes = 0
  let bytesToWrite = 0
  const selected = new Set<string>()
  const linked = new Set<string>()
  const keyOf = (path: Uint8Array): string => Buffer.from(path).toString('latin1')
  const chosen = (path: Uint8Array): ReturnType<Selection['of']> => {
    if (selection.isEverything) return selection.of([], true)
    const parent = keyOf(path.subarray(0, path.lastIndexOf(0x2f)))
    return selection.of(
      splitPath(path).map(nameText),
      parent === '' ? selection.isTopSelected : selected.has(parent),
    )
  }
  for await (const { path, entry } of reader.walk(
    trees,
    new Uint8Array(),
    signal,
    ({ path: of }) => chosen(of).mayDescend,
  )) {
    if (!chosen(path).isSelected) continue
    if (entry.type === 'dir' && !selection.isEverything) selected.add(keyOf(path))
    entries++
    if (entry.type !== 'file') continue
    bytes += entry.size
    const key = `${String(entry.device)}:${String(entry.inode)}`
    if (entry.linkCount > 1 && linked.has(key)) continue
    if (entry.linkCount > 1) linked.add(key)
    bytesToWrite += Math.max(0, bytesNeeded(entry) - there(path))
  }
  return { entries, bytes, bytesToWrite }
}
