/** Restores a snapshot, or a part of it, into a directory (node/spec/restore.md). */

import { randomBytes } from 'node:crypto'
import { lstatSync, mkdirSync, realpathSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { ChunkId, Entry, RootId, SnapshotRoot } from '../../protocol/index.ts'
import { CellarError, isCellarError } from '../../protocol/index.ts'
import type { Dir, Posix } from '../adapters/posix.ts'
import { nameText } from '../backup/patterns.ts'
import type { ChunkSource } from '../chunk-source.ts'
import { SnapshotReader, splitPath } from '../snapshot-reader.ts'
import type { Vault } from '../vault.ts'
import type { DirectoryNode } from './directories.ts'
import { type Estimate, estimateByReading, estimateWhole } from './estimate.ts'
import type { RestoreCounters, RestoreEntryEvent, RestoreProblem, WorkerSetup } from './messages.ts'
import { rightsOfProcess } from './metadata.ts'
import { codeOf, messageOf, SharedCounters } from './outcome.ts'
import type { Overwrite } from './plan.ts'
import { WorkerPool } from './pool.ts'
import { tempNamePrefix } from './remove.ts'
import { Restoration, type RestorationParts } from './restoration.ts'
import { everything, Selection, type SelectionRules } from './selection.ts'
import { keepNames, wholeBelow } from './whole.ts'

/** What a restore works with. All of it stays the caller's. */
export interface RestoreParts {
  readonly source: ChunkSource
  readonly vault: Vault
  readonly posix: Posix
}

/** What is restored, where to and how. */
export interface RestoreRequest {
  readonly root: RootId
  /** Raw path in the snapshot: the content of that directory goes right into the target, a file by its name. */
  readonly subpath?: Uint8Array
  /** Raw absolute path; made if it is not there. Symlinks on the way to it are followed, below it never. */
  readonly target: Uint8Array
  /** Matched against paths from the top of what is restored. Default: everything. */
  readonly rules?: SelectionRules
  readonly overwrite: Overwrite
  /** Removes what the snapshot lacks from directories that it has whole. */
  readonly delete: boolean
  readonly dryRun: boolean
  /** Reads back what was written before it is put in place. */
  readonly verify: boolean
  /** Worker threads, 1..; default: the processors, at most 4. */
  readonly workers?: number
}

/** How a restore is watched and stopped. */
export interface RestoreWatch {
  readonly signal: AbortSignal
  /** About ten times a second, and at the end. */
  readonly onProgress?: (counters: RestoreCounters) => void
  /** Every entry; asking for it costs time. */
  readonly onEntry?: (event: RestoreEntryEvent) => void
  readonly onProblem?: (problem: RestoreProblem) => void
}

/** What became of it. */
export interface RestoreResult {
  readonly summary: RestoreCounters
  /** Files read back, with `verify`. */
  readonly filesVerified: number
  /** What could not be restored, at most 10,000 of them; then it is not done, and `problemCount` says how many. */
  readonly problems: readonly RestoreProblem[]
  readonly problemCount: number
  /** One sentence each: what was restored less than exactly, as on systems or for users that cannot. */
  readonly notices: readonly string[]
}

const PROBLEMS_MAX = 10_000
const PROGRESS_MS = 100
const SPARE_BYTES = 16 * 1024 * 1024
/** Below so many entries and bytes a second thread costs more than it brings. */
const SMALL = { entries: 200, bytes: 32 * 1024 * 1024 }

/**
 * Restores. One file that cannot be restored does not stop the others; it is reported and what was in its place stays.
 * All is durable when it resolves.
 *
 * @throws {CellarError} `PATH_NOT_FOUND`, `TARGET_UNSAFE`, `TARGET_FULL` (before anything is written, or when it fills up),
 *   `USAGE` for a malformed pattern, `ABORTED`; what reading the root throws
 */
export async function restore(
  parts: RestoreParts,
  request: RestoreRequest,
  watch: RestoreWatch,
): Promise<RestoreResult> {
  const { signal } = watch
  const selection = new Selection(request.rules ?? everything)
  const reader = new SnapshotReader(parts.source, parts.vault)
  const root = await reader.root(request.root, signal)
  const what = await findWhat(reader, root, request, signal)
  const target = openTarget(parts.posix, request)
  try {
    const estimate = await estimateAndCheck(parts, request, { reader, root, what, selection, target, signal })
    return await run(parts, request, watch, { reader, root, what, selection, target, estimate })
  } finally {
    if (target.dir.fd !== -1) parts.posix.closeDir(target.dir)
  }
}

/** A directory whose content is restored, or one entry. */
type What =
  | { readonly trees: readonly ChunkId[]; readonly path: Uint8Array }
  | { readonly entry: Entry; readonly path: Uint8Array }

interface Target {
  readonly dir: Dir
  readonly isThere: boolean
}

interface Prepared {
  readonly reader: SnapshotReader
  readonly root: SnapshotRoot
  readonly what: What
  readonly selection: Selection
  readonly target: Target
}

async function findWhat(
  reader: SnapshotReader,
  root: SnapshotRoot,
  { subpath }: RestoreRequest,
  signal: AbortSignal,
): Promise<What> {
  const path = Buffer.from(
    `/${splitPath(subpath ?? new Uint8Array())
      .map((name) => Buffer.from(name).toString('latin1'))
      .join('/')}`,
    'latin1',
  )
  const found = await reader.find(root, path, signal)
  if (found === undefined) throw new CellarError('PATH_NOT_FOUND', `the snapshot has no ${path.toString()}`)
  if (found.trees !== undefined) return { trees: found.trees, path }
  return { entry: found as Entry, path: path.subarray(0, Math.max(1, path.lastIndexOf(0x2f))) }
}

function openTarget(posix: Posix, { target, dryRun }: RestoreRequest): Target {
  const path = Buffer.from(target)
  try {
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) {
      if (dryRun) return { dir: { fd: -1, path }, isThere: false }
      mkdirSync(path, { recursive: true })
    }
    return { dir: posix.openDir(realpathSync(path, { encoding: 'buffer' })), isThere: true }
  } catch (error) {
    throw new CellarError(
      'TARGET_UNSAFE',
      `cannot restore into ${path.toString()}: ${messageOf(error)}`,
      {},
      { cause: error },
    )
  }
}

async function estimateAndCheck(
  { posix }: RestoreParts,
  request: RestoreRequest,
  prepared: Prepared & { readonly signal: AbortSignal },
): Promise<Estimate> {
  const { reader, root, what, selection, target, signal } = prepared
  if ('entry' in what) return { entries: 1, bytes: what.entry.size, bytesToWrite: what.entry.size }
  const isWhole = selection.isEverything && what.path.length === 1
  let estimate = isWhole
    ? estimateWhole(root)
    : await estimateByReading(reader, what.trees, selection, signal)
  if (request.dryRun) return estimate
  const free = posix.freeBytes(target.dir) - SPARE_BYTES
  if (estimate.bytesToWrite <= free) return estimate
  // the snapshot's own count knows no holes, counts second names again, and not what is there already: count before refusing
  const there = spaceTaken(target.dir.path)
  estimate = {
    ...estimate,
    bytesToWrite: (await estimateByReading(reader, what.trees, selection, signal, there)).bytesToWrite,
  }
  if (estimate.bytesToWrite > free) throw full(estimate.bytesToWrite, free)
  return estimate
}

/** Bytes that a file takes in the target already: it needs no more than the rest, as files are replaced one by one. */
function spaceTaken(target: Uint8Array): (path: Uint8Array) => number {
  return (path) => {
    try {
      const found = lstatSync(Buffer.concat([target, path]))
      return found.isFile() ? found.blocks * 512 : 0
    } catch {
      return 0
    }
  }
}

function full(needed: number, free: number): CellarError {
  const gib = (bytes: number): string => `${(Math.max(0, bytes) / 1024 ** 3).toFixed(2)} GiB`
  return new CellarError(
    'TARGET_FULL',
    `the restore needs ${gib(needed)}, and the target has ${gib(free)} free`,
    { needed, free: Math.max(0, free) },
  )
}

async function run(
  parts: RestoreParts,
  request: RestoreRequest,
  watch: RestoreWatch,
  prepared: Prepared & { readonly estimate: Estimate },
): Promise<RestoreResult> {
  const { estimate, target, what, selection } = prepared
  const counters = new SharedCounters()
  const log = new Log(watch)
  const stop = (): void => {
    counters.add('stop', 1)
  }
  const summary = (): RestoreCounters => countersOf(counters, estimate)
  watch.signal.addEventListener('abort', stop, { once: true })
  if (watch.signal.aborted) stop()
  const pool = openPool(parts, request, watch, { counters, estimate })
  const restoration = new Restoration(
    restorationParts(parts, request, watch, { ...prepared, counters, pool, log }),
    target.dir,
  )
  const timer = setInterval(() => watch.onProgress?.(summary()), PROGRESS_MS)
  try {
    const top = topNode(what, selection, target)
    if ('entry' in what) {
      if (selection.of([nameText(what.entry.name)], selection.isTopSelected).isSelected)
        await restoration.runEntry(top, what.entry)
    } else await restoration.run(top, what.trees)
    if (!request.dryRun) await pool.run({ kind: 'sync', dir: target.dir })
  } catch (error) {
    stop()
    await pool.idle()
    throw final(error)
  } finally {
    clearInterval(timer)
    watch.signal.removeEventListener('abort', stop)
    restoration.close()
    await pool.close()
  }
  watch.onProgress?.(summary())
  for (const lost of parts.posix.lost) log.notice(`${lost}: this system cannot`, 0)
  return { summary: summary(), filesVerified: counters.get('filesVerified'), ...log.result() }
}

function openPool(
  parts: RestoreParts,
  request: RestoreRequest,
  watch: RestoreWatch,
  with_: { readonly counters: SharedCounters; readonly estimate: Estimate },
): WorkerPool {
  const { counters, estimate } = with_
  const isSmall = estimate.entries < SMALL.entries && estimate.bytes < SMALL.bytes
  const size = request.workers ?? (isSmall ? 1 : Math.max(1, Math.min(4, availableParallelism())))
  const run = randomBytes(8).toString('hex')
  const setupOf = (worker: number): WorkerSetup => ({
    keys: parts.vault.keys,
    rules: request.rules ?? everything,
    overwrite: request.overwrite,
    mayDelete: request.delete,
    dryRun: request.dryRun,
    verify: request.verify,
    verbose: watch.onEntry !== undefined,
    tempPrefix: `${tempNamePrefix}${String(process.pid)}-${run}-${String(worker + 1)}-`,
    shared: counters.memory,
  })
  return new WorkerPool({ source: parts.source, signal: watch.signal, size, setupOf })
}

function restorationParts(
  parts: RestoreParts,
  request: RestoreRequest,
  watch: RestoreWatch,
  made: Prepared & { readonly counters: SharedCounters; readonly pool: WorkerPool; readonly log: Log },
): RestorationParts {
  const { reader, counters, pool, log, root, selection } = made
  const run = randomBytes(8).toString('hex')
  let temps = 0
  return {
    posix: parts.posix,
    rights: rightsOfProcess(),
    reader,
    pool,
    counters,
    signal: watch.signal,
    overwrite: request.overwrite,
    dryRun: request.dryRun,
    verify: request.verify,
    verbose: watch.onEntry !== undefined,
    mayDelete: request.delete,
    isWhole: wholeBelow(root.paths),
    keepIn: keepNames(root.unread.map(({ path }) => path)),
    tempName: () => Buffer.from(`${tempNamePrefix}${String(process.pid)}-${run}-0-${String(temps++)}`),
    hasRules: !selection.isEverything,
    onProblem: log.problem,
    onNotice: log.notice,
    onEvent: log.event,
  }
}

function topNode(what: What, selection: Selection, target: Target): DirectoryNode {
  return {
    parent: undefined,
    name: new Uint8Array(),
    entry: undefined,
    ...('trees' in what ? { topTrees: what.trees } : {}),
    path: what.path,
    names: [],
    isSelected: selection.isTopSelected,
    state: target.isThere ? 'there' : 'fresh',
    inheritsAcl: false,
    pending: 0,
    isCleared: false,
  }
}

/** Gathers what a person is to be told. */
class Log {
  readonly #problems: RestoreProblem[] = []
  #problemCount = 0
  readonly #notices = new Map<string, number>()
  readonly #watch: RestoreWatch

  constructor(watch: RestoreWatch) {
    this.#watch = watch
  }

  problem = (problem: RestoreProblem): void => {
    this.#problemCount++
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(problem)
    this.#watch.onProblem?.(problem)
  }

  notice = (what: string, count: number): void => {
    this.#notices.set(what, (this.#notices.get(what) ?? 0) + count)
  }

  event = (event: RestoreEntryEvent): void => {
    this.#watch.onEntry?.(event)
  }

  result(): Pick<RestoreResult, 'problems' | 'problemCount' | 'notices'> {
    const notices = [...this.#notices].map(
      ([what, count]) => `Not restored: ${what}${count === 0 ? '' : ` (${String(count)} times)`}.`,
    )
    return { problems: this.#problems, problemCount: this.#problemCount, notices }
  }
}

function countersOf(counters: SharedCounters, estimate: Estimate): RestoreCounters {
  return {
    totalFiles: estimate.entries,
    filesRestored: counters.get('entriesRestored'),
    filesSkipped: counters.get('entriesSkipped'),
    filesDeleted: counters.get('entriesDeleted'),
    totalBytes: estimate.bytes,
    bytesRestored: counters.get('bytesRestored'),
    bytesSkipped: counters.get('bytesSkipped'),
  }
}

/** What stops a whole restore, in our words. */
function final(error: unknown): unknown {
  if (isCellarError(error) || error instanceof TypeError || error instanceof RangeError) return error
  const code = codeOf(error)
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new CellarError('TARGET_FULL', `the target is full: ${messageOf(error)}`, {}, { cause: error })
  return new CellarError(
    'RESTORE_INCOMPLETE',
    `the restore stopped: ${messageOf(error)}`,
    { code },
    { cause: error },
  )
}
