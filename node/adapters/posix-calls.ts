/**
 * What a POSIX system can do with files and Node cannot: names as raw bytes relative to an open directory, times in
 * nanoseconds, devices, extended attributes, holes. Works in worker threads too.
 *
 * Every function is synchronous, never follows a symlink in its last component, borrows the bytes it is given for the
 * time of the call, and throws as Node's own `fs` does: an `Error` with `code` (`ENOENT`, ...), `errno` and `syscall`.
 */

import type { BigIntStats } from 'node:fs'

/** An extended attribute: its name as raw bytes without NUL, its value. */
export interface Xattr {
  readonly name: Uint8Array
  readonly value: Uint8Array
}

/** A stretch of a file, in bytes. */
export interface DataExtent {
  readonly offset: number
  readonly length: number
}

/**
 * An open directory. `path` is how it was reached and is used where the system has no calls relative to a directory
 * (`fd` is -1 there), and for messages.
 */
export interface Dir {
  readonly fd: number
  readonly path: Uint8Array
}

/** What `lstat` says. Times in nanoseconds since 1970, negative before. */
export interface Stat {
  /** Type and permission bits, as `st_mode`. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  /** Bytes really taken on the disk. */
  readonly allocated: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly inode: bigint
  readonly device: bigint
  readonly linkCount: number
}

/** An owner to set: numbers, -1 leaves one as it is. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** A device number as the system shows it. */
export interface DeviceNumber {
  readonly major: number
  readonly minor: number
}

/** How `openAt` opens. `create` refuses a name that is there (`EEXIST`). */
export type OpenMode = 'read' | 'create'

/** The calls of this system. `dir, name`: one component, raw bytes, in an open directory. */
export interface Posix {
  /** What this system cannot do, one phrase each, for a notice; empty on Linux. */
  readonly lost: readonly string[]

  /** The bits that new files are made without, 0..0777; 0777 where it cannot be read without changing it. */
  umask(): number
  /** The user's name in /etc/passwd, if it has one there. */
  userName(uid: number): string | undefined
  /** The group's name in /etc/group, if it has one there. */
  groupName(gid: number): string | undefined

  /** Extended attributes of a path itself, sorted by name as the system gives them; none where it has none. Fresh. */
  readXattrs(path: Uint8Array): readonly Xattr[]
  /**
   * Where an open file has data, in order and apart from each other, by SEEK_DATA and SEEK_HOLE.
   *
   * @param size - bytes, from fstat; what lies beyond is left out
   * @returns undefined where the system or file system cannot tell
   */
  dataExtents(fd: number, size: number): readonly DataExtent[] | undefined

  /** Opens a directory by its path; only its last component may not be a symlink. */
  openDir(path: Uint8Array): Dir
  /** Opens a directory inside another; `ENOTDIR` or `ELOOP` when it is something else. */
  openDirAt(dir: Dir, name: Uint8Array): Dir
  /** Closes what `openDir` or `openDirAt` gave; once. */
  closeDir(dir: Dir): void
  /** Names in an open directory, as raw bytes, without `.` and `..`. */
  list(dir: Dir): readonly Buffer[]
  /** What an open directory is itself. */
  statDir(dir: Dir): Stat

  /** What a name is; undefined if it is not there. */
  statAt(dir: Dir, name: Uint8Array): Stat | undefined
  /** Opens a file; the caller closes it with `close`. `mode` (with the umask) is for `create`. */
  openAt(dir: Dir, name: Uint8Array, how: OpenMode, mode?: number): number
  /** Closes what `openAt` gave; once. */
  close(fd: number): void
  /** Makes a directory with a mode 0..0777, less the umask; `EEXIST` when the name is there. */
  mkdirAt(dir: Dir, name: Uint8Array, mode: number): void
  /** Makes a symlink to `target`, raw bytes; `EEXIST` when the name is there. */
  symlinkAt(target: Uint8Array, dir: Dir, name: Uint8Array): void
  /** Makes another name for what `from` names (never following it). */
  linkAt(fromDir: Dir, from: Uint8Array, dir: Dir, name: Uint8Array): void
  /** Makes a FIFO, or a device (root only). */
  mknodAt(
    dir: Dir,
    name: Uint8Array,
    what: { readonly type: 'fifo' | 'char' | 'block'; readonly number?: DeviceNumber },
  ): void
  /** Renames inside one directory, in place of what is there. */
  renameAt(dir: Dir, from: Uint8Array, to: Uint8Array): void
  /** Removes a name that is not a directory. */
  unlinkAt(dir: Dir, name: Uint8Array): void
  /** Removes an empty directory. */
  rmdirAt(dir: Dir, name: Uint8Array): void

  /** Sets owner and group of a name itself, a symlink's too (never following it). */
  chownAt(dir: Dir, name: Uint8Array, owner: Owner): void
  /** Sets 07777 of anything but a symlink. */
  chmodAt(dir: Dir, name: Uint8Array, mode: number): void
  /** Sets the modification time (and the access time to the same). */
  utimeAt(dir: Dir, name: Uint8Array, mtimeNs: bigint): void
  /** Extended attributes of a name itself, sorted as {@link readXattrs} gives them. Fresh. */
  readXattrsAt(dir: Dir, name: Uint8Array): readonly Xattr[]
  /** Sets one extended attribute of a name itself. */
  setXattrAt(dir: Dir, name: Uint8Array, xattr: Xattr): void
  /** Removes one extended attribute of a name itself; one that is not there is no error. */
  removeXattrAt(dir: Dir, name: Uint8Array, xattrName: Uint8Array): void

  /** Sets owner and group of an open file. */
  chown(fd: number, owner: Owner): void
  /** Sets 07777 of an open file. */
  chmod(fd: number, mode: number): void
  /** Sets the modification time of an open file (and the access time to the same), nanoseconds since 1970. */
  utime(fd: number, mtimeNs: bigint): void
  /** Sets one extended attribute of an open file. */
  setXattr(fd: number, xattr: Xattr): void
  /** Removes one extended attribute of an open file; one that is not there is no error. */
  removeXattr(fd: number, xattrName: Uint8Array): void

  /** Bytes that this process may still write to the file system of a directory. */
  freeBytes(dir: Dir): number
  /** Makes durable all that was written to the file system of a directory. May take seconds: call it in a worker. */
  syncFileSystem(dir: Dir): void
}

/** Names of users and groups by number. */
export interface OwnerNames {
  readonly users: ReadonlyMap<number, string>
  readonly groups: ReadonlyMap<number, string>
}

/** Turns Node's statistics into ours. */
export function statOf(stats: BigIntStats): Stat {
  return {
    mode: Number(stats.mode),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: Number(stats.size),
    allocated: Number(stats.blocks) * 512,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    inode: stats.ino,
    device: stats.dev,
    linkCount: Number(stats.nlink),
  }
}

/** Raw path of one more component. */
export function joinPath(path: Uint8Array, name: Uint8Array): Uint8Array {
  const slash = path[path.length - 1] === 0x2f ? 0 : 1
  const joined = Buffer.allocUnsafe(path.length + slash + name.length)
  joined.set(path)
  if (slash === 1) joined[path.length] = 0x2f
  joined.set(name, path.length + slash)
  return joined
}
