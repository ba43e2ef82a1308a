/** The functions of libc that are used on Linux, through koffi, and what is made of them. */

import { constants as osConstants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import type { DataExtent, Xattr } from './posix-calls.ts'

type Koffi = typeof import('koffi')['default']

const SEEK_DATA = 3
const SEEK_HOLE = 4
const { ENOENT, ENXIO, ENODATA, EOPNOTSUPP, ERANGE, EINVAL, ENAMETOOLONG } = osConstants.errno
const NONE: readonly Xattr[] = []

/** `path` and a NUL in a buffer that is used again by the next call with the same buffer. */
export function terminated(scratch: Buffer, path: Uint8Array): Buffer {
  if (path.length >= scratch.length) throw failure(ENAMETOOLONG, 'path')
  if (path.includes(0)) throw failure(EINVAL, 'path')
  scratch.set(path)
  scratch[path.length] = 0
  return scratch
}

/** An error as Node's own `fs` throws it. @param errno - positive */
export function failure(errno: number, syscall: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno)
  return Object.assign(new Error(`${code}: ${syscall} failed`), { code, errno: -errno, syscall })
}

/** The functions of libc that are used, by koffi. */
export function libc(koffi: Koffi) {
  const lib = koffi.load(null)
  return {
    openat: lib.func('int openat(int, const void *, int, uint32_t)'),
    close: lib.func('int close(int)'),
    mkdirat: lib.func('int mkdirat(int, const void *, uint32_t)'),
    symlinkat: lib.func('int symlinkat(const void *, int, const void *)'),
    linkat: lib.func('int linkat(int, const void *, int, const void *, int)'),
    mknodat: lib.func('int mknodat(int, const void *, uint32_t, uint64_t)'),
    renameat: lib.func('int renameat(int, const void *, int, const void *)'),
    unlinkat: lib.func('int unlinkat(int, const void *, int)'),
    fchownat: lib.func('int fchownat(int, const void *, uint32_t, uint32_t, int)'),
    utimensat: lib.func('int utimensat(int, const void *, const void *, int)'),
    futimens: lib.func('int futimens(int, const void *)'),
    lseek: lseek64(lib),
    llistxattr: lib.func('intptr_t llistxattr(const void *, void *, uintptr_t)'),
    lgetxattr: lib.func('intptr_t lgetxattr(const void *, const void *, void *, uintptr_t)'),
    lsetxattr: lib.func('int lsetxattr(const void *, const void *, const void *, uintptr_t, int)'),
    lremovexattr: lib.func('int lremovexattr(const void *, const void *)'),
    fsetxattr: lib.func('int fsetxattr(int, const void *, const void *, uintptr_t, int)'),
    fremovexattr: lib.func('int fremovexattr(int, const void *)'),
    syncfs: lib.func('int syncfs(int)'),
    errno: () => koffi.errno(),
  } as unknown as LibC
}

/** glibc has `lseek64`; in musl `lseek` itself is the wide one. */
function lseek64(lib: ReturnType<Koffi['load']>): unknown {
  try {
    return lib.func('int64_t lseek64(int, int64_t, int)')
  } catch {
    return lib.func('int64_t lseek(int, int64_t, int)')
  }
}

type Call = (...args: readonly (number | bigint | Uint8Array | null)[]) => number
/** The functions; -1 is failure. */
export type LibC = Readonly<
  Record<
    | 'openat'
    | 'close'
    | 'mkdirat'
    | 'symlinkat'
    | 'linkat'
    | 'mknodat'
    | 'renameat'
    | 'unlinkat'
    | 'fchownat'
    | 'utimensat'
    | 'futimens'
    | 'llistxattr'
    | 'lgetxattr'
    | 'lsetxattr'
    | 'lremovexattr'
    | 'fsetxattr'
    | 'fremovexattr'
    | 'syncfs'
    | 'errno',
    Call
  >
> & {
  /** A BigInt beyond 2^53. */
  readonly lseek: (fd: number, offset: number, whence: number) => number | bigint
}

/** See `Posix.dataExtents`. */
export function dataExtents(c: LibC, fd: number, size: number): readonly DataExtent[] | undefined {
  const extents: DataExtent[] = []
  let position = 0
  while (position < size) {
    const start = Number(c.lseek(fd, position, SEEK_DATA))
    if (start === -1) {
      if (c.errno() === ENXIO) break // only a hole is left
      return extents.length === 0 ? undefined : [...extents, { offset: position, length: size - position }]
    }
    if (start >= size) break
    const hole = Number(c.lseek(fd, start, SEEK_HOLE))
    const end = hole === -1 ? size : Math.min(hole, size)
    if (end <= start) break // it shrank meanwhile
    extents.push({ offset: start, length: end - start })
    position = end
  }
  return extents
}

/** Reads attributes of a path; judges the removal of one. `path` and `second` are scratch. */
export function xattrCalls(c: LibC, path: Buffer, second: Buffer) {
  const list = Buffer.alloc(64 * 1024) // the kernel's own limit, XATTR_LIST_MAX; a value's is XATTR_SIZE_MAX, the same
  const value = Buffer.alloc(64 * 1024)

  const valueOf = (name: Uint8Array): Uint8Array | undefined => {
    const length = c.lgetxattr(path, terminated(second, name), value, value.length)
    if (length >= 0) return Uint8Array.prototype.slice.call(value, 0, length)
    const errno = c.errno()
    if (errno === ENODATA || errno === ERANGE || errno === EOPNOTSUPP || errno === ENOENT) return undefined
    throw failure(errno, 'lgetxattr')
  }
  return {
    /** Extended attributes of a path itself, sorted by name; none where there are none. Fresh. */
    read: (of: Uint8Array): readonly Xattr[] => {
      terminated(path, of)
      const length = c.llistxattr(path, list, list.length)
      if (length === 0) return NONE
      if (length < 0) {
        const errno = c.errno()
        if (errno === EOPNOTSUPP) return NONE
        throw failure(errno, 'llistxattr')
      }
      const found: Xattr[] = []
      for (let start = 0; start < length; ) {
        const end = list.indexOf(0, start)
        const name = Uint8Array.prototype.slice.call(list, start, end)
        const content = valueOf(name)
        if (content !== undefined) found.push({ name, value: content })
        start = end + 1
      }
      return found.sort((a, b) => Buffer.compare(a.name, b.name))
    },
    /** Judges what a removal returned: an attribute that is not there is no error. */
    removed: (result: number): void => {
      if (result !== -1) return
      const errno = c.errno()
      if (errno !== ENODATA && errno !== EOPNOTSUPP) throw failure(errno, 'removexattr')
    },
  }
}
