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
import type { Dir, OwnerNames, Posix } from './posix-calls.ts'
import { joinPath, statOf } from './posix-calls.ts'
import { dataExtents, failure, type LibC, libc, terminated, xattrCalls } from './posix-libc.ts'

type Koffi = typeof import('koffi')['default']

// What Node's constants leave out; equal on every Linux but for O_PATH on old exotic ones.
const O_PATH = 0o10000000
const O_CLOEXEC = 0o2000000
const AT_FDCWD = -100
const AT_SYMLINK_NOFOLLOW = 0x100
const AT_REMOVEDIR = 0x200
const FORMATS = { fifo: constants.S_IFIFO, char: constants.S_IFCHR, block: constants.S_IFBLK } as const

const PROC = Buffer.from('/proc/self/fd/')

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

/** What the calls share. Scratch buffers are used again by each call: no call keeps them. */
interface Kit {
  readonly c: LibC
  readonly path: Buffer
  readonly second: Buffer
  readonly times: BigInt64Array | Int32Array
  readonly xattrs: ReturnType<typeof xattrCalls>
  /** @throws when a call gave -1 */
  readonly check: (result: number, syscall: string) => number
  /** A name with a NUL, in `path`. */
  readonly at: (name: Uint8Array) => Buffer
}

function kitOf(koffi: Koffi): Kit {
  const c = libc(koffi)
  const path = Buffer.alloc(64 * 1024)
  const second = Buffer.alloc(64 * 1024)
  const isNarrow = ['arm', 'ia32', 'mipsel', 'ppc'].includes(process.arch)
  return {
    c,
    path,
    second,
    times: isNarrow ? new Int32Array(4) : new BigInt64Array(4),
    xattrs: xattrCalls(c, path, second),
    check: (result, syscall) => {
      if (result === -1) throw failure(c.errno(), syscall)
      return result
    },
    at: (name) => terminated(path, name),
  }
}

/**
 * The calls of Linux.
 *
 * @throws {Error} when a function is missing in the libc
 */
export function linuxPosix(koffi: Koffi, names: OwnerNames): Posix {
  const kit = kitOf(koffi)
  return {
    lost: [],
    umask: readUmask,
    userName: (uid) => names.users.get(uid),
    groupName: (gid) => names.groups.get(gid),
    readXattrs: kit.xattrs.read,
    dataExtents: (fd, size) => dataExtents(kit.c, fd, size),
    ...directoryCalls(kit),
    ...nameCalls(kit),
    ...metadataCalls(kit),
    ...descriptorCalls(kit),
    ...fileSystemCalls(kit),
  }
}

type DirectoryCalls = Pick<Posix, 'openDir' | 'openDirAt' | 'closeDir' | 'list' | 'statDir' | 'statAt'>

function directoryCalls({ c, check, at }: Kit): DirectoryCalls {
  return {
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
  }
}

type NameCalls = Pick<
  Posix,
  'openAt' | 'close' | 'mkdirAt' | 'symlinkAt' | 'linkAt' | 'mknodAt' | 'renameAt' | 'unlinkAt' | 'rmdirAt'
>

function nameCalls({ c, second, check, at }: Kit): NameCalls {
  return {
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
  }
}

type MetadataCalls = Pick<
  Posix,
  'chownAt' | 'chmodAt' | 'utimeAt' | 'readXattrsAt' | 'setXattrAt' | 'removeXattrAt'
>

function metadataCalls({ c, path, second, times, xattrs, check, at }: Kit): MetadataCalls {
  return {
    chownAt: (dir, name, owner) =>
      void check(
        c.fchownat(dir.fd, at(name), owner.uid >>> 0, owner.gid >>> 0, AT_SYMLINK_NOFOLLOW),
        'fchownat',
      ),
    chmodAt: (dir, name, mode) => {
      // fchmodat follows symlinks; a descriptor of the thing itself cannot be exchanged under us
      const fd = check(c.openat(dir.fd, at(name), O_PATH | O_CLOEXEC | constants.O_NOFOLLOW, 0), 'openat')
      try {
        if ((fstatSync(fd).mode & constants.S_IFMT) === constants.S_IFLNK)
          throw failure(osConstants.errno.EOPNOTSUPP, 'chmod')
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
  }
}

type DescriptorCalls = Pick<Posix, 'chown' | 'chmod' | 'utime' | 'setXattr' | 'removeXattr'>

function descriptorCalls({ c, second, times, xattrs, check }: Kit): DescriptorCalls {
  return {
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
  }
}

function fileSystemCalls({ c, check, at }: Kit): Pick<Posix, 'freeBytes' | 'syncFileSystem'> {
  return {
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
