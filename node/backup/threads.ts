/** The threads of a backup: started when there is work for them, or ahead of it. */

import { availableParallelism } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { startWorker } from '../adapters/start-worker.ts'
import type { ToWorker, WorkerInit } from './jobs.ts'

const THREADS_MAX = 4

/** As many as there are processors, at most 4. */
export const usualThreads = (): number => Math.min(THREADS_MAX, availableParallelism())

/** What a thread that has ended says of itself. */
const ENDED = -1

/** Threads that load their code, or have, and wait for work. */
const prepared: Worker[] = []

/**
 * Starts threads before there is work for them: while they load their code, a node is opened. They keep no process
 * alive.
 *
 * @returns all that are prepared now
 */
export function prepareThreads(): readonly Worker[] {
  while (prepared.length < usualThreads()) {
    const worker = start()
    worker.unref()
    worker.on('error', () => undefined) // whoever wants it finds that it has ended
    prepared.push(worker)
  }
  return prepared
}

/** Gives one that was prepared its work, or a new one. */
export function startThread(init: WorkerInit): Worker {
  let worker = prepared.pop()
  while (worker?.threadId === ENDED) worker = prepared.pop()
  worker?.ref()
  worker ??= start()
  worker.postMessage({ type: 'begin', init } satisfies ToWorker)
  return worker
}

function start(): Worker {
  return startWorker('./worker', import.meta.url, { name: 'backup' })
}
