/** Entry of a restore's worker thread. */

import { parentPort, workerData } from 'node:worker_threads'
import type { ChunkId } from '../../protocol/index.ts'
import { CellarError, type ErrorCode, ERRORS } from '../../protocol/index.ts'
import type { ChunkPlace } from '../../storage/index.ts'
import { loadPosix } from '../adapters/posix.ts'
import { loadZstd } from '../adapters/zstd.ts'
import { vaultOf } from '../vault.ts'
import { type ChunkDesk, Feed } from './feed.ts'
import type { FromWorker, Job, ToWorker, WorkerSetup } from './messages.ts'
import { rightsOfProcess } from './metadata.ts'
import { codeOf, messageOf, SharedCounters } from './outcome.ts'
import { PartRestorer } from './part-restorer.ts'

interface Waiting {
  readonly resolve: (value: readonly (ChunkPlace | undefined)[] | Uint8Array) => void
  readonly reject: (error: Error) => void
}

const port = parentPort
if (port === null) throw new TypeError('this file is run as a worker thread')

const say = (message: FromWorker): void => {
  port.postMessage(message)
}

const waiting = new Map<number, Waiting>()
let requests = 0

function ask(
  question: (request: number) => FromWorker,
): Promise<readonly (ChunkPlace | undefined)[] | Uint8Array> {
  const request = requests++
  return new Promise((resolve, reject) => {
    waiting.set(request, { resolve, reject })
    say(question(request))
  })
}

const desk: ChunkDesk = {
  locate: (ids: readonly ChunkId[]) =>
    ask((request) => ({ type: 'locate', request, ids })) as Promise<readonly (ChunkPlace | undefined)[]>,
  fetch: (id: ChunkId) => ask((request) => ({ type: 'fetch', request, id })) as Promise<Uint8Array>,
}

function answer(request: number, give: (waiter: Waiting) => void): void {
  const waiter = waiting.get(request)
  waiting.delete(request)
  if (waiter !== undefined) give(waiter)
}

/** An error that crossed from the main thread, as it was. */
function errorOf(code: string, message: string): Error {
  return code in ERRORS
    ? new CellarError(code as ErrorCode, message)
    : Object.assign(new Error(message), { code })
}

const setup = workerData as WorkerSetup
const restorer = Promise.all([loadPosix(), loadZstd()]).then(([posix, zstd]) => {
  const counters = new SharedCounters(setup.shared)
  return new PartRestorer({
    posix,
    rights: rightsOfProcess(posix),
    feed: new Feed(vaultOf(setup.keys, zstd, setup.older), desk),
    counters,
    setup,
  })
})

let queue: Promise<unknown> = Promise.resolve()

async function run(number: number, job: Job): Promise<void> {
  try {
    const outcome = await (await restorer).run(job)
    say({ type: 'done', number, result: outcome.result() })
  } catch (error) {
    // A bug: the thread ends, and the restore fails.
    if (error instanceof TypeError || error instanceof RangeError) throw error
    say({ type: 'failed', number, code: codeOf(error), message: messageOf(error) })
  }
}

port.on('message', (message: ToWorker) => {
  if (message.type === 'job') {
    queue = queue.then(() => run(message.number, message.job))
  } else if (message.type === 'places') {
    answer(message.request, ({ resolve }) => {
      resolve(message.places)
    })
  } else if (message.type === 'chunk') {
    answer(message.request, ({ resolve }) => {
      resolve(message.bytes)
    })
  } else {
    answer(message.request, ({ reject }) => {
      reject(errorOf(message.code, message.message))
    })
  }
})
