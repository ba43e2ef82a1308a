/** Removing chunks that nothing refers to (R6: the caller decides, here is the transaction). */
import { CellarError, type ChunkId } from '../../protocol/index.ts'
import type { ReclaimOptions } from '../chunk-store.ts'
import type { IndexDraft } from '../index/draft.ts'
import { recordHeaderBytes } from '../pack/format.ts'
import { draftChunksMax } from './closure.ts'
import { commitStaged, withReserve } from './commit.ts'
import { checkedLinks, type StoreParts } from './parts.ts'

/** Removes what may go from the index; within the turnstile. The bytes stay in the packs until they are compacted. */
export async function removeFree(
  parts: StoreParts,
  options: ReclaimOptions,
): Promise<{ chunks: number; bytes: number }> {
  await commitStaged(parts)
  const removed = { chunks: 0, bytes: 0 }
  if (isSomethingUnknown(parts)) return removed
  const draft = parts.index.draft()
  try {
    for await (const first of parts.index.free()) {
      if (options.signal?.aborted === true) break
      const open: ChunkId[] = [first]
      for (let id = open.pop(); id !== undefined; id = open.pop()) {
        const bytes = removeOne(parts, draft, { id, open, mayReclaim: options.mayReclaim })
        if (bytes === undefined) continue
        removed.chunks++
        removed.bytes += bytes
        if (draft.size > draftChunksMax) await withReserve(parts, () => draft.write(false))
      }
    }
    await withReserve(parts, () => draft.write(true))
  } finally {
    draft.discard()
  }
  return removed
}

/**
 * After a loss, something that is needed may be here in bad bytes only, or not at all: what it links to is not counted,
 * and looks free. Unknown means pinned, until it is mended or nothing needs it any more.
 */
function isSomethingUnknown({ index }: StoreParts): boolean {
  for (const id of index.bad) {
    const record = index.get(id)
    if (record !== undefined && !record.isComplete && record.refs > 0) return true
  }
  return false
}

interface Removal {
  readonly id: ChunkId
  /** Gets what nothing refers to any more. */
  readonly open: ChunkId[]
  readonly mayReclaim: (id: ChunkId) => boolean
}

/** Removes one chunk and takes it off what it links to, in one draft. @returns its bytes; undefined when it stays */
function removeOne(parts: StoreParts, draft: IndexDraft, removal: Removal): number | undefined {
  const { id, open, mayReclaim } = removal
  const record = draft.get(id)
  if (record === undefined || record.refs > 0 || parts.staging.get(id) !== undefined || !mayReclaim(id))
    return undefined
  if (record.isComplete) {
    const links = linksOf(parts, id)
    if (links === undefined) return undefined // its links are unknown: it and what is below stay until it is replaced
    for (const link of links) if (draft.refer(link, -1) === 0) open.push(link)
  }
  draft.set(id, undefined)
  return record.pack === 0 ? 0 : record.length + recordHeaderBytes
}

function linksOf(parts: StoreParts, id: ChunkId): readonly ChunkId[] | undefined {
  try {
    return checkedLinks(parts, id)
  } catch (error) {
    if (error instanceof CellarError) return undefined
    throw error
  }
}
