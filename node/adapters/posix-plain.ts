/**
 * What plain Node can do, by whole paths: for systems without Linux's calls. A symlink that another process puts in a
 * directory's place between check and use is followed here; `lost` says so.
 */

import * as fs from 'node:fs'
import type { Dir, OwnerNames, Posix } from './posix-calls.ts'
import { joinPath, statOf } from './posix-calls.ts'

function unsupported(syscall: string): never {
  throw Object.assign(new Error(`ENOSYS: ${syscall} is not available on this system`), {
    code: 'ENOSYS',
    errno: -38,
    syscall,
  })
}

function at(dir: Dir, name: Uint8Array): Buffer {
  return joinPath(dir.path, name) as Buffer
}

function openDirectory(path: Uint8Array): Dir {
  const stats = fs.lstatSync(path as Buffer)
  if (!stats.isDirectory())
    throw Object.assign(new Error('ENOTDIR: not a directory'), {
      code: 'ENOTDIR',
      errno: -20,
      syscall: 'open',
    })
  return { fd: -1, path }
}

/** Seconds with a fraction: exact to about a microsecond near the present. */
function secondsOf(ns: bigint): number {
  return Number(ns) / 1e9
}

type NameCalls = Pick<
  Posix,
  'openAt' | 'close' | 'mkdirAt' | 'symlinkAt' | 'linkAt' | 'mknodAt' | 'renameAt' | 'unlinkAt' | 'rmdirAt'
>

const nameCalls: NameCalls = {
  openAt: (dir, name, how, mode = 0o600) => {
    const { O_RDONLY, O_NONBLOCK, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = fs.constants
    return fs.openSync(
      at(dir, name),
      (how === 'read' ? O_RDONLY | O_NONBLOCK : O_RDWR | O_CREAT | O_EXCL) | O_NOFOLLOW,
      mode,
    )
  },
  close: (fd) => {
    fs.closeSync(fd)
  },
  mkdirAt: (dir, name, mode) => {
    fs.mkdirSync(at(dir, name), mode)
  },
  symlinkAt: (target, dir, name) => {
    fs.symlinkSync(target as Buffer, at(dir, name))
  },
  linkAt: (fromDir, from, dir, name) => {
    fs.linkSync(at(fromDir, from), at(dir, name))
  },
  mknodAt: () => unsupported('mknod'),
  renameAt: (dir, from, to) => {
    fs.renameSync(at(dir, from), at(dir, to))
  },
  unlinkAt: (dir, name) => {
    fs.unlinkSync(at(dir, name))
  },
  rmdirAt: (dir, name) => {
    fs.rmdirSync(at(dir, name))
  },
}

type MetadataCalls = Omit<
  Posix,
  | keyof NameCalls
  | 'lost'
  | 'umask'
  | 'userName'
  | 'groupName'
  | 'readXattrs'
  | 'dataExtents'
  | 'openDir'
  | 'openDirAt'
  | 'closeDir'
  | 'list'
  | 'statDir'
  | 'statAt'
  | 'freeBytes'
  | 'syncFileSystem'
>

const metadataCalls: MetadataCalls = {
  chownAt: (dir, name, owner) => {
    fs.lchownSync(at(dir, name), owner.uid >>> 0, owner.gid >>> 0)
  },
  chmodAt: (dir, name, mode) => {
    if (fs.lstatSync(at(dir, name)).isSymbolicLink()) unsupported('lchmod')
    fs.chmodSync(at(dir, name), mode)
  },
  utimeAt: (dir, name, mtimeNs) => {
    fs.lutimesSync(at(dir, name), secondsOf(mtimeNs), secondsOf(mtimeNs))
  },
  readXattrsAt: () => [],
  setXattrAt: () => unsupported('setxattr'),
  removeXattrAt: () => undefined,

  chown: (fd, owner) => {
    fs.fchownSync(fd, owner.uid >>> 0, owner.gid >>> 0)
  },
  chmod: (fd, mode) => {
    fs.fchmodSync(fd, mode)
  },
  utime: (fd, mtimeNs) => {
    fs.futimesSync(fd, secondsOf(mtimeNs), secondsOf(mtimeNs))
  },
  setXattr: () => unsupported('fsetxattr'),
  removeXattr: () => undefined,
}

/** The calls of any system that Node runs on. */
export function plainPosix(names: OwnerNames): Posix {
  return {
    lost: [
      'extended attributes and ACLs',
      'nanoseconds of times',
      'holes of sparse files by the file system',
      'FIFOs and devices',
    ],
    umask: () => 0o777,
    userName: (uid) => names.users.get(uid),
    groupName: (gid) => names.groups.get(gid),
    readXattrs: () => [],
    dataExtents: () => undefined,

    openDir: openDirectory,
    openDirAt: (dir, name) => openDirectory(at(dir, name)),
    closeDir: () => undefined,
    list: (dir) => fs.readdirSync(dir.path as Buffer, { encoding: 'buffer' }),
    statDir: (dir) => statOf(fs.lstatSync(dir.path as Buffer, { bigint: true })),

    statAt: (dir, name) => {
      const stats = fs.lstatSync(at(dir, name), { bigint: true, throwIfNoEntry: false })
      return stats === undefined ? undefined : statOf(stats)
    },
    ...nameCalls,
    ...metadataCalls,

    freeBytes: (dir) => {
      const stats = fs.statfsSync(dir.path as Buffer)
      return (process.getuid?.() === 0 ? stats.bfree : stats.bavail) * stats.bsize
    },
    syncFileSystem: () => undefined,
  }
}
