/** Restores a snapshot, or a part of it, into a directory (node/spec/restore.md). */

import { lstatSync, mkdirSync, realpathSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { ChunkId, Entry, RootId, SnapshotRoot, World } from '../../protocol/index.ts'
import { CellarError } from '../../protocol/index.ts'
import type { Dir, Posix } from '../adapters/posix.ts'
import { nameText } from '../backup/patterns.ts'
import type { ChunkSource } from '../chunk-source.ts'
import { SnapshotReader, splitPath } from '../snapshot-reader.ts'
import type { Vault } from '../vault.ts'
import type { DirectoryNode } from './directories.ts'
import { type Estimate, estimateByReading, estimateWhole } from './estimate.ts'
import type { RestoreCounters, WorkerSetup } from './messages.ts'
import { rightsOfProcess } from './metadata.ts'
import { messageOf, SharedCounters } from './outcome.ts'
import type { RestorationParts } from './parts.ts'
import type { Overwrite } from './plan.ts'
import { WorkerPool } from './pool.ts'
import { countersOf, final, Log, type RestoreWatch, tick, type Told } from './report.ts'
import { Restoration } from './restoration.ts'
import { everything, Selection, type SelectionRules } from './selection.ts'
import { TempNames } from './temp-names.ts'
import { isBelow, keepNames, wholeBelow } from './whole.ts'
import { anyOf } from '../signals.ts'

/** What a restore works with. All of it stays the caller's. */
export interface RestoreParts {
  readonly source: ChunkSource
  readonly vault: Vault
  readonly posix: Posix
  readonly world: World
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
  /** Directories that are there were made by this restore before it was broken off: they get their metadata all the same. */
  readonly goesOn?: boolean
  /** Removes what the snapshot lacks from directories that it has whole. */
  readonly delete: boolean
  /** Raw absolute paths of this machine that nothing is removed from: where the program keeps its own data. */
  readonly keep?: readonly Uint8Array[]
  readonly dryRun: boolean
  /** Reads back what was written before it is put in place. */
  readonly verify: boolean
  /** Worker threads, 1..; default: the processors, at most 4. */
  readonly workers?: number
}

/** What became of it; not all is done when there are problems. */
export interface RestoreResult extends Told {
  readonly summary: RestoreCounters
  /** Files read back, with `verify`. */
  readonly filesVerified: number
}

const SPARE_BYTES = 16 * 1024 * 1024
/** Below so many entries and bytes a second thread costs more than it brings. */
const SMALL = { entries: 200, bytes: 32 * 1024 * 1024 }

/**
 * Restores. One file that cannot be restored does not stop the others; it is reported and what was in its place stays.
 * All is durable when it resolves.
 *
 * @throws {CellarError} `PATH_NOT_FOUND`, `TARGET_UNSAFE`, `TARGET_FULL` (before anything is written, or when it
 *   fills up), `USAGE` for a malformed pattern, `ABORTED`; what reading the root throws
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
  const { estimate, target } = prepared
  const counters = new SharedCounters()
  const log = new Log(watch)
  const summary = (): RestoreCounters => countersOf(counters, estimate)
  // what ends the restore also ends what it waits for: chunks from peers, the next tick
  const end = new AbortController()
  const signal = anyOf([watch.signal, end.signal])
  const stop = (): void => {
    counters.add('stop', 1)
  }
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const inner = { ...watch, signal }
  const temps = new TempNames(parts.world.random)
  const pool = openPool(parts, request, inner, { counters, estimate, temps })
  const restoration = new Restoration(
    restorationParts(parts, request, inner, { ...prepared, counters, pool, log, temps }),
    target.dir,
  )
  void tick(parts.world.clock, signal, () => watch.onProgress?.(summary()))
  try {
    await restoreInto(restoration, prepared)
    if (!request.dryRun) await pool.run({ kind: 'sync', dir: target.dir })
  } catch (error) {
    throw final(error)
  } finally {
    end.abort()
    await pool.idle() // descriptors are the workers' until they answer
    await restoration.close()
    await pool.close()
    temps.end()
    signal.clear()
  }
  watch.onProgress?.(summary())
  for (const lost of parts.posix.lost) log.notice(`${lost}: this system cannot`, 0)
  return { summary: summary(), filesVerified: counters.get('filesVerified'), ...log.result() }
}

async function restoreInto(restoration: Restoration, { what, selection, target }: Prepared): Promise<void> {
  const top = topNode(what, selection, target)
  if ('trees' in what) {
    await restoration.run(top, what.trees)
    return
  }
  const { isSelected } = selection.of([nameText(what.entry.name)], selection.isTopSelected)
  if (isSelected) await restoration.runEntry(top, what.entry)
}

function openPool(
  parts: RestoreParts,
  request: RestoreRequest,
  watch: RestoreWatch,
  with_: { readonly counters: SharedCounters; readonly estimate: Estimate; readonly temps: TempNames },
): WorkerPool {
  const { counters, estimate, temps } = with_
  const isSmall = estimate.entries < SMALL.entries && estimate.bytes < SMALL.bytes
  const size = request.workers ?? (isSmall ? 1 : Math.max(1, Math.min(4, availableParallelism())))
  const setupOf = (worker: number): WorkerSetup => ({
    keys: parts.vault.keys,
    older: parts.vault.older,
    rules: request.rules ?? everything,
    overwrite: request.overwrite,
    mayDelete: request.delete,
    dryRun: request.dryRun,
    verify: request.verify,
    verbose: watch.onEntry !== undefined,
    tempPrefix: temps.prefix(worker + 1),
    shared: counters.memory,
  })
  return new WorkerPool({ source: parts.source, signal: watch.signal, size, setupOf })
}

function restorationParts(
  parts: RestoreParts,
  request: RestoreRequest,
  watch: RestoreWatch,
  made: Prepared & {
    readonly counters: SharedCounters
    readonly pool: WorkerPool
    readonly log: Log
    readonly temps: TempNames
  },
): RestorationParts {
  const { reader, counters, pool, log, root, selection } = made
  const temps = { prefix: made.temps.prefix(0), made: 0 }
  const kept = keptPaths(request, made)
  const isEveryUnreadNamed = (root.unreadLeftOut ?? 0) === 0
  if (request.delete && !isEveryUnreadNamed)
    log.notice('the removal of what the snapshot lacks, as it does not name all that could not be read', 0)
  return {
    posix: parts.posix,
    rights: rightsOfProcess(parts.posix),
    reader,
    source: parts.source,
    pool,
    counters,
    signal: watch.signal,
    overwrite: request.overwrite,
    goesOn: request.goesOn === true,
    dryRun: request.dryRun,
    verify: request.verify,
    verbose: watch.onEntry !== undefined,
    mayDelete: request.delete,
    isWhole: isEveryUnreadNamed ? wholeBelow(root.paths, kept) : () => false,
    keepIn: keepNames(kept),
    tempName: () => Buffer.from(`${temps.prefix}${String(temps.made++)}`),
    hasRules: !selection.isEverything,
    onProblem: log.problem,
    onNotice: log.notice,
    onEvent: log.event,
  }
}

/** Paths in the snapshot that nothing is removed from: what could not be read, and `keep` where it is in the target. */
function keptPaths(
  { keep = [] }: RestoreRequest,
  { root, what, target }: Pick<Prepared, 'root' | 'what' | 'target'>,
): Uint8Array[] {
  const kept = root.unread.map(({ path }) => path)
  for (const path of keep) {
    let real: Buffer
    try {
      real = realpathSync(Buffer.from(path), { encoding: 'buffer' })
    } catch {
      continue // not there: nothing to keep
    }
    if (!isBelow(real, target.dir.path)) continue
    const inTarget = target.dir.path.length === 1 ? real : real.subarray(target.dir.path.length)
    kept.push(what.path.length === 1 ? inTarget : Buffer.concat([what.path, inTarget]))
  }
  return kept
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
