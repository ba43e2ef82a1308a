/** The worker threads of a restore: hands out jobs, brings chunks to those who ask. */

import type { Worker } from 'node:worker_threads'
import type { ErrorCode } from '../../protocol/index.ts'
import { CellarError, ERRORS } from '../../protocol/index.ts'
import { startWorker } from '../adapters/start-worker.ts'
import type { ChunkSource } from '../chunk-source.ts'
import type { FromWorker, Job, JobResult, ToWorker, WorkerSetup } from './messages.ts'
import { codeOf, messageOf } from './outcome.ts'

/** A promise to be kept from outside. */
interface Promised {
  readonly resolve: (result: JobResult) => void
  readonly reject: (error: Error) => void
}

interface Hand {
  readonly worker: Worker
  readonly jobs: Map<number, Promised>
}

/** Jobs that one worker has waiting: enough that it never idles, few enough that neighbours stay together. */
const JOBS_MAX = 16
/** A worker is given more when it has this many left. */
const JOBS_LOW = 4

/** What a pool is made of. */
export interface PoolParts {
  readonly source: ChunkSource
  readonly signal: AbortSignal
  readonly size: number
  /** The setup of each worker, by its number. */
  readonly setupOf: (worker: number) => WorkerSetup
}

/** Runs jobs; the order is that of handing in for each worker, and neighbours go to one worker. */
export class WorkerPool {
  readonly #parts: PoolParts
  readonly #hands: Hand[] = []
  #numbers = 0
  #failure: Error | undefined
  readonly #whenIdle: (() => void)[] = []

  constructor(parts: PoolParts) {
    this.#parts = parts
    for (let number = 0; number < parts.size; number++) this.#hands.push(this.#start(number))
  }

  /**
   * Offers room to whoever has jobs: `next` is asked for jobs until it gives none or all have enough.
   *
   * @param waiting - about how many jobs there are, to share them out
   */
  fill(waiting: number, next: () => { readonly job: Job; readonly done: Promised } | undefined): void {
    const share = Math.min(JOBS_MAX, Math.max(1, Math.ceil(waiting / this.#hands.length)))
    for (const hand of this.#hands) {
      if (hand.jobs.size > Math.min(JOBS_LOW, share - 1)) continue
      while (hand.jobs.size < share) {
        const given = next()
        if (given === undefined) return
        this.#send(hand, given.job, given.done)
      }
    }
  }

  /** Runs one job on the worker with the fewest. @throws what made the job fail as a whole */
  run(job: Job): Promise<JobResult> {
    const hand = this.#hands.reduce((a, b) => (b.jobs.size < a.jobs.size ? b : a))
    return new Promise((resolve, reject) => {
      this.#send(hand, job, { resolve, reject })
    })
  }

  /** Ends the threads. What is under way is lost: tell them to stop and wait for their answers before. */
  async close(): Promise<void> {
    await Promise.all(this.#hands.map(({ worker }) => worker.terminate()))
  }

  /** Resolves when no job is under way. */
  async idle(): Promise<void> {
    if (this.#isIdle()) return
    await new Promise<void>((resolve) => {
      this.#whenIdle.push(resolve)
    })
  }

  #isIdle(): boolean {
    return this.#hands.every(({ jobs }) => jobs.size === 0)
  }

  #tellIdle(): void {
    if (this.#isIdle()) for (const resolve of this.#whenIdle.splice(0)) resolve()
  }

  #start(number: number): Hand {
    const worker = startWorker('./worker', import.meta.url, {
      workerData: this.#parts.setupOf(number),
      name: 'restore',
    })
    const hand: Hand = { worker, jobs: new Map() }
    worker.on('message', (message: FromWorker) => {
      this.#hear(hand, message)
    })
    worker.on('error', (error) => {
      this.#failed(error instanceof Error ? error : new Error(String(error)))
    })
    return hand
  }

  #send(hand: Hand, job: Job, done: Promised): void {
    if (this.#failure !== undefined) {
      done.reject(this.#failure)
      return
    }
    const number = this.#numbers++
    hand.jobs.set(number, done)
    tell(hand.worker, { type: 'job', number, job })
  }

  #hear(hand: Hand, message: FromWorker): void {
    if (message.type === 'locate') {
      const { ids } = message
      const places = this.#parts.source.locate?.(ids) ?? ids.map(() => undefined)
      tell(hand.worker, { type: 'places', request: message.request, places })
    } else if (message.type === 'fetch') {
      this.#parts.source.get(message.id, this.#parts.signal).then(
        (bytes) => {
          tell(hand.worker, { type: 'chunk', request: message.request, bytes })
        },
        (error: unknown) => {
          tell(hand.worker, {
            type: 'no-chunk',
            request: message.request,
            code: codeOf(error),
            message: messageOf(error),
          })
        },
      )
    } else {
      const done = hand.jobs.get(message.number)
      hand.jobs.delete(message.number)
      if (message.type === 'done') done?.resolve(message.result)
      else done?.reject(errorOf(message.code, message.message))
      this.#tellIdle()
    }
  }

  /** A thread ended by a bug: nothing that waits for it will come. */
  #failed(error: Error): void {
    this.#failure ??= error
    for (const { jobs } of this.#hands) {
      for (const done of jobs.values()) done.reject(error)
      jobs.clear()
    }
    this.#tellIdle()
  }
}

function tell(worker: Worker, message: ToWorker): void {
  worker.postMessage(message)
}

/** The error that made a worker give up. */
function errorOf(code: string, message: string): Error {
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new CellarError('TARGET_FULL', `the restore stopped, ${message}`)
  if (code in ERRORS) return new CellarError(code as ErrorCode, message)
  return new CellarError('RESTORE_INCOMPLETE', message, { code })
}
