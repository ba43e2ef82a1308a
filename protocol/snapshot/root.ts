/** Root chunks: what a snapshot says of itself, and where its tree begins (snapshot.md §8). */

import { fromHex, toHex } from '../bytes.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../cbor.ts'
import { deviceIdFromPublicKey, isDeviceId, publicKeyOfDevice } from '../crypto/keys.ts'
import { CellarError } from '../errors.ts'
import { Fields } from '../fields.ts'
import type { ChunkId, DeviceId, RootId } from '../ids.ts'
import {
  excludesMax,
  ownerNameBytesMax,
  pathBytesMax,
  payloadBytesMax,
  snapshotPathsMax,
  tagBytesMax,
  tagsMax,
  treePartsMax,
  unreadBytesMax,
} from '../limits.ts'
import type { EncodedBody } from './tree.ts'

/** Counts of what a backup saw and did; whole numbers. */
export interface SnapshotStats {
  readonly files: number
  readonly dirs: number
  /** Links, devices, pipes. */
  readonly others: number
  /** Bytes of all files. */
  readonly bytes: number
  readonly filesNew: number
  readonly filesChanged: number
  readonly filesUnmodified: number
  readonly dirsNew: number
  readonly dirsChanged: number
  readonly dirsUnmodified: number
  /** Bytes of content that were new, before compression. */
  readonly bytesAdded: number
  /** Bytes of the chunks that were new, as stored. */
  readonly bytesStored: number
  readonly chunksAdded: number
}

/** Something that was to be backed up and could not be read. */
export interface Unread {
  /** Raw bytes. */
  readonly path: Uint8Array
  /** The system's word, such as `EACCES`. */
  readonly code: string
}

/** What a root chunk holds. */
export interface SnapshotRoot {
  readonly device: DeviceId
  readonly host: string
  readonly user: string
  readonly uid: number
  readonly gid: number
  /** What was backed up: absolute, raw bytes. */
  readonly paths: readonly Uint8Array[]
  readonly tags: readonly string[]
  /** Nanoseconds since 1970, as the device's clock said. */
  readonly timeNs: bigint
  /** Of local time from UTC, -1440 .. 1440 minutes. */
  readonly offsetMinutes: number
  readonly parent?: RootId
  readonly excludes: readonly string[]
  readonly program: string
  readonly stats: SnapshotStats
  readonly unread: readonly Unread[]
  /** How many more could not be read than `unread` has room for. */
  readonly unreadLeftOut?: number
  /** The parts of the tree of `/`, in order. */
  readonly trees: readonly ChunkId[]
}

const VERSION = 1
const ROOT = { what: 'a root chunk' }
const TIME_MIN = -(2n ** 63n)
const TIME_MAX = 2n ** 63n - 1n
const OFFSET_MINUTES_MAX = 1440
const RULE_BYTES_MAX = 4096
const UNREAD_CODE_BYTES_MAX = 64

/** The order in which the counts are written. */
const STATS = [
  'files',
  'dirs',
  'others',
  'bytes',
  'filesNew',
  'filesChanged',
  'filesUnmodified',
  'dirsNew',
  'dirsChanged',
  'dirsUnmodified',
  'bytesAdded',
  'bytesStored',
  'chunksAdded',
] as const satisfies readonly (keyof SnapshotStats)[]

/**
 * Encodes a root. Only the parts of the tree are links: a parent may go while its child stays.
 * Of what could not be read, as much is kept as has room; the rest is counted.
 *
 * @throws {CellarError} `FORMAT_INVALID` for a root beyond its limits, which no reader would take
 */
export function encodeRoot(root: SnapshotRoot): EncodedBody {
  const links = [...new Set(root.trees)]
  if (links.length !== root.trees.length) throw new RangeError('a part of a tree is there twice')
  const unread = fitUnread(root.unread)
  const leftOut = (root.unreadLeftOut ?? 0) + root.unread.length - unread.length
  const fields: CborValue[] = [
    VERSION,
    publicKeyOfDevice(root.device),
    root.host,
    root.user,
    root.uid,
    root.gid,
    root.paths,
    root.tags,
    root.timeNs,
    root.offsetMinutes,
    root.parent === undefined ? null : fromHex(root.parent),
    root.excludes,
    root.program,
    STATS.map((name) => root.stats[name]),
    unread.map(({ path, code }) => [path, code]),
    leftOut,
    links.length,
  ]
  const raw = encodeCbor(fields)
  // What is written must be readable: every bound is checked once more, by the one reader there is.
  decodeRoot(raw, links)
  return { raw, links }
}

function fitUnread(unread: readonly Unread[]): readonly Unread[] {
  let room = unreadBytesMax
  const end = unread.findIndex(({ path, code }) => {
    room -= unreadBytes(path, code)
    return room < 0
  })
  return end === -1 ? unread : unread.slice(0, end)
}

function unreadBytes(path: Uint8Array, code: string): number {
  return path.byteLength + Buffer.byteLength(code) + 8
}

/**
 * Reads a root.
 *
 * @param raw - the body of a chunk of kind `root`, decompressed; borrowed
 * @param links - the links of that chunk
 * @throws {CellarError} `FORMAT_INVALID`, `VERSION_UNKNOWN`
 */
export function decodeRoot(raw: Uint8Array, links: readonly ChunkId[]): SnapshotRoot {
  const fields = new Fields(decodeCbor(raw, { ...ROOT, bytesMax: payloadBytesMax, depthMax: 3 }), ROOT)
  if (fields.uint() !== VERSION)
    throw new CellarError('VERSION_UNKNOWN', 'a root chunk is of a version that this program does not know')
  const device = readDevice(fields)
  const host = fields.text(ownerNameBytesMax)
  const user = fields.text(ownerNameBytesMax)
  const uid = fields.uint(0xffff_ffff)
  const gid = fields.uint(0xffff_ffff)
  const paths = fields.list(snapshotPathsMax, (value) => single(value).bytes(1, pathBytesMax))
  const tags = fields.list(tagsMax, (value) => single(value).text(tagBytesMax))
  const timeNs = fields.bigint(TIME_MIN, TIME_MAX)
  const offsetMinutes = fields.int(-OFFSET_MINUTES_MAX, OFFSET_MINUTES_MAX)
  const parent = fields.skipNull() ? undefined : (toHex(fields.bytes(32)) as RootId)
  const excludes = fields.list(excludesMax, (value) => single(value).text(RULE_BYTES_MAX))
  const program = fields.text(ownerNameBytesMax)
  const stats = readStats(fields.nested())
  const unread = readUnread(fields)
  const leftOut = fields.uint()
  if (fields.uint(treePartsMax) !== links.length || links.length === 0)
    fields.fail('its links are not the parts of its tree')
  fields.end()
  return {
    ...{ device, host, user, uid, gid, paths, tags, timeNs, offsetMinutes },
    ...(parent === undefined ? {} : { parent }),
    ...{ excludes, program, stats, unread },
    ...(leftOut === 0 ? {} : { unreadLeftOut: leftOut }),
    trees: [...links],
  }
}

function single(value: unknown): Fields {
  return new Fields([value], ROOT)
}

function readDevice(fields: Fields): DeviceId {
  const device = deviceIdFromPublicKey(fields.bytes(32))
  if (!isDeviceId(device)) fields.fail('its device has no good key')
  return device
}

function readStats(fields: Fields): SnapshotStats {
  const stats = Object.fromEntries(STATS.map((name) => [name, fields.uint()])) as Record<
    (typeof STATS)[number],
    number
  >
  fields.end()
  return stats
}

function readUnread(fields: Fields): Unread[] {
  let room = unreadBytesMax
  return fields.list(unreadBytesMax, (value) => {
    const item = fields.nested(value)
    const path = item.bytes(1, pathBytesMax)
    const code = item.text(UNREAD_CODE_BYTES_MAX)
    item.end()
    room -= unreadBytes(path, code)
    if (room < 0) fields.fail('too much could not be read')
    return { path, code }
  })
}
