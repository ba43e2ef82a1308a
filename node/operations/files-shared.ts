/** What the methods that begin with a file have in common. */

import { type CellarError, isCellarError, type SnapshotRoot } from '../../protocol/index.ts'
import type { BrowseParams, SnapshotFilter } from '../api.ts'
import { absolutePath } from '../browse/ls.ts'
import type { NodeParts } from '../parts.ts'
import type { KnownSnapshot, ResolvedSnapshot } from '../snapshots.ts'
import { resolveSnapshot } from './look.ts'
import { formatTime } from './time.ts'

/** Parts of directories, or snapshots, after which others have the thread. */
export const pauseEvery = 16

/** The path of the top of a snapshot. */
export const TOP: Uint8Array = new Uint8Array(Buffer.from('/'))

/** Whom a page of the dashboard names is known: nobody is asked for news first, and waited for. */
export async function resolveKnown(
  parts: NodeParts,
  { snapshot, filter }: Pick<BrowseParams, 'snapshot' | 'filter'>,
  signal: AbortSignal,
): Promise<ResolvedSnapshot> {
  try {
    return parts.snapshots.resolve(snapshot, filter)
  } catch (error) {
    if (!isCellarError(error, 'SNAPSHOT_NOT_FOUND')) throw error
    return await resolveSnapshot(parts, snapshot, filter, signal)
  }
}

/** The clean path of something below what stood behind the colon. */
export function belowBase(base: Uint8Array | undefined, path: Uint8Array): Uint8Array {
  return absolutePath(base === undefined ? path : Buffer.concat([base, TOP, path]))
}

/** When a snapshot claims to be from, else when this node first saw it. */
export function snapshotTime(root: SnapshotRoot | undefined, timeMs: number): string {
  return root === undefined ? new Date(timeMs).toISOString() : formatTime(root.timeNs, root.offsetMinutes)
}

/** All that fit, each once. */
export function newestFirst(parts: NodeParts, filter: SnapshotFilter): KnownSnapshot[] {
  return parts.snapshots.choose([], filter).reverse()
}

/** Of many snapshots one that cannot be read is told, and does not hide the others. */
export function isUnreadable(error: unknown): error is CellarError {
  return isCellarError(error) && UNREADABLE.has(error.code)
}

const UNREADABLE: ReadonlySet<string> = new Set([
  'CHUNK_NOT_FOUND',
  'CHUNK_CORRUPT',
  'CHUNK_MALFORMED',
  'FORMAT_INVALID',
  'VERSION_UNKNOWN',
  'VAULT_UNKNOWN',
  'NO_PEER',
  'PEER_GONE',
])
