/** One stretch of power of a machine: from the start of the program to its end, orderly or not. */

import type { Clock, World } from '../../protocol/index.ts'
import type { Chance } from './random.ts'
import type { Due, Scheduler } from './scheduler.ts'

/** How a program ends without being asked. */
export type Ending = 'power-loss' | 'kill'

/** A change of the disk at which the program ends. */
export interface Fuse {
  /** So many more changes are done. */
  left: number
  readonly ending: Ending
  /** The change at which it ends has been done, and nobody was told. */
  readonly isDone: boolean
}

/** What a stretch of power is given. */
export interface PowerOptions {
  readonly scheduler: Scheduler
  readonly chance: Chance
  /** Wall-clock time, milliseconds since 1970. */
  readonly wallMs: () => number
  /** Longest time that making something durable takes, milliseconds; 0: none. */
  readonly latencyMsMax: number
  readonly onEnd: (ending: Ending) => void
}

interface Timer {
  readonly run: () => void
  due: Due | undefined
  leftMs: number
}

const NEVER = new Promise<never>(() => undefined)

/** What a program that is no more waits for. */
export function never<T>(): Promise<T> {
  return NEVER
}

/** The time, the chance and the life of one process. */
export class Power {
  readonly #options: PowerOptions
  readonly #timers = new Set<Timer>()
  readonly #sinceMs: number
  #asleepMs = 0
  #asleepSinceMs: number | undefined
  #isOn = true
  fuse: Fuse | undefined
  readonly world: World

  constructor(options: PowerOptions) {
    this.#options = options
    this.#sinceMs = options.scheduler.nowMs
    const clock: Clock = {
      nowMs: options.wallMs,
      monotonicMs: () => this.#runningMs(),
      sleep: (ms, signal) => this.#sleep(ms, signal),
    }
    this.world = { clock, random: { bytes: (length) => options.chance.bytes(length) } }
  }

  get isOn(): boolean {
    return this.#isOn
  }

  get isAsleep(): boolean {
    return this.#asleepSinceMs !== undefined
  }

  /** Throws once the program is no more. */
  check(): void {
    if (!this.#isOn) throw Object.assign(new TypeError('the machine is down'), { code: 'EIO' })
  }

  /** Ends the program: what it waits for never comes. */
  end(ending: Ending): void {
    if (!this.#isOn) return
    this.#isOn = false
    for (const { due } of this.#timers) due?.cancel()
    this.#timers.clear()
    this.#options.onEnd(ending)
  }

  /** Ends it in order, after the program has closed itself. */
  switchOff(): void {
    this.#isOn = false
    for (const { due } of this.#timers) due?.cancel()
    this.#timers.clear()
  }

  /** Counts a change of the disk. @returns how the program ends with it, if it does */
  burn(): Fuse | undefined {
    if (this.fuse === undefined || --this.fuse.left >= 0) return undefined
    const burnt = this.fuse
    this.fuse = undefined
    return burnt
  }

  /** Resolves when the disk has done something; never when the program ended meanwhile. */
  async latency(): Promise<void> {
    const { latencyMsMax, scheduler, chance } = this.#options
    if (latencyMsMax > 0) await scheduler.wait(chance.share() * latencyMsMax)
    if (!this.#isOn) await NEVER
  }

  /** A number below `below`, for what a crash leaves of a write. */
  draw(below: number): number {
    return this.#options.chance.below(below)
  }

  /** Stops the program's time, as a lid does. */
  fallAsleep(): void {
    if (this.#asleepSinceMs !== undefined) return
    const { nowMs } = this.#options.scheduler
    this.#asleepSinceMs = nowMs
    for (const timer of this.#timers) {
      timer.leftMs = (timer.due?.atMs ?? nowMs) - nowMs
      timer.due?.cancel()
      timer.due = undefined
    }
  }

  /** Goes on where it stopped. */
  wake(): void {
    if (this.#asleepSinceMs === undefined) return
    this.#asleepMs += this.#options.scheduler.nowMs - this.#asleepSinceMs
    this.#asleepSinceMs = undefined
    for (const timer of this.#timers) this.#start(timer)
  }

  #runningMs(): number {
    const { nowMs } = this.#options.scheduler
    return 1000 + (this.#asleepSinceMs ?? nowMs) - this.#sinceMs - this.#asleepMs
  }

  #start(timer: Timer): void {
    timer.due = this.#options.scheduler.after(timer.leftMs, timer.run)
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason as Error)
        return
      }
      const onAbort = () => {
        this.#timers.delete(timer)
        timer.due?.cancel()
        reject(signal.reason as Error)
      }
      const timer: Timer = {
        due: undefined,
        leftMs: ms,
        run: () => {
          this.#timers.delete(timer)
          signal.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      signal.addEventListener('abort', onAbort, { once: true })
      if (!this.#isOn) return
      this.#timers.add(timer)
      if (!this.isAsleep) this.#start(timer)
    })
  }
}
