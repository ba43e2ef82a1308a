/** One directory of a snapshot, page by page: only the parts that a page shows are read. */

import type { ChunkId, Entry } from '../../protocol/index.ts'
import type { SnapshotReader } from '../snapshot-reader.ts'
import { decodeCursor, encodeCursor, wrongCursor } from './cursor.ts'

/** A page of a directory. */
export interface DirectoryPage {
  /** In the order of their names. */
  readonly entries: readonly Entry[]
  /** Where the next page begins; undefined when this is the last. */
  readonly next: string | undefined
}

/** From where on, and how many. */
export interface PageRequest {
  readonly after: string | undefined
  /** 1.. */
  readonly limit: number
}

/**
 * Reads a page. A cursor names a part of the directory by its chunk, so it also fits a later snapshot in which that
 * part has not changed, and no other.
 *
 * @param trees - the parts of the directory
 * @throws {CellarError} `USAGE` for a cursor of something else; what reading throws
 */
export async function directoryPage(
  reader: SnapshotReader,
  trees: readonly ChunkId[],
  { after, limit }: PageRequest,
  signal: AbortSignal,
): Promise<DirectoryPage> {
  let { part, at } = startOf(trees, after)
  const entries: Entry[] = []
  for (; part < trees.length; part++, at = 0) {
    const tree = trees[part] as ChunkId
    if (entries.length === limit) return { entries, next: encodeCursor([tree, at]) }
    const view = await reader.tree(tree, signal)
    if (at > view.count) throw wrongCursor()
    const shown = view.entries().slice(at, at + limit - entries.length)
    for (const entry of shown) entries.push(entry)
    if (at + shown.length < view.count) return { entries, next: encodeCursor([tree, at + shown.length]) }
  }
  return { entries, next: undefined }
}

function startOf(trees: readonly ChunkId[], after: string | undefined): { part: number; at: number } {
  if (after === undefined) return { part: 0, at: 0 }
  const [tree, at] = decodeCursor(after, ['string', 'number'])
  const part = trees.indexOf(tree as ChunkId)
  if (part < 0 || !Number.isSafeInteger(at) || at < 0) throw wrongCursor()
  return { part, at }
}
