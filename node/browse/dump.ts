/** Writes the content of one file. */

import type { Entry, SnapshotRoot } from '../../protocol/index.ts'
import { CellarError } from '../../protocol/index.ts'
import type { SnapshotReader } from '../snapshot-reader.ts'

/**
 * Finds the file that a path names.
 *
 * @param path - raw bytes
 * @throws {CellarError} `PATH_NOT_FOUND` when there is none, or something else is there
 */
export async function findFile(
  reader: SnapshotReader,
  root: SnapshotRoot,
  path: Uint8Array,
  signal: AbortSignal,
): Promise<Entry> {
  const found = await reader.find(root, path, signal)
  const text = Buffer.from(path).toString()
  if (found === undefined) throw new CellarError('PATH_NOT_FOUND', `the snapshot has no ${text}`)
  if (found.type === 'file') return found
  const what =
    found.type === 'top' || found.type === 'dir'
      ? 'a directory: restore it, or dump it as an archive'
      : `a ${found.type}, and has no content`
  throw new CellarError('PATH_NOT_FOUND', `${text} is ${what}`)
}

/**
 * Writes a file, holes as zeros, in pieces of at most 4 MiB, each checked (hash, tag).
 *
 * @param write - gets a piece, to be used before its promise resolves
 * @returns bytes written
 * @throws {CellarError} as `findFile`, and what reading throws; what was written by then is right but not all
 */
export async function dump(
  reader: SnapshotReader,
  file: { readonly root: SnapshotRoot; readonly path: Uint8Array },
  write: (bytes: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): Promise<number> {
  const entry = await findFile(reader, file.root, file.path, signal)
  let bytes = 0
  for await (const piece of reader.content(entry, signal)) {
    await write(piece)
    bytes += piece.byteLength
  }
  return bytes
}
