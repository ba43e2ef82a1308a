/** The threads of a backup, and who does which job. */

import type { Worker } from 'node:worker_threads'
import { CellarError, type ChunkId } from '../../protocol/index.ts'
import type { LoanRecord, PackLoan } from '../../storage/index.ts'
import type { ErrorNote, FromWorker, Job, JobResult, Sealed, ToWorker, Verdict, WorkerInit } from './jobs.ts'
import { startThread } from './threads.ts'

/** Jobs a thread has at a time: one for each of its lanes, so that the last ones are shared evenly. */
const JOBS_PER_WORKER = 2

/** What threads ask of the main thread. */
export interface PoolPorts {
  /** One verdict for each content. @param keys - 32 bytes each */
  ask(keys: Uint8Array): readonly Verdict[]
  /**
   * Waits for contents that others were at: ids only, or `mine` when the other failed.
   *
   * @param keys - 32 bytes each
   */
  settle(keys: Uint8Array): Promise<readonly Verdict[]>
  /** Says whether a chunk is in the store. */
  has(id: ChunkId): boolean
  /** Takes note of sealed chunks, and stores those that come with their bytes. */
  sealed(sealed: readonly Sealed[]): Promise<void>
  /** Lends a thread a pack to append to, once there is room for one; given back with {@link giveBack}. */
  lend(): Promise<PackLoan>
  /** Chunks in a lent pack are durable there. */
  adopt(loan: PackLoan, records: readonly LoanRecord[]): void
  /** Takes a lent pack back, after all that was appended to it is adopted. */
  giveBack(loan: PackLoan): void
  /** So many more bytes of sources are read. */
  progress(bytes: number): void
  /** A thread has failed: nothing more will come. */
  failed(error: unknown): void
}

interface Waiting {
  readonly job: Job
  readonly resolve: (result: JobResult) => void
  readonly reject: (error: unknown) => void
}

interface Member {
  readonly worker: Worker
  readonly running: Map<number, Waiting>
  /** Packs it has at this moment. */
  readonly loans: Map<number, PackLoan>
  synced: (() => void)[]
}

function errorOf(note: ErrorNote): Error {
  if (note.code !== undefined) return new CellarError(note.code, note.message, note.context)
  return new Error(`A thread of the backup failed: ${note.stack ?? note.message}`)
}

/** Some worker threads; the first error of any of them ends all. */
export class Pool {
  readonly #ports: PoolPorts
  readonly #members: Member[] = []
  readonly #queue: Waiting[] = []
  readonly #exits: Promise<void>[] = []
  #numbers = 0
  #failure: { readonly error: unknown } | undefined
  #isClosing = false

  /** @param options - `size`: threads, 1..4 */
  constructor(ports: PoolPorts, init: WorkerInit, options: { readonly size: number }) {
    this.#ports = ports
    for (let index = 0; index < options.size; index++) this.#start(init)
  }

  #start(init: WorkerInit): void {
    const worker = startThread(init)
    const member: Member = { worker, running: new Map(), loans: new Map(), synced: [] }
    this.#members.push(member)
    worker.on('message', (message: FromWorker) => {
      try {
        this.#receive(member, message)
      } catch (error) {
        this.#fail(error)
      }
    })
    worker.on('error', (error) => {
      this.#fail(error)
    })
    this.#exits.push(
      new Promise((resolve) => {
        worker.on('exit', (code) => {
          if (!this.#isClosing) this.#fail(new Error(`A thread of the backup ended with ${String(code)}.`))
          resolve()
        })
      }),
    )
  }

  /** Jobs that wait for a thread. */
  get queued(): number {
    return this.#queue.length
  }

  /** Gives a job to the next thread that is free. */
  async submit(job: Job): Promise<JobResult> {
    if (this.#failure !== undefined) throw this.#failure.error
    return await new Promise((resolve, reject) => {
      this.#queue.push({ job, resolve, reject })
      this.#hand()
    })
  }

  #hand(): void {
    while (this.#queue.length > 0) {
      const member = this.#members.reduce((least, one) =>
        one.running.size < least.running.size ? one : least,
      )
      if (member.running.size >= JOBS_PER_WORKER) return
      const waiting = this.#queue.shift() as Waiting
      const number = ++this.#numbers
      member.running.set(number, waiting)
      this.#send(member, { type: 'job', number, job: waiting.job })
    }
  }

  #send(member: Member, message: ToWorker): void {
    member.worker.postMessage(message)
  }

  #receive(member: Member, message: FromWorker): void {
    const reply = (call: number, verdicts: readonly Verdict[], loan?: PackLoan): void => {
      this.#send(member, { type: 'reply', call, verdicts, ...(loan === undefined ? {} : { loan }) })
    }
    const later = (promise: Promise<() => void>): void => {
      promise
        .then((act) => {
          act()
        })
        .catch((error: unknown) => {
          this.#fail(error)
        })
    }
    if (message.type === 'ask') reply(message.call, this.#ports.ask(message.keys))
    else if (message.type === 'settle')
      later(
        this.#ports.settle(message.keys).then((verdicts) => () => {
          reply(message.call, verdicts)
        }),
      )
    else if (message.type === 'have')
      this.#send(member, {
        type: 'reply',
        call: message.call,
        verdicts: [],
        have: message.ids.map((id) => this.#ports.has(id)),
      })
    else if (message.type === 'sealed')
      later(
        this.#ports.sealed(message.sealed).then(() => () => {
          reply(message.call, [])
        }),
      )
    else if (message.type === 'lend')
      later(
        this.#ports.lend().then((loan) => () => {
          member.loans.set(loan.pack, loan)
          if (this.#isClosing) this.#takeBack(member)
          else reply(message.call, [], loan)
        }),
      )
    else if (message.type === 'synced') this.#synced(member, message)
    else if (message.type === 'progress') this.#ports.progress(message.bytes)
    else if (message.type === 'failed') this.#fail(errorOf(message.error))
    else {
      member.running.get(message.number)?.resolve(message.result)
      member.running.delete(message.number)
      this.#hand()
    }
  }

  #synced(member: Member, message: Extract<FromWorker, { type: 'synced' }>): void {
    const { loan } = message
    if (loan !== undefined) {
      if (message.records.length > 0) this.#ports.adopt(loan, message.records)
      if (message.isClosed) {
        member.loans.delete(loan.pack)
        this.#ports.giveBack(loan)
      }
    }
    if (message.isAnswer) member.synced.shift()?.()
  }

  /** Makes every thread sync its pack and say what is in it; all of it is adopted when this resolves. */
  async sync(options: { readonly isLast: boolean }): Promise<void> {
    await Promise.all(
      this.#members.map(async (member) => {
        if (this.#failure !== undefined) throw this.#failure.error
        await new Promise<void>((resolve, reject) => {
          member.synced.push(resolve)
          this.#rejects.push(reject)
          this.#send(member, { type: 'sync', isLast: options.isLast })
        })
      }),
    )
    this.#rejects.length = 0
  }

  readonly #rejects: ((error: unknown) => void)[] = []

  #fail(error: unknown): void {
    if (this.#isClosing || this.#failure !== undefined) return
    this.#failure = { error }
    for (const member of this.#members) for (const { reject } of member.running.values()) reject(error)
    for (const { reject } of this.#queue) reject(error)
    for (const reject of this.#rejects) reject(error)
    this.#ports.failed(error)
  }

  /**
   * Ends the threads at once and gives their packs back. Those that have none write nothing more: nobody waits for
   * their memory to be cleared. Idempotent.
   */
  async close(): Promise<void> {
    if (!this.#isClosing) {
      this.#fail(new CellarError('ABORTED', 'The backup was ended.'))
      this.#isClosing = true
    }
    const ended = Promise.all(this.#members.map(({ worker }) => worker.terminate()))
    if (this.#members.every(({ loans }) => loans.size === 0)) return
    await ended
    await Promise.all(this.#exits)
    for (const member of this.#members) this.#takeBack(member)
  }

  #takeBack({ loans }: Member): void {
    for (const loan of loans.values()) this.#ports.giveBack(loan)
    loans.clear()
  }
}
