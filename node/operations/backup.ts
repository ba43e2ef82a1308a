/** `backup`: seals what is new, holds and announces the snapshot, and waits for copies if asked to. */

import { hostname, userInfo } from 'node:os'
import { CellarError, type SnapshotRoot, toHex } from '../../protocol/index.ts'
import type { BackupEvent, BackupParams, BackupSummary, CallContext } from '../api.ts'
import { type BackupRequest, type BackupResult, backup } from '../backup/backup.ts'
import { rulesInWords } from '../backup/exclude-rules.ts'
import { chooseParent, type ParentCandidate } from '../backup/parent.ts'
import { nameText } from '../backup/patterns.ts'
import { openPresence, type Presence } from '../backup/presence.ts'
import { judgeBackups } from '../deletion/suspicion.ts'
import { inSession } from '../backup/session.ts'
import type { BackupProgress, EntryNote, TallyListeners, UnreadSource } from '../backup/tally.ts'
import type { JobStart } from '../jobs.ts'
import type { PendingRoot } from '../ledger/records.ts'
import { PROGRAM } from '../version.ts'
import type { NodeParts } from '../parts.ts'
import { type PathText, pathBytes, pathDisplay, pathFields, pathText } from '../path-text.ts'
import { EVERY } from '../snapshots.ts'
import { sizeClassOf, sourceLabel } from '../source-label.ts'
import { isThin } from '../thin/thin.ts'
import type { SessionUpload } from '../upload/session.ts'
import type { Vault } from '../vault.ts'
import { parseTime } from './time.ts'
import { withUpload } from './upload.ts'
import { waitForCopies } from './wait.ts'

/** Backs up, see `Methods.backup`. @throws {CellarError} `NOT_ENTITLED`, `VAULT_UNKNOWN`, `STORE_FULL`, `ABORTED` */
export async function runBackup(
  parts: NodeParts,
  params: BackupParams,
  given: CallContext<'backup'>,
): Promise<BackupSummary> {
  const { clock } = parts.world
  const vault = readerOf(parts)
  if (!parts.ledger.self.capabilities.has('backup')) {
    throw new CellarError(
      'NOT_ENTITLED',
      `${parts.ledger.self.name} is a ${parts.ledger.self.role}: it stores for others and makes no backups`,
    )
  }
  const startedMs = clock.nowMs()
  return await parts.jobs.run('backup', startOf(params, startedMs, given), async (job, signal) => {
    const context = { ...given, signal }
    const onProgress = (progress: BackupProgress) => {
      const status = statusOf(progress, (clock.nowMs() - startedMs) / 1000)
      job.percentDone = status.percent_done
      context.onEvent(status)
    }
    let isBegun = false
    const seal = async (presence: Presence, staging?: SessionUpload) => {
      if (isBegun && params.stdin !== undefined) throw pipeIsRead(parts)
      isBegun = true
      return await backup(
        {
          ...{ store: parts.store, presence, vault, contentIndex: parts.catalog.sub('content'), clock },
          ...(staging !== undefined && { staging }),
        },
        requestOf(parts, params, context, presence),
        { signal: context.signal, onProgress, ...(params.verbose && verboseListeners(context)) },
      )
    }
    const result = params.dryRun
      ? await seal(await openPresence(parts.store, parts.ledger.leanable()))
      : await withUpload<BackupResult>(parts, context, (upload) =>
          inSession<BackupResult>(
            { ...parts, random: parts.world.random },
            {
              seal: upload.wrap(seal),
              ...(upload.elsewhere !== undefined && { elsewhere: upload.elsewhere }),
              rootOf: (made) => pendingOf(parts, vault, params, made),
            },
          ),
        )
    for (const message of result.notices) context.onEvent({ message_type: 'notice', message })
    for (const unread of result.unread) context.onEvent(errorEvent(unread))
    const summary = await finish(parts, params, context, { startedMs, result })
    if (summary.snapshot_id !== undefined)
      await judgeBackups(parts, toHex(sourceOf(parts, vault, params)), signal)
    return summary
  })
}

/** A trial run is nobody's business afterwards. */
function startOf({ dryRun }: BackupParams, startedMs: number, { signal }: CallContext<'backup'>): JobStart {
  return { startedMs, signal, isTrial: dryRun }
}

/** What is announced of a backup. */
function pendingOf(
  parts: NodeParts,
  vault: Vault,
  params: BackupParams,
  { root, summary }: BackupResult,
): PendingRoot | undefined {
  if (root === undefined) return undefined
  return { root, source: sourceOf(parts, vault, params), sizeClass: sizeClassOf(summary.bytes) }
}

function sourceOf(parts: NodeParts, vault: Vault, { stdin, paths }: BackupParams): Uint8Array {
  const sources = stdin === undefined ? paths.map(pathBytes) : [pathBytes(stdin.name)]
  return sourceLabel(vault.keys, parts.signer.device, sources)
}

/** What came through a pipe was not stored as far as others had it, and they are not to be relied on any more. */
function pipeIsRead(parts: NodeParts): CellarError {
  return new CellarError(
    'NOT_ENTITLED',
    `${parts.ledger.nameOf(parts.signer.device)} may not lean on the copies of others any more; run the backup again`,
  )
}

async function finish(
  parts: NodeParts,
  params: BackupParams,
  context: CallContext<'backup'>,
  done: { startedMs: number; result: BackupResult },
): Promise<BackupSummary> {
  const { result, startedMs } = done
  const endedMs = parts.world.clock.nowMs()
  const { root } = result
  if (root !== undefined) context.onEvent({ message_type: 'saved', snapshot_id: root })
  const waited =
    root === undefined || params.wait === undefined
      ? undefined
      : await waitForCopies(parts, root, params.wait, {
          signal: context.signal,
          onCopies: (copies) => {
            context.onEvent({ message_type: 'copies', snapshot_id: root, ...copies })
          },
        })
  const copies = root === undefined ? { holders: [], goal: 0 } : parts.ledger.copies(root)
  const held = new Set(copies.holders)
  const { membership } = parts.ledger
  if (root !== undefined && parts.store.isHeld(root) && !isThin(membership, parts.signer.device))
    held.add(parts.signer.device)
  const { summary } = result
  return {
    message_type: 'summary',
    dry_run: params.dryRun,
    files_new: summary.filesNew,
    files_changed: summary.filesChanged,
    files_unmodified: summary.filesUnmodified,
    dirs_new: summary.dirsNew,
    dirs_changed: summary.dirsChanged,
    dirs_unmodified: summary.dirsUnmodified,
    data_blobs: summary.dataChunks,
    tree_blobs: summary.treeChunks,
    data_added: summary.bytesAdded,
    data_added_packed: summary.bytesStored,
    total_files_processed: summary.files,
    total_bytes_processed: summary.bytes,
    backup_start: new Date(startedMs).toISOString(),
    backup_end: new Date(endedMs).toISOString(),
    total_duration: (endedMs - startedMs) / 1000,
    ...(root !== undefined && { snapshot_id: root }),
    copies: held.size,
    copies_wanted: copies.goal,
    ...(waited !== undefined && { waited }),
    unread: result.unread.map((unread) => ({
      ...pathFields(unread.path),
      code: unread.code,
      message: unread.message,
    })),
  }
}

/** The vault, or an error that says how to get one. */
export function readerOf(parts: NodeParts): Vault {
  if (parts.vault === undefined) {
    throw new CellarError(
      'VAULT_UNKNOWN',
      `${parts.ledger.self.name} is a ${parts.ledger.self.role} and holds no key: it can read nothing`,
    )
  }
  return parts.vault
}

function requestOf(
  parts: NodeParts,
  params: BackupParams,
  context: CallContext<'backup'>,
  presence: Presence,
): BackupRequest {
  const paths = params.paths.map(pathBytes)
  const parent = chooseParent(candidates(parts, presence), { device: parts.signer.device, paths })
  const time = params.time === undefined ? undefined : parseTime(params.time)
  return {
    paths,
    excludes: {
      patterns: params.excludes.map(patternText),
      patternsIgnoringCase: params.iexcludes.map(patternText),
      caches: params.excludeCaches,
      ifPresent: params.excludeIfPresent.map(patternText),
      ...(params.excludeLargerThan !== undefined && { largerThanBytes: params.excludeLargerThan }),
    },
    oneFileSystem: params.oneFileSystem,
    ...identity(parts),
    tags: params.tags,
    ...(time !== undefined && { timeNs: time.ns, offsetMinutes: time.offsetMinutes }),
    ...(parent !== undefined && { parent }),
    dryRun: params.dryRun,
    skipIfUnchanged: params.skipIfUnchanged,
    isLow: params.priority === 'low',
    ...(params.stdin !== undefined && {
      stdin: { name: pathBytes(params.stdin.name), stream: context.input },
    }),
  }
}

/** Who makes the snapshot, and what is never in one. */
function identity(parts: NodeParts) {
  const user = userInfo()
  return {
    device: parts.signer.device,
    host: hostname(),
    user: user.username,
    uid: Math.max(user.uid, 0),
    gid: Math.max(user.gid, 0),
    program: PROGRAM,
    own: [parts.home.directory, parts.storePath].map((path) => Buffer.from(path)),
  }
}

/** The request that seals the sources of a snapshot once more, as they are now, all of them read. */
export function repeatRequest(parts: NodeParts, root: SnapshotRoot): BackupRequest {
  const paths = root.paths.filter((path) => path[0] === 0x2f)
  return {
    ...identity(parts),
    paths,
    // What was left out then is left out now: files beside it share bundles, which must come out the same.
    excludes: rulesInWords(root.excludes),
    oneFileSystem: false,
    tags: [],
    dryRun: false,
    skipIfUnchanged: false,
  }
}

/** A pattern as the matcher wants it: bytes that are no UTF-8 keep their own characters. */
function patternText(pattern: PathText): string {
  return nameText(pathBytes(pattern))
}

/**
 * This device's own snapshots of which nothing need be stored anew: what an unchanged file is told by. Where there is
 * none, those of which some is here.
 */
function candidates(parts: NodeParts, presence: Presence): ParentCandidate[] {
  const own = parts.snapshots
    .list(EVERY)
    .filter(({ live, maker }) => maker === parts.signer.device && parts.store.has(live.root))
  const whole = own.filter(({ live }) => presence.isWhole(live.root))
  return (whole.length > 0 ? whole : own).flatMap(({ live, root }) =>
    root === undefined
      ? []
      : [{ root: live.root, device: root.device, host: root.host, paths: root.paths, timeNs: root.timeNs }],
  )
}

function statusOf(
  progress: BackupProgress,
  seconds: number,
): Extract<BackupEvent, { message_type: 'status' }> {
  const share =
    progress.isScanned && progress.totalBytes > 0 ? Math.min(1, progress.bytesDone / progress.totalBytes) : 0
  const left = share > 0 ? Math.round((seconds / share) * (1 - share)) : undefined
  return {
    message_type: 'status',
    seconds_elapsed: Math.floor(seconds),
    ...(left !== undefined && { seconds_remaining: left }),
    percent_done: share,
    total_files: progress.totalFiles,
    files_done: progress.filesDone,
    total_bytes: progress.totalBytes,
    bytes_done: progress.bytesDone,
    error_count: progress.errors,
    current_files: progress.currentFiles.map((path) => pathDisplay(pathText(path))),
  }
}

/** Tells of each entry, for `--verbose`. */
function verboseListeners({ onEvent }: CallContext<'backup'>): TallyListeners {
  return {
    onEntry: (entry) => {
      onEvent(entryEvent(entry))
    },
    onScanned: ({ files, bytes }) => {
      onEvent({
        message_type: 'verbose_status',
        action: 'scan_finished',
        item: '',
        data_size: bytes,
        total_files: files,
      })
    },
  }
}

const ACTIONS = { New: 'new', Changed: 'modified', Unmodified: 'unchanged' } as const

function entryEvent({ path, change, bytes }: EntryNote): BackupEvent {
  const { path: item, path_b64 } = pathFields(path)
  const named = { item, ...(path_b64 !== undefined && { item_b64: path_b64 }) }
  if (change === 'Excluded') return { message_type: 'excluded_item', ...named }
  return {
    message_type: 'verbose_status',
    action: ACTIONS[change],
    ...named,
    ...(bytes !== undefined && { data_size: bytes }),
  }
}

function errorEvent(unread: UnreadSource): BackupEvent {
  const { path, path_b64 } = pathFields(unread.path)
  return {
    message_type: 'error',
    error: { message: unread.message },
    during: 'archival',
    item: path,
    ...(path_b64 !== undefined && { item_b64: path_b64 }),
    code: unread.code,
  }
}
