/** Remembers, for `status`, what went wrong lately and was not told to anybody at a command. */

import { type Clock, ERRORS, type ErrorCode } from '../protocol/index.ts'
import type { Problem } from './api.ts'
import type { Events } from './events.ts'

const keptMs = 15 * 60_000
const keptMax = 20

/** Troubles that mend themselves or belong to one channel are not for people, unless they go on: they are in the log. */
const QUIET: ReadonlySet<ErrorCode> = new Set(['PEER_GONE', 'ABORTED'])

/** The last troubles of a node, each once. */
export class Troubles {
  readonly #last = new Map<string, { readonly problem: Problem; readonly atMs: number }>()
  readonly #off: () => void

  constructor(events: Events, clock: Clock) {
    this.#off = events.on((event) => {
      if (event.kind !== 'trouble' || QUIET.has(event.code)) return
      const problem: Problem = {
        level: 'warning',
        code: event.code,
        message: event.message,
        remedy: ERRORS[event.code].remedy,
      }
      this.#last.delete(event.message)
      this.#last.set(event.message, { problem, atMs: clock.nowMs() })
      const oldest = this.#last.keys().next()
      if (this.#last.size > keptMax && oldest.done !== true) this.#last.delete(oldest.value)
    })
  }

  /** Those of the last quarter of an hour. */
  recent(nowMs: number): Problem[] {
    return [...this.#last.values()].filter(({ atMs }) => nowMs - atMs < keptMs).map(({ problem }) => problem)
  }

  /** Stops listening. */
  close(): void {
    this.#off()
  }
}
