/** Draws the files that a drill restores (spec/watching.md §4): pure but for the chance and the trees given. */

import type { ChunkId, Random, SnapshotRoot } from '../../protocol/index.ts'
import { childPath, type FoundEntry, type SnapshotReader } from '../snapshot-reader.ts'
import { draw } from './plan.ts'

/** Ways down that are tried for each file wanted: some end at what is no file, is too large, or was drawn before. */
const waysEach = 12

/** How much is drawn. */
export interface SampleBounds {
  readonly files: number
  /** Of all files together. */
  readonly bytes: number
}

/**
 * Goes down from the top of a snapshot by an entry at random at each directory, so that only the directories on the way
 * are read, however large the snapshot is.
 *
 * @returns files with content, each once; none when there are none, or all are too large
 * @throws what reading throws
 */
export async function sampleFiles(
  reader: Pick<SnapshotReader, 'tree'>,
  root: SnapshotRoot,
  bounds: SampleBounds,
  random: Random,
  signal: AbortSignal,
): Promise<FoundEntry[]> {
  const found = new Map<string, FoundEntry>()
  let bytes = 0
  for (let way = 0; way < bounds.files * waysEach && found.size < bounds.files; way++) {
    const drawn = await drawFile(reader, root.trees, random, signal)
    if (drawn === undefined || bytes + drawn.entry.size > bounds.bytes) continue
    const key = Buffer.from(drawn.path).toString('latin1')
    if (found.has(key)) continue
    found.set(key, drawn)
    bytes += drawn.entry.size
  }
  return [...found.values()]
}

async function drawFile(
  reader: Pick<SnapshotReader, 'tree'>,
  top: readonly ChunkId[],
  random: Random,
  signal: AbortSignal,
): Promise<FoundEntry | undefined> {
  let trees = top
  let path: Uint8Array = Buffer.from('/')
  for (;;) {
    const part = trees[draw(random, trees.length)]
    if (part === undefined) return undefined
    const entries = (await reader.tree(part, signal)).entries()
    const entry = entries[draw(random, entries.length)]
    if (entry === undefined) return undefined
    path = childPath(path, entry.name)
    if (entry.trees === undefined)
      return entry.type === 'file' && entry.content !== undefined ? { path, entry } : undefined
    trees = entry.trees
  }
}
