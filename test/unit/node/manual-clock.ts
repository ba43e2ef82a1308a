/** A clock that stands still until told to go on. */

import type { Clock } from '../../../protocol/index.ts'

interface Sleeper {
  readonly atMs: number
  readonly wake: () => void
}

/** Starts at a date that is plainly not now. */
export class ManualClock implements Clock {
  #ms = 0
  #sleepers: Sleeper[] = []

  nowMs(): number {
    return 1_000_000_000_000 + this.#ms
  }

  monotonicMs(): number {
    return this.#ms
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error)
        return
      }
      const onAbort = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
        reject(signal.reason as Error)
      }
      const wake = (): void => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      const sleeper = { atMs: this.#ms + ms, wake }
      this.#sleepers.push(sleeper)
      signal.addEventListener('abort', onAbort)
    })
  }

  /** Lets time pass, and then whatever follows from it. */
  async advance(ms: number): Promise<void> {
    const target = this.#ms + ms
    await settle()
    for (;;) {
      const due = this.#sleepers.filter((one) => one.atMs <= target).sort((a, b) => a.atMs - b.atMs)[0]
      if (due === undefined) break
      this.#ms = Math.max(this.#ms, due.atMs)
      this.#sleepers = this.#sleepers.filter((one) => one !== due)
      due.wake()
      await settle()
    }
    this.#ms = target
    await settle()
  }
}

/** Lets what is ready run: memory networks need nothing else. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve))
}
