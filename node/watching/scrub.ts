/** Reads what is stored again, part by part, and has mended what is bad (spec/watching.md §1). */

import type { ChunkId } from '../../protocol/index.ts'
import type { ScrubbedPack } from '../../storage/index.ts'
import type { CallContext, ScrubParams, ScrubSummary } from '../api.ts'
import type { NodeParts } from '../parts.ts'
import { paceMs } from './plan.ts'

/** How much is read, and how fast. */
interface Budget {
  readonly bytes: number
  /** KiB a second. */
  readonly limit: number | undefined
}

/** A round that has not begun. */
const ROUND_NONE = { pack: 0, roundStartedMs: 0, roundBytes: 0 }

/** What a scrub tells on the way, and to whom. */
export interface ScrubContext extends Pick<CallContext<'scrub'>, 'signal' | 'onEvent'> {
  /** A person waits: peers are waited for, and sources read, so that what is bad is mended when it ends. */
  readonly isAsked: boolean
}

/** Scrubs as a person asks, see `Methods.scrub`. @throws {CellarError} `ABORTED`, `STORE_CLOSED` */
export async function runScrub(
  parts: NodeParts,
  { percent, limit }: ScrubParams,
  context: CallContext<'scrub'>,
): Promise<ScrubSummary> {
  const { packBytes } = parts.store.stats()
  const bytes = Math.ceil((packBytes * Math.min(100, percent)) / 100)
  return await scrub(parts, { bytes, limit }, { ...context, isAsked: true })
}

/**
 * Reads packs from where the last scrub stopped until it has read so many bytes, or every pack once; a pack begun is
 * read to its end. What was read stays read, however it ends.
 */
export async function scrub(parts: NodeParts, budget: Budget, context: ScrubContext): Promise<ScrubSummary> {
  const { watching, jobs, world } = parts
  return await watching.scrubs.run(() =>
    jobs.run('scrub', { startedMs: world.clock.nowMs(), signal: context.signal }, async (job, signal) => {
      const run = new Scrub(parts, budget, { ...context, signal }, (share) => {
        job.percentDone = share
      })
      const summary = await run.run()
      const { bytes_read, chunks_bad, chunks_mended } = summary
      job.summary = { bytes_read, chunks_bad, chunks_mended }
      return summary
    }),
  )
}

class Scrub {
  readonly #parts: NodeParts
  readonly #budget: Budget
  readonly #context: ScrubContext
  readonly #onShare: (share: number) => void
  readonly #startedMs: number
  readonly #bad = new Set<ChunkId>()
  #packs = 0
  #chunks = 0
  #bytes = 0
  #errors = 0
  #isRoundDone = false
  #pacedMs: number

  constructor(parts: NodeParts, budget: Budget, context: ScrubContext, onShare: (share: number) => void) {
    this.#parts = parts
    this.#budget = budget
    this.#context = context
    this.#onShare = onShare
    this.#startedMs = parts.world.clock.monotonicMs()
    this.#pacedMs = this.#startedMs
  }

  async run(): Promise<ScrubSummary> {
    const { events, store, watching } = this.#parts
    const began = watching.record.scrub.pack
    try {
      await this.#read(began, Infinity)
      // Round the end of the packs to those before the first one read, each once at most.
      if (!this.#isEnough && began > 0) await this.#read(0, began)
    } finally {
      const { bytes, chunks } = { bytes: this.#bytes, chunks: this.#chunks }
      if (chunks > 0 || bytes > 0)
        events.emit({ kind: 'scrubbed', bytes, bad: this.#bad.size, isRoundDone: this.#isRoundDone })
    }
    await this.#mend()
    return {
      message_type: 'summary',
      packs_read: this.#packs,
      chunks_read: this.#chunks,
      bytes_read: this.#bytes,
      chunks_bad: this.#bad.size,
      chunks_mended: [...this.#bad].filter((id) => store.has(id)).length,
      chunks_left: store.stats().quarantined,
      round_done: this.#isRoundDone,
    }
  }

  get #isEnough(): boolean {
    return this.#bytes >= this.#budget.bytes
  }

  /** Reads the packs in (after, to]; the place is noted after each, so that nothing but a pack begun is read again. */
  async #read(after: number, to: number): Promise<void> {
    const { store, world, watching } = this.#parts
    const { signal } = this.#context
    const pace = (bytes: number) => this.#pace(bytes)
    let isLast = to === Infinity
    for await (const found of store.scrub({ after, signal, pace })) {
      this.#note(found)
      await this.#remember(found)
      isLast = found.isLast
      if (isLast || this.#isEnough || found.pack >= to) break
    }
    if (!isLast) return
    this.#isRoundDone = true
    const nowMs = world.clock.nowMs()
    await watching.record.changeScrub(() => ({ ...ROUND_NONE, lastRoundMs: nowMs, lastMs: nowMs }))
  }

  #note({ chunks, bytes, problems }: ScrubbedPack): void {
    this.#packs++
    this.#chunks += chunks
    this.#bytes += bytes
    for (const { id, kind, message } of problems) {
      this.#errors++
      const code = kind === 'chunk-corrupt' || kind === 'pack-damaged' ? 'CHUNK_CORRUPT' : 'CHUNK_NOT_FOUND'
      this.#context.onEvent({
        message_type: 'error',
        message,
        code,
        ...(id !== undefined && { chunk: id }),
      })
      if (id === undefined) continue
      this.#bad.add(id)
      // R3: set aside, and no longer said to be held, from now on; a node that runs also mends it by itself.
      this.#parts.events.emit({ kind: 'bad-chunk', id })
    }
    this.#status()
  }

  async #remember({ pack, bytes }: ScrubbedPack): Promise<void> {
    const nowMs = this.#parts.world.clock.nowMs()
    await this.#parts.watching.record.changeScrub((so) => ({
      pack,
      roundStartedMs: so.pack === 0 ? nowMs : so.roundStartedMs,
      roundBytes: (so.pack === 0 ? 0 : so.roundBytes) + bytes,
      lastMs: nowMs,
      bytes: so.bytes + bytes,
    }))
  }

  async #pace(bytes: number): Promise<void> {
    const { clock } = this.#parts.world
    const waitMs = paceMs(bytes, this.#budget.limit, clock.monotonicMs() - this.#pacedMs)
    if (waitMs > 0) await clock.sleep(waitMs, this.#context.signal)
    this.#pacedMs = clock.monotonicMs()
  }

  /** With what this scrub found, where somebody waits for it, all that was set aside before. */
  async #mend(): Promise<void> {
    const { store, watching } = this.#parts
    const { onEvent, signal, isAsked } = this.#context
    const onMended = (chunk: ChunkId, from: string) => {
      onEvent({ message_type: 'mended', chunk, from })
    }
    const all = isAsked ? new Set([...this.#bad, ...store.quarantined()]) : this.#bad
    if (all.size > 0) await watching.mender.mend([...all], { signal, isAsked, onMended })
  }

  #status(): void {
    const total = Math.max(1, this.#budget.bytes)
    const share = Math.min(1, this.#bytes / total)
    this.#onShare(share)
    this.#context.onEvent({
      message_type: 'status',
      seconds_elapsed: Math.floor((this.#parts.world.clock.monotonicMs() - this.#startedMs) / 1000),
      percent_done: share,
      bytes_done: this.#bytes,
      total_bytes: this.#budget.bytes,
      error_count: this.#errors,
    })
  }
}
