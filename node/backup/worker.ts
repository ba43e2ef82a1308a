/** A thread of a backup: does jobs, two at a time so that one works while the other waits for an answer. */

import { type MessagePort, parentPort } from 'node:worker_threads'
import { CellarError } from '../../protocol/index.ts'
import { type LoanRecord, openAppender, type PackAppender, type PackLoan } from '../../storage/index.ts'
import { loadPosix } from '../adapters/posix.ts'
import { lowerThisThread } from '../adapters/thread-priority.ts'
import { loadZstd } from '../adapters/zstd.ts'
import { vaultOf } from '../vault.ts'
import { BATCH_BYTES, type Bench, type NewChunk, type RunnerPorts, Scratch, WINDOW_BYTES } from './bench.ts'
import { gearTable, openCutter } from './gear.ts'
import type { ErrorNote, FromWorker, Sealed, ToWorker, Verdict, WorkerInit } from './jobs.ts'
import { runJob } from './runner.ts'

/** Room beside a batch for the heads and tags of its chunks, and for what hangs over. */
const SPARE_BYTES = 1024 * 1024

/** Jobs one thread has at a time, each with a window of its own. */
const LANES = 2

type Reply = Extract<ToWorker, { type: 'reply' }>

/** An error as plain data. */
function noteOf(error: unknown): ErrorNote {
  if (error instanceof CellarError)
    return { code: error.code, message: error.message, context: error.context }
  if (error instanceof Error)
    return { message: error.message, ...(error.stack === undefined ? {} : { stack: error.stack }) }
  return { message: String(error) }
}

class Thread {
  readonly #init: WorkerInit
  readonly #send: (message: FromWorker, transfer?: ArrayBuffer[]) => void
  readonly #waiting = new Map<number, (reply: Reply) => void>()
  #calls = 0
  #loan: PackLoan | undefined
  #appender: PackAppender | undefined
  #records: LoanRecord[] = []
  /** Appending is one at a time, also where a new pack is waited for. */
  #appending: Promise<void> = Promise.resolve()
  /** The full pack that is being made durable. */
  #retiring: Promise<void> = Promise.resolve()

  constructor(init: WorkerInit, send: (message: FromWorker, transfer?: ArrayBuffer[]) => void) {
    this.#init = init
    this.#send = send
  }

  #call(make: (call: number) => FromWorker, transfer?: ArrayBuffer[]): Promise<Reply> {
    const call = ++this.#calls
    return new Promise((resolve) => {
      this.#waiting.set(call, resolve)
      this.#send(make(call), transfer)
    })
  }

  reply(reply: Reply): void {
    const resolve = this.#waiting.get(reply.call)
    this.#waiting.delete(reply.call)
    resolve?.(reply)
  }

  get ports(): RunnerPorts {
    const ask = async (type: 'ask' | 'settle', keys: Buffer): Promise<readonly Verdict[]> =>
      (await this.#call((call) => ({ type, call, keys }))).verdicts
    return {
      ask: (keys) => ask('ask', keys),
      settle: (keys) => ask('settle', keys),
      keep: (chunks) => this.#keep(chunks),
      progress: (bytes) => {
        this.#send({ type: 'progress', bytes })
      },
    }
  }

  async #keep(chunks: readonly NewChunk[]): Promise<void> {
    const isSent = this.#init.keep === 'send'
    const { have = [] } = await this.#call((call) => ({
      type: 'have',
      call,
      ids: chunks.map(({ id }) => id),
    }))
    const isNew = (at: number): boolean => have[at] !== true
    if (this.#init.keep === 'append') {
      const turn = this.#appending.then(() => this.#append(chunks.filter((_, at) => isNew(at))))
      this.#appending = turn
      await turn
    }
    const sealed = chunks.map(
      ({ key, id, bytes, rawBytes }, at): Sealed => ({
        key,
        id,
        rawBytes,
        chunkBytes: bytes.length,
        isNew: isNew(at),
        ...(isSent ? { bytes } : {}),
      }),
    )
    const transfer = isSent ? chunks.map(({ bytes }) => bytes.buffer as ArrayBuffer) : []
    await this.#call((call) => ({ type: 'sealed', call, sealed }), transfer)
  }

  async #append(chunks: readonly NewChunk[]): Promise<void> {
    for (const { id, bytes } of chunks) {
      if (this.#appender === undefined) {
        const { loan } = await this.#call((call) => ({ type: 'lend', call }))
        if (loan === undefined) throw new TypeError('no pack was lent')
        this.#loan = loan
        this.#appender = openAppender(loan)
      }
      this.#records.push(this.#appender.append(id, bytes, []))
      if (this.#appender.isFull) await this.#retire()
    }
  }

  /**
   * A full pack becomes durable while the next one is being filled; one at a time, so that little waits for the disk.
   */
  async #retire(): Promise<void> {
    await this.#retiring
    this.#retiring = this.#sync({ isLast: true, isAnswer: false })
    this.#retiring.catch(this.fail)
  }

  /**
   * Makes what was appended durable and reports it; with `isLast` the pack is given up at once, before the disk is
   * done.
   */
  async #sync({ isLast, isAnswer }: { isLast: boolean; isAnswer: boolean }): Promise<void> {
    const [appender, loan, records] = [this.#appender, this.#loan, this.#records]
    this.#records = []
    if (isLast) [this.#appender, this.#loan] = [undefined, undefined]
    await appender?.sync()
    const isClosed = isLast && appender !== undefined
    if (isClosed) appender.close()
    this.#send({ type: 'synced', records, isClosed, isAnswer, ...(loan === undefined ? {} : { loan }) })
  }

  /** Syncs between two appendings, after what is on its way to the disk. */
  syncAsked(isLast: boolean): void {
    this.#appending = this.#appending.then(async () => {
      await this.#retiring
      await this.#sync({ isLast, isAnswer: true })
    })
    this.#appending.catch(this.fail)
  }

  readonly fail = (error: unknown): void => {
    this.#send({ type: 'failed', error: noteOf(error) })
  }
}

/** Does jobs as they come, as soon as the means are there. */
class JobQueue {
  readonly #thread: Thread
  readonly #tell: (message: FromWorker) => void
  readonly #queued: Extract<ToWorker, { type: 'job' }>[] = []
  readonly #free: Bench[] = []

  constructor(thread: Thread, tell: (message: FromWorker) => void) {
    this.#thread = thread
    this.#tell = tell
  }

  add(message: Extract<ToWorker, { type: 'job' }>): void {
    this.#queued.push(message)
    this.#next()
  }

  addBench(bench: Bench): void {
    this.#free.push(bench)
    this.#next()
  }

  #next(): void {
    if (this.#queued.length === 0) return
    const bench = this.#free.pop()
    if (bench === undefined) return
    const { number, job } = this.#queued.shift() as Extract<ToWorker, { type: 'job' }>
    runJob(bench, job).then((result) => {
      this.#tell({ type: 'done', number, result })
      this.addBench(bench)
    }, this.#thread.fail)
  }
}

/** All that takes long is loaded at once: the thread may have been started before there was work (threads.ts). */
const libraries = Promise.all([loadZstd(), loadPosix()])

function begin(init: WorkerInit, port: MessagePort): { thread: Thread; jobs: JobQueue } {
  if (init.isLow) lowerThisThread()
  const thread = new Thread(init, (message, transfer) => {
    port.postMessage(message, transfer ?? [])
  })
  const jobs = new JobQueue(thread, (message) => {
    port.postMessage(message)
  })
  const table = gearTable(init.keys.gear)
  libraries.then(([zstd, calls]) => {
    const vault = vaultOf(init.keys, zstd)
    for (let lane = 0; lane < LANES; lane++) {
      jobs.addBench({
        vault,
        calls,
        cutter: openCutter(init.gear, table, WINDOW_BYTES),
        ports: thread.ports,
        // Chunks that are sent away take their memory along.
        ...(init.keep === 'append' && { scratch: new Scratch(BATCH_BYTES + SPARE_BYTES) }),
      })
    }
  }, thread.fail)
  return { thread, jobs }
}

function main(port: MessagePort | null): void {
  if (port === null) throw new TypeError('worker.ts is started as a worker thread')
  let begun: ReturnType<typeof begin> | undefined
  port.on('message', (message: ToWorker) => {
    if (message.type === 'begin') begun = begin(message.init, port)
    else if (message.type === 'reply') begun?.thread.reply(message)
    else if (message.type === 'sync') begun?.thread.syncAsked(message.isLast)
    else begun?.jobs.add(message)
  })
}

main(parentPort)
