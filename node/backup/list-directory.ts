/** Looks at a directory: names, what they are, what is left out (node/spec/backup.md §2). Synchronous, in slices. */

import {
  type BigIntStats,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  statSync,
} from 'node:fs'
import { compareBytes, type Entry, type EntryType } from '../../protocol/index.ts'

/** An entry that is being made. */
export type Draft = { -readonly [Key in keyof Entry]: Entry[Key] }

/** Something found in a directory. */
export interface Found {
  readonly draft: Draft
  /** Bytes it takes on the disk. */
  readonly allocated: number
}

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

/** What the format can hold: the years 1677 to 2262. */
export function clampTime(ns: bigint): bigint {
  return ns > INT64_MAX ? INT64_MAX : ns < INT64_MIN ? INT64_MIN : ns
}

function typeOf(stats: BigIntStats): EntryType | 'socket' {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'dir'
  if (stats.isSymbolicLink()) return 'symlink'
  if (stats.isFIFO()) return 'fifo'
  if (stats.isCharacterDevice()) return 'char'
  return stats.isBlockDevice() ? 'block' : 'socket'
}

/** Major and minor of a device number, as Linux packs them. */
export function splitDevice(number: bigint): { major: number; minor: number } {
  return {
    major: Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & 0xfffff000n)),
    minor: Number((number & 0xffn) | ((number >> 12n) & 0xffffff00n)),
  }
}

/** Makes an entry of what the system says; `undefined` for a socket, of which nothing could be kept. */
export function foundOf(name: Uint8Array, stats: BigIntStats): Found | undefined {
  const type = typeOf(stats)
  if (type === 'socket') return undefined
  const draft: Draft = {
    type,
    name,
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtimeNs: clampTime(stats.mtimeNs),
    ctimeNs: clampTime(stats.ctimeNs),
    inode: BigInt.asUintN(64, stats.ino),
    device: BigInt.asUintN(64, stats.dev),
    linkCount: Number(stats.nlink),
    // The size of a directory is the file system's own affair.
    size: type === 'file' || type === 'symlink' ? Number(stats.size) : 0,
  }
  if (type === 'char' || type === 'block') draft.deviceNumber = splitDevice(stats.rdev)
  return { draft, allocated: Number(stats.blocks) * 512 }
}

/** The names in a directory, raw, sorted by bytes. @throws the system's error */
export function namesIn(path: Buffer): Buffer[] {
  return readdirSync(path, { encoding: 'buffer' }).sort(compareBytes)
}

/** Looks at one name, not following it. @throws the system's error */
export function look(path: Buffer): BigIntStats {
  return lstatSync(path, { bigint: true })
}

/** Looks at what a path leads to: for directories on the way to a source. @throws the system's error */
export function lookThrough(path: Buffer): BigIntStats {
  return statSync(path, { bigint: true })
}

/** Where a symlink points: raw bytes. @throws the system's error */
export function linkTarget(path: Buffer): Buffer {
  return readlinkSync(path, { encoding: 'buffer' })
}

/** A path with one more component. */
export function pathTo(directory: Buffer, name: Uint8Array): Buffer {
  const slash = directory.length > 0 && directory[directory.length - 1] === 0x2f ? 0 : 1
  const path = Buffer.allocUnsafe(directory.length + slash + name.length)
  path.set(directory)
  path[directory.length + slash - 1] = 0x2f
  path.set(name, directory.length + slash)
  return path
}

/** Paths are cut before they are as long as the system allows (4096 on Linux). */
const PATH_BYTES_MAX = 3500

/**
 * A way to a directory that the system takes, however deep it is: very deep ones are reached through a
 * descriptor of a directory on the way.
 */
export class Way {
  readonly path: Buffer
  #fd: number | undefined

  constructor(path: Buffer, fd?: number) {
    this.path = path
    this.#fd = fd
  }

  /** The way to a directory inside. @throws the system's error */
  down(name: Uint8Array): Way {
    const path = pathTo(this.path, name)
    if (path.length < PATH_BYTES_MAX || process.platform !== 'linux') return new Way(path)
    const fd = openSync(
      path,
      constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    )
    return new Way(Buffer.from(`/proc/self/fd/${String(fd)}`), fd)
  }

  /** Lets go of the descriptor, once nothing below is read any more. */
  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd)
    this.#fd = undefined
  }
}
