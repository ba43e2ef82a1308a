/** Which chunks are whole with all below them: linking, and looking for what lacks (ordering.md §3). */
import { CellarError, type ChunkId } from '../../protocol/index.ts'
import type { IndexDraft } from '../index/draft.ts'
import { pause } from '../pause.ts'
import { checkedLinks, peekLinks, type StoreParts } from './parts.ts'

/** A draft is written, not yet durably, when it has touched this many chunks: memory stays small. */
export const draftChunksMax = 20_000

/** Chunks looked into before others have the thread. */
const STEPS_PER_PAUSE = 64

/** Marks a chunk complete and counts it in what it links to; in one draft, so in one batch. */
export function setComplete(draft: IndexDraft, id: ChunkId, links: readonly ChunkId[]): void {
  const record = draft.get(id)
  if (record === undefined || record.isComplete) return
  draft.set(id, { ...record, isComplete: true })
  for (const link of links) draft.refer(link, 1)
}

/** Marks a chunk complete if all it links to is. @returns whether it is complete then */
export function completeIfWhole(draft: IndexDraft, id: ChunkId, links: readonly ChunkId[]): boolean {
  for (const link of links) {
    const child = draft.get(link)
    if (child?.isComplete !== true || child.isBad) return false
  }
  setComplete(draft, id, links)
  return true
}

interface Step {
  readonly id: ChunkId
  readonly links: readonly ChunkId[]
  next: number
}

/**
 * Completes the closure of a chunk bottom-up as far as it is here. Walks what is not complete, and no further; within
 * the turnstile.
 *
 * @param draft - written whenever it is long, and not durably
 * @returns what lacks, each once
 */
export async function completeClosure(
  parts: StoreParts,
  draft: IndexDraft,
  top: ChunkId,
): Promise<Set<ChunkId>> {
  const lacking = new Set<ChunkId>()
  const seen = new Set<ChunkId>()
  const path: Step[] = []
  const enter = (id: ChunkId): void => {
    if (seen.has(id) || lacking.has(id)) return
    const record = draft.get(id)
    if (record === undefined || record.isBad) lacking.add(id)
    else if (!record.isComplete) {
      seen.add(id)
      path.push({ id, links: linksOrLacking(parts, id, lacking), next: 0 })
    } else for (const bad of badBelow(parts, id)) lacking.add(bad)
  }
  enter(top)
  for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
    const link = step.links[step.next++]
    if (link !== undefined) {
      enter(link)
      continue
    }
    path.pop()
    if (seen.size % STEPS_PER_PAUSE === 0) await pause()
    if (!lacking.has(step.id)) completeIfWhole(draft, step.id, step.links)
    if (draft.size > draftChunksMax) await draft.write(false)
  }
  return lacking
}

/** R3 counts only what was checked: a chunk whose bytes are bad lacks, whatever the index says. */
function linksOrLacking(parts: StoreParts, id: ChunkId, lacking: Set<ChunkId>): readonly ChunkId[] {
  try {
    return checkedLinks(parts, id)
  } catch (error) {
    if (!(error instanceof CellarError)) throw error
    lacking.add(id)
    return []
  }
}

/**
 * Completes a chunk that something complete refers to although not all below it is here: what lacks is entered as bad
 * and wanted, so that everything that is here stays counted. After loss only.
 */
export function completeWithGaps(parts: StoreParts, draft: IndexDraft, top: ChunkId): void {
  const open: ChunkId[] = [top]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const record = draft.get(id)
    if (record === undefined || record.isComplete || record.isBad) continue
    const lacking = new Set<ChunkId>()
    const links = linksOrLacking(parts, id, lacking)
    if (lacking.size > 0) {
      draft.set(id, { ...record, isBad: true })
      continue
    }
    for (const link of links) {
      if (draft.get(link) === undefined) draft.set(link, wantedRecord)
      open.push(link)
    }
    setComplete(draft, id, links)
  }
}

/** The record of a chunk that something here refers to and that is not here. */
export const wantedRecord = {
  pack: 0,
  offset: 0,
  length: 0,
  refs: 0,
  linkCount: 0,
  isComplete: false,
  isBad: true,
  isReleased: false,
} as const

/**
 * How many links a chunk has that is here and not known to be bad; undefined of another. What has none need not be
 * remembered by who walks: there are many more of these than of others.
 */
function linkCountOf(parts: StoreParts, id: ChunkId): number | undefined {
  const staged = parts.staging.get(id)
  if (staged !== undefined) return staged.links.length
  const record = parts.index.get(id)
  return record === undefined || record.isBad ? undefined : record.linkCount
}

/** The bad chunks below a chunk, itself included: none, and no walk, as long as the store knows of none. */
export function badBelow(parts: StoreParts, top: ChunkId): ChunkId[] {
  if (parts.index.bad.size === 0) return []
  const found = new Set<ChunkId>()
  const seen = new Set<ChunkId>()
  const look = (id: ChunkId): void => {
    const links = linkCountOf(parts, id)
    if (links === undefined) found.add(id)
    else if (links > 0) seen.add(id)
  }
  look(top)
  for (const id of seen) {
    const damaged: ChunkId[] = []
    for (const link of peekOrFind(parts, id, damaged)) look(link)
    for (const bad of damaged) found.add(bad)
  }
  return [...found]
}

/** What is not here below a chunk; walks what is not complete, and everything while some chunks are bad. */
export function* missingBelow(parts: StoreParts, top: ChunkId): Iterable<ChunkId> {
  /** With links, or missing. */
  const seen = new Set<ChunkId>()
  const open: ChunkId[] = [top]
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (seen.has(id)) continue
    const links = linkCountOf(parts, id)
    if (links === 0) continue
    seen.add(id)
    if (links === undefined) {
      yield id
      continue
    }
    if (parts.index.bad.size === 0 && parts.index.get(id)?.isComplete === true) continue
    const damaged: ChunkId[] = []
    const below = peekOrFind(parts, id, damaged)
    yield* damaged
    for (let at = below.length - 1; at >= 0; at--) {
      const link = below[at]
      if (link !== undefined) open.push(link)
    }
  }
}

function peekOrFind(parts: StoreParts, id: ChunkId, damaged: ChunkId[]): readonly ChunkId[] {
  try {
    return peekLinks(parts, id)
  } catch (error) {
    if (!(error instanceof CellarError)) throw error
    damaged.push(id)
    return []
  }
}
