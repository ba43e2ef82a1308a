/**
 * The node's own running time (spec/deletion.md §5): what hold windows and floors are counted by. No wall clock that
 * somebody sets, and no pause of the machine, makes one end early.
 */

import type { Clock } from '../../protocol/index.ts'
import type { Catalog, CatalogChange } from '../../storage/index.ts'
import { decodeMoment, encodeMoment, type Moment } from '../ledger/records.ts'

/** R9: the most that one gap between two runs adds, milliseconds. */
export const gapCreditMsMax = 24 * 3_600_000

/** A node notes its time so often at least, milliseconds: what was not noted when it dies counts as a gap. */
export const noteEveryMs = 3_600_000

const KEY = 'running'

/** Counts the milliseconds that a node has been running in all, and at most a day of each gap between. */
export class RunningClock {
  readonly #clock: Clock
  readonly #beganMs: number
  readonly #monotonicMs: number

  private constructor(clock: Clock, beganMs: number) {
    this.#clock = clock
    this.#beganMs = beganMs
    this.#monotonicMs = clock.monotonicMs()
  }

  /** Goes on from what was noted in a catalog. Nothing is written: a gap that is not noted is counted anew. */
  static open(catalog: Catalog, clock: Clock): RunningClock {
    const value = catalog.get(KEY)
    if (value === undefined) return new RunningClock(clock, 0)
    return new RunningClock(clock, afterGap(decodeMoment(value), clock.nowMs()))
  }

  /** Milliseconds so far; never goes back while the node runs. */
  get nowMs(): number {
    return this.#beganMs + Math.max(0, this.#clock.monotonicMs() - this.#monotonicMs)
  }

  /** This moment. */
  now(): Moment {
    return { wallMs: this.#clock.nowMs(), runningMs: this.nowMs }
  }

  /** What is written to note the time; goes with every change that is dated by it. */
  note(): CatalogChange {
    return { type: 'put', key: KEY, value: encodeMoment(this.now()) }
  }
}

/** The running time at a start: the gap by the wall clock counts, never less than nothing nor more than a day. Pure. */
export function afterGap(noted: Moment, wallMs: number): number {
  const gapMs = wallMs - noted.wallMs
  return noted.runningMs + Math.min(Math.max(0, Number.isFinite(gapMs) ? gapMs : 0), gapCreditMsMax)
}
