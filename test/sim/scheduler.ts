/** Simulated time: what is due happens in the order of its time, and all that follows from it before the next. */

import type { Outside } from './outside.ts'

const stepsPerMs = 1024

/** Something that will happen. */
export interface Due {
  readonly atMs: number
  /** Takes it back; after it has happened, without effect. */
  cancel(): void
}

interface Entry {
  readonly atMs: number
  readonly order: number
  run: (() => void) | undefined
}

/** One line of time. */
export class Scheduler {
  readonly #outside: Outside
  readonly #heap: Entry[] = []
  #order = 0
  #nowMs = 0
  /** Things that have happened. */
  happened = 0

  constructor(outside: Outside) {
    this.#outside = outside
  }

  /** Milliseconds since the run began. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Lets something happen after so many milliseconds; of what is due at one time, in the order of asking. */
  after(ms: number, run: () => void): Due {
    // Time goes in steps: what takes however little does not happen at the same time for ever.
    const atMs = ms > 0 ? (Math.floor((this.#nowMs + ms) * stepsPerMs) + 1) / stepsPerMs : this.#nowMs
    const entry: Entry = { atMs, order: this.#order++, run }
    this.#push(entry)
    return {
      atMs: entry.atMs,
      cancel: () => {
        entry.run = undefined
      },
    }
  }

  /** Resolves after so many milliseconds. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, resolve)
    })
  }

  /** Lets time go by; `look` sees the world after each thing that happened. */
  async advance(ms: number, look?: () => void): Promise<void> {
    const endMs = this.#nowMs + ms
    await this.#outside.settle()
    look?.()
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= endMs; next = this.#heap[0]) {
      this.#pop()
      if (next.run === undefined) continue
      this.#nowMs = Math.max(this.#nowMs, next.atMs)
      this.happened++
      next.run()
      await this.#outside.settle()
      look?.()
    }
    this.#nowMs = endMs
  }

  /** Lets time go by until something is so, at most so many milliseconds. @returns whether it came to be so */
  async advanceUntil(isSo: () => boolean, msMax: number, look?: () => void): Promise<boolean> {
    const endMs = this.#nowMs + msMax
    await this.#outside.settle()
    while (!isSo()) {
      const next = this.#heap[0]
      if (next === undefined || next.atMs > endMs) {
        this.#nowMs = endMs
        return false
      }
      await this.advance(next.atMs - this.#nowMs, look)
    }
    return true
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const up = (at - 1) >> 1
      if (!isBefore(entry, heap[up] as Entry)) break
      heap[at] = heap[up] as Entry
      at = up
    }
    heap[at] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let at = 0
    for (;;) {
      let down = 2 * at + 1
      if (down >= heap.length) break
      if (down + 1 < heap.length && isBefore(heap[down + 1] as Entry, heap[down] as Entry)) down++
      if (!isBefore(heap[down] as Entry, last)) break
      heap[at] = heap[down] as Entry
      at = down
    }
    heap[at] = last
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
