/** What releasing roots would free, without doing it. */
import { CellarError, type ChunkId, type RootId } from '../../protocol/index.ts'
import type { Freed, FreedOptions } from '../chunk-store.ts'
import { recordHeaderBytes } from '../pack/format.ts'
import { pause } from '../pause.ts'
import { peekLinks, type StoreParts } from './parts.ts'
import { isSomethingUnknown } from './reclaim.ts'

const LOOKS_MAX = 200_000
/** Look-ups before others have the thread. */
const LOOKS_PER_PAUSE = 1024

/**
 * Counts what would go as `reclaim` removes it: by taking references off, in memory. What changes meanwhile may be
 * counted or not.
 */
export async function freedBy(
  parts: StoreParts,
  roots: readonly RootId[],
  options: FreedOptions,
): Promise<Freed> {
  if (isSomethingUnknown(parts)) return { chunks: 0, bytes: 0, isWhole: true }
  const count = new Count(parts, options)
  for (const root of new Set(roots)) {
    count.start(root, parts.index.holds.has(root) ? 1 : 0)
    await count.finish()
  }
  const { mayReclaim } = options
  if (mayReclaim !== undefined) {
    for await (const id of parts.index.free(options.unfinished ?? false)) {
      if (count.isOver) break
      count.start(id, 0)
      await count.finish()
    }
  }
  return { chunks: count.chunks, bytes: count.bytes, isWhole: !count.isOver }
}

/** References taken off so far, and what has none left. */
class Count {
  readonly #parts: StoreParts
  readonly #limit: number
  readonly #mayReclaim: (id: ChunkId) => boolean
  readonly #staysAlone: ((id: ChunkId) => boolean) | undefined
  /** References left, of the chunks from which some were taken; of those that go, -1. */
  readonly #left = new Map<ChunkId, number>()
  readonly #open: ChunkId[] = []
  #looks = 0
  chunks = 0
  bytes = 0

  constructor(parts: StoreParts, options: FreedOptions) {
    this.#parts = parts
    this.#limit = options.limit ?? LOOKS_MAX
    this.#mayReclaim = options.mayReclaim ?? (() => true)
    this.#staysAlone = options.staysAlone
  }

  /** More would have had to be looked at. */
  get isOver(): boolean {
    return this.#looks > this.#limit
  }

  /** Takes references off a chunk; once it has none it goes, and `finish` looks below it. */
  start(id: ChunkId, references: number): void {
    this.#looks++
    const left = (this.#left.get(id) ?? this.#parts.index.get(id)?.refs ?? -1) - references
    if (left > 0) this.#left.set(id, left)
    else if (left === 0) {
      this.#left.set(id, -1)
      this.#open.push(id)
    }
  }

  /** Goes on until nothing more goes, or the limit is met. */
  async finish(): Promise<void> {
    let pauseAt = this.#looks + LOOKS_PER_PAUSE
    for (let id = this.#open.pop(); id !== undefined && !this.isOver; id = this.#open.pop()) {
      this.#take(id)
      if (this.#looks < pauseAt) continue
      pauseAt = this.#looks + LOOKS_PER_PAUSE
      await pause()
    }
  }

  #take(id: ChunkId): void {
    const record = this.#parts.index.get(id)
    if (record === undefined || this.#parts.staging.get(id) !== undefined || !this.#mayReclaim(id)) return
    const links = record.isComplete && record.linkCount > 0 ? linksOf(this.#parts, id) : []
    if (links === undefined) return // as `reclaim`: unknown means pinned
    if (this.#staysAlone?.(id) !== true) {
      this.chunks++
      this.bytes += record.pack === 0 ? 0 : record.length + recordHeaderBytes
    }
    for (const link of links) {
      if (this.isOver) return
      this.start(link, 1)
    }
  }
}

function linksOf(parts: StoreParts, id: ChunkId): readonly ChunkId[] | undefined {
  try {
    return peekLinks(parts, id)
  } catch (error) {
    if (error instanceof CellarError) return undefined
    throw error
  }
}
