/** Starts worker threads from the sources as well as from what was compiled. */

import { Worker, type WorkerOptions } from 'node:worker_threads'
import { tuneAllocator } from './memory.ts'

/** Threads that were put together with the program, by module (scripts/bundle.mjs); only there. */
declare const BUNDLED_WORKERS: Readonly<Record<string, string>> | undefined

/**
 * The young generation of a thread, MiB: what it works on lies outside of the heap, in buffers, and garbage that waits
 * there counts as memory of the process. V8 would take 48.
 */
const YOUNG_GENERATION_MIB = 12

/**
 * Starts a module as a worker thread.
 *
 * @param name - of the module, without ending, relative to `from`: `./worker`
 * @param from - `import.meta.url` of the caller
 */
export function startWorker(name: string, from: string, given: WorkerOptions): Worker {
  tuneAllocator()
  const options = { ...given, resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB } }
  if (!from.endsWith('.ts')) return new Worker(bundled(name, from) ?? new URL(`${name}.js`, from), options)
  // a worker does not get the loader of the main thread: it registers its own
  const module = JSON.stringify(new URL(`${name}.ts`, from).href)
  const script = `import('tsx/esm/api').then(({ register }) => { register(); return import(${module}) })`
  return new Worker(script, { ...options, eval: true })
}

/** Where the bundle has a module, `dist/bundle/NAME.js`; undefined outside of it. */
function bundled(name: string, from: string): URL | undefined {
  if (typeof BUNDLED_WORKERS === 'undefined') return undefined
  const module = new URL(name, from).pathname
  const entry = Object.entries(BUNDLED_WORKERS).find(([known]) => module.endsWith(`/dist/${known}`))
  if (entry === undefined) return undefined
  const [known, file] = entry
  return new URL(`${'../'.repeat(known.split('/').length - 1)}bundle/${file}.js`, from)
}
