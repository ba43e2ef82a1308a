/** The durability point (ordering.md §2): packs, directory, index. */
import { CellarError, type ChunkId } from '../../protocol/index.ts'
import { isDiskFull } from '../disk.ts'
import type { IndexDraft } from '../index/draft.ts'
import { completeIfWhole, completeWithGaps } from './closure.ts'
import type { StoreParts } from './parts.ts'
import type { StagedChunk } from './staging.ts'

/**
 * Makes what was accepted so far durable; within the turnstile.
 *
 * @throws {CellarError} `STORE_FULL`
 */
export async function commitStaged(parts: StoreParts): Promise<void> {
  if (parts.staging.size === 0) return
  const batch = parts.staging.take()
  const failed = await syncPacks(parts)
  try {
    const draft = parts.index.draft()
    enter(parts, draft, batch)
    await withReserve(parts, () => draft.write(true))
  } catch (error) {
    parts.staging.putBack()
    throw error
  }
  parts.staging.taken()
  for (const error of failed) throw error
}

/**
 * Makes packs durable. After a failed sync nobody knows which bytes are on disk, and a second one may lie: what was
 * written to such a pack is given up, and the pack is only read until the store is opened again.
 *
 * @returns why syncs failed; none when all went well
 */
export async function syncPacks(parts: StoreParts): Promise<unknown[]> {
  const failed = await parts.packs.sync()
  for (const pack of failed.keys()) {
    parts.staging.dropPack(pack)
    parts.packs.truncate(pack, parts.index.packs.get(pack)?.end ?? 0)
    parts.packs.setDamaged(pack)
  }
  return [...failed.values()].map(translate)
}

/** Enters chunks that are durable in packs into the index. */
function enter(parts: StoreParts, draft: IndexDraft, batch: ReadonlyMap<ChunkId, StagedChunk>): void {
  for (const [id, staged] of batch) {
    enterChunk(draft, id, staged)
    draft.extendPack(staged.pack, staged.offset + staged.length)
  }
  for (const [id, { links, isLoose }] of batch) {
    const isNeeded = (draft.get(id)?.refs ?? 0) > 0
    if (isLoose === true && !isNeeded) continue
    const isWhole = completeIfWhole(draft, id, links)
    // A wanted chunk came back: what refers to it is counted already, so what it refers to must be.
    if (!isWhole && isNeeded) completeWithGaps(parts, draft, id)
  }
}

/** Enters one chunk; a bad one gets its new place and keeps its references. */
export function enterChunk(draft: IndexDraft, id: ChunkId, chunk: StagedChunk): void {
  const before = draft.get(id)
  if (before !== undefined && !before.isBad) return
  const place = {
    pack: chunk.pack,
    offset: chunk.offset,
    length: chunk.length,
    linkCount: chunk.links.length,
    isBad: false,
    isReleased: false,
  }
  draft.set(id, { refs: before?.refs ?? 0, isComplete: before?.isComplete ?? false, ...place })
}

/** Does something small that must be possible on a full disk: once more with the reserve given back, if need be. */
export async function withReserve<T>(parts: StoreParts, task: () => Promise<T>): Promise<T> {
  try {
    return await task()
  } catch (error) {
    if (!isFull(error)) throw error
    if (!parts.reserve.release()) throw translate(error)
  }
  try {
    return await task()
  } catch (error) {
    throw translate(error)
  }
}

function isFull(error: unknown): boolean {
  return isDiskFull(error) || (error instanceof CellarError && error.code === 'STORE_FULL')
}

function translate(error: unknown): unknown {
  if (!isDiskFull(error) || error instanceof CellarError) return error
  return new CellarError('STORE_FULL', 'the disk of the store is full', {}, { cause: error })
}
