/** Linux by calls into its libc; directories are O_PATH descriptors, so no path is walked twice. */

import {
  chmodSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statfsSync,
} from 'node:fs'
import { constants as osConstants } from 'node:os'
import { getSystemErrorName } from 'node:util'
import type { DataExtent, Dir, OwnerNames, Posix, Xattr } from './posix-calls.ts'
import { joinPath, statOf } from './posix-calls.ts'

type Koffi = typeof import('koffi')['default']

// What Node's constants leave out; equal on every Linux but for O_PATH on old exotic ones.
const O_PATH = 0o10000000
const O_CLOEXEC = 0o2000000
const AT_FDCWD = -100
const AT_SYMLINK_NOFOLLOW = 0x100
const AT_REMOVEDIR = 0x200
const SEEK_DATA = 3
const SEEK_HOLE = 4
const FORMATS = { fifo: constants.S_IFIFO, char: constants.S_IFCHR, block: constants.S_IFBLK } as const
const { ENOENT, ENXIO, ENODATA, EOPNOTSUPP, ERANGE, EINVAL, ENAMETOOLONG } = osConstants.errno

const NONE: readonly Xattr[] = []
const PROC = Buffer.from('/proc/self/fd/')

/** `path` and a NUL in a buffer that is used again by the next call with the same buffer. */
function terminated(scratch: Buffer, path: Uint8Array): Buffer {
  if (path.length >= scratch.length) throw failure(ENAMETOOLONG, 'path')
  if (path.includes(0)) throw failure(EINVAL, 'path')
  scratch.set(path)
  scratch[path.length] = 0
  return scratch
}

function failure(errno: number, syscall: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno)
  return Object.assign(new Error(`${code}: ${syscall} failed`), { code, errno: -errno, syscall })
}

/** The functions of libc that are used, by koffi. */
function libc(koffi: Koffi) {
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
type LibC = Readonly<
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

/** The path by which Node's own calls reach into an open directory. */
function procPath(dir: Dir, name?: Uint8Array): Buffer {
  const fd = Buffer.concat([PROC, Buffer.from(String(dir.fd))])
  return name === undefined ? fd : (joinPath(fd, name) as Buffer)
}

/** Encodes one time twice, as access and modification time: `struct timespec[2]`. */
function timesOf(mtimeNs: bigint, times: BigInt64Array | Int32Array): Uint8Array {
  const rest = ((mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  const seconds = (mtimeNs - rest) / 1_000_000_000n
  if (times instanceof BigInt64Array) times.set([seconds, rest, seconds, rest])
  else times.set([Number(seconds), Number(rest), Number(seconds), Number(rest)])
  return new Uint8Array(times.buffer)
}

/** Linux's device number from major and minor, as glibc's makedev. */
function makeDevice({ major, minor }: { readonly major: number; readonly minor: number }): bigint {
  const [a, b] = [BigInt(major), BigInt(minor)]
  return ((a & 0xfffff000n) << 32n) | ((a & 0xfffn) << 8n) | ((b & 0xffffff00n) << 12n) | (b & 0xffn)
}

/**
 * The calls of Linux.
 *
 * @throws {Error} when a function is missing in the libc
 */
export function linuxPosix(koffi: Koffi, names: OwnerNames): Posix {
  const c = libc(koffi)
  const path = Buffer.alloc(64 * 1024)
  const second = Buffer.alloc(64 * 1024)
  const times = ['arm', 'ia32', 'mipsel', 'ppc'].includes(process.arch)
    ? new Int32Array(4)
    : new BigInt64Array(4)
  const check = (result: number, syscall: string): number => {
    if (result === -1) throw failure(c.errno(), syscall)
    return result
  }
  const at = (name: Uint8Array): Buffer => terminated(path, name)
  const xattrs = xattrCalls(c, path, second)

  return {
    lost: [],
    umask: readUmask,
    userName: (uid) => names.users.get(uid),
    groupName: (gid) => names.groups.get(gid),
    readXattrs: xattrs.read,
    dataExtents: (fd, size) => dataExtents(c, fd, size),

    openDir: (of) => ({
      fd: check(
        c.openat(AT_FDCWD, at(of), O_PATH | O_CLOEXEC | constants.O_DIRECTORY | constants.O_NOFOLLOW, 0),
        'open',
      ),
      path: of,
    }),
    openDirAt: (dir, name) => ({
      fd: check(
        c.openat(dir.fd, at(name), O_PATH | O_CLOEXEC | constants.O_DIRECTORY | constants.O_NOFOLLOW, 0),
        'openat',
      ),
      path: joinPath(dir.path, name),
    }),
    closeDir: (dir) => void check(c.close(dir.fd), 'close'),
    list: (dir) => readdirSync(procPath(dir), { encoding: 'buffer' }),
    statDir: (dir) => statOf(fstatSync(dir.fd, { bigint: true })),

    statAt: (dir, name) => {
      const stats = lstatSync(procPath(dir, name), { bigint: true, throwIfNoEntry: false })
      return stats === undefined ? undefined : statOf(stats)
    },
    openAt: (dir, name, how, mode = 0o600) => {
      const flags =
        how === 'read'
          ? constants.O_RDONLY | constants.O_NONBLOCK
          : constants.O_RDWR | constants.O_CREAT | constants.O_EXCL
      return check(c.openat(dir.fd, at(name), flags | constants.O_NOFOLLOW | O_CLOEXEC, mode), 'openat')
    },
    close: (fd) => void check(c.close(fd), 'close'),
    mkdirAt: (dir, name, mode) => void check(c.mkdirat(dir.fd, at(name), mode), 'mkdirat'),
    symlinkAt: (target, dir, name) =>
      void check(c.symlinkat(terminated(second, target), dir.fd, at(name)), 'symlinkat'),
    linkAt: (fromDir, from, dir, name) =>
      void check(c.linkat(fromDir.fd, at(from), dir.fd, terminated(second, name), 0), 'linkat'),
    mknodAt: (dir, name, what) => {
      const device = what.number === undefined ? 0n : makeDevice(what.number)
      check(c.mknodat(dir.fd, at(name), FORMATS[what.type] | 0o600, device), 'mknodat')
    },
    renameAt: (dir, from, to) =>
      void check(c.renameat(dir.fd, at(from), dir.fd, terminated(second, to)), 'renameat'),
    unlinkAt: (dir, name) => void check(c.unlinkat(dir.fd, at(name), 0), 'unlinkat'),
    rmdirAt: (dir, name) => void check(c.unlinkat(dir.fd, at(name), AT_REMOVEDIR), 'unlinkat'),

    chownAt: (dir, name, owner) =>
      void check(
        c.fchownat(dir.fd, at(name), owner.uid >>> 0, owner.gid >>> 0, AT_SYMLINK_NOFOLLOW),
        'fchownat',
      ),
    chmodAt: (dir, name, mode) => {
      // fchmodat follows symlinks; a descriptor of the thing itself cannot be exchanged under us
      const fd = check(c.openat(dir.fd, at(name), O_PATH | O_CLOEXEC | constants.O_NOFOLLOW, 0), 'openat')
      try {
        if ((fstatSync(fd).mode & constants.S_IFMT) === constants.S_IFLNK) throw failure(EOPNOTSUPP, 'chmod')
        chmodSync(procPath({ fd, path: name }), mode)
      } finally {
        c.close(fd)
      }
    },
    utimeAt: (dir, name, mtimeNs) =>
      void check(c.utimensat(dir.fd, at(name), timesOf(mtimeNs, times), AT_SYMLINK_NOFOLLOW), 'utimensat'),
    readXattrsAt: (dir, name) => xattrs.read(procPath(dir, name)),
    setXattrAt: (dir, name, xattr) =>
      void check(
        c.lsetxattr(
          terminated(path, procPath(dir, name)),
          terminated(second, xattr.name),
          xattr.value,
          xattr.value.length,
          0,
        ),
        'lsetxattr',
      ),
    removeXattrAt: (dir, name, xattrName) => {
      xattrs.removed(c.lremovexattr(terminated(path, procPath(dir, name)), terminated(second, xattrName)))
    },

    chown: (fd, owner) => {
      fchownSync(fd, owner.uid >>> 0, owner.gid >>> 0)
    },
    chmod: (fd, mode) => {
      fchmodSync(fd, mode)
    },
    utime: (fd, mtimeNs) => void check(c.futimens(fd, timesOf(mtimeNs, times)), 'futimens'),
    setXattr: (fd, xattr) =>
      void check(
        c.fsetxattr(fd, terminated(second, xattr.name), xattr.value, xattr.value.length, 0),
        'fsetxattr',
      ),
    removeXattr: (fd, xattrName) => {
      xattrs.removed(c.fremovexattr(fd, terminated(second, xattrName)))
    },

    freeBytes: (dir) => {
      const stats = statfsSync(procPath(dir))
      return (process.getuid?.() === 0 ? stats.bfree : stats.bavail) * stats.bsize
    },
    syncFileSystem: (dir) => {
      // syncfs does not take an O_PATH descriptor
      const fd = check(
        c.openat(dir.fd, at(Buffer.from('.')), constants.O_RDONLY | constants.O_DIRECTORY | O_CLOEXEC, 0),
        'openat',
      )
      try {
        check(c.syncfs(fd), 'syncfs')
      } finally {
        c.close(fd)
      }
    },
  }
}

/** Node's own way sets it for a moment, for all threads. */
function readUmask(): number {
  try {
    const found = /^Umask:\s*([0-7]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))
    return found?.[1] === undefined ? 0o777 : Number.parseInt(found[1], 8)
  } catch {
    return 0o777
  }
}

function dataExtents(c: LibC, fd: number, size: number): readonly DataExtent[] | undefined {
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

function xattrCalls(c: LibC, path: Buffer, second: Buffer) {
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
    removed: (result: number): void => {
      if (result !== -1) return
      const errno = c.errno()
      if (errno !== ENODATA && errno !== EOPNOTSUPP) throw failure(errno, 'removexattr')
    },
  }
}
