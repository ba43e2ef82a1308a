/** Gathers what comes of one job, and counts where all threads can see it. */

import type { Entry } from '../../protocol/index.ts'
import { CellarError, isCellarError } from '../../protocol/index.ts'
import { joinPath } from '../adapters/posix.ts'
import {
  COUNTERS,
  type FoundDirectory,
  type JobResult,
  type RestoreEntryEvent,
  type RestoreProblem,
} from './messages.ts'

/** Counters that every thread adds to, and the word to stop. */
export class SharedCounters {
  readonly memory: SharedArrayBuffer
  readonly #counts: BigInt64Array

  constructor(memory = new SharedArrayBuffer(8 * Object.keys(COUNTERS).length)) {
    this.memory = memory
    this.#counts = new BigInt64Array(memory)
  }

  /** Adds to a counter; seen by all threads at once. */
  add(counter: keyof typeof COUNTERS, count: number): void {
    if (count !== 0) Atomics.add(this.#counts, COUNTERS[counter], BigInt(count))
  }

  /** The sum of all threads so far. */
  get(counter: keyof typeof COUNTERS): number {
    return Number(Atomics.load(this.#counts, COUNTERS[counter]))
  }

  /** @throws {CellarError} `ABORTED` once `stop` was counted */
  throwIfStopped(): void {
    if (Atomics.load(this.#counts, COUNTERS.stop) !== 0n)
      throw new CellarError('ABORTED', 'the restore was interrupted')
  }
}

/** Errors after which going on makes no sense. */
export function isFatal(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return true // our own bugs
  const code = codeOf(error)
  return (
    code === 'ENOSPC' ||
    code === 'EDQUOT' ||
    code === 'EROFS' ||
    code === 'ABORTED' ||
    code === 'VAULT_UNKNOWN'
  )
}

/** One of ours, or the system's, or a word for neither. */
export function codeOf(error: unknown): string {
  if (isCellarError(error)) return error.code
  const { code } = error as NodeJS.ErrnoException
  return typeof code === 'string' ? code : 'UNKNOWN'
}

/** What a person is told of an error with one entry. */
export function messageOf(error: unknown): string {
  if (isCellarError(error)) return error.message
  const { code, syscall } = error as NodeJS.ErrnoException
  const words: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EPERM: 'not permitted: only root may',
    ENOTEMPTY: 'a directory that is not empty is in its place (--delete removes it)',
    EEXIST: 'something is in its place',
    ENAMETOOLONG: 'the name is too long for the target',
    EILSEQ: 'the target does not allow such a name',
    EINVAL: 'the target does not allow it',
    EROFS: 'the target is read-only',
    ENOSPC: 'the target is full',
    EDQUOT: 'the quota of the target is used up',
    ENOSYS: 'this system cannot do it',
  }
  const known = code === undefined ? undefined : words[code]
  if (known !== undefined) return `${known} (${String(code)} in ${String(syscall)})`
  return error instanceof Error ? error.message : String(error)
}

/** What one job reports. */
export class Outcome {
  readonly directories: FoundDirectory[] = []
  readonly linked: Entry[] = []
  readonly large: Entry[] = []
  isNeeded = false
  isPlaced = false
  readonly problems: RestoreProblem[] = []
  readonly notices = new Map<string, number>()
  readonly events: RestoreEntryEvent[] = []
  readonly #counters: SharedCounters
  readonly #verbose: boolean

  constructor(counters: SharedCounters, verbose: boolean) {
    this.#counters = counters
    this.#verbose = verbose
  }

  /** Counts one thing that was restored less than exactly, by its name. */
  notice = (what: string): void => {
    this.notices.set(what, (this.notices.get(what) ?? 0) + 1)
  }

  /** Reports an error with one entry. @throws what was given, when it concerns more than the entry */
  problem(path: Uint8Array, name: Uint8Array, error: unknown): void {
    if (isFatal(error)) throw error
    this.problems.push({
      path: name.length === 0 ? path : joinPath(path, name),
      code: codeOf(error),
      message: messageOf(error),
    })
  }

  /** An entry was put in place. `size`: bytes of a file. */
  restored(path: Uint8Array, entry: Entry, isNew: boolean): void {
    this.isPlaced = true
    this.#counters.add('entriesRestored', 1)
    this.#event(isNew ? 'restored' : 'updated', path, entry.name, entry.size)
  }

  /** An entry was left as it is there. */
  skipped(path: Uint8Array, entry: Entry): void {
    this.#counters.add('entriesSkipped', 1)
    if (entry.type === 'file') this.#counters.add('bytesSkipped', entry.size)
    this.#event('unchanged', path, entry.name, entry.size)
  }

  /** Entries that the snapshot lacks were removed. @param count - a directory and all below it */
  deleted(path: Uint8Array, name: Uint8Array, count: number): void {
    this.#counters.add('entriesDeleted', count)
    this.#event('deleted', path, name, 0)
  }

  /** A file was read back and is right. */
  verified(path: Uint8Array, entry: Entry): void {
    this.#counters.add('filesVerified', 1)
    this.#event('verified', path, entry.name, entry.size)
  }

  /** All of it as plain data, for the way between threads; views, not copies. */
  result(): JobResult {
    const { directories, linked, large, isNeeded, isPlaced, problems, notices, events } = this
    return { directories, linked, large, isNeeded, isPlaced, problems, notices, events }
  }

  #event(action: RestoreEntryEvent['action'], path: Uint8Array, name: Uint8Array, size: number): void {
    if (this.#verbose) this.events.push({ action, path: joinPath(path, name), size })
  }
}
