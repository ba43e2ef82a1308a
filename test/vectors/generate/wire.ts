/** Vectors of frames, messages and notices (wire.md). */

import {
  type CborValue,
  concatBytes,
  encodeCbor,
  encodeChunkFrame,
  encodeHeadNotice,
  encodeMessage,
  frameBytesMax,
  type HeadName,
  type ListingHash,
  type MeshId,
  type Message,
  proofOf,
  publicKeyOfDevice,
  signerFromSeed,
  toHex,
  type ChunkId,
  type OrderId,
  type UploadId,
} from '../../../protocol/index.ts'
import { toPlainJson, type Vector } from '../format.ts'

const DEVICE = signerFromSeed(new Uint8Array(32).fill(7)).device
const KEY = publicKeyOfDevice(DEVICE)
const MESH = '11'.repeat(32) as MeshId
const HASH = '22'.repeat(32) as ListingHash
const ID = 'ab'.repeat(32) as ChunkId
const ORDER = '44'.repeat(16) as OrderId
const NONCE = new Uint8Array(32).fill(5)
const NAME: HeadName = { device: DEVICE, incarnation: 1, seq: 9, hash: HASH }

const MESSAGES: Readonly<Record<string, Message>> = {
  hello: {
    type: 'hello',
    mesh: MESH,
    device: DEVICE,
    incarnation: 1,
    version: 1,
    epoch: 3,
    membershipHead: HASH,
    program: 'rootcellar 0.1.0',
  },
  heads: { type: 'heads', heads: [NAME] },
  'get-listing': { type: 'getListing', device: DEVICE, incarnation: 1, fromSeq: 4 },
  'get-listing-of-branch': { type: 'getListing', device: DEVICE, incarnation: 1, fromSeq: 4, tip: HASH },
  listing: {
    type: 'listing',
    heads: [new Uint8Array(3).fill(1), new Uint8Array(2).fill(2)],
    body: new Uint8Array(4).fill(3),
    isMore: false,
  },
  'get-membership': { type: 'getMembership', fromEpoch: 2 },
  membership: { type: 'membership', entries: [new Uint8Array(5).fill(6)] },
  error: { type: 'error', code: 'STORE_FULL', message: 'no room for more' },
  ping: { type: 'ping' },
  pong: { type: 'pong' },
  want: { type: 'want', request: 7, ids: [ID, '00'.repeat(32) as ChunkId] },
  absent: { type: 'absent', request: 7, ids: [ID] },
  done: { type: 'done', request: 4_294_967_295 },
  corrupt: { type: 'corrupt', ids: [ID] },
  missing: { type: 'missing', ids: [ID] },
  prove: {
    type: 'prove',
    request: 3,
    nonce: NONCE,
    ids: [ID, '00'.repeat(32) as ChunkId],
  },
  proof: { type: 'proof', request: 3, macs: [new Uint8Array(32).fill(8), new Uint8Array(32)] },
  'upload-open': { type: 'uploadOpen', upload: '33'.repeat(16) as UploadId },
  'upload-ready': { type: 'uploadReady', roomBytes: 5_000_000_000 },
  deposit: { type: 'deposit', request: 1, ids: [ID, '00'.repeat(32) as ChunkId] },
  lacking: { type: 'lacking', request: 1, ids: [ID] },
  'lacking-nothing': { type: 'lacking', request: 1, ids: [] },
  durable: { type: 'durable', request: 1 },
  'upload-close': { type: 'uploadClose', request: 9, roots: [ID] },
  'upload-close-without-root': { type: 'uploadClose', request: 9, roots: [] },
  'restore-order': {
    type: 'restoreOrder',
    order: ORDER,
    root: ID,
    path: Buffer.from('/home/ann'),
    patterns: {
      includes: [Buffer.from('*.odt')],
      iincludes: [],
      excludes: [Uint8Array.of(0xff)],
      iexcludes: [],
    },
    name: 'photos',
  },
  'restore-order-of-all': {
    type: 'restoreOrder',
    order: ORDER,
    root: ID,
    path: new Uint8Array(0),
    patterns: { includes: [], iincludes: [], excludes: [], iexcludes: [] },
    name: '',
  },
  'restore-ask': { type: 'restoreAsk', order: ORDER },
  'restore-state-waiting': {
    type: 'restoreState',
    state: 'waiting',
    progress: { files: 0, filesTotal: 0, bytes: 0, bytesTotal: 0, errors: 0 },
  },
  'restore-state-failed': {
    type: 'restoreState',
    state: 'failed',
    progress: { files: 1, filesTotal: 2, bytes: 3, bytesTotal: 5_000_000_000, errors: 1 },
    code: 'TARGET_FULL',
    directory: 'photos-2',
  },
  'restore-withdraw': { type: 'restoreWithdraw' },
  pake: { type: 'pake', fields: [new Uint8Array(32).fill(1)] },
  confirm: { type: 'confirm', fields: [] },
  offer: { type: 'offer', fields: [new Uint8Array(1)] },
  accept: { type: 'accept', fields: [] },
  refuse: { type: 'refuse', fields: [] },
}

function goodVectors(): Vector[] {
  const success = { expect: 'success', of: 'frame' }
  const messages = Object.entries(MESSAGES).map(([name, message]) => ({
    name: `message-${name}`,
    header: { spec: 'wire.md W3.1', ...success, value: toPlainJson({ kind: 'message', message }) },
    body: encodeMessage(message),
  }))
  const chunk = Uint8Array.of(9, 8, 7)
  const value = toPlainJson({ kind: 'chunk', request: 258, chunk })
  const notice = { ...NAME, mesh: MESH, epoch: 3 }
  return [
    ...messages,
    {
      name: 'chunk',
      header: { spec: 'wire.md W2.1', ...success, value },
      body: concatBytes(encodeChunkFrame(258, chunk)),
    },
    {
      name: 'notice',
      header: { spec: 'wire.md W5.1', expect: 'success', of: 'notice', value: toPlainJson(notice) },
      body: encodeHeadNotice(notice),
    },
  ]
}

interface Fault {
  readonly rule: string
  readonly reason: string
  readonly expect?: string
  readonly of?: string
}

function fault(
  name: string,
  { rule, reason, expect = 'PEER_PROTOCOL', of = 'frame' }: Fault,
  body: Uint8Array,
): Vector {
  return { name, header: { spec: `wire.md ${rule}`, expect, reason, of }, body }
}

/** A frame of a message with these items. */
function message(...items: readonly CborValue[]): Uint8Array {
  return concatBytes([Uint8Array.of(0), encodeCbor(items)])
}

function faultVectors(): Vector[] {
  const neither = { rule: 'W2.1', reason: 'neither a message nor a chunk' }
  const form = (reason: string): Fault => ({ rule: 'W3.2', reason })
  const proveIds = (reason: string): Fault => ({ rule: 'W6.1', reason })
  const depositIds = (reason: string): Fault => ({ rule: 'W7.1', reason })
  const notice = [1, new Uint8Array(32), 3, KEY, 1, 9, new Uint8Array(32)]
  return [
    fault('frame-empty', neither, new Uint8Array(0)),
    fault('frame-of-unknown-type', neither, Uint8Array.of(2, 0, 0, 0, 0)),
    fault('chunk-head-cut', neither, Uint8Array.of(1, 0, 0, 0)),
    fault('message-of-unknown-number', { rule: 'W3.1', reason: 'unknown type' }, message(255)),
    fault(
      'message-is-a-map',
      form('not an array'),
      concatBytes([Uint8Array.of(0), encodeCbor(new Map([['type', 'ping']]))]),
    ),
    fault('message-without-number', form('a field is missing'), message()),
    fault('message-cut', form('it ends too early'), Uint8Array.of(0, 0x81, 0x18)),
    fault('message-and-more', form('something follows'), concatBytes([message(7), Uint8Array.of(0)])),
    fault('message-field-more', form('too many fields'), message(7, 0)),
    fault('message-nested-too-deeply', form('nested too deeply'), message(1, [[[0]]])),
    fault(
      'hello-program-too-long',
      form('too long'),
      message(0, new Uint8Array(32), KEY, 1, 1, 3, new Uint8Array(32), 'x'.repeat(65)),
    ),
    fault('get-listing-from-zero', form('out of range'), message(2, KEY, 1, 0, null)),
    fault(
      'listing-head-too-long',
      form('too long'),
      message(3, [new Uint8Array(513)], new Uint8Array(1), false),
    ),
    fault('membership-entry-too-long', form('too long'), message(5, [new Uint8Array(1025)])),
    fault('want-ids-cut', { rule: 'W3.3', reason: 'wrong length' }, message(9, 7, new Uint8Array(33))),
    fault(
      'want-too-many-ids',
      { rule: 'W3.3', reason: 'wrong length' },
      message(9, 7, new Uint8Array(1025 * 32)),
    ),
    fault('want-request-beyond-32-bits', form('out of range'), message(9, 2 ** 32, new Uint8Array(32))),
    fault('prove-nothing', proveIds('wrong length'), message(13, 3, NONCE, new Uint8Array(0))),
    fault(
      'prove-too-many-ids',
      proveIds('wrong length'),
      message(13, 3, NONCE, concatBytes(Array.from({ length: 65 }, (_, n) => new Uint8Array(32).fill(n)))),
    ),
    fault('prove-twice', proveIds('named twice'), message(13, 3, NONCE, new Uint8Array(64))),
    fault('prove-nonce-cut', form('wrong length'), message(13, 3, NONCE.subarray(1), new Uint8Array(32))),
    fault('proof-cut', form('wrong length'), message(14, 3, new Uint8Array(33))),
    fault('proof-of-nothing', form('wrong length'), message(14, 3, new Uint8Array(0))),
    fault('proof-too-long', form('wrong length'), message(14, 3, new Uint8Array(65 * 32))),
    fault('upload-id-cut', form('wrong length'), message(21, new Uint8Array(15))),
    fault('upload-room-beyond-a-pebibyte', form('out of range'), message(22, 2 ** 50 + 1)),
    fault('deposit-of-nothing', depositIds('wrong length'), message(23, 1, new Uint8Array(0))),
    fault('deposit-twice', depositIds('named twice'), message(23, 1, new Uint8Array(64))),
    fault('deposit-too-many-ids', depositIds('wrong length'), message(23, 1, new Uint8Array(1025 * 32))),
    fault(
      'upload-close-root-cut',
      { rule: 'W3.3', reason: 'wrong length' },
      message(26, 9, new Uint8Array(31)),
    ),
    ...orderFaults(),
    fault(
      'pairing-too-many-fields',
      form('too long'),
      message(
        16,
        Array.from({ length: 17 }, () => new Uint8Array(1)),
      ),
    ),
    fault(
      'notice-version-2',
      { rule: 'W5.1', reason: 'out of range', of: 'notice' },
      encodeCbor([2, ...notice.slice(1)]),
    ),
    fault(
      'notice-field-more',
      { rule: 'W5.1', reason: 'too many fields', of: 'notice' },
      encodeCbor([...notice, 0]),
    ),
    fault(
      'notice-seq-zero',
      { rule: 'W5.1', reason: 'out of range', of: 'notice' },
      encodeCbor(notice.map((old, n) => (n === 5 ? 0 : old))),
    ),
  ]
}

/** An order with one thing wrong. */
function orderFaults(): Vector[] {
  const id = new Uint8Array(16)
  const order = (path: Uint8Array, patterns: CborValue, name = ''): Uint8Array =>
    message(27, id, new Uint8Array(32), path, patterns, name)
  const none = [[], [], [], []]
  const wrong = (name: string, reason: string, body: Uint8Array): Vector =>
    fault(`restore-${name}`, { rule: 'W8.1', reason }, body)
  const many = Array.from({ length: 33 }, () => Uint8Array.of(97))
  const form = (reason: string): Fault => ({ rule: 'W3.2', reason })
  return [
    wrong('path-not-absolute', 'not absolute', order(Buffer.from('home'), none)),
    wrong('path-with-zero', 'not absolute', order(Buffer.from('/a\0b'), none)),
    fault('restore-path-too-long', form('wrong length'), order(new Uint8Array(65_537).fill(0x2f), none)),
    wrong('patterns-too-many', 'too many patterns', order(new Uint8Array(0), [many, [], many, []])),
    wrong(
      'pattern-empty',
      'missing or too long',
      order(new Uint8Array(0), [[new Uint8Array(0)], [], [], []]),
    ),
    wrong(
      'pattern-too-long',
      'missing or too long',
      order(new Uint8Array(0), [[], [new Uint8Array(4097).fill(97)], [], []]),
    ),
    wrong('pattern-with-zero', 'a zero byte', order(new Uint8Array(0), [[], [], [Buffer.from('a\0')], []])),
    wrong('patterns-of-three-kinds', 'missing', order(new Uint8Array(0), [[], [], []])),
    fault('restore-name-too-long', form('too long'), order(new Uint8Array(0), none, 'x'.repeat(65))),
    fault('restore-id-cut', form('wrong length'), message(28, new Uint8Array(15))),
    fault('restore-state-unknown', form('out of range'), message(29, 8, [0, 0, 0, 0, 0], null, null)),
    fault('restore-progress-negative', form('out of range'), message(29, 2, [0, 0, -1, 0, 0], null, null)),
    fault(
      'restore-directory-too-long',
      form('too long'),
      message(29, 3, [0, 0, 0, 0, 0], null, 'x'.repeat(129)),
    ),
  ]
}

/** Unknown error numbers are read, as `PEER_ERROR`. */
function unknownErrorVector(): Vector {
  const value = toPlainJson({
    kind: 'message',
    message: { type: 'error', code: 'PEER_ERROR', message: 'from the future' },
  })
  const header = {
    spec: 'wire.md W3.4',
    expect: 'success',
    of: 'frame',
    value,
    'one-way': 'its number is not written again',
  }
  return { name: 'error-of-unknown-number', header, body: message(6, 9999, 'from the future') }
}

/** Frames too long are described, not stored: their length stands in the header. */
function longVectors(): Vector[] {
  const long = (name: string, type: number, bytes: number): Vector => ({
    name,
    header: {
      spec: 'wire.md W2.2',
      expect: 'FRAME_TOO_LONG',
      reason: 'longer than allowed',
      of: 'frame',
      zeros: String(bytes - 1),
    },
    body: Uint8Array.of(type),
  })
  return [long('frame-too-long', 0, frameBytesMax + 1), long('chunk-too-long', 1, 8 * 1024 * 1024 + 6)]
}

/** What a device that has a chunk answers to a nonce. */
function macVectors(): Vector[] {
  const chunk = Uint8Array.of(9, 8, 7)
  const header = { spec: 'wire.md W6.2', expect: 'success', of: 'mac', nonce: toHex(NONCE), device: DEVICE }
  return [{ name: 'mac', header: { ...header, chunk: toHex(chunk) }, body: proofOf(NONCE, DEVICE, chunk) }]
}

/** All vectors of the wire. */
export function wireVectors(): Vector[] {
  return [...goodVectors(), ...faultVectors(), unknownErrorVector(), ...longVectors(), ...macVectors()]
}
