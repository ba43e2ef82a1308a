/** The long methods under way in a node, for `status`. */

import { trimMemory } from './adapters/memory.ts'
import type { Job } from './api.ts'
import type { Events } from './events.ts'

/** A job as it goes on. */
export interface OpenJob {
  /** 0 .. 1. */
  percentDone: number | undefined
}

/** Jobs beside which chunks may go: they rely on none of them being there, and may take hours. */
const HARMLESS: ReadonlySet<string> = new Set(['prune', 'scrub', 'drill'])

/** Keeps the list. */
export class Jobs {
  readonly #open = new Map<OpenJob, { readonly method: string; readonly startedMs: number }>()
  readonly #events: Events
  #reads = 0

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

  /** Runs a step as a job that `status` shows. */
  async run<T>(method: string, startedMs: number, step: (job: OpenJob) => Promise<T>): Promise<T> {
    const job: OpenJob = { percentDone: undefined }
    this.#open.set(job, { method, startedMs })
    this.#events.emit({ kind: 'session' })
    try {
      return await step(job)
    } finally {
      this.#open.delete(job)
      this.#events.emit({ kind: 'session' })
      trimMemory()
    }
  }

  /** The jobs under way, the oldest first. */
  list(): Job[] {
    return [...this.#open].map(([job, { method, startedMs }]) => ({
      method,
      started: new Date(startedMs).toISOString(),
      ...(job.percentDone !== undefined && { percent_done: job.percentDone }),
    }))
  }
}
