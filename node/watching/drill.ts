/**
 * Restores a sample from another device, as if this one had lost everything, and compares it with what was sealed and
 * with the files it was made of (spec/watching.md §4).
 */

import { join } from 'node:path'
import {
  CellarError,
  type DeviceId,
  type ErrorCode,
  type Entry,
  holdersOf,
  isCellarError,
  type RootId,
} from '../../protocol/index.ts'
import {
  isAsSealed,
  isSameContent,
  isUnchanged,
  makeDrillDirectory,
  removeDrilled,
} from '../adapters/drill-files.ts'
import { loadPosix } from '../adapters/posix.ts'
import type { CallContext, DrillParams, DrillSummary } from '../api.ts'
import { readerOf } from '../operations/backup.ts'
import { findDevice } from '../operations/devices.ts'
import { resolveSnapshot } from '../operations/look.ts'
import { openSource, waitFor } from '../operations/sources.ts'
import type { NodeParts } from '../parts.ts'
import { pathFields } from '../path-text.ts'
import { EVERY } from '../snapshots.ts'
import { type FoundEntry, SnapshotReader } from '../snapshot-reader.ts'
import type { ChunkSource } from '../chunk-source.ts'
import type { Vault } from '../vault.ts'
import { type SampleBounds, sampleFiles } from './drill-sample.ts'
import { draw } from './plan.ts'

/** What says that a device went away, and nothing of what it holds. */
const AWAY: ReadonlySet<string> = new Set<ErrorCode>(['PEER_GONE', 'PEER_BUSY', 'NO_PEER', 'ABORTED'])

/** What a drill tells on the way, and to whom. */
export type DrillContext = Pick<CallContext<'drill'>, 'signal' | 'onEvent'>

/** A snapshot, and who is to give it back. */
interface Choice {
  readonly root: RootId
  readonly from: DeviceId
  /** Made on this device: its paths are paths here. */
  readonly isOwn: boolean
}

/**
 * Drills, see `Methods.drill`.
 *
 * @throws {CellarError} `NO_PEER`, `VAULT_UNKNOWN`, `SNAPSHOT_NOT_FOUND`, `DEVICE_NOT_FOUND`, `DRILL_FAILED`, `ABORTED`
 */
export async function runDrill(
  parts: NodeParts,
  params: DrillParams,
  given: DrillContext,
): Promise<DrillSummary> {
  const vault = readerOf(parts)
  const start = { startedMs: parts.world.clock.nowMs(), signal: given.signal }
  return await parts.jobs.run('drill', start, async (job, signal) => {
    const context = { ...given, signal }
    const choice = await choose(parts, params, context.signal)
    const { drill: settings } = parts.config
    const bounds = { files: params.files ?? settings.files, bytes: params.bytes ?? settings.bytes }
    const open = await openSource(parts, choice.root, choice.from, context.signal)
    try {
      const sample = await drawSample(parts, { vault, source: open.source, choice, bounds, context })
      const drill = new Drill({ parts, vault, source: open.source, choice, sample, context }, (share) => {
        job.percentDone = share
      })
      const summary = await drill.run()
      await remember(parts, choice, summary)
      const { files_restored, files_compared, files_failed } = summary
      job.summary = { snapshot_id: choice.root, files_restored, files_compared, files_failed }
      return summary
    } finally {
      await open.close()
    }
  })
}

/**
 * Reads root and directories from the other device and draws. Where not even these can be read there is nothing to
 * draw: undefined, and told.
 */
async function drawSample(
  parts: NodeParts,
  from: Pick<DrillWork, 'vault' | 'source' | 'choice' | 'context'> & { readonly bounds: SampleBounds },
): Promise<readonly FoundEntry[] | undefined> {
  const { vault, source, choice, context, bounds } = from
  const { signal } = context
  try {
    const reader = new SnapshotReader(source, vault)
    const root = await reader.root(choice.root, signal)
    const sample = await sampleFiles(reader, root, bounds, parts.world.random, signal)
    if (sample.length > 0) return sample
  } catch (error) {
    signal.throwIfAborted()
    if (!isCellarError(error)) throw error
    if (AWAY.has(error.code)) throw wentAway(parts, choice)
    context.onEvent({ message_type: 'error', message: error.message, code: error.code })
    return undefined
  }
  throw new CellarError('PATH_NOT_FOUND', `snapshot ${short(choice.root)} has no file that is small enough`)
}

function wentAway({ ledger }: NodeParts, { from }: Choice): CellarError {
  return new CellarError(
    'NO_PEER',
    `${ledger.nameOf(from)} went away while files were being restored from it`,
  )
}

/** The snapshot that a person named, or one that a device in reach says it holds; and that device. */
async function choose(parts: NodeParts, params: DrillParams, signal: AbortSignal): Promise<Choice> {
  const { ledger, signer, world } = parts
  const named = params.from === undefined ? undefined : findDevice(parts, params.from).device
  if (named === signer.device)
    throw new CellarError('USAGE', 'a drill restores from another device: this one is no test of the others')
  const { network } = await parts.connect()
  const holders = (root: RootId) =>
    holdersOf(ledger.view, ledger.membership, root).filter(
      (device) => (named === undefined || device === named) && network.connected().includes(device),
    )
  const wanted =
    params.snapshot === undefined
      ? undefined
      : (await resolveSnapshot(parts, params.snapshot, EVERY, signal)).snapshot
  const candidates = () => {
    const all = (wanted === undefined ? parts.snapshots.list(EVERY) : [wanted]).filter(
      ({ live }) => holders(live.root).length > 0,
    )
    // What this device made it would miss most, and can compare with its own files.
    const own = all.filter(({ maker }) => maker === signer.device)
    return own.length > 0 ? own : all
  }
  await waitFor(parts, () => candidates().length > 0, signal)
  const found = candidates()
  const chosen = found[draw(world.random, found.length)]
  const able = chosen === undefined ? [] : holders(chosen.live.root)
  const from = able[draw(world.random, able.length)]
  if (chosen === undefined || from === undefined) {
    const what = wanted === undefined ? 'a snapshot' : `snapshot ${short(wanted.live.root)}`
    const who =
      named === undefined
        ? 'no other device in reach'
        : `${ledger.nameOf(named)} is not in reach, or not one that`
    throw new CellarError('NO_PEER', `nothing was tried: ${who} holds ${what}`)
  }
  return { root: chosen.live.root, from, isOwn: chosen.maker === signer.device }
}

async function remember(parts: NodeParts, { root, from }: Choice, summary: DrillSummary): Promise<void> {
  const { watching, world, events, ledger } = parts
  const { files_restored: files, bytes_restored: bytes, files_failed: failed } = summary
  const lastMs = world.clock.nowMs()
  const before = watching.record.drill
  await watching.record.setDrill({
    lastMs,
    lastPassedMs: failed === 0 ? lastMs : (before?.lastPassedMs ?? 0),
    root,
    from: [from],
    files,
    bytes,
    compared: summary.files_compared,
    failed,
  })
  events.emit({ kind: 'drilled', root, files, bytes, failed })
  if (failed === 0) return
  const message = `a drill could not restore ${String(failed)} of ${String(files + failed)} files of snapshot ${short(root)} from ${ledger.nameOf(from)}`
  events.emit({ kind: 'trouble', code: 'DRILL_FAILED', message })
}

interface DrillWork {
  readonly parts: NodeParts
  readonly vault: Vault
  readonly source: ChunkSource
  readonly choice: Choice
  /** Undefined: not even the directories could be read. */
  readonly sample: readonly FoundEntry[] | undefined
  readonly context: DrillContext
}

/** One sample being restored, file by file. */
class Drill {
  readonly #work: DrillWork
  readonly #onShare: (share: number) => void
  readonly #startedMs: number
  readonly #bytesTotal: number
  #files = 0
  #bytes = 0
  #compared = 0
  #failed = 0

  constructor(work: DrillWork, onShare: (share: number) => void) {
    this.#work = work
    this.#onShare = onShare
    this.#startedMs = work.parts.world.clock.monotonicMs()
    this.#bytesTotal = (work.sample ?? []).reduce((sum, { entry }) => sum + entry.size, 0)
  }

  async run(): Promise<DrillSummary> {
    const { parts, sample = [], choice, context } = this.#work
    if (this.#work.sample === undefined) this.#failed++
    const target = makeDrillDirectory(parts.home.directory)
    try {
      for (const [at, file] of sample.entries()) {
        context.signal.throwIfAborted()
        await this.#one(file, join(target, String(at)))
        this.#status(at + 1)
      }
    } finally {
      removeDrilled(target)
    }
    return {
      message_type: 'summary',
      snapshot_id: choice.root,
      from: [parts.ledger.nameOf(choice.from)],
      files_restored: this.#files,
      bytes_restored: this.#bytes,
      files_compared: this.#compared,
      files_failed: this.#failed,
      seconds_elapsed: this.#seconds,
    }
  }

  /** Restores one file the way any file is restored, and looks at what came of it. */
  async #one({ path, entry }: FoundEntry, target: string): Promise<void> {
    const problem = await this.#restore(path, target)
    const restored = Buffer.concat([Buffer.from(`${target}/`), entry.name])
    const said = problem ?? (await this.#compare(path, restored, entry))
    removeDrilled(target)
    if (said === undefined) {
      this.#files++
      this.#bytes += entry.size
      return
    }
    this.#failed++
    const { path: item, path_b64 } = pathFields(path)
    this.#work.context.onEvent({
      message_type: 'error',
      ...said,
      item,
      ...(path_b64 !== undefined && { item_b64: path_b64 }),
    })
  }

  /** @returns what went wrong; undefined when it was restored. @throws {CellarError} `NO_PEER` when nobody is there */
  async #restore(path: Uint8Array, target: string): Promise<{ message: string; code: string } | undefined> {
    const { parts, vault, source, choice, context } = this.#work
    try {
      // Large, and not of every command that opens a node.
      const { restore } = await import('../restore/restore.ts')
      const { problems } = await restore(
        { source, vault, posix: await loadPosix(), world: parts.world },
        {
          root: choice.root,
          subpath: path,
          target: Buffer.from(target),
          overwrite: 'always',
          delete: false,
          dryRun: false,
          verify: true,
          workers: 1,
        },
        { signal: context.signal },
      )
      const [problem] = problems
      if (problem !== undefined) this.#throwIfAway(problem.code)
      return problem === undefined ? undefined : { message: problem.message, code: problem.code }
    } catch (error) {
      context.signal.throwIfAborted()
      if (!isCellarError(error)) throw error
      this.#throwIfAway(error.code)
      // A disk here that is full says nothing of the copy there.
      if (error.code === 'TARGET_FULL') throw error
      return { message: error.message, code: error.code }
    }
  }

  #throwIfAway(code: string): void {
    if (AWAY.has(code)) throw wentAway(this.#work.parts, this.#work.choice)
  }

  async #compare(
    path: Uint8Array,
    restored: Buffer,
    entry: Entry,
  ): Promise<{ message: string; code: string } | undefined> {
    const { choice, context } = this.#work
    if (!isAsSealed(restored, entry))
      return { message: 'what was restored is not what the snapshot says', code: 'DRILL_FAILED' }
    const live = Buffer.from(path)
    if (!choice.isOwn || !isUnchanged(live, entry)) return undefined
    let isSame: boolean
    try {
      isSame = await isSameContent(restored, live, context.signal)
    } catch (error) {
      context.signal.throwIfAborted()
      if (typeof (error as NodeJS.ErrnoException).code !== 'string') throw error
      return undefined // the file cannot be read: it is no test of the copy
    }
    // Changed while it was being compared: nothing is learned.
    if (!isUnchanged(live, entry)) return undefined
    this.#compared++
    return isSame
      ? undefined
      : { message: 'what was restored differs from the file, which is unchanged', code: 'DRILL_FAILED' }
  }

  get #seconds(): number {
    return Math.round(this.#work.parts.world.clock.monotonicMs() - this.#startedMs) / 1000
  }

  #status(done: number): void {
    const { sample = [], context } = this.#work
    this.#onShare(done / sample.length)
    context.onEvent({
      message_type: 'status',
      seconds_elapsed: Math.floor(this.#seconds),
      percent_done: done / sample.length,
      files_done: done,
      total_files: sample.length,
      bytes_done: this.#bytes,
      total_bytes: this.#bytesTotal,
      error_count: this.#failed,
    })
  }
}

function short(root: RootId): string {
  return root.slice(0, 8)
}
