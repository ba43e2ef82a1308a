/** Opens and reads source files so that nothing can trick or block it (node/spec/backup.md §5). */

import { type BigIntStats, closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { CellarError } from '../../protocol/index.ts'
import type { Failure, FileFacts } from './jobs.ts'

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants
/** Reading leaves no trace where the system allows it: to owners of the file and to root. */
const O_NOATIME = (constants as unknown as { readonly O_NOATIME?: number }).O_NOATIME ?? 0

/** Says whether an error is one that the system gave for a file. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return (
    error instanceof Error &&
    typeof (error as NodeJS.ErrnoException).code === 'string' &&
    !(error instanceof CellarError) &&
    (error as NodeJS.ErrnoException).errno !== undefined
  )
}

/** What to report of an error of the system; without the path, which the reader of the report adds. */
export function failureOf(error: NodeJS.ErrnoException): Failure {
  const code = error.code ?? 'EIO'
  return { code, message: error.message.replace(/^[A-Z0-9]+: /, '').replace(/,? '[\s\S]*$/, '') }
}

/** What changes too often is told so. */
export const CHANGED: Failure = { code: 'CHANGED', message: 'it changed while it was read' }

/**
 * Opens a file for reading: never a symlink, never waiting for the other end of a FIFO.
 *
 * @throws the system's error
 */
export function openSource(path: Uint8Array): number {
  const target = Buffer.from(path.buffer, path.byteOffset, path.byteLength)
  const flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK
  try {
    return openSync(target, flags | O_NOATIME)
  } catch (error) {
    if (O_NOATIME === 0 || (error as NodeJS.ErrnoException).code !== 'EPERM') throw error
    return openSync(target, flags)
  }
}

/** Opens, does, closes. */
export function withSource<T>(path: Uint8Array, act: (fd: number) => T): T {
  const fd = openSource(path)
  try {
    return act(fd)
  } finally {
    closeSync(fd)
  }
}

/** Reads from a position until so many bytes are there or the file ends; gives how many. */
export function readFully(fd: number, target: Buffer, at: number, length: number, position: number): number {
  let have = 0
  while (have < length) {
    const got = readSync(fd, target, at + have, length - have, position + have)
    if (got === 0) break
    have += got
  }
  return have
}

/** What an open file is. */
export function factsOf(stats: BigIntStats): FileFacts {
  return {
    size: Number(stats.size),
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    inode: stats.ino,
    device: stats.dev,
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    linkCount: Number(stats.nlink),
  }
}

/** What an open regular file is. @throws an error with code `CHANGED` when it is something else. */
export function statRegular(fd: number): BigIntStats {
  const stats = fstatSync(fd, { bigint: true })
  if (!stats.isFile())
    throw Object.assign(new Error('it is no longer a regular file'), { code: 'CHANGED', errno: 0 })
  return stats
}

/** Whether two looks at a file saw the same. */
export function isSameFile(a: FileFacts, b: FileFacts): boolean {
  return a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.inode === b.inode
}
