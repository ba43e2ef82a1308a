/** The long methods under way in a node, for `status`. */

import { trimMemory } from './adapters/memory.ts'
import type { Job } from './api.ts'

/** A job as it goes on. */
export interface OpenJob {
  /** 0 .. 1. */
  percentDone: number | undefined
}

/** Keeps the list. */
export class Jobs {
  readonly #open = new Map<OpenJob, { readonly method: string; readonly startedMs: number }>()

  /** Runs a step as a job that `status` shows. */
  async run<T>(method: string, startedMs: number, step: (job: OpenJob) => Promise<T>): Promise<T> {
    const job: OpenJob = { percentDone: undefined }
    this.#open.set(job, { method, startedMs })
    try {
      return await step(job)
    } finally {
      this.#open.delete(job)
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
