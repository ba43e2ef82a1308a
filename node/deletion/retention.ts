/**
 * Retention by itself, in a node that runs (spec/deletion.md §2): rules are applied every so often, with every other
 * device asleep too; and what devices announce is judged as it comes (R14), so that a person is told in time.
 */

import { CellarError, type Clock, isCellarError } from '../../protocol/index.ts'
import type { Catalog } from '../../storage/index.ts'
import type { Events, NodeEvent } from '../events.ts'
import type { RetentionSettings } from './retention-settings.ts'

/**
 * Before the first round after a start, milliseconds: peers tell what they know, and what is due waits no longer. After
 * other settings too: whoever sees that a rule is wrong can still take it back.
 */
export const settleMs = 60_000
/** The date is looked at again so often, milliseconds: machines sleep, and clocks are set. */
const lookEveryMs = 3_600_000
/** Between two judgements, milliseconds: many listings may come at once. */
export const judgeEveryMs = 30_000

const LAST = 'last'

/** When the last round ended, milliseconds since 1970. @param catalog - where a schedule remembers it */
export function lastRoundMs(catalog: Pick<Catalog, 'get'>): number | undefined {
  const value = catalog.get(LAST)
  const ms = value === undefined ? Number.NaN : Number(Buffer.from(value).toString())
  return Number.isFinite(ms) ? ms : undefined
}

/** What a schedule stands on. */
export interface RetentionParts {
  readonly clock: Clock
  readonly events: Events
  /** Remembers the last round. */
  readonly catalog: Catalog
  /** Those of the moment; undefined: nothing is forgotten by itself. Told as `settings` when they change. */
  readonly settings: () => Pick<RetentionSettings, 'everyMs'> | undefined
  /** Applies the rules and signs what they do not keep. */
  readonly apply: (signal: AbortSignal) => Promise<void>
  /** Judges what came since the last time. */
  readonly judge: (signal: AbortSignal) => Promise<void>
}

/** Goes on until it is closed. */
export class Retention {
  readonly #parts: RetentionParts
  readonly #end = new AbortController()
  #work: Promise<unknown> | undefined

  constructor(parts: RetentionParts) {
    this.#parts = parts
  }

  /** Begins; once. */
  start(): void {
    this.#work ??= Promise.allSettled([this.#judgeAgain(), this.#applyAgain()])
  }

  /** Ends what is under way, and waits for it. Idempotent. */
  async close(): Promise<void> {
    this.#end.abort(new CellarError('ABORTED', 'the node is closing'))
    await this.#work
  }

  async #applyAgain(): Promise<void> {
    const { clock, events, settings, apply } = this.#parts
    const { signal } = this.#end
    const isChange = ({ kind }: NodeEvent) => kind === 'settings'
    let changes = 0
    const off = events.on((event) => {
      if (isChange(event)) changes++
    })
    try {
      for (let waitMs = settleMs, seen = changes; ; ) {
        if (settings() === undefined) await events.next(isChange, signal)
        else await events.nextWithin(isChange, { clock, ms: waitMs, signal })
        const now = settings()
        if (changes !== seen || now === undefined) {
          seen = changes
          waitMs = settleMs
          continue
        }
        if (this.#dueInMs(now) <= 0) {
          const isDone = await this.#attempt(() => apply(signal))
          if (isDone) await this.#attempt(() => this.#noteRound())
          else await clock.sleep(Math.min(lookEveryMs, now.everyMs), signal)
        }
        waitMs = Math.min(lookEveryMs, Math.max(1, this.#dueInMs(now)))
      }
    } finally {
      off()
    }
  }

  /** Until the next round, milliseconds; 0 or less: it is due. A date that lies ahead was a wrong one. */
  #dueInMs({ everyMs }: Pick<RetentionSettings, 'everyMs'>): number {
    const lastMs = lastRoundMs(this.#parts.catalog)
    if (lastMs === undefined) return 0
    const sinceMs = this.#parts.clock.nowMs() - lastMs
    return sinceMs >= 0 ? everyMs - sinceMs : 0
  }

  async #noteRound(): Promise<void> {
    const value = Buffer.from(String(Math.round(this.#parts.clock.nowMs())))
    await this.#parts.catalog.batch([{ type: 'put', key: LAST, value }], { durable: true })
  }

  async #judgeAgain(): Promise<void> {
    const { clock, events, judge } = this.#parts
    const { signal } = this.#end
    let news = 0
    const isNews = ({ kind }: NodeEvent) => kind === 'held' || kind === 'view'
    const off = events.on((event) => {
      if (isNews(event)) news++
    })
    try {
      for (;;) {
        const judged = news
        await this.#attempt(() => judge(signal))
        await clock.sleep(judgeEveryMs, signal)
        if (news === judged) await events.next(isNews, signal)
      }
    } finally {
      off()
    }
  }

  /** What goes wrong is told, and tried again another time. @throws the signal's reason */
  async #attempt(step: () => Promise<void>): Promise<boolean> {
    try {
      await step()
      return true
    } catch (error) {
      this.#end.signal.throwIfAborted()
      const { code, message } = isCellarError(error)
        ? error
        : {
            code: 'INTERNAL' as const,
            message: error instanceof Error ? (error.stack ?? error.message) : String(error),
          }
      this.#parts.events.emit({ kind: 'trouble', code, message: `retention: ${message}` })
      return false
    }
  }
}
