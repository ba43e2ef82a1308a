/** Makes a snapshot: walks the sources, reads what is new, and writes its root last (node/spec/backup.md). */

import {
  buildFileNodes,
  CellarError,
  type ChunkId,
  type Clock,
  decodeRoot,
  type DeviceId,
  encodeRoot,
  isCellarError,
  nameBytesMax,
  type RootId,
  snapshotPathsMax,
  type SnapshotRoot,
  type SnapshotStats,
} from '../../protocol/index.ts'
import type { Catalog, ChunkStore } from '../../storage/index.ts'
import { loadPosix } from '../adapters/posix.ts'
import type { Vault } from '../vault.ts'
import { compileRules, type ExcludeRules } from './exclude-rules.ts'
import { COARSE } from './gear.ts'
import { Hands } from './hands.ts'
import { type Draft, lookThrough } from './list-directory.ts'
import { type Presence, storePresence } from './presence.ts'
import { SourceFiles } from './source-files.ts'
import { mergeSources, outermostSources, type Wish } from './sources.ts'
import type { Staging } from './staging.ts'
import { cutStream } from './stream.ts'
import { Tally, type TallyListeners, type UnreadSource } from './tally.ts'
import { TreeWriter } from './tree-writer.ts'
import { directoryKey, Walker } from './walker.ts'

/** What a backup works with; all borrowed. */
export interface BackupParts {
  readonly store: ChunkStore
  /** What need not be stored again. @defaultValue what is in the store */
  readonly presence?: Presence
  /** Bounds what is stored here while others take it. @defaultValue nothing does but the disk */
  readonly staging?: Staging
  readonly vault: Vault
  /** Content to chunk, on this device only; its own namespace. */
  readonly contentIndex: Catalog
  readonly clock: Clock
}

/** What is to be backed up, and what to write about it. */
export interface BackupRequest {
  /** Absolute, raw bytes; may be empty when `stdin` is given. */
  readonly paths: readonly Uint8Array[]
  readonly excludes: ExcludeRules
  readonly oneFileSystem: boolean
  readonly device: DeviceId
  readonly host: string
  readonly user: string
  readonly uid: number
  readonly gid: number
  /** The program and its version. */
  readonly program: string
  readonly tags: readonly string[]
  /** Nanoseconds since 1970; default now. */
  readonly timeNs?: bigint
  /** Of local time from UTC, minutes; default the system's. */
  readonly offsetMinutes?: number
  /** The snapshot before of the same source; see `chooseParent`. */
  readonly parent?: RootId
  readonly dryRun: boolean
  /** Write no root when no source has changed since the parent. */
  readonly skipIfUnchanged: boolean
  /** One more file, at the top of the snapshot. */
  readonly stdin?: { readonly name: Uint8Array; readonly stream: AsyncIterable<Uint8Array> }
  /** Directories of the program itself, never backed up; absolute, raw bytes. */
  readonly own?: readonly Uint8Array[]
  /** Worker threads, 1..4; default by processors. */
  readonly threads?: number
  /** Other programs go before its threads. */
  readonly isLow?: boolean
}

/** What a backup did. */
export interface BackupSummary extends SnapshotStats {
  /** New chunks of file contents, and of trees and other lists. */
  readonly dataChunks: number
  readonly treeChunks: number
  readonly durationMs: number
}

/** What a backup ends with: its root, what it counted, and what a person should know. */
export interface BackupResult {
  /** Absent in a dry run, and when nothing has changed and `skipIfUnchanged` was asked for. */
  readonly root?: RootId
  readonly summary: BackupSummary
  /** In the order they were met; also what was kept although it changed while it was read (`CHANGED`). */
  readonly unread: readonly UnreadSource[]
  /** Sentences for a person: what was left out and why. */
  readonly notices: readonly string[]
}

/** How a backup is watched and stopped. */
export interface BackupOptions extends TallyListeners {
  readonly signal: AbortSignal
}

/** The parent's root, where it is here and readable. */
function readParent({ store, vault }: BackupParts, parent: RootId | undefined): SnapshotRoot | undefined {
  if (parent === undefined) return undefined
  try {
    const { raw, links } = vault.open(store.get(parent))
    return decodeRoot(raw, links)
  } catch (error) {
    if (isCellarError(error)) return undefined
    throw error
  }
}

/** The program's own directories, where they are. */
function ownDirectories(own: readonly Uint8Array[]): Set<string> {
  const keys = new Set<string>()
  for (const path of own) {
    try {
      keys.add(directoryKey(lookThrough(Buffer.from(path))))
    } catch {
      // Not there: nothing to leave out.
    }
  }
  return keys
}

/** A name that no entry can have is told before the pipe is read to its end. @throws {CellarError} `USAGE` */
function checkStreamName(name: Uint8Array, top: Wish): void {
  const text = Buffer.from(name).toString('latin1')
  const isName =
    !['', '.', '..'].includes(text) && !text.includes('/') && !name.includes(0) && text.length <= nameBytesMax
  if (isName && !top.inside.has(text)) return
  const why = isName ? 'is also where a path to be backed up begins' : 'cannot be the name of a file'
  throw new CellarError('USAGE', `"${Buffer.from(name).toString()}" ${why}`)
}

/** The entry of what comes through a pipe. */
async function streamEntry(hands: Hands, request: BackupRequest, nowNs: bigint): Promise<Draft[]> {
  const { stdin, uid, gid } = request
  if (stdin === undefined) return []
  const chunks = await cutStream(hands.bench, stdin.stream, COARSE)
  const size = chunks.reduce((sum, { length }) => sum + length, 0)
  const draft: Draft = {
    ...{
      type: 'file',
      name: stdin.name,
      mode: 0o644,
      uid,
      gid,
      mtimeNs: nowNs,
      ctimeNs: nowNs,
      inode: 0n,
      device: 0n,
      linkCount: 1,
      size,
    },
  }
  if (size > 0) draft.content = buildFileNodes(chunks, (raw, links) => hands.seal('file', raw, links))
  return [draft]
}

/** Says of each path what was wrong with it, as nothing else is told of it. */
function nothingFound(unread: readonly UnreadSource[]): CellarError {
  const shown = unread.slice(0, pathsNamedMax).map(({ path, code, message }) => {
    const text = Buffer.from(path).toString()
    return code === 'ENOENT' ? `${text} is not there` : `${text}: ${message}`
  })
  const more = unread.length > shown.length ? `, and ${String(unread.length - shown.length)} more` : ''
  return new CellarError('SOURCE_UNREADABLE', `nothing to back up: ${shown.join('; ')}${more}`)
}

/** Paths named in one message. */
const pathsNamedMax = 5

/**
 * Backs up. When it resolves with a root, every chunk of its closure is durable in the store, or was present elsewhere
 * (`presence`); nobody holds or announces it yet (`ChunkStore.hold` links the closure). Nothing that goes wrong with a
 * source ends it.
 *
 * @throws {CellarError} `USAGE`; `SOURCE_UNREADABLE` when not one of the paths is there; `ABORTED`, or the signal's
 *   reason; what the store throws, `STORE_FULL` above all. The store is consistent then, and keeps what was
 *   committed for the next try
 */
export async function backup(
  parts: BackupParts,
  request: BackupRequest,
  options: BackupOptions,
): Promise<BackupResult> {
  const { clock } = parts
  options.signal.throwIfAborted()
  const begun = clock.monotonicMs()
  const tally = new Tally(clock, options)
  const posix = await loadPosix()
  for (const lost of posix.lost) tally.notice(`This system cannot read ${lost}.`)
  const { store, vault, contentIndex } = parts
  const { dryRun, threads, isLow } = request
  const presence = parts.presence ?? storePresence(store)
  const hands = new Hands({
    store,
    presence,
    vault,
    contentIndex,
    posix,
    tally,
    clock,
    dryRun,
    ...(parts.staging !== undefined && !dryRun && { staging: parts.staging }),
    ...(threads === undefined ? {} : { threads }),
    ...(isLow === true && { isLow }),
  })
  const abort = (): void => {
    const { reason } = options.signal as { reason: unknown }
    hands.fail(
      isCellarError(reason)
        ? reason
        : new CellarError('ABORTED', 'The backup was interrupted.', {}, { cause: reason }),
    )
  }
  options.signal.addEventListener('abort', abort, { once: true })
  try {
    const root = await Promise.race([hands.failed, run({ ...parts, presence, posix, hands, tally }, request)])
    tally.tell(true)
    const { stats, dataChunks, treeChunks, unread, notices } = tally
    const summary = { ...stats, dataChunks, treeChunks, durationMs: clock.monotonicMs() - begun }
    return { ...(root === undefined ? {} : { root }), summary, unread, notices }
  } finally {
    options.signal.removeEventListener('abort', abort)
    await hands.close()
  }
}

interface RunParts extends BackupParts {
  readonly presence: Presence
  readonly posix: Awaited<ReturnType<typeof loadPosix>>
  readonly hands: Hands
  readonly tally: Tally
}

async function run(parts: RunParts, request: BackupRequest): Promise<RootId | undefined> {
  const { store, presence, vault, clock, posix, hands, tally } = parts
  const excluder = compileRules(request.excludes)
  const top = mergeSources(request.paths)
  const parent = readParent(parts, request.parent)
  const nowNs = BigInt(Math.round(clock.nowMs())) * 1_000_000n
  const timeNs = request.timeNs ?? nowNs
  if (request.stdin !== undefined) checkStreamName(request.stdin.name, top)
  const extra = await streamEntry(hands, request, nowNs)
  const files = new SourceFiles({
    submit: hands.submit,
    tally,
    fail: hands.fail,
    sealNode: (raw, links) => hands.seal('file', raw, links),
  })
  const writer = new TreeWriter({ seal: hands.seal, tally })
  const trees = await new Promise<{ trees: readonly ChunkId[]; hasChanged: boolean }>((resolve, reject) => {
    const walker = new Walker({
      ...{ store, presence, vault, posix, clock, tally, files, excluder, gear: hands.gear },
      oneFileSystem: request.oneFileSystem,
      own: ownDirectories(request.own ?? []),
      hasRoom: () => !hands.isFull,
      room: () => hands.room(),
      finish: (directory) => {
        writer.write(directory)
        if (directory.plan.parent !== undefined) return
        if (walker.sourcesFound === 0 && request.stdin === undefined) {
          throw nothingFound(tally.unread)
        }
        resolve({ trees: directory.trees, hasChanged: walker.hasChanged })
      },
    })
    walker
      .walk(top, parent?.trees, extra)
      .then(() => {
        tally.scanned()
        files.flush()
      })
      .catch(reject)
  })
  if (request.skipIfUnchanged && parent !== undefined && !trees.hasChanged && tally.unreadCount === 0) {
    await hands.finish()
    return undefined
  }
  return hands.finish(
    rootOf(parts, request, {
      timeNs,
      trees: trees.trees,
      excludes: excluder.words,
      top: outermostSources(top),
    }),
  )
}

interface RootFields {
  readonly timeNs: bigint
  readonly trees: readonly ChunkId[]
  readonly excludes: readonly string[]
  readonly top: readonly Buffer[]
}

function rootOf(
  { tally }: RunParts,
  request: BackupRequest,
  fields: RootFields,
): { raw: Uint8Array; links: ChunkId[] } {
  const { device, host, user, uid, gid, tags, program, parent, stdin } = request
  const paths = [
    ...fields.top,
    ...(stdin === undefined ? [] : [Buffer.concat([Buffer.from('/'), stdin.name])]),
  ]
  if (paths.length > snapshotPathsMax)
    tally.notice(
      `Only the first ${String(snapshotPathsMax)} of ${String(paths.length)} paths are listed in the snapshot.`,
    )
  return encodeRoot({
    ...{
      device,
      host,
      user,
      uid,
      gid,
      tags,
      program,
      trees: fields.trees,
      excludes: fields.excludes,
      timeNs: fields.timeNs,
    },
    paths: paths.slice(0, snapshotPathsMax),
    offsetMinutes: request.offsetMinutes ?? -new Date(Number(fields.timeNs / 1_000_000n)).getTimezoneOffset(),
    ...(parent === undefined ? {} : { parent }),
    stats: { ...tally.stats },
    unread: tally.unread.map(({ path, code }) => ({ path, code })),
    unreadLeftOut: tally.unreadCount - tally.unread.length,
  })
}
