/** The body of a listing: all that its device states (listing.md §3). */

import { fromHex, toHex } from '../bytes.ts'
import { type CborValue, decodeCbor, encodeCheckedCbor } from '../cbor.ts'
import { CellarError } from '../errors.ts'
import { Fields } from '../fields.ts'
import type { RootId } from '../ids.ts'
import {
  horizonEntriesMax,
  listingBytesMax,
  listingSeqMax,
  membershipEntriesMax,
  newsPerListingMax,
  rootsPerListingMax,
} from '../limits.ts'
import { deviceFromKey, keyOfDevice, sha256Hex } from '../statement.ts'
import { digestSteps, groupForgets, groupValue, REASONS } from './forgets.ts'
import {
  type Add,
  compareDots,
  type DeviceIncarnation,
  type Dot,
  type Forget,
  type ForgetReason,
  type Horizon,
  type HorizonEntry,
  type ListingBody,
  type ListingHash,
  type ListingHead,
  type Shedding,
} from './types.ts'

const VERSION = 1
const ID_BYTES = 32
const WORDS = { what: 'the body of a listing', code: 'LISTING_INVALID' } as const

/**
 * Encodes a body whose lists are sorted already.
 *
 * @throws {CellarError} `LISTING_INVALID` when it would be too large to be accepted by anyone
 */
export function encodeBody(body: ListingBody): Uint8Array {
  const value: CborValue = [
    VERSION,
    body.adds.map((add) => [add.seq, add.n, fromHex(add.root), add.source, add.sizeClass]),
    [body.forgetBase.seq, fromHex(body.forgetBase.digest)],
    groupForgets(body.forgets).map(groupValue),
    rootsValue(body.holds),
    body.shedding.map(({ root, seq }) => [fromHex(root), seq]),
    horizonValue(body.horizon),
    body.leans,
    body.full,
    rootsValue(body.pins),
  ]
  const bytes = encodeCheckedCbor(value)
  if (bytes.byteLength > listingBytesMax) {
    throw new CellarError('LISTING_INVALID', 'this device has more to state than one listing can', {
      bytes: bytes.byteLength,
    })
  }
  return bytes
}

/**
 * Reads the body that belongs to a head, and checks both against one another (L3.1 .. L4.3).
 *
 * @param head - opened before, so that the body is hashed before it is parsed
 * @param bytes - borrowed
 * @throws {CellarError} `LISTING_INVALID`; `VERSION_UNKNOWN` for a later format
 */
export function openBody(head: ListingHead, bytes: Uint8Array): ListingBody {
  if (bytes.byteLength > listingBytesMax) throw invalid('is larger than allowed')
  if (sha256Hex(bytes) !== head.bodyHash) throw invalid('is not the one that its head names')
  const fields = new Fields(decodeCbor(bytes, { ...WORDS, bytesMax: listingBytesMax, depthMax: 5 }), WORDS)
  if (fields.uint() !== VERSION) throw new CellarError('VERSION_UNKNOWN', 'a listing of a later format')
  const adds = readAdds(fields, head)
  const base = fields.nested()
  const forgetBase = { seq: base.uint(head.seq), digest: toHex(base.bytes(ID_BYTES)) }
  base.end()
  const forgets = readForgets(fields, head, forgetBase.seq)
  const holds = readRoots(fields, 'held roots')
  const shedding = readShedding(fields, head, holds)
  const horizon = readHorizon(fields)
  const leans = fields.boolean()
  const full = fields.boolean()
  const pins = readRoots(fields, 'pinned roots')
  fields.end()
  // L4.2: the digest in the head is that of exactly these forgets.
  if (digestSteps(forgetBase, forgets).at(head.seq) !== head.forgetsDigest)
    throw invalid('has other forgets than its head')
  return { adds, forgetBase, forgets, holds, shedding, horizon, leans, full, pins }
}

function invalid(reason: string): CellarError {
  return new CellarError('LISTING_INVALID', `the body of a listing ${reason}`)
}

function readAdds(fields: Fields, head: ListingHead): Add[] {
  let before: Add | undefined
  return fields.list(rootsPerListingMax, (value) => {
    const row = fields.nested(value)
    const add: Add = {
      seq: row.int(1, head.seq),
      n: row.uint(newsPerListingMax - 1),
      root: toHex(row.bytes(ID_BYTES)) as RootId,
      source: row.bytes(16),
      sizeClass: row.uint(63),
    }
    row.end()
    if (before !== undefined && (before.seq - add.seq || before.n - add.n) >= 0)
      row.fail('announcements are not in order')
    before = add
    return add
  })
}

function readForgets(fields: Fields, head: ListingHead, baseSeq: number): Forget[] {
  const forgets: Forget[] = []
  let seqBefore = baseSeq
  let epochBefore = 0
  fields.list(rootsPerListingMax, (value) => {
    const group = fields.nested(value)
    const seq = group.int(1, head.seq)
    const epoch = group.uint(head.epoch)
    if (seq <= seqBefore || epoch < epochBefore) group.fail('forgets are not in order')
    seqBefore = seq
    epochBefore = epoch
    const rows = group.list(newsPerListingMax, (row) => readForget(fields.nested(row), seq, epoch))
    group.end()
    if (rows.length === 0) group.fail('a group of forgets is empty')
    for (const [at, forget] of rows.entries()) {
      const before = rows[at - 1]
      if (before !== undefined && compareForgets(before, forget) >= 0) group.fail('forgets are not in order')
      forgets.push(forget)
    }
    if (forgets.length > rootsPerListingMax) group.fail('too many forgets')
  })
  // The epoch of the newest group is that of this head, when it was added here.
  const last = forgets.at(-1)
  if (last?.seq === head.seq && last.epoch !== head.epoch)
    fields.fail('forgets under another membership than their head')
  return forgets
}

function readForget(row: Fields, seq: number, epoch: number): Forget {
  const dot = readDot(row)
  const root = toHex(row.bytes(ID_BYTES)) as RootId
  const reason = REASONS[row.uint(REASONS.length - 1)] as ForgetReason
  row.end()
  return { dot, root, reason, seq, epoch }
}

function readDot(row: Fields): Dot {
  return {
    device: deviceFromKey(row.bytes(ID_BYTES)),
    incarnation: row.int(1, membershipEntriesMax),
    seq: row.int(1, listingSeqMax),
    n: row.uint(newsPerListingMax - 1),
  }
}

/** Orders forgets of one listing: by the key of the device as hex, as all lists of devices on the wire. */
export function compareForgets(a: Forget, b: Forget): number {
  if (a.dot.device !== b.dot.device)
    return Buffer.compare(keyOfDevice(a.dot.device), keyOfDevice(b.dot.device))
  return compareDots(a.dot, b.dot) || (a.root < b.root ? -1 : a.root > b.root ? 1 : 0)
}

/** Many roots as one byte string: a list of a million byte strings would cost as much again to take apart. */
function rootsValue(roots: readonly RootId[]): CborValue {
  return Buffer.from(roots.join(''), 'hex')
}

function readRoots(fields: Fields, what: string): RootId[] {
  const bytes = fields.bytes(0, rootsPerListingMax * ID_BYTES)
  if (bytes.byteLength % ID_BYTES !== 0) fields.fail(`${what} of a wrong length`)
  const hex = toHex(bytes)
  const roots: RootId[] = []
  for (let at = 0; at < hex.length; at += 64) {
    const root = hex.slice(at, at + 64) as RootId
    const before = roots.at(-1)
    if (before !== undefined && before >= root) fields.fail(`${what} are not in order`)
    roots.push(root)
  }
  return roots
}

function readShedding(fields: Fields, head: ListingHead, holds: readonly RootId[]): Shedding[] {
  const held = new Set(holds)
  let before = ''
  return fields.list(rootsPerListingMax, (value) => {
    const row = fields.nested(value)
    const root = toHex(row.bytes(ID_BYTES)) as RootId
    const seq = row.int(1, head.seq)
    row.end()
    if (root <= before || !held.has(root)) row.fail('what is being let go is not in order, or not held')
    before = root
    return { root, seq }
  })
}

/** The form of a horizon in a body; it must be sorted (see {@link compareLanes}). */
export function horizonValue(horizon: Horizon): CborValue {
  return horizon.map(({ device, incarnation, seq, hash }) => [
    keyOfDevice(device),
    incarnation,
    seq,
    fromHex(hash),
  ])
}

/** Reads a horizon from the next field. */
export function readHorizon(fields: Fields): HorizonEntry[] {
  let before: HorizonEntry | undefined
  return fields.list(horizonEntriesMax, (value) => {
    const row = fields.nested(value)
    const entry: HorizonEntry = {
      device: deviceFromKey(row.bytes(ID_BYTES)),
      incarnation: row.int(1, membershipEntriesMax),
      seq: row.int(1, listingSeqMax),
      hash: toHex(row.bytes(ID_BYTES)) as ListingHash,
    }
    row.end()
    if (before !== undefined && compareLanes(before, entry) >= 0) row.fail('the horizon is not in order')
    before = entry
    return entry
  })
}

/** Orders chains as they stand on the wire: by the bytes of the device's key, then by incarnation. */
export function compareLanes(a: DeviceIncarnation, b: DeviceIncarnation): number {
  if (a.device !== b.device) return Buffer.compare(keyOfDevice(a.device), keyOfDevice(b.device))
  return a.incarnation - b.incarnation
}
