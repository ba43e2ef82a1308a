/** Starts worker threads from the sources as well as from what was compiled. */

import { Worker, type WorkerOptions } from 'node:worker_threads'

/**
 * Starts a module as a worker thread.
 *
 * @param name - of the module, without ending, relative to `from`: `./worker`
 * @param from - `import.meta.url` of the caller
 */
export function startWorker(name: string, from: string, options: WorkerOptions): Worker {
  if (!from.endsWith('.ts')) return new Worker(new URL(`${name}.js`, from), options)
  // a worker does not get the loader of the main thread: it registers its own
  const module = JSON.stringify(new URL(`${name}.ts`, from).href)
  const script = `import('tsx/esm/api').then(({ register }) => { register(); return import(${module}) })`
  return new Worker(script, { ...options, eval: true })
}
