/**
 * The system calls that Node lacks, for making and comparing trees. On purpose not node/adapters/posix.ts: what is
 * tested with must not be what is tested.
 */

import { Buffer } from 'node:buffer'
import koffi from 'koffi'

const AT_FDCWD = -100
const AT_SYMLINK_NOFOLLOW = 0x100
const SEEK_DATA = 3
const SEEK_HOLE = 4
const ENXIO = 6
/** Leave this time as it is (linux/stat.h). */
const UTIME_OMIT = 0x3ffffffen

type Call = (...parameters: (Uint8Array | string | number | bigint | null)[]) => number | bigint

const library = koffi.load('libc.so.6')
const bind = (prototype: string): Call => library.func(prototype) as Call

const c = {
  lsetxattr: bind(
    'int lsetxattr(const uint8_t *path, const uint8_t *name, const uint8_t *value, size_t size, int flags)',
  ),
  lgetxattr: bind(
    'int64_t lgetxattr(const uint8_t *path, const uint8_t *name, _Out_ uint8_t *value, size_t size)',
  ),
  llistxattr: bind('int64_t llistxattr(const uint8_t *path, _Out_ uint8_t *list, size_t size)'),
  utimensat: bind('int utimensat(int fd, const uint8_t *path, const uint8_t *times, int flags)'),
  mknod: bind('int mknod(const uint8_t *path, uint32_t mode, uint64_t device)'),
  lseek: bind('int64_t lseek(int fd, int64_t offset, int whence)'),
}

/** A path or name in raw bytes, as C wants it: ended by NUL. */
const text = (raw: Uint8Array): Buffer => Buffer.concat([raw, Buffer.alloc(1)])

/** A call that did not succeed, with the number the system gave. */
export class CallError extends Error {
  readonly errno: number

  constructor(call: string, path: Uint8Array) {
    const errno = koffi.errno()
    super(`${call} ${JSON.stringify(Buffer.from(path).toString('latin1'))}: errno ${errno}`)
    this.errno = errno
  }
}

/** Sets one extended attribute of a file, directory or symbolic link itself. */
export function setXattr(path: Uint8Array, name: Uint8Array, value: Uint8Array): void {
  if (c.lsetxattr(text(path), text(name), value, value.length, 0) !== 0)
    throw new CallError('lsetxattr', path)
}

/** As long as names or a value can be on Linux; used again and again, for there may be much to look at. */
const names = Buffer.alloc(64 * 1024)
const value = Buffer.alloc(64 * 1024)

/** All extended attributes of a file, directory or symbolic link itself, sorted by name; values in hex. */
export function listXattrs(path: Uint8Array): Map<string, string> {
  const length = Number(c.llistxattr(text(path), names, names.length))
  const found = new Map<string, string>()
  // A file system without attributes has none.
  if (length <= 0) return found
  const list = names
    .subarray(0, length - 1)
    .toString('latin1')
    .split('\0')
    .sort()
  for (const name of list) {
    const size = Number(c.lgetxattr(text(path), text(Buffer.from(name, 'latin1')), value, value.length))
    if (size < 0) throw new CallError('lgetxattr', path)
    found.set(name, value.toString('hex', 0, size))
  }
  return found
}

/** Sets the modification time, nanoseconds since 1970 (may be negative), of the thing itself, links not followed. */
export function setMtimeNs(path: Uint8Array, mtimeNs: bigint): void {
  const times = Buffer.alloc(32)
  const nanos = ((mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  times.writeBigInt64LE(UTIME_OMIT, 8)
  times.writeBigInt64LE((mtimeNs - nanos) / 1_000_000_000n, 16)
  times.writeBigInt64LE(nanos, 24)
  if (c.utimensat(AT_FDCWD, text(path), times, AT_SYMLINK_NOFOLLOW) !== 0)
    throw new CallError('utimensat', path)
}

/** Makes a FIFO, socket or device; `mode` includes the type, `device` is the number as the kernel packs it. */
export function makeNode(path: Uint8Array, mode: number, device = 0): void {
  if (c.mknod(text(path), mode, device) !== 0) throw new CallError('mknod', path)
}

/** The ranges of an open file that hold data, as `start-end`; the rest are holes. */
export function dataRanges(fd: number, size: number): string[] {
  const ranges: string[] = []
  for (let at = 0; at < size; ) {
    const start = Number(c.lseek(fd, at, SEEK_DATA))
    if (start < 0) {
      if (koffi.errno() === ENXIO) return ranges
      return [`0-${size}`]
    }
    const end = Number(c.lseek(fd, start, SEEK_HOLE))
    ranges.push(`${start}-${Math.min(end, size)}`)
    at = end
  }
  return ranges
}
