/** Removing chunks that nothing refers to (R6: the caller decides, here is the transaction). */
import { CellarError, type ChunkId } from '../../protocol/index.ts'
import type { ReclaimOptions } from '../chunk-store.ts'
import type { IndexDraft } from '../index/draft.ts'
import { recordHeaderBytes } from '../pack/format.ts'
import { pause } from '../pause.ts'
import { commitStaged, withReserve } from './commit.ts'
import { checkedLinks, type StoreParts } from './parts.ts'

/** Chunks and links looked at in one step: some twenty milliseconds, after which others have their turn. */
const LOOKS_PER_STEP = 8192

/** What was removed so far. */
export interface Removed {
  readonly chunks: number
  /** With record headers. */
  readonly bytes: number
}

/**
 * Removes what may go from the index, durably; takes the turnstile for each step. The bytes stay in the packs until
 * they are compacted. Cut short, it leaves what it has come upon in the list of what is released.
 */
export async function removeFree(
  parts: StoreParts,
  options: ReclaimOptions,
  onStep: (removed: Removed) => void,
): Promise<Removed> {
  await parts.turnstile.run(() => commitStaged(parts))
  const removal = new Removal(parts, options)
  try {
    while (!removal.isOver && options.signal?.aborted !== true) {
      await parts.turnstile.run(() => removal.step())
      onStep(removal.removed)
      await pause()
    }
  } finally {
    await removal.close()
    await parts.turnstile.run(() => withReserve(parts, () => parts.index.settle()))
  }
  return removal.removed
}

/** One pass over what is free. */
class Removal {
  readonly #parts: StoreParts
  readonly #options: ReclaimOptions
  readonly #free: AsyncGenerator<ChunkId, void, undefined>
  /** What this pass has made free and not yet looked at. */
  readonly #open: ChunkId[] = []
  /** In this step. */
  #looks = 0
  isOver = false
  removed: Removed = { chunks: 0, bytes: 0 }

  constructor(parts: StoreParts, options: ReclaimOptions) {
    this.#parts = parts
    this.#options = options
    this.#free = parts.index.free(options.unfinished ?? false)
  }

  async close(): Promise<void> {
    await this.#free.return()
  }

  /** Removes some, in one batch; within the turnstile. */
  async step(): Promise<void> {
    if (isSomethingUnknown(this.#parts)) {
      this.isOver = true
      return
    }
    const draft = this.#parts.index.draft()
    let { chunks, bytes } = this.removed
    try {
      this.#looks = 0
      while (this.#looks++ < LOOKS_PER_STEP) {
        if (this.#options.signal?.aborted === true) break
        const id = this.#open.pop() ?? (await this.#nextFree())
        if (id === undefined) break
        const removedBytes = this.#removeOne(draft, id)
        if (removedBytes === undefined) continue
        chunks++
        bytes += removedBytes
      }
      await withReserve(this.#parts, () => draft.write(this.isOver))
    } finally {
      draft.discard()
    }
    this.removed = { chunks, bytes }
  }

  async #nextFree(): Promise<ChunkId | undefined> {
    const next = await this.#free.next()
    if (next.done !== true) return next.value
    this.isOver = true
    return undefined
  }

  /** Removes one chunk and takes it off what it links to. @returns its bytes; undefined when it stays */
  #removeOne(draft: IndexDraft, id: ChunkId): number | undefined {
    const parts = this.#parts
    const record = draft.get(id)
    if (record === undefined || record.refs > 0 || parts.staging.get(id) !== undefined) return undefined
    if (!this.#options.mayReclaim(id)) return undefined
    const staysAlone = this.#options.staysAlone?.(id) === true
    if (staysAlone && !record.isComplete) return undefined
    if (record.isComplete) {
      const links = linksOf(parts, id)
      if (links === undefined) return undefined // its links are unknown: it and what is below stay until it is replaced
      this.#looks += links.length
      for (const link of links) if (draft.refer(link, -1) === 0) this.#open.push(link)
    }
    if (staysAlone) {
      // In one batch with what it no longer counts in: it is as if it had come without what is below it.
      draft.set(id, { ...record, isComplete: false, isReleased: false })
      return undefined
    }
    draft.set(id, undefined)
    return record.pack === 0 ? 0 : record.length + recordHeaderBytes
  }
}

/**
 * After a loss, something that is needed may be here in bad bytes only, or not at all: what it links to is not counted,
 * and looks free. Unknown means pinned, until it is mended or nothing needs it any more.
 */
export function isSomethingUnknown({ index }: StoreParts): boolean {
  for (const id of index.bad) {
    const record = index.get(id)
    if (record !== undefined && !record.isComplete && record.refs > 0) return true
  }
  return false
}

/** The links of a chunk, checked; undefined when they cannot be known. */
export function linksOf(parts: StoreParts, id: ChunkId): readonly ChunkId[] | undefined {
  try {
    return checkedLinks(parts, id)
  } catch (error) {
    if (error instanceof CellarError) return undefined
    throw error
  }
}
