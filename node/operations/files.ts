/** `browse`, `versions`: what begins with a file, page by page (see `api-files.ts`). */

import { CellarError, compareBytes } from '../../protocol/index.ts'
import type {
  BrowsePage,
  BrowseParams,
  CallContext,
  FileVersion,
  VersionsPage,
  VersionsParams,
} from '../api.ts'
import { decodeCursor, encodeCursor } from '../browse/cursor.ts'
import { absolutePath } from '../browse/ls.ts'
import { nodeFacts, nodeInfo } from '../browse/node-info.ts'
import { directoryPage } from '../browse/page.ts'
import { PathFinder } from '../browse/path-finder.ts'
import { PathMemory } from '../browse/path-memory.ts'
import { type Sighting, type Version, VersionGatherer } from '../browse/versions.ts'
import type { NodeParts } from '../parts.ts'
import { pathBytes, pathFields } from '../path-text.ts'
import { pause } from '../pause.ts'
import { childPath, SnapshotReader, splitPath } from '../snapshot-reader.ts'
import type { KnownSnapshot } from '../snapshots.ts'
import { readerOf } from './backup.ts'
import {
  belowBase,
  isUnreadable,
  newestFirst,
  pauseEvery,
  resolveKnown,
  snapshotTime,
} from './files-shared.ts'
import { openSnapshot, snapshotInfo } from './look.ts'
import { fetchRootChunks, type SourceInReach, sourceInReach } from './sources.ts'

/** Snapshots that one question about versions looks at. */
const snapshotsMax = 10_000

/** One for each node, by its snapshots. */
const MEMORIES = new WeakMap<object, PathMemory>()

/** One directory of a snapshot, see `Methods.browse`. */
export async function runBrowse(
  parts: NodeParts,
  params: BrowseParams,
  { signal }: CallContext<'browse'>,
): Promise<BrowsePage> {
  const { snapshot, path: base } = await resolveKnown(parts, params, signal)
  const opened = await openSnapshot(parts, snapshot.live.root, signal)
  try {
    const path = belowBase(base, pathBytes(params.path))
    const found = await opened.reader.find(opened.root, path, signal)
    if (found === undefined)
      throw new CellarError('PATH_NOT_FOUND', `the snapshot has no ${Buffer.from(path).toString()}`)
    const request = { after: params.after, limit: params.limit }
    const page = await directoryPage(opened.reader, found.trees ?? [], request, signal)
    return {
      snapshot: snapshotInfo(parts, snapshot),
      ...pathFields(path),
      ...(found.type !== 'top' && { entry: nodeInfo(path, found) }),
      entries: page.entries.map((entry) => nodeInfo(childPath(path, entry.name), entry)),
      ...(page.next !== undefined && { next: page.next }),
    }
  } finally {
    await opened.close()
  }
}

/** The versions of one path, see `Methods.versions`. */
export async function runVersions(
  parts: NodeParts,
  params: VersionsParams,
  { signal }: CallContext<'versions'>,
): Promise<VersionsPage> {
  const vault = readerOf(parts)
  await fetchRootChunks(parts, signal, { waits: false })
  const path = absolutePath(pathBytes(params.path))
  const names = splitPath(path)
  if (names.length === 0) throw new CellarError('USAGE', 'the top of snapshots has no versions: name a path')
  const all = newestFirst(parts, params.filter)
  const looked = all.slice(0, snapshotsMax)
  const inReach = sourceInReach(parts)
  const finder = new PathFinder(new SnapshotReader(inReach.source, vault), names)
  const gatherer = new VersionGatherer()
  const memory = memoryOf(parts)
  let [absent, unreachable] = [0, 0]
  try {
    for (const [at, snapshot] of looked.entries()) {
      if (at % pauseEvery === 0) await pause()
      const sighting = await sightingOf(parts, snapshot, { finder, inReach, memory, path }, signal)
      if (sighting === 'unreachable') unreachable++
      else if (sighting !== undefined) gatherer.add(sighting)
      else if (snapshot.root?.paths.some((one) => isAtOrBelow(names, splitPath(one))) === true) absent++
    }
  } finally {
    await inReach.close()
  }
  const versions = gatherer.versions()
  const page = versionsPage(versions, params)
  return {
    ...pathFields(path),
    versions: page.versions.map((version) => versionInfo(parts, path, version)),
    ...(page.next !== undefined && { next: page.next }),
    version_count: versions.length,
    snapshot_count: looked.length,
    absent_count: absent,
    unreachable_count: unreachable,
    left_out_count: all.length - looked.length,
  }
}

async function sightingOf(
  parts: NodeParts,
  { live, maker, timeMs, root }: KnownSnapshot,
  at: {
    readonly finder: PathFinder
    readonly inReach: SourceInReach
    readonly memory: PathMemory
    readonly path: Uint8Array
  },
  signal: AbortSignal,
): Promise<Sighting | 'unreachable' | undefined> {
  const { finder, inReach, memory, path } = at
  if (root === undefined || !inReach.has(live.root)) return 'unreachable'
  try {
    const known = memory.get(path, live.root)
    let { entry } = known
    if (!known.isKnown) {
      const found = await finder.find(root.trees, signal)
      entry = found?.type === 'top' ? undefined : found
      memory.put(path, live.root, entry)
    }
    if (entry === undefined) return undefined
    return { snapshot: live.root, timeMs, device: parts.ledger.nameOf(maker), entry }
  } catch (error) {
    if (!isUnreadable(error)) throw error
    return 'unreachable'
  }
}

function memoryOf({ snapshots }: NodeParts): PathMemory {
  const known = MEMORIES.get(snapshots) ?? new PathMemory()
  MEMORIES.set(snapshots, known)
  return known
}

function versionsPage(
  versions: readonly Version[],
  { after, limit }: VersionsParams,
): { readonly versions: readonly Version[]; readonly next: string | undefined } {
  const [timeMs, root] = after === undefined ? [] : decodeCursor(after, ['number', 'string'])
  const rest =
    timeMs === undefined || root === undefined
      ? versions
      : versions.filter(
          ({ newest }) => newest.timeMs < timeMs || (newest.timeMs === timeMs && newest.snapshot < root),
        )
  const page = rest.slice(0, limit)
  const last = page.at(-1)?.newest
  const hasMore = last !== undefined && rest.length > page.length
  return { versions: page, next: hasMore ? encodeCursor([last.timeMs, last.snapshot]) : undefined }
}

function versionInfo(parts: NodeParts, path: Uint8Array, version: Version): FileVersion {
  const { newest, oldest } = version
  const timeOf = ({ snapshot, timeMs }: Sighting) => snapshotTime(parts.snapshots.open(snapshot), timeMs)
  return {
    name: pathFields(newest.entry.name).path,
    ...nodeFacts(path, newest.entry),
    snapshot: newest.snapshot,
    snapshots: version.snapshots,
    snapshot_count: version.count,
    first_seen: timeOf(oldest),
    last_seen: timeOf(newest),
    devices: version.devices,
  }
}

function isAtOrBelow(path: readonly Uint8Array[], above: readonly Uint8Array[]): boolean {
  return above.every((name, at) => {
    const other = path[at]
    return other !== undefined && compareBytes(name, other) === 0
  })
}
