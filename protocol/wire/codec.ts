/** The form of each message: a CBOR array whose first item is its number (wire.md §3). */

import { concatBytes, fromHex, toHex } from '../bytes.ts'
import { type CborValue, decodeCbor, encodeCbor } from '../cbor.ts'
import { CellarError, errorCodeFromWire, errorCodeToWire } from '../errors.ts'
import { Fields } from '../fields.ts'
import type { ChunkId, DeviceId, MeshId, OrderId, RootId, UploadId } from '../ids.ts'
import {
  frameBytesMax,
  headBytesMax,
  headsPerListingMax,
  horizonEntriesMax,
  idsPerMessageMax,
  listingSeqMax,
  membershipEntriesMax,
  membershipEntryBytesMax,
  messageItemsMax,
  noticeBytesMax,
  orderDirectoryBytesMax,
  orderNameBytesMax,
  pairingFieldsMax,
  pairingGiftBytesMax,
  proveIdsMax,
  quotaBytesMax,
  wireTextBytesMax,
} from '../limits.ts'
import type { ListingHash } from '../listing/types.ts'
import { deviceFromKey, keyOfDevice } from '../statement.ts'
import type { HeadName, HeadNotice, Message } from './messages.ts'
import { patternsValue, progressValues, readPatterns, readPath, readProgress, STATES } from './orders.ts'

type Type = Message['type']

/** How the fields of one type of message are written and read. */
interface Form<T extends Type> {
  /** Its number on the wire; numbers are never used again. */
  readonly number: number
  readonly write: (message: Extract<Message, { type: T }>) => CborValue[]
  readonly read: (fields: Fields) => Extract<Message, { type: T }>
}

const REQUEST_MAX = 0xffff_ffff
const VERSION_MAX = 0xffff
const PROGRAM_BYTES_MAX = 64
const MAC_BYTES = 32
const UPLOAD_BYTES = 16
const ORDER_BYTES = 16
const WORDS = { what: 'a message', code: 'PEER_PROTOCOL' } as const

const FORMS: { readonly [T in Exclude<Type, PairingType>]: Form<T> } = {
  hello: {
    number: 0,
    write: (m) => [
      fromHex(m.mesh),
      keyOfDevice(m.device),
      m.incarnation,
      m.version,
      m.epoch,
      fromHex(m.membershipHead),
      m.program,
    ],
    read: (fields) => ({
      type: 'hello',
      mesh: toHex(fields.bytes(32)) as MeshId,
      ...readLane(fields),
      version: fields.int(1, VERSION_MAX),
      epoch: readEpoch(fields),
      membershipHead: toHex(fields.bytes(32)),
      program: fields.text(PROGRAM_BYTES_MAX),
    }),
  },
  heads: {
    number: 1,
    write: (m) => [m.heads.map(headNameValues)],
    read: (fields) => ({
      type: 'heads',
      heads: fields.list(horizonEntriesMax, (value) => {
        const row = fields.nested(value)
        const name = readHeadName(row)
        row.end()
        return name
      }),
    }),
  },
  getListing: {
    number: 2,
    write: (m) => [
      keyOfDevice(m.device),
      m.incarnation,
      m.fromSeq,
      m.tip === undefined ? null : fromHex(m.tip),
    ],
    read: (fields) => ({
      type: 'getListing',
      ...readLane(fields),
      fromSeq: fields.int(1, listingSeqMax),
      ...(!fields.skipNull() && { tip: toHex(fields.bytes(32)) as ListingHash }),
    }),
  },
  listing: {
    number: 3,
    write: (m) => [m.heads, m.body, m.isMore],
    read: (fields) => ({
      type: 'listing',
      heads: readBytesList(fields, headsPerListingMax, headBytesMax),
      body: fields.bytes(0, frameBytesMax),
      isMore: fields.boolean(),
    }),
  },
  getMembership: {
    number: 4,
    write: (m) => [m.fromEpoch],
    read: (fields) => ({ type: 'getMembership', fromEpoch: readEpoch(fields) }),
  },
  membership: {
    number: 5,
    write: (m) => [m.entries],
    read: (fields) => ({
      type: 'membership',
      entries: readBytesList(fields, membershipEntriesMax, membershipEntryBytesMax),
    }),
  },
  error: {
    number: 6,
    write: (m) => [errorCodeToWire(m.code), cutText(m.message)],
    read: (fields) => ({
      type: 'error',
      code: errorCodeFromWire(fields.uint(0xffff)),
      message: fields.text(wireTextBytesMax),
    }),
  },
  ping: { number: 7, write: () => [], read: () => ({ type: 'ping' }) },
  pong: { number: 8, write: () => [], read: () => ({ type: 'pong' }) },
  want: {
    number: 9,
    write: (m) => [m.request, idsValue(m.ids)],
    read: (fields) => ({ type: 'want', request: fields.uint(REQUEST_MAX), ids: readIds(fields) }),
  },
  absent: {
    number: 10,
    write: (m) => [m.request, idsValue(m.ids)],
    read: (fields) => ({ type: 'absent', request: fields.uint(REQUEST_MAX), ids: readIds(fields) }),
  },
  done: {
    number: 11,
    write: (m) => [m.request],
    read: (fields) => ({ type: 'done', request: fields.uint(REQUEST_MAX) }),
  },
  corrupt: {
    number: 12,
    write: (m) => [idsValue(m.ids)],
    read: (fields) => ({ type: 'corrupt', ids: readIds(fields) }),
  },
  prove: {
    number: 13,
    write: (m) => [m.request, m.nonce, idsValue(m.ids)],
    read: (fields) => ({
      type: 'prove',
      request: fields.uint(REQUEST_MAX),
      nonce: fields.bytes(32),
      ids: readProveIds(fields),
    }),
  },
  proof: {
    number: 14,
    write: (m) => [m.request, concatBytes(m.macs)],
    read: (fields) => ({ type: 'proof', request: fields.uint(REQUEST_MAX), macs: readMacs(fields) }),
  },
  missing: {
    number: 15,
    write: (m) => [idsValue(m.ids)],
    read: (fields) => ({ type: 'missing', ids: readIds(fields) }),
  },
  uploadOpen: {
    number: 21,
    write: (m) => [fromHex(m.upload)],
    read: (fields) => ({ type: 'uploadOpen', upload: toHex(fields.bytes(UPLOAD_BYTES)) as UploadId }),
  },
  uploadReady: {
    number: 22,
    write: (m) => [m.roomBytes],
    read: (fields) => ({ type: 'uploadReady', roomBytes: fields.uint(quotaBytesMax) }),
  },
  deposit: {
    number: 23,
    write: (m) => [m.request, idsValue(m.ids)],
    read: (fields) => ({ type: 'deposit', request: fields.uint(REQUEST_MAX), ids: readDepositIds(fields) }),
  },
  lacking: {
    number: 24,
    write: (m) => [m.request, idsValue(m.ids)],
    read: (fields) => ({ type: 'lacking', request: fields.uint(REQUEST_MAX), ids: readIds(fields) }),
  },
  durable: {
    number: 25,
    write: (m) => [m.request],
    read: (fields) => ({ type: 'durable', request: fields.uint(REQUEST_MAX) }),
  },
  uploadClose: {
    number: 26,
    write: (m) => [m.request, idsValue(m.roots)],
    read: (fields) => ({ type: 'uploadClose', request: fields.uint(REQUEST_MAX), roots: readIds(fields) }),
  },
  restoreOrder: {
    number: 27,
    write: (m) => [fromHex(m.order), fromHex(m.root), m.path, patternsValue(m.patterns), m.name],
    read: (fields) => ({
      type: 'restoreOrder',
      order: readOrderId(fields),
      root: toHex(fields.bytes(32)) as RootId,
      path: readPath(fields),
      patterns: readPatterns(fields),
      name: fields.text(orderNameBytesMax),
    }),
  },
  restoreAsk: {
    number: 28,
    write: (m) => [fromHex(m.order)],
    read: (fields) => ({ type: 'restoreAsk', order: readOrderId(fields) }),
  },
  restoreState: {
    number: 29,
    write: (m) => [
      STATES.indexOf(m.state),
      progressValues(m.progress),
      m.code === undefined ? null : errorCodeToWire(m.code),
      m.directory ?? null,
    ],
    read: (fields) => ({
      type: 'restoreState',
      state: STATES[fields.uint(STATES.length - 1)] ?? 'failed',
      progress: readProgress(fields.nested()),
      ...(!fields.skipNull() && { code: errorCodeFromWire(fields.uint(0xffff)) }),
      ...(!fields.skipNull() && { directory: fields.text(orderDirectoryBytesMax) }),
    }),
  },
  restoreWithdraw: { number: 30, write: () => [], read: () => ({ type: 'restoreWithdraw' }) },
}

type PairingType = 'pake' | 'confirm' | 'offer' | 'accept' | 'refuse'

/** Steps of pairing have numbers from 16 on and one form. */
const PAIRING: readonly PairingType[] = ['pake', 'confirm', 'offer', 'accept', 'refuse']
const PAIRING_FIRST = 16

/** Encodes a message, fresh; without the byte of its frame. */
export function encodeMessageBody(message: Message): Uint8Array {
  switch (message.type) {
    case 'pake':
    case 'confirm':
    case 'offer':
    case 'accept':
    case 'refuse':
      return encodeCbor([PAIRING_FIRST + PAIRING.indexOf(message.type), message.fields])
    default: {
      const form = FORMS[message.type] as Form<Type>
      return encodeCbor([form.number, ...form.write(message)])
    }
  }
}

const BY_NUMBER = new Map<number, Form<Type>>(
  Object.values(FORMS).map((form) => [form.number, form as unknown as Form<Type>]),
)

/**
 * Decodes a message.
 *
 * @param bytes - borrowed
 * @throws {CellarError} `PEER_PROTOCOL` for anything but one known message in its one form
 */
export function decodeMessageBody(bytes: Uint8Array): Message {
  const bounds = { bytesMax: frameBytesMax, depthMax: 3, itemsMax: messageItemsMax }
  const fields = new Fields(decodeCbor(bytes, { ...WORDS, ...bounds }), WORDS)
  const number = fields.uint(0xff)
  const pairing = PAIRING[number - PAIRING_FIRST]
  const form = BY_NUMBER.get(number)
  if (pairing === undefined && form === undefined) {
    throw new CellarError('PEER_PROTOCOL', 'a message of an unknown type', { number })
  }
  const message: Message =
    pairing === undefined
      ? (form as Form<Type>).read(fields)
      : { type: pairing, fields: readBytesList(fields, pairingFieldsMax, pairingGiftBytesMax) }
  fields.end()
  return message
}

/** Encodes a notice of a new listing, for gossip; fresh. */
export function encodeHeadNotice(notice: HeadNotice): Uint8Array {
  return encodeCbor([1, fromHex(notice.mesh), notice.epoch, ...headNameValues(notice)])
}

/**
 * Decodes a notice of a new listing.
 *
 * @param bytes - borrowed
 * @throws {CellarError} `PEER_PROTOCOL`
 */
export function decodeHeadNotice(bytes: Uint8Array): HeadNotice {
  const words = { what: 'a notice', code: 'PEER_PROTOCOL' } as const
  const fields = new Fields(decodeCbor(bytes, { ...words, bytesMax: noticeBytesMax, depthMax: 1 }), words)
  fields.int(1, 1)
  const mesh = toHex(fields.bytes(32)) as MeshId
  const epoch = readEpoch(fields)
  const name = readHeadName(fields)
  fields.end()
  return { mesh, epoch, ...name }
}

function readEpoch(fields: Fields): number {
  return fields.uint(membershipEntriesMax)
}

function readLane(fields: Fields): { device: DeviceId; incarnation: number } {
  return { device: deviceFromKey(fields.bytes(32)), incarnation: fields.int(1, membershipEntriesMax) }
}

function headNameValues(name: HeadName): CborValue[] {
  return [keyOfDevice(name.device), name.incarnation, name.seq, fromHex(name.hash)]
}

function readHeadName(fields: Fields): HeadName {
  return {
    ...readLane(fields),
    seq: fields.int(1, listingSeqMax),
    hash: toHex(fields.bytes(32)) as ListingHash,
  }
}

function readBytesList(fields: Fields, countMax: number, bytesMax: number): Uint8Array[] {
  return fields.list(countMax, (value) => {
    if (!(value instanceof Uint8Array) || value.byteLength > bytesMax)
      fields.fail('bytes are missing or too long')
    return value
  })
}

/** Ids go as one byte string, 32 bytes each. */
function idsValue(ids: readonly ChunkId[]): CborValue {
  if (ids.length > idsPerMessageMax) throw new RangeError('too many chunk ids for one message')
  return Buffer.from(ids.join(''), 'hex')
}

function readIds(fields: Fields): ChunkId[] {
  const bytes = fields.bytes(0, idsPerMessageMax * 32)
  if (bytes.byteLength % 32 !== 0) fields.fail('chunk ids of a wrong length')
  const hex = toHex(bytes)
  return Array.from({ length: hex.length / 64 }, (_, at) => hex.slice(at * 64, at * 64 + 64) as ChunkId)
}

/** W6.1: some, not too many, and none twice: to answer costs a read of each. */
function readProveIds(fields: Fields): ChunkId[] {
  const ids = readDepositIds(fields)
  if (ids.length > proveIdsMax) fields.fail('chunk ids of a wrong length')
  return ids
}

/** W7.1: some, and none twice. */
function readDepositIds(fields: Fields): ChunkId[] {
  const ids = readIds(fields)
  if (ids.length === 0) fields.fail('chunk ids of a wrong length')
  if (new Set(ids).size !== ids.length) fields.fail('a chunk is named twice')
  return ids
}

function readOrderId(fields: Fields): OrderId {
  return toHex(fields.bytes(ORDER_BYTES)) as OrderId
}

function readMacs(fields: Fields): Uint8Array[] {
  const bytes = fields.bytes(MAC_BYTES, proveIdsMax * MAC_BYTES)
  if (bytes.byteLength % MAC_BYTES !== 0) fields.fail('proofs of a wrong length')
  return Array.from({ length: bytes.byteLength / MAC_BYTES }, (_, at) =>
    bytes.slice(at * MAC_BYTES, (at + 1) * MAC_BYTES),
  )
}

/** As much of a text as may be sent. */
function cutText(text: string): string {
  let cut = text.slice(0, wireTextBytesMax)
  while (Buffer.byteLength(cut) > wireTextBytesMax) cut = cut.slice(0, -1)
  return cut.toWellFormed()
}
