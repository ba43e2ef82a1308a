/** Remembers, for `status`, what went wrong lately and was not told to anybody at a command. */

import { type Clock, type DeviceId, ERRORS, type ErrorCode } from '../protocol/index.ts'
import type { Problem } from './api.ts'
import type { Events } from './events.ts'

const keptMs = 15 * 60_000
const keptMax = 20

/**
 * Troubles that mend themselves or belong to one channel are not for people, unless they go on: they are in the log.
 */
const QUIET: ReadonlySet<ErrorCode> = new Set(['PEER_GONE', 'ABORTED'])

/** What `status` says in a place of its own, for as long as it is so. */
const SAID_ELSEWHERE: ReadonlySet<ErrorCode> = new Set(['DEVICE_SUSPECT'])

/** Troubles that are over as soon as something new could be stored. */
const OVER_ONCE_STORED: ReadonlySet<string> = new Set<ErrorCode>(['STORE_FULL', 'QUOTA_EXCEEDED'])

/** The last troubles of a node, each once. */
export class Troubles {
  readonly #last = new Map<string, { readonly problem: Problem; readonly atMs: number }>()
  readonly #off: () => void

  /** @param nameOf - what people call a device */
  constructor(events: Events, clock: Clock, nameOf: (device: DeviceId) => string) {
    this.#off = events.on((event) => {
      if (event.kind === 'held') this.#endFull()
      if (event.kind !== 'trouble' || QUIET.has(event.code) || SAID_ELSEWHERE.has(event.code)) return
      const message = event.device === undefined ? event.message : `${nameOf(event.device)}: ${event.message}`
      const problem: Problem = {
        level: 'warning',
        code: event.code,
        message,
        remedy: ERRORS[event.code].remedy,
      }
      this.#last.delete(message)
      this.#last.set(message, { problem, atMs: clock.nowMs() })
      const oldest = this.#last.keys().next()
      if (this.#last.size > keptMax && oldest.done !== true) this.#last.delete(oldest.value)
    })
  }

  #endFull(): void {
    for (const [message, { problem }] of this.#last)
      if (OVER_ONCE_STORED.has(problem.code)) this.#last.delete(message)
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
