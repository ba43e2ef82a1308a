/** The long methods under way in a node: what `status` shows, and what a person may end. */

import { CellarError } from '../protocol/index.ts'
import { trimMemory } from './adapters/memory.ts'
import type { Job } from './api.ts'
import type { Events } from './events.ts'
import type { TaskFigures } from './schedule/task.ts'
import { failureOf } from './schedule/tell-task.ts'
import { anyOf } from './signals.ts'

/** A job as it goes on. */
export interface OpenJob {
  /** 0 .. 1. */
  percentDone: number | undefined
  /** What it came to, set before it ends well. */
  summary: TaskFigures | undefined
}

/** How a job begins. */
export interface JobStart {
  /** Milliseconds since 1970. */
  readonly startedMs: number
  /** Of its caller. */
  readonly signal: AbortSignal
  /** Changes nothing, so its end is not told. @defaultValue false */
  readonly isTrial?: boolean
}

interface Running {
  readonly id: string
  readonly method: string
  readonly title: string | undefined
  readonly startedMs: number
  readonly end: AbortController
}

/** Jobs beside which chunks may go: they rely on none of them being there, and may take hours. */
const HARMLESS: ReadonlySet<string> = new Set(['prune', 'scrub', 'drill'])

/** Keeps the list. */
export class Jobs {
  readonly #open = new Map<OpenJob, Running>()
  readonly #events: Events
  readonly #titles = new WeakMap<AbortSignal, string>()
  #reads = 0
  #begun = 0

  constructor(events: Events) {
    this.#events = events
  }

  /** Something that reads or fills the store is under way: nothing may be removed from it meanwhile (R6a). */
  get isStoreInUse(): boolean {
    return this.#reads > 0 || [...this.#open.values()].some(({ method }) => !HARMLESS.has(method))
  }

  /** Begins to use the store for something that is no job. @returns ends it; more than once does no harm */
  beginRead(): () => void {
    this.#reads++
    this.#events.emit({ kind: 'session' })
    let isOpen = true
    return () => {
      if (!isOpen) return
      isOpen = false
      this.#reads--
      this.#events.emit({ kind: 'session' })
    }
  }

  /** Says what people call the job of a caller, before it begins. @param signal - of that caller */
  entitle(signal: AbortSignal, title: string): void {
    this.#titles.set(signal, title)
  }

  /**
   * Runs a step as a job that `status` shows.
   *
   * @param step - must heed the signal it is given: that of the caller, or of a person who cancels
   * @throws what the step throws
   */
  async run<T>(
    method: string,
    { startedMs, signal, isTrial = false }: JobStart,
    step: (job: OpenJob, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const job: OpenJob = { percentDone: undefined, summary: undefined }
    const end = new AbortController()
    const either = anyOf([signal, end.signal])
    const title = this.#titles.get(signal)
    this.#open.set(job, { id: String(++this.#begun), method, title, startedMs, end })
    this.#events.emit({ kind: 'session' })
    const tell = (how: { outcome: 'done' | 'cancelled' } | ReturnType<typeof failureOf>): void => {
      if (isTrial) return
      const { summary } = job
      this.#events.emit({ kind: 'job', method, startedMs, ...how, ...(summary !== undefined && { summary }) })
    }
    try {
      const value = await step(job, either)
      tell({ outcome: 'done' })
      return value
    } catch (error) {
      tell(either.aborted ? { outcome: 'cancelled' } : failureOf(error))
      throw error
    } finally {
      either.clear()
      this.#open.delete(job)
      this.#events.emit({ kind: 'session' })
      trimMemory()
    }
  }

  /**
   * Ends a job early: it rejects with `ABORTED`.
   *
   * @returns its method; undefined when it has ended already
   */
  cancel(id: string): string | undefined {
    const running = [...this.#open.values()].find((one) => one.id === id)
    running?.end.abort(new CellarError('ABORTED', `the ${running.method} was cancelled`))
    return running?.method
  }

  /** The jobs under way, the oldest first. */
  list(): Job[] {
    return [...this.#open].map(([job, { id, method, title, startedMs }]) => ({
      id,
      method,
      ...(title !== undefined && { title }),
      started: new Date(startedMs).toISOString(),
      ...(job.percentDone !== undefined && { percent_done: job.percentDone }),
    }))
  }
}
