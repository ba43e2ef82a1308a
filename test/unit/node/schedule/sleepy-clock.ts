/** The clock of a machine that can be put to sleep, or have its date set: what a schedule has to live with. */

import type { Clock } from '../../../../protocol/index.ts'

/** Time moves when it is told to; the date can be moved without time passing, as it does while a machine sleeps. */
export class SleepyClock implements Clock {
  #nowMs: number
  #awakeMs = 0
  readonly #sleepers = new Set<{ readonly atMs: number; readonly wake: () => void }>()

  /** @param start - RFC 3339 */
  constructor(start: string) {
    this.#nowMs = Date.parse(start)
  }

  nowMs(): number {
    return this.#nowMs
  }

  monotonicMs(): number {
    return this.#awakeMs
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const onAbort = (): void => {
        this.#sleepers.delete(sleeper)
        reject(signal.reason as Error)
      }
      const wake = (): void => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      const sleeper = { atMs: this.#awakeMs + ms, wake }
      this.#sleepers.add(sleeper)
      signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Time goes by while the machine is awake, and what follows from it happens. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#awakeMs + ms
    await turn()
    for (;;) {
      const next = [...this.#sleepers].reduce<number>((least, { atMs }) => Math.min(least, atMs), Infinity)
      const toMs = Math.min(next, endMs)
      this.#nowMs += toMs - this.#awakeMs
      this.#awakeMs = toMs
      for (const sleeper of [...this.#sleepers]) {
        if (sleeper.atMs > toMs) continue
        this.#sleepers.delete(sleeper)
        sleeper.wake()
      }
      await turn()
      if (next > endMs) return
    }
  }

  /** Time goes by awake, up to a date. */
  async advanceTo(date: string): Promise<void> {
    await this.advance(Date.parse(date) - this.#nowMs)
  }

  /** The machine sleeps until a date, or the date is set: timers stand still meanwhile. */
  async sleepUntil(date: string): Promise<void> {
    this.#nowMs = Date.parse(date)
    await turn()
  }
}

/** Lets what is ready run; nothing here waits for more than promises. */
async function turn(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve))
}
