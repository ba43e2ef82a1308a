/** What a snapshot says of one file, directory or other thing, and what must hold of it (snapshot.md §3). */

import { compareBytes } from '../bytes.ts'
import type { ChunkId } from '../ids.ts'
import {
  entryChunksMax,
  holesMax,
  nameBytesMax,
  ownerNameBytesMax,
  pathBytesMax,
  payloadBytesMax,
  treePartsMax,
  xattrBytesMax,
  xattrNameBytesMax,
} from '../limits.ts'

/** What an entry is. */
export type EntryType = 'file' | 'dir' | 'symlink' | 'fifo' | 'char' | 'block'

/** A run of bytes of a file. */
export interface Extent {
  readonly offset: number
  readonly length: number
}

/** A chunk of a file's content, and how many bytes of it the chunk gives. */
export interface ContentChunk {
  readonly id: ChunkId
  readonly length: number
}

/** Where the content of a file is: a run in a bundle, some chunks, or the topmost node of many chunks. */
export type Content =
  | { readonly kind: 'bundle'; readonly chunk: ChunkId; readonly offset: number; readonly length: number }
  | { readonly kind: 'chunks'; readonly chunks: readonly ContentChunk[] }
  | { readonly kind: 'file'; readonly chunk: ChunkId }

/** An extended attribute. */
export interface Xattr {
  readonly name: Uint8Array
  readonly value: Uint8Array
}

/** What `lstat` says of an entry: enough to tell whether it has changed. */
export interface EntryFacts {
  readonly type: EntryType
  /** 1 .. 4096 bytes of any value but `/` and NUL. */
  readonly name: Uint8Array
  /** Permission bits, 0 .. 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Nanoseconds since 1970, before it negative; 64 bits. */
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly inode: bigint
  /** 32 bits. */
  readonly linkCount: number
  /** Bytes as the system says, 0 for devices and the like. */
  readonly size: number
  /** Of `char` and `block` only. */
  readonly deviceNumber?: { readonly major: number; readonly minor: number }
}

/** One entry of a directory. */
export interface Entry extends EntryFacts {
  /** Names of owner and group, where the system knew them. */
  readonly user?: string
  readonly group?: string
  /** The file system it was on: with `inode` it tells which entries are one file. */
  readonly device: bigint
  /** Of files with data. */
  readonly content?: Content
  /** Of files: what is no data, in order; `content` is the bytes outside of them. */
  readonly holes?: readonly Extent[]
  /** Of `symlink`: raw bytes. */
  readonly target?: Uint8Array
  /** Sorted by name. */
  readonly xattrs?: readonly Xattr[]
  /** Of `dir`: its parts in order, at least one. */
  readonly trees?: readonly ChunkId[]
}

const UINT32_MAX = 0xffff_ffff
const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n
const UINT64_MAX = 2n ** 64n - 1n

/**
 * Says what is wrong with an entry, or undefined (S3.1 to S3.12). Both writer and reader ask.
 * That names are sorted within a tree is checked there.
 */
export function findEntryFault(entry: Entry): string | undefined {
  if (!isNameRight(entry.name)) return 'a name is not allowed'
  if (!isUint(entry.mode, 0o7777) || !isUint(entry.uid, UINT32_MAX) || !isUint(entry.gid, UINT32_MAX))
    return 'mode or owner is out of range'
  if (!isUint(entry.size) || !isUint(entry.linkCount, UINT32_MAX))
    return 'size or count of links is out of range'
  if (!isTime(entry.mtimeNs) || !isTime(entry.ctimeNs)) return 'a time is out of range'
  if (!isUint64(entry.inode) || !isUint64(entry.device)) return 'inode or device is out of range'
  if (!isOwnerRight(entry.user) || !isOwnerRight(entry.group))
    return 'a name of an owner is empty or too long'
  return findTypeFault(entry) ?? findXattrFault(entry.xattrs)
}

/** What goes with one type must be there, and nothing else. */
function findTypeFault(entry: Entry): string | undefined {
  const isFile = entry.type === 'file'
  if (!isFile && (entry.content !== undefined || entry.holes !== undefined)) return 'only a file has content'
  if ((entry.target !== undefined) !== (entry.type === 'symlink')) return 'a target goes with a symbolic link'
  if ((entry.trees !== undefined) !== (entry.type === 'dir')) return 'trees go with a directory'
  const isDevice = entry.type === 'char' || entry.type === 'block'
  if ((entry.deviceNumber !== undefined) !== isDevice) return 'a device number goes with a device'
  if (isFile) return findContentFault(entry)
  const { target, trees, deviceNumber } = entry
  if (target !== undefined && (!isBetween(target.byteLength, 1, pathBytesMax) || target.includes(0)))
    return 'a target is not allowed'
  if (trees !== undefined && !isBetween(trees.length, 1, treePartsMax))
    return 'a directory has no parts or too many'
  if (
    deviceNumber !== undefined &&
    !(isUint(deviceNumber.major, UINT32_MAX) && isUint(deviceNumber.minor, UINT32_MAX))
  ) {
    return 'a device number is out of range'
  }
  return undefined
}

/** Content and holes must add up to the size. */
function findContentFault({ size, content, holes }: Entry): string | undefined {
  let dataBytes = size
  if (holes !== undefined) {
    if (!isBetween(holes.length, 1, holesMax)) return 'there are no holes or too many'
    let end = -1
    for (const { offset, length } of holes) {
      if (!isUint(offset) || !isUint(length) || length === 0 || offset <= end || offset + length > size)
        return 'a hole is out of place'
      end = offset + length
      dataBytes -= length
    }
  }
  if (content === undefined) return dataBytes === 0 ? undefined : 'a file with data has no content'
  if (content.kind === 'file') return dataBytes > 0 ? undefined : 'a file without data has content'
  if (content.kind === 'bundle') {
    const { offset, length } = content
    if (!isUint(offset, payloadBytesMax) || !isBetween(length, 1, payloadBytesMax - offset))
      return 'a run in a bundle is out of range'
    return length === dataBytes ? undefined : 'content and holes do not add up to the size'
  }
  if (!isBetween(content.chunks.length, 1, entryChunksMax)) return 'an entry names no chunks or too many'
  let sum = 0
  for (const { length } of content.chunks) {
    if (!isBetween(length, 1, payloadBytesMax)) return 'the length of a chunk is out of range'
    sum += length
  }
  return sum === dataBytes ? undefined : 'content and holes do not add up to the size'
}

function findXattrFault(xattrs: readonly Xattr[] | undefined): string | undefined {
  if (xattrs === undefined) return undefined
  if (xattrs.length === 0) return 'a list of attributes is empty'
  let bytes = 0
  let previous: Uint8Array | undefined
  for (const { name, value } of xattrs) {
    if (!isBetween(name.byteLength, 1, xattrNameBytesMax) || name.includes(0))
      return 'the name of an attribute is not allowed'
    if (previous !== undefined && compareBytes(previous, name) >= 0) return 'attributes are not in order'
    bytes += name.byteLength + value.byteLength
    previous = name
  }
  return bytes <= xattrBytesMax ? undefined : 'attributes are too large'
}

const SLASH = 0x2f
const DOT = 0x2e

/** Whether bytes may be the name of an entry: not empty, `.`, `..`, too long, nor with `/` or NUL in it. */
export function isNameRight(name: Uint8Array): boolean {
  const length = name.byteLength
  if (length === 0 || length > nameBytesMax) return false
  if (name[0] === DOT && (length === 1 || (length === 2 && name[1] === DOT))) return false
  return !name.includes(0) && !name.includes(SLASH)
}

function isOwnerRight(name: string | undefined): boolean {
  if (name === undefined) return true
  return (
    name.length > 0 &&
    name.length <= ownerNameBytesMax &&
    Buffer.byteLength(name) <= ownerNameBytesMax &&
    name.isWellFormed()
  )
}

function isUint(value: number, max: number = Number.MAX_SAFE_INTEGER): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= max
}

function isBetween(value: number, min: number, max: number): boolean {
  return isUint(value) && value >= min && value <= max
}

function isTime(value: bigint): boolean {
  return value >= INT64_MIN && value <= INT64_MAX
}

function isUint64(value: bigint): boolean {
  return value >= 0n && value <= UINT64_MAX
}
