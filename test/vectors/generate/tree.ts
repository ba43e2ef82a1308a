/**
 * Vectors of trees: good ones with every kind of entry, and one for each rule a reader keeps (snapshot.md §2 to §4).
 */

import {
  type CborValue,
  type ChunkId,
  decodeCbor,
  encodeCbor,
  encodeTree,
  type Entry,
  toHex,
  treeDigest,
} from '../../../protocol/index.ts'
import { toPlainJson, type Vector } from '../format.ts'

const ID = (pair: string): ChunkId => pair.repeat(32) as ChunkId
const text = (value: string): Uint8Array => Buffer.from(value)

const COMMON = {
  mode: 0o644,
  uid: 1000,
  gid: 1000,
  user: 'anna',
  group: 'staff',
  mtimeNs: 1_700_000_000_123_456_789n,
  ctimeNs: 1_700_000_001_000_000_000n,
  inode: 42n,
  device: 2049n,
  linkCount: 1,
  size: 0,
} as const

const HELLO: Entry = {
  ...COMMON,
  type: 'file',
  name: text('hello.txt'),
  size: 5,
  content: { kind: 'bundle', chunk: ID('aa'), offset: 7, length: 5 },
}

/** One entry of every kind, in order. */
const ALL: readonly Entry[] = [
  { ...COMMON, type: 'block', name: text('block'), deviceNumber: { major: 8, minor: 1 } },
  { ...COMMON, type: 'char', name: text('char'), deviceNumber: { major: 5, minor: 0 }, mtimeNs: -1n },
  {
    ...COMMON,
    type: 'file',
    name: text('chunks'),
    size: 3_000_000,
    content: {
      kind: 'chunks',
      chunks: [
        { id: ID('ab'), length: 2_000_000 },
        { id: ID('ac'), length: 1_000_000 },
      ],
    },
    xattrs: [
      { name: text('user.a'), value: text('1') },
      { name: text('user.b'), value: new Uint8Array(0) },
    ],
  },
  {
    ...COMMON,
    type: 'dir',
    name: text('dir'),
    mode: 0o1777,
    trees: [ID('ad'), ID('ae')],
    size: 4096,
    linkCount: 3,
  },
  { ...COMMON, type: 'file', name: text('empty') },
  { ...COMMON, type: 'fifo', name: text('fifo') },
  HELLO,
  { ...COMMON, type: 'file', name: text('huge'), size: 2 ** 45, content: { kind: 'file', chunk: ID('af') } },
  { ...COMMON, type: 'symlink', name: text('link'), target: Uint8Array.of(0x2f, 0xff, 0xfe), size: 3 },
  {
    ...COMMON,
    type: 'file',
    name: text('sparse'),
    size: 1000,
    content: { kind: 'bundle', chunk: ID('aa'), offset: 12, length: 10 },
    holes: [
      { offset: 0, length: 500 },
      { offset: 510, length: 490 },
    ],
  },
  { ...COMMON, type: 'file', name: text('sparse-empty'), size: 100, holes: [{ offset: 0, length: 100 }] },
  withoutOwners({ ...COMMON, type: 'fifo', name: Uint8Array.of(0xff, 0x0a, 0x01) }),
]

function withoutOwners({ user: _user, group: _group, ...entry }: Entry): Entry {
  return entry
}

function good(name: string, entries: readonly Entry[], comment: string): Vector {
  const { raw, links } = encodeTree(entries)
  const header = { spec: 'snapshot.md S2.1 S3.1 S4.1', expect: 'success', comment, links: links.join(' ') }
  return {
    name,
    header: { ...header, digest: toHex(treeDigest(entries)), entries: toPlainJson(entries) },
    body: raw,
  }
}

/** The fields of a tree and of its columns, to be made wrong. */
interface Opened {
  readonly outer: CborValue[]
  readonly columns: CborValue[]
}

interface Fault {
  readonly rule: string
  readonly reason: string
  readonly expect?: string
}

/** A good tree, opened, made wrong, and encoded again. */
function bad(name: string, { rule, reason, expect }: Fault, change: (opened: Opened) => void): Vector {
  const { raw, links } = encodeTree(ALL)
  const options = { what: 'a vector', bytesMax: raw.byteLength }
  const outer = decodeCbor(raw, options) as CborValue[]
  const columns = decodeCbor(outer[6] as Uint8Array, options) as CborValue[]
  change({ outer, columns })
  if (outer.length > 6) outer[6] = encodeCbor(columns)
  const header = {
    spec: `snapshot.md ${rule}`,
    expect: expect ?? 'FORMAT_INVALID',
    reason,
    links: links.join(' '),
  }
  return { name, header, body: encodeCbor(outer) }
}

const bytesOf = (columns: CborValue[], column: number): Uint8Array => columns[column] as Uint8Array
const listOf = (columns: CborValue[], column: number): CborValue[][] => columns[column] as CborValue[][]

function outsideFaults(): Vector[] {
  const digestFault = { rule: 'S2.2', reason: 'the digest is not that of the entries' }
  return [
    bad(
      'version-unknown',
      { rule: 'S2.1', reason: 'a version', expect: 'VERSION_UNKNOWN' },
      ({ outer }) => (outer[0] = 2),
    ),
    bad('digest-wrong', digestFault, ({ outer }) => (outer[1] = new Uint8Array(32))),
    bad(
      'digest-short',
      { rule: 'S2.2', reason: 'bytes of a wrong length' },
      ({ outer }) => (outer[1] = new Uint8Array(31)),
    ),
    bad(
      'owners-not-in-order',
      { rule: 'S2.3', reason: 'names of owners are not in order' },
      ({ outer }) => (outer[2] = ['b', 'a']),
    ),
    bad('dirs-not-in-order', { rule: 'S2.4', reason: 'directories are not in order' }, ({ outer }) => {
      outer[4] = [
        [text('b'), [0]],
        [text('a'), [1]],
      ]
    }),
    bad(
      'dir-name-with-slash',
      { rule: 'S2.4', reason: 'a name is not allowed' },
      ({ outer }) => (outer[4] = [[text('a/b'), [0]]]),
    ),
    bad(
      'dir-without-parts',
      { rule: 'S2.4', reason: 'a directory has no parts' },
      ({ outer }) => (outer[4] = [[text('dir'), []]]),
    ),
    bad('dir-position-beyond', { rule: 'S2.4', reason: 'a position is out of range' }, ({ outer }) => {
      outer[4] = [[text('dir'), [99]]]
    }),
    bad('dir-position-no-number', { rule: 'S2.4', reason: 'a number is out of range' }, ({ outer }) => {
      outer[4] = [[text('dir'), ['length']]]
    }),
    bad(
      'count-too-large',
      { rule: 'S2.5', reason: 'a number is out of range' },
      ({ outer }) => (outer[5] = 8193),
    ),
    bad('field-added', { rule: 'S2.6', reason: 'too many fields' }, ({ outer }) => void outer.push(0)),
    bad('field-missing', { rule: 'S2.6', reason: 'a field is missing' }, ({ outer }) => void outer.splice(5)),
  ]
}

function columnFaults(): Vector[] {
  const left = (what: string): Fault => ({ rule: 'S4.2', reason: `${what} are left over` })
  return [
    bad('column-too-short', { rule: 'S4.1', reason: 'bytes of a wrong length' }, ({ columns }) => {
      columns[9] = bytesOf(columns, 9).subarray(1)
    }),
    bad('column-added', { rule: 'S4.1', reason: 'too many fields' }, ({ columns }) => void columns.push([])),
    bad(
      'names-left-over',
      left('names'),
      ({ columns }) => (columns[2] = Buffer.concat([bytesOf(columns, 2), text('x')])),
    ),
    bad('names-missing', { rule: 'S4.2', reason: 'names are missing' }, ({ columns }) => {
      columns[2] = bytesOf(columns, 2).subarray(0, -1)
    }),
    bad('runs-left-over', left('runs in bundles'), ({ columns }) => (columns[12] = new Uint8Array(24))),
    bad(
      'run-missing',
      { rule: 'S4.2', reason: 'a run in a bundle is missing' },
      ({ columns }) => (columns[12] = new Uint8Array(8)),
    ),
    bad(
      'runs-not-whole',
      { rule: 'S4.1', reason: 'not whole' },
      ({ columns }) => (columns[12] = new Uint8Array(9)),
    ),
    bad(
      'detail-left-over',
      { rule: 'S4.2', reason: 'too many fields' },
      ({ columns }) => void listOf(columns, 13).push([1, 1]),
    ),
    bad(
      'dirs-left-over',
      left('directories'),
      ({ outer }) =>
        (outer[4] = [
          [text('dir'), [0]],
          [text('z'), [1]],
        ]),
    ),
    bad(
      'dir-not-listed',
      { rule: 'S3.9', reason: 'a directory is not listed' },
      ({ outer }) => (outer[4] = []),
    ),
    bad('dir-under-other-name', { rule: 'S3.9', reason: 'listed under another name' }, ({ outer }) => {
      outer[4] = [[text('dis'), [0]]]
    }),
    bad(
      'form-unknown',
      { rule: 'S4.3', reason: 'a form is not known' },
      ({ columns }) => (bytesOf(columns, 0)[0] = 9),
    ),
    bad('owner-not-in-table', { rule: 'S4.4', reason: 'an owner is not in its table' }, ({ columns }) => {
      bytesOf(columns, 4).fill(9)
    }),
    bad(
      'device-not-in-table',
      { rule: 'S4.4', reason: 'a device is not in its table' },
      ({ columns }) => (columns[8] = []),
    ),
    bad(
      'user-not-in-table',
      { rule: 'S4.4', reason: 'a number is out of range' },
      ({ outer }) => (outer[2] = []),
    ),
    bad('link-position-beyond', { rule: 'S4.4', reason: 'a position is out of range' }, ({ columns }) => {
      bytesOf(columns, 12).fill(0x20)
    }),
    bad(
      'holes-not-in-order-of-entries',
      { rule: 'S4.5', reason: 'positions are not in order' },
      ({ columns }) => {
        listOf(columns, 14).reverse()
      },
    ),
  ]
}

function entryFaults(): Vector[] {
  const names = (name: string): ((opened: Opened) => void) => {
    return ({ columns }) => {
      // The first name is five bytes long.
      bytesOf(columns, 2).set(text(name))
    }
  }
  const name = { rule: 'S3.1', reason: 'a name is not allowed' }
  const hole = { rule: 'S3.6', reason: 'a hole is out of place' }
  const attribute = { rule: 'S3.8', reason: 'attributes are not in order' }
  const sum = { rule: 'S3.5', reason: 'do not add up' }
  const holes = (...flat: number[]): ((opened: Opened) => void) => {
    return ({ columns }) => {
      listOf(columns, 14)[0] = [9, flat]
    }
  }
  return [
    bad('name-with-slash', name, names('a/../')),
    bad('name-with-nul', name, names('a\0bcd')),
    bad('name-empty', name, shortenFirstName(0)),
    bad('name-dot', name, shortenFirstName(1, '.')),
    bad('name-dot-dot', name, shortenFirstName(2, '..')),
    bad('names-not-in-order', { rule: 'S3.2', reason: 'entries are not in order' }, names('zlock')),
    bad('name-twice', { rule: 'S3.2', reason: 'entries are not in order' }, ({ columns }) => {
      bytesOf(columns, 2).set(text('charcharchunk'.slice(0, 9)))
      bytesOf(columns, 1)[12] = 4
      columns[2] = Buffer.concat([text('charchar'), bytesOf(columns, 2).subarray(9)])
    }),
    bad(
      'mode-beyond',
      { rule: 'S3.3', reason: 'a number is out of range' },
      ({ columns }) => (listOf(columns, 3)[0] = [0o10000, 0, 0, 0, 0]),
    ),
    bad(
      'size-beyond-safe',
      { rule: 'S3.3', reason: 'size or count of links' },
      ({ columns }) => void bytesOf(columns, 11).fill(0xff, 0, 1),
    ),
    bad(
      'content-shorter-than-size',
      sum,
      ({ columns }) => (listOf(columns, 13)[2] = [1, 2_000_000, 2, 999_999]),
    ),
    bad(
      'content-of-no-chunks',
      { rule: 'S3.5', reason: 'names no chunks' },
      ({ columns }) => (listOf(columns, 13)[2] = []),
    ),
    bad('chunk-of-no-bytes', { rule: 'S3.5', reason: 'length of a chunk' }, ({ columns }) => {
      listOf(columns, 13)[2] = [1, 3_000_000, 2, 0]
    }),
    bad('holes-more-than-size', hole, holes(0, 500, 510, 491)),
    bad('holes-touching', hole, holes(0, 500, 500, 490)),
    bad('hole-empty', hole, holes(0, 0, 510, 490)),
    bad(
      'holes-of-a-dir',
      { rule: 'S3.4', reason: 'only a file has content' },
      ({ columns }) => (listOf(columns, 14)[0] = [3, [0, 1]]),
    ),
    bad('holes-none', { rule: 'S3.6', reason: 'no holes or too many' }, holes()),
    bad('target-empty', { rule: 'S3.7', reason: 'bytes of a wrong length' }, ({ columns }) => {
      ;(columns[13] as CborValue[])[4] = new Uint8Array(0)
    }),
    bad('target-with-nul', { rule: 'S3.7', reason: 'a target is not allowed' }, ({ columns }) => {
      ;(columns[13] as CborValue[])[4] = text('a\0b')
    }),
    bad(
      'attributes-not-in-order',
      attribute,
      ({ columns }) => (columns[15] = [[2, [text('b'), text(''), text('a'), text('')]]]),
    ),
    bad(
      'attribute-twice',
      attribute,
      ({ columns }) => (columns[15] = [[2, [text('a'), text(''), text('a'), text('')]]]),
    ),
    bad(
      'attributes-none',
      { rule: 'S3.8', reason: 'a list of attributes is empty' },
      ({ columns }) => (columns[15] = [[2, []]]),
    ),
  ]
}

/** Makes the first name shorter and the others stay what they are. */
function shortenFirstName(length: number, name = ''): (opened: Opened) => void {
  return ({ columns }) => {
    bytesOf(columns, 1)[ALL.length] = length
    columns[2] = Buffer.concat([text(name), bytesOf(columns, 2).subarray(5)])
  }
}

/** All vectors of trees. */
export function treeVectors(): Vector[] {
  return [
    good('empty', [], 'an empty directory has one part without entries'),
    good('hello', [HELLO], 'one small file in a bundle: the worked example of snapshot.md'),
    good(
      'all-kinds',
      ALL,
      'one entry of every kind, names and targets that are not UTF-8, a time before 1970',
    ),
    ...outsideFaults(),
    ...columnFaults(),
    ...entryFaults(),
  ]
}
