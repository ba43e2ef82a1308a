/** What a restore tells while it runs and at its end. */

import { CellarError, type Clock, isCellarError } from '../../protocol/index.ts'
import type { Estimate } from './estimate.ts'
import type { RestoreCounters, RestoreEntryEvent, RestoreProblem } from './messages.ts'
import { codeOf, messageOf, type SharedCounters } from './outcome.ts'

/** How a restore is watched and stopped. */
export interface RestoreWatch {
  readonly signal: AbortSignal
  /** About ten times a second, and at the end. */
  readonly onProgress?: (counters: RestoreCounters) => void
  /** Every entry; asking for it costs time. */
  readonly onEntry?: (event: RestoreEntryEvent) => void
  /** Every entry that could not be restored, also beyond those that the end lists. */
  readonly onProblem?: (problem: RestoreProblem) => void
}

/** What was said, for the end. */
export interface Told {
  /** What could not be restored, at most 10,000 of them; `problemCount` says how many there are. */
  readonly problems: readonly RestoreProblem[]
  readonly problemCount: number
  /** One sentence each: what was restored less than exactly, as on systems or for users that cannot. */
  readonly notices: readonly string[]
}

const PROBLEMS_MAX = 10_000
const PROGRESS_MS = 100

/** Tells about ten times a second, until the signal. */
export async function tick(clock: Clock, signal: AbortSignal, tell: () => void): Promise<void> {
  while (!signal.aborted) {
    try {
      await clock.sleep(PROGRESS_MS, signal)
    } catch {
      return
    }
    tell()
  }
}

/** Gathers what a person is to be told. */
export class Log {
  readonly #problems: RestoreProblem[] = []
  #problemCount = 0
  readonly #notices = new Map<string, number>()
  readonly #watch: RestoreWatch

  constructor(watch: RestoreWatch) {
    this.#watch = watch
  }

  /** Takes note of an entry that could not be restored; the first 10,000 are kept for the end. */
  problem = (problem: RestoreProblem): void => {
    this.#problemCount++
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(problem)
    this.#watch.onProblem?.(problem)
  }

  /** Takes note of what was restored less than exactly, and how often. */
  notice = (what: string, count: number): void => {
    this.#notices.set(what, (this.#notices.get(what) ?? 0) + count)
  }

  /** Passes on what became of one entry. */
  event = (event: RestoreEntryEvent): void => {
    this.#watch.onEntry?.(event)
  }

  /** What was said, for the end. */
  result(): Told {
    const notices = [...this.#notices].map(
      ([what, count]) =>
        `Not restored: ${what}${count === 0 ? '' : ` (${count === 1 ? 'once' : `${String(count)} times`})`}.`,
    )
    return { problems: this.#problems, problemCount: this.#problemCount, notices }
  }
}

/** The counters, as told. */
export function countersOf(counters: SharedCounters, estimate: Estimate): RestoreCounters {
  return {
    totalFiles: estimate.entries,
    filesRestored: counters.get('entriesRestored'),
    filesSkipped: counters.get('entriesSkipped'),
    filesDeleted: counters.get('entriesDeleted'),
    totalBytes: estimate.bytes,
    bytesRestored: counters.get('bytesRestored'),
    bytesSkipped: counters.get('bytesSkipped'),
  }
}

/** What stops a whole restore, in our words. */
export function final(error: unknown): unknown {
  if (isCellarError(error) || error instanceof TypeError || error instanceof RangeError) return error
  const code = codeOf(error)
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new CellarError('TARGET_FULL', `the restore stopped, ${messageOf(error)}`, {}, { cause: error })
  return new CellarError(
    'RESTORE_INCOMPLETE',
    `the restore stopped: ${messageOf(error)}`,
    { code },
    { cause: error },
  )
}
