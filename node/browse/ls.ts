/** Lists what is in a snapshot. */

import type { SnapshotRoot } from '../../protocol/index.ts'
import { CellarError } from '../../protocol/index.ts'
import type { NodeInfo } from '../api-browse.ts'
import { childPath, type FoundEntry, type SnapshotReader, splitPath } from '../snapshot-reader.ts'
import { nodeInfo } from './node-info.ts'

/** What to list. */
export interface ListRequest {
  /** Raw paths; empty: the whole snapshot. */
  readonly paths: readonly Uint8Array[]
  /** With paths: all below them, not only what is directly in them. */
  readonly recursive: boolean
}

/** A clean absolute path: no empty parts, no `.`. */
export function absolutePath(path: Uint8Array): Uint8Array {
  let clean: Uint8Array = new Uint8Array(Buffer.from('/'))
  for (const name of splitPath(path)) clean = childPath(clean, name)
  return clean
}

/**
 * The entries, each directory before what is in it.
 *
 * @throws {CellarError} `PATH_NOT_FOUND`; what reading throws
 */
export async function* list(
  reader: SnapshotReader,
  root: SnapshotRoot,
  request: ListRequest,
  signal: AbortSignal,
): AsyncIterable<FoundEntry> {
  const top = new Uint8Array(Buffer.from('/'))
  if (request.paths.length === 0) {
    yield* reader.walk(root.trees, top, signal)
    return
  }
  for (const given of request.paths) {
    const path = absolutePath(given)
    const found = await reader.find(root, path, signal)
    if (found === undefined)
      throw new CellarError('PATH_NOT_FOUND', `the snapshot has no ${Buffer.from(path).toString()}`)
    if (found.type !== 'top') yield { path, entry: found }
    if (found.trees !== undefined) yield* reader.walk(found.trees, path, signal, () => request.recursive)
  }
}

/** The same, as restic shows it. @throws {CellarError} as `list` */
export async function* ls(
  reader: SnapshotReader,
  root: SnapshotRoot,
  request: ListRequest,
  signal: AbortSignal,
): AsyncIterable<NodeInfo> {
  for await (const { path, entry } of list(reader, root, request, signal)) yield nodeInfo(path, entry)
}
