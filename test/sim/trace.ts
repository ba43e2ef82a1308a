/** What happened in a run, line by line: hashed, so that two runs can be compared, and shown when asked for. */

import { createHash } from 'node:crypto'

/** A broken promise: the end of a run. */
export class Violation extends Error {
  /** `I1`, `S2`, `L1`, … or `bug` for an error that nothing expected. */
  readonly rule: string

  constructor(rule: string, message: string) {
    super(`${rule}: ${message}`)
    this.rule = rule
  }
}

/** The record of one run. */
export class Trace {
  readonly #hash = createHash('sha256')
  readonly #show: ((line: string) => void) | undefined
  readonly counts = new Map<string, number>()

  constructor(show?: (line: string) => void) {
    this.#show = show
  }

  /** Notes what happened. */
  line(text: string): void {
    this.#hash.update(text).update('\n')
    this.#show?.(text)
  }

  /** Counts a kind of thing. */
  count(kind: string, by = 1): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + by)
  }

  /** Hex, 16 digits; of all lines so far. */
  digest(): string {
    return this.#hash.copy().digest('hex').slice(0, 16)
  }
}
