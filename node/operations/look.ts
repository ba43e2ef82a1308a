/** `snapshots`, `ls`, `find`, `diff`: what is in the snapshots, without restoring any of it. */

import { CellarError, isCellarError, type RootId, type SnapshotRoot, toHex } from '../../protocol/index.ts'
import type {
  CallContext,
  DiffParams,
  DiffStatistics,
  FindHits,
  FindParams,
  LsParams,
  LsResult,
  SnapshotFilter,
  SnapshotInfo,
  SnapshotsParams,
} from '../api.ts'
import { nameText } from '../backup/patterns.ts'
import { decodeCursor, encodeCursor } from '../browse/cursor.ts'
import { Diff } from '../browse/diff.ts'
import { Finder } from '../browse/find.ts'
import { ls } from '../browse/ls.ts'
import { restorableDead } from '../deletion/restorable.ts'
import type { NodeParts } from '../parts.ts'
import { type PathText, pathBytes, pathDisplay, pathText } from '../path-text.ts'
import { SnapshotReader } from '../snapshot-reader.ts'
import type { KnownSnapshot, ResolvedSnapshot } from '../snapshots.ts'
import { readerOf } from './backup.ts'
import { copiesNow, trustedCopies } from './copies.ts'
import { fetchRootChunks, hearNews, type Needs, openSource } from './sources.ts'
import { formatTime, parseTime } from './time.ts'

const shortIdDigits = 8
const everySnapshot: SnapshotFilter = { devices: [], paths: [], tags: [] }

/** Finds a snapshot by what a person typed, fetching root chunks that are not here yet when that helps. */
export async function resolveSnapshot(
  parts: NodeParts,
  choice: PathText,
  filter: SnapshotFilter,
  signal: AbortSignal,
): Promise<ResolvedSnapshot> {
  await fetchRootChunks(parts, signal)
  try {
    return parts.snapshots.resolve(choice, filter)
  } catch (error) {
    if (!isCellarError(error, 'SNAPSHOT_NOT_FOUND')) throw error
    await hearNews(parts, signal)
    await fetchRootChunks(parts, signal)
    try {
      return parts.snapshots.resolve(choice, filter)
    } catch (again) {
      throw inTrash(parts, again) ?? again
    }
  }
}

/** What a person looks for may be forgotten: that it can be brought back is more than that it is not there. */
function inTrash(parts: NodeParts, error: unknown): CellarError | undefined {
  if (!isCellarError(error, 'SNAPSHOT_NOT_FOUND')) return undefined
  const { prefix } = error.context
  if (typeof prefix !== 'string' || !restorableDead(parts).some(({ root }) => root.startsWith(prefix)))
    return undefined
  return new CellarError(
    'SNAPSHOT_NOT_FOUND',
    `snapshot ${prefix} is in the trash: cellar undelete ${prefix}`,
    { prefix },
  )
}

/** Lists snapshots. */
export async function listSnapshots(
  parts: NodeParts,
  params: SnapshotsParams,
  context: CallContext<'snapshots'>,
): Promise<SnapshotInfo[]> {
  const waits = params.limit === undefined
  if (waits && parts.snapshots.list(everySnapshot).length === 0) await hearNews(parts, context.signal)
  await fetchRootChunks(parts, context.signal, { waits })
  const chosen = latestOf(parts.snapshots.choose(params.snapshots, params.filter), params.latest)
  const pinned = parts.ledger.pinned()
  return pageOf(params.newestFirst === true ? chosen.reverse() : chosen, params).map((snapshot) => {
    const by = pinned.get(snapshot.live.root)
    return {
      ...snapshotInfo(parts, snapshot),
      ...(by !== undefined && { pinned_by: by.map((device) => parts.ledger.nameOf(device)) }),
      ...(params.limit !== undefined && { cursor: encodeCursor(placeOf(snapshot)) }),
    }
  })
}

/** The newest so many of each device and set of paths; of snapshots in their order. */
function latestOf(snapshots: KnownSnapshot[], count: number | undefined): KnownSnapshot[] {
  if (count === undefined) return snapshots
  const left = new Map<string, number>()
  const kept = [...snapshots].reverse().filter(({ maker, root }) => {
    const group = JSON.stringify([maker, (root?.paths ?? []).map(toHex).sort()])
    const seen = left.get(group) ?? 0
    left.set(group, seen + 1)
    return seen < count
  })
  return kept.reverse()
}

/** A page of snapshots in either order: what was forgotten since the page before leaves no gap. */
function pageOf(
  snapshots: readonly KnownSnapshot[],
  { after, limit, newestFirst }: SnapshotsParams,
): readonly KnownSnapshot[] {
  const [afterMs, afterRoot] = after === undefined ? [] : decodeCursor(after, ['number', 'string'])
  if (afterMs === undefined || afterRoot === undefined) return snapshots.slice(0, limit)
  const isBehind = (snapshot: KnownSnapshot): boolean => {
    const [timeMs, root] = placeOf(snapshot)
    const order = timeMs - afterMs || (root < afterRoot ? -1 : root > afterRoot ? 1 : 0)
    return newestFirst === true ? order < 0 : order > 0
  }
  return snapshots.filter(isBehind).slice(0, limit)
}

/** By what snapshots are in order. */
function placeOf({ timeMs, live }: KnownSnapshot): readonly [number, string] {
  return [timeMs, live.root]
}

/** One snapshot as messages have it. A device that may not read knows whose it is, and when it came. */
export function snapshotInfo(parts: NodeParts, { live, maker, timeMs, root }: KnownSnapshot): SnapshotInfo {
  const { ledger, store, signer } = parts
  const holders = new Set(trustedCopies(parts, live.root).holders)
  const here = store.isComplete(live.root)
  if (store.isHeld(live.root)) holders.add(signer.device)
  const shared = {
    id: live.root,
    short_id: live.root.slice(0, shortIdDigits),
    device: maker,
    device_name: ledger.nameOf(maker),
    ...copiesNow(parts, live.root),
    holders: [...holders].map((device) => ledger.nameOf(device)),
    here,
  }
  if (root === undefined) {
    return {
      ...shared,
      time: new Date(timeMs).toISOString(),
      paths: [],
      hostname: '',
      username: '',
      program_version: '',
    }
  }
  return { ...shared, ...rootFields(root) }
}

function rootFields(root: SnapshotRoot) {
  const paths = root.paths.map((path) => pathText(path))
  const isExact = paths.every((path) => typeof path === 'string')
  const { stats } = root
  return {
    time: formatTime(root.timeNs, root.offsetMinutes),
    ...(root.parent !== undefined && { parent: root.parent }),
    ...(root.trees[0] !== undefined && { tree: root.trees[0] }),
    paths: paths.map(pathDisplay),
    ...(!isExact && { paths_b64: root.paths.map((path) => Buffer.from(path).toString('base64')) }),
    hostname: root.host,
    username: root.user,
    uid: root.uid,
    gid: root.gid,
    ...(root.excludes.length > 0 && { excludes: root.excludes }),
    ...(root.tags.length > 0 && { tags: root.tags }),
    program_version: root.program,
    summary: {
      files_new: stats.filesNew,
      files_changed: stats.filesChanged,
      files_unmodified: stats.filesUnmodified,
      data_added: stats.bytesAdded,
      data_added_packed: stats.bytesStored,
      total_files_processed: stats.files,
      total_bytes_processed: stats.bytes,
    },
    ...(root.unread.length > 0 && { unread_count: root.unread.length + (root.unreadLeftOut ?? 0) }),
  }
}

/** A snapshot opened for reading. */
interface OpenedSnapshot {
  readonly reader: SnapshotReader
  readonly root: SnapshotRoot
  readonly close: () => Promise<void>
}

/** Opens a snapshot, here or at a peer. */
export async function openSnapshot(
  parts: NodeParts,
  id: RootId,
  signal: AbortSignal,
  needs: Needs = 'trees',
): Promise<OpenedSnapshot> {
  const vault = readerOf(parts)
  const { source, close } = await openSource(parts, id, undefined, signal, needs)
  try {
    const reader = new SnapshotReader(source, vault)
    return { reader, root: await reader.root(id, signal), close }
  } catch (error) {
    await close()
    throw error
  }
}

const NOTHING = new Uint8Array(0)

/** Lists what is in a snapshot. */
export async function runLs(
  parts: NodeParts,
  params: LsParams,
  context: CallContext<'ls'>,
): Promise<LsResult> {
  const { snapshot, path } = await resolveSnapshot(parts, params.snapshot, params.filter, context.signal)
  const opened = await openSnapshot(parts, snapshot.live.root, context.signal)
  try {
    context.onEvent({ message_type: 'snapshot', struct_type: 'snapshot', ...snapshotInfo(parts, snapshot) })
    const paths = params.paths.length > 0 ? params.paths.map(pathBytes) : path === undefined ? [] : [path]
    const recursive = params.recursive || params.paths.length === 0
    let nodes = 0
    for await (const node of ls(opened.reader, opened.root, { paths, recursive }, context.signal)) {
      context.onEvent(node)
      nodes++
      // Who reads slowly is waited for: a large snapshot would fill the memory else.
      if (nodes % 256 === 0) await context.output(NOTHING)
    }
    return { nodes }
  } finally {
    await opened.close()
  }
}

/** Searches snapshots. */
export async function runFind(
  parts: NodeParts,
  params: FindParams,
  context: CallContext<'find'>,
): Promise<FindHits[]> {
  await fetchRootChunks(parts, context.signal)
  const query = {
    patterns: params.patterns.map((pattern) => nameText(pathBytes(pattern))),
    ignoreCase: params.ignoreCase,
    ...(params.type !== undefined && { type: params.type }),
    ...(params.oldest !== undefined && { oldestNs: parseTime(params.oldest).ns }),
    ...(params.newest !== undefined && { newestNs: parseTime(params.newest).ns }),
  }
  const hits: FindHits[] = []
  for (const snapshot of parts.snapshots.choose(params.snapshots, params.filter)) {
    const opened = await openSnapshot(parts, snapshot.live.root, context.signal)
    try {
      const matches = await new Finder(opened.reader, query).find(opened.root, context.signal)
      if (matches.length === 0) continue
      const { id, time, device_name } = snapshotInfo(parts, snapshot)
      hits.push({ hits: matches.length, snapshot: id, snapshot_time: time, device_name, matches })
    } finally {
      await opened.close()
    }
  }
  return hits
}

/** Compares two snapshots, or two directories of them. */
export async function runDiff(
  parts: NodeParts,
  params: DiffParams,
  context: CallContext<'diff'>,
): Promise<DiffStatistics> {
  const { signal } = context
  const from = await resolveSnapshot(parts, params.from, params.filter, signal)
  const to = await resolveSnapshot(parts, params.to, params.filter, signal)
  const before = await openSnapshot(parts, from.snapshot.live.root, signal)
  const after = await openSnapshot(parts, to.snapshot.live.root, signal)
  try {
    const sides = {
      from: await treesAt(before, from.path, signal),
      to: await treesAt(after, to.path, signal),
      metadata: params.metadata,
    }
    // Either side may lie at a peer; what one reader cannot read the other can.
    const reader = parts.store.isComplete(from.snapshot.live.root) ? after.reader : before.reader
    const changes = Diff.run(reader, sides, signal)
    let next = await changes.next()
    for (; next.done !== true; next = await changes.next()) context.onEvent(next.value)
    const { changedFiles, added, removed } = next.value
    return {
      message_type: 'statistics',
      source_snapshot: from.snapshot.live.root,
      target_snapshot: to.snapshot.live.root,
      changed_files: changedFiles,
      added,
      removed,
    }
  } finally {
    await before.close()
    await after.close()
  }
}

async function treesAt({ reader, root }: OpenedSnapshot, path: Uint8Array | undefined, signal: AbortSignal) {
  if (path === undefined || path.length === 0) return root.trees
  const found = await reader.find(root, path, signal)
  if (found?.trees === undefined) {
    throw new CellarError('PATH_NOT_FOUND', `the snapshot has no directory ${pathDisplay(pathText(path))}`)
  }
  return found.trees
}
