/** Dropping what another device keeps (R10: noted by the caller first), in the order of ordering.md §5a. */
import type { ChunkId } from '../../protocol/index.ts'
import type { ReclaimResult, UnusedChunk } from '../chunk-store.ts'
import type { IndexDraft } from '../index/draft.ts'
import { recordHeaderBytes } from '../pack/format.ts'
import { pause } from '../pause.ts'
import { commitStaged, withReserve } from './commit.ts'
import { compactPacks } from './compact.ts'
import type { StoreParts } from './parts.ts'
import { isSomethingUnknown, linksOf } from './reclaim.ts'

/** Chunks looked at in one step, after which others have their turn. */
const LOOKS_PER_STEP = 8192

/** Packs are removed of which nothing lives; none is rewritten. */
const ONLY_DEAD = { deadShareMin: 1 } as const

/** Takes chunks out of the index, durably, then removes the packs that are empty; takes the turnstile for each step. */
export async function dropChunks(parts: StoreParts, ids: readonly ChunkId[]): Promise<ReclaimResult> {
  await parts.turnstile.run(() => commitStaged(parts))
  let chunks = 0
  let bytes = 0
  for (let from = 0; from < ids.length; from += LOOKS_PER_STEP) {
    const step = ids.slice(from, from + LOOKS_PER_STEP)
    const dropped = await parts.turnstile.run(() => dropSome(parts, step))
    chunks += dropped.length
    for (const length of dropped) bytes += length + recordHeaderBytes
    await pause()
  }
  const freedBytes = chunks === 0 ? 0 : await compactPacks(parts, ONLY_DEAD, () => undefined)
  return { chunks, bytes, freedBytes }
}

/** One batch. @returns the lengths of what was dropped */
async function dropSome(parts: StoreParts, ids: readonly ChunkId[]): Promise<number[]> {
  if (isSomethingUnknown(parts)) return []
  const draft = parts.index.draft()
  try {
    const dropped = ids.flatMap((id) => dropOne(parts, draft, id))
    await withReserve(parts, () => draft.write(true))
    return dropped
  } finally {
    draft.discard()
  }
}

function dropOne(parts: StoreParts, draft: IndexDraft, id: ChunkId): number[] {
  const record = draft.get(id)
  if (record === undefined || record.refs > 0 || record.isBad || record.linkCount > 0) return []
  if (parts.staging.get(id) !== undefined) return []
  draft.set(id, undefined)
  return [record.length]
}

/** What `drop` could take, as the index says while one iterates. */
export async function* unusedChunks(parts: StoreParts): AsyncIterable<UnusedChunk> {
  for await (const id of parts.index.free(true)) {
    const record = parts.index.get(id)
    if (record === undefined || record.refs > 0 || record.isBad || record.linkCount > 0) continue
    yield { id, length: record.length }
  }
}

/** Takes completeness from what nothing refers to, from the top down; takes the turnstile for each step. */
export async function loosenUnused(parts: StoreParts): Promise<void> {
  await parts.turnstile.run(() => commitStaged(parts))
  const free = parts.index.free(true)
  const open: ChunkId[] = []
  try {
    for (let isMore = true; isMore; ) {
      isMore = await parts.turnstile.run(() => loosenSome(parts, free, open))
      await pause()
    }
  } finally {
    await free.return()
  }
}

/** One batch. @returns false when there is nothing left */
async function loosenSome(
  parts: StoreParts,
  free: AsyncGenerator<ChunkId, void, undefined>,
  open: ChunkId[],
): Promise<boolean> {
  const draft = parts.index.draft()
  let isMore = true
  for (let looks = 0; looks < LOOKS_PER_STEP; looks++) {
    const id = open.pop() ?? (await nextOf(free))
    if (id === undefined) {
      isMore = false
      break
    }
    looks += loosenOne(parts, draft, id, open)
  }
  await withReserve(parts, () => draft.write(true))
  return isMore
}

async function nextOf(free: AsyncGenerator<ChunkId, void, undefined>): Promise<ChunkId | undefined> {
  const next = await free.next()
  return next.done === true ? undefined : next.value
}

/** @returns how many links it has counted off */
function loosenOne(parts: StoreParts, draft: IndexDraft, id: ChunkId, open: ChunkId[]): number {
  const record = draft.get(id)
  if (record === undefined || record.refs > 0 || record.isBad || !record.isComplete || record.linkCount === 0)
    return 0
  const links = linksOf(parts, id)
  if (links === undefined) return 0 // its links are unknown: what is below it stays counted
  draft.set(id, { ...record, isComplete: false })
  for (const link of links) {
    const left = draft.refer(link, -1)
    const below = draft.get(link)
    if (left !== 0 || below === undefined) continue
    // It never had a reference that counted: as if this commit had not completed what is above it.
    draft.set(link, { ...below, isReleased: false })
    open.push(link)
  }
  return links.length
}
