/** Vectors of root listings (listing.md). */

import {
  type CborValue,
  type DeviceId,
  digestSteps,
  encodeCbor,
  type Forget,
  fromHex,
  NO_BASE,
  publicKeyOfDevice,
  type RootId,
  sha256Hex,
  signerFromSeed,
  signStatement,
  toHex,
} from '../../../protocol/index.ts'
import type { Vector } from '../format.ts'

const SIGNER = signerFromSeed(new Uint8Array(32).fill(7))
const OTHER = signerFromSeed(new Uint8Array(32).fill(8))
const KEY = publicKeyOfDevice(SIGNER.device)
const OTHER_KEY = publicKeyOfDevice(OTHER.device)
const AT_MS = 1_700_000_000_000

/** 32 bytes of one value. */
function fill(value: number): Uint8Array {
  return new Uint8Array(32).fill(value)
}

/** The fields of a good head, by position (listing.md §2). */
function headValues(bodyHash = fill(0xbb), digest = fill(0)): CborValue[] {
  return [1, fill(0x11), KEY, 1, 2, fill(0x22), 3, AT_MS, digest, bodyHash]
}

/** The values with some positions replaced. */
function replaced(values: readonly CborValue[], changes: Readonly<Record<number, CborValue>>): CborValue[] {
  return values.map((value, at) => changes[at] ?? value)
}

function signed(content: Uint8Array): Uint8Array {
  return signStatement('listing', content, SIGNER)
}

interface Fault {
  readonly rule: string
  readonly reason: string
  readonly expect?: string
}

function headFault(
  name: string,
  { rule, reason, expect = 'LISTING_INVALID' }: Fault,
  bytes: Uint8Array,
): Vector {
  return {
    name: `head-${name}`,
    header: { spec: `listing.md ${rule}`, expect, reason, of: 'head' },
    body: bytes,
  }
}

function headGood(name: string, values: readonly CborValue[]): Vector {
  const content = encodeCbor(values)
  const header = { spec: 'listing.md L2.1', expect: 'success', of: 'head', hash: sha256Hex(content) }
  return { name, header, body: signed(content) }
}

/** A signed head with some fields replaced by what they must not be. */
function headWith(name: string, fault: Fault, changes: Readonly<Record<number, CborValue>>): Vector {
  return headFault(name, fault, signed(encodeCbor(replaced(headValues(), changes))))
}

function headVectors(): Vector[] {
  const good = signed(encodeCbor(headValues()))
  const forged = Uint8Array.from(good)
  forged[forged.length - 1] = (forged.at(-1) as number) ^ 1
  const first: CborValue[] = headValues()
  first[4] = 1
  first[5] = null
  const second: CborValue[] = headValues()
  second[5] = null
  const range = { rule: 'L2.2', reason: 'out of range' }
  return [
    headGood('head', headValues()),
    headGood('head-first', first),
    headFault('forged', { rule: 'L2.1', reason: 'did not sign' }, forged),
    headFault(
      'signed-by-another',
      { rule: 'L2.1', reason: 'did not sign' },
      signStatement('listing', encodeCbor(headValues()), OTHER),
    ),
    headFault(
      'signed-as-membership',
      { rule: 'L2.1', reason: 'did not sign' },
      signStatement('membership', encodeCbor(headValues()), SIGNER),
    ),
    headFault('signature-only', { rule: 'L2.2', reason: 'ends too early' }, good.subarray(-64)),
    headFault('nothing', { rule: 'L2.2', reason: 'ends too early' }, new Uint8Array(0)),
    headFault(
      'field-missing',
      { rule: 'L2.2', reason: 'a field is missing' },
      signed(encodeCbor(headValues().slice(0, -1))),
    ),
    headFault(
      'field-more',
      { rule: 'L2.2', reason: 'too many fields' },
      signed(encodeCbor([...headValues(), 0])),
    ),
    headFault(
      'number-not-shortest',
      { rule: 'L2.2', reason: 'shortest' },
      signed(longerVersion(encodeCbor(headValues()))),
    ),
    headFault(
      'too-large',
      { rule: 'L2.2', reason: 'larger than allowed' },
      signed(encodeCbor([...headValues(), new Uint8Array(512)])),
    ),
    headWith('seq-zero', range, { 4: 0 }),
    headWith('seq-beyond-32-bits', range, { 4: 2 ** 32 }),
    headWith('incarnation-zero', range, { 3: 0 }),
    headWith('epoch-beyond-any-log', range, { 6: 4097 }),
    headWith('mesh-of-31-bytes', { rule: 'L2.2', reason: 'wrong length' }, { 1: new Uint8Array(31) }),
    headFault(
      'second-without-prev',
      { rule: 'L2.3', reason: 'has none before it' },
      signed(encodeCbor(second)),
    ),
    headWith('first-with-prev', { rule: 'L2.3', reason: 'has none before it' }, { 4: 1 }),
    headWith('version-2', { rule: 'L2.4', reason: 'later format', expect: 'VERSION_UNKNOWN' }, { 0: 2 }),
  ]
}

/** The version number 1 in two bytes. */
function longerVersion(content: Uint8Array): Uint8Array {
  return Uint8Array.of(content[0] as number, 0x18, 0x01, ...content.subarray(2))
}

const FORGETS: readonly Forget[] = [
  forget({ device: SIGNER.device, seq: 1, n: 0, root: 0xa0, at: 1, epoch: 2 }),
  forget({ device: OTHER.device, seq: 4, n: 1, root: 0xa1, at: 2, epoch: 3 }),
]

interface ForgetParts {
  readonly device: DeviceId
  readonly seq: number
  readonly n: number
  readonly root: number
  readonly at: number
  readonly epoch: number
}

function forget({ device, seq, n, root, at, epoch }: ForgetParts): Forget {
  const dot = { device, incarnation: 1, seq, n }
  return { dot, root: toHex(fill(root)) as RootId, reason: 'retention', seq: at, epoch }
}

function forgetRow({ dot, root }: Forget): CborValue {
  return [publicKeyOfDevice(dot.device), dot.incarnation, dot.seq, dot.n, fromHex(root), 1]
}

const GROUPS: readonly CborValue[] = FORGETS.map((one) => [one.seq, one.epoch, [forgetRow(one)]])

/** The digest that the head must carry for the good forgets. */
const DIGEST = fromHex(digestSteps(NO_BASE, FORGETS).at(2) as string)

function addRow(seq: number, n: number): CborValue {
  return [seq, n, fill(0xa0 + seq + n), new Uint8Array(16).fill(5), 30]
}

/** Horizon entries in order: the key of SIGNER is ea4a…, that of OTHER 139f…. */
const HORIZON: readonly CborValue[] = [
  [OTHER_KEY, 1, 4, fill(0x44)],
  [KEY, 1, 1, fill(0x22)],
]

/** The fields of a good body, by position (listing.md §3). */
function bodyValues(): CborValue[] {
  const holds = Buffer.concat([fill(0xa0), fill(0xa1)])
  return [
    1,
    [addRow(1, 0), addRow(1, 1), addRow(2, 0)],
    [0, fill(0)],
    GROUPS,
    holds,
    [[fill(0xa1), 2]],
    HORIZON,
    true,
    true,
    fill(0xa2),
  ]
}

/** A head that names the body, and the body. */
function bodyVector(
  name: string,
  header: Readonly<Record<string, string>>,
  body: Uint8Array,
  digest = DIGEST,
): Vector {
  const head = signed(encodeCbor(headValues(fromHex(sha256Hex(body)), digest)))
  return { name, header: { ...header, of: 'body', head: toHex(head) }, body }
}

function bodyWith(name: string, fault: Fault, changes: Readonly<Record<number, CborValue>>): Vector {
  const { rule, reason, expect = 'LISTING_INVALID' } = fault
  const body = encodeCbor(replaced(bodyValues(), changes))
  return bodyVector(`body-${name}`, { spec: `listing.md ${rule}`, expect, reason }, body)
}

function bodyVectors(): Vector[] {
  const order = (rule: string): Fault => ({ rule, reason: 'not in order' })
  const [first, second] = GROUPS as [CborValue, CborValue]
  const [one, two] = HORIZON as [CborValue, CborValue]
  const row = forgetRow(FORGETS[0] as Forget)
  const success = { spec: 'listing.md L3.1', expect: 'success' }
  const empty = encodeCbor([
    1,
    [],
    [0, fill(0)],
    [],
    new Uint8Array(0),
    [],
    [],
    false,
    false,
    new Uint8Array(0),
  ])
  const dropped = encodeCbor(
    replaced(bodyValues(), { 2: [1, fromHex(digestSteps(NO_BASE, FORGETS).at(1) as string)], 3: [second] }),
  )
  const other = { rule: 'L4.2', reason: 'other forgets than its head' }
  return [
    bodyVector('body', success, encodeCbor(bodyValues())),
    bodyVector('body-empty', success, empty, fill(0)),
    bodyVector('body-forgets-dropped', { ...success, spec: 'listing.md L4.2' }, dropped),
    {
      name: 'body-of-another-head',
      header: {
        spec: 'listing.md L3.1',
        expect: 'LISTING_INVALID',
        reason: 'its head names',
        of: 'body',
        head: toHex(signed(encodeCbor(headValues()))),
      },
      body: encodeCbor(bodyValues()),
    },
    bodyWith('version-2', { rule: 'L3.2', reason: 'later format', expect: 'VERSION_UNKNOWN' }, { 0: 2 }),
    bodyWith('adds-not-in-order', order('L3.3'), { 1: [addRow(1, 1), addRow(1, 0)] }),
    bodyWith('adds-with-one-dot', order('L3.3'), { 1: [addRow(1, 1), addRow(1, 1)] }),
    bodyWith('add-beyond-its-head', { rule: 'L3.3', reason: 'out of range' }, { 1: [addRow(3, 0)] }),
    bodyWith('holds-not-in-order', order('L3.4'), { 4: Buffer.concat([fill(0xa1), fill(0xa0)]) }),
    bodyWith('holds-twice', order('L3.4'), { 4: Buffer.concat([fill(0xa1), fill(0xa1)]) }),
    bodyWith('holds-cut', { rule: 'L3.4', reason: 'wrong length' }, { 4: new Uint8Array(33) }),
    bodyWith('shedding-what-is-not-held', { rule: 'L3.5', reason: 'not held' }, { 5: [[fill(0xa2), 2]] }),
    bodyWith('shedding-beyond-its-head', { rule: 'L3.5', reason: 'out of range' }, { 5: [[fill(0xa1), 3]] }),
    bodyWith('horizon-not-in-order', order('L3.6'), { 6: [two, one] }),
    bodyWith('horizon-twice', order('L3.6'), { 6: [one, one] }),
    bodyWith('leans-is-a-number', { rule: 'L3.2', reason: 'neither true nor false' }, { 7: 1 }),
    bodyWith('full-is-missing', { rule: 'L3.2', reason: 'neither true nor false' }, { 8: fill(0xa2) }),
    bodyWith('pins-not-in-order', order('L3.7'), { 9: Buffer.concat([fill(0xa3), fill(0xa2)]) }),
    bodyWith('pins-twice', order('L3.7'), { 9: Buffer.concat([fill(0xa2), fill(0xa2)]) }),
    bodyWith('pins-cut', { rule: 'L3.7', reason: 'wrong length' }, { 9: new Uint8Array(31) }),
    bodyWith('forgets-not-in-order', order('L4.1'), { 3: [second, first] }),
    bodyWith('forgets-twice', order('L4.1'), { 3: [[1, 2, [row, row]]] }),
    bodyWith('forgets-of-none', { rule: 'L4.1', reason: 'empty' }, { 3: [[1, 2, []]] }),
    bodyWith('forgets-below-their-base', order('L4.1'), { 2: [1, fill(0)] }),
    bodyWith('forget-beyond-its-head', { rule: 'L4.1', reason: 'out of range' }, { 3: [[3, 3, [row]]] }),
    bodyWith('forget-of-later-membership', { rule: 'L4.1', reason: 'out of range' }, { 3: [[2, 4, [row]]] }),
    bodyWith(
      'forget-of-older-membership',
      { rule: 'L4.3', reason: 'another membership' },
      { 3: [[2, 2, [row]]] },
    ),
    bodyWith('forget-left-out', other, { 3: [second] }),
    bodyWith('forget-dated-back', other, { 3: [[1, 2, [row, forgetRow(FORGETS[1] as Forget)].sort(byKey)]] }),
    bodyWith(
      'forget-of-unknown-reason',
      { rule: 'L4.1', reason: 'out of range' },
      { 3: [[1, 2, [[KEY, 1, 1, 0, fill(0xa0), 2]]]] },
    ),
  ]
}

function byKey(a: CborValue, b: CborValue): number {
  return Buffer.compare(encodeCbor(a), encodeCbor(b))
}

/** All vectors of listings. */
export function listingVectors(): Vector[] {
  return [...headVectors(), ...bodyVectors()]
}
