/** Vectors of root chunks (snapshot.md §8). */

import {
  type CborValue,
  type ChunkId,
  decodeCbor,
  encodeCbor,
  encodeRoot,
  type RootId,
  signerFromSeed,
  type SnapshotRoot,
} from '../../../protocol/index.ts'
import { toPlainJson, type Vector } from '../format.ts'

const text = (value: string): Uint8Array => Buffer.from(value)

const LEAST: SnapshotRoot = {
  device: signerFromSeed(new Uint8Array(32).fill(7)).device,
  host: 'laptop',
  user: 'anna',
  uid: 1000,
  gid: 1000,
  paths: [text('/home/anna')],
  tags: [],
  timeNs: 1_700_000_000_123_456_789n,
  offsetMinutes: 60,
  excludes: [],
  program: 'rootcellar 0.1.0',
  stats: {
    ...{ files: 1, dirs: 3, others: 0, bytes: 5, filesNew: 1, filesChanged: 0, filesUnmodified: 0 },
    ...{ dirsNew: 3, dirsChanged: 0, dirsUnmodified: 0, bytesAdded: 5, bytesStored: 900, chunksAdded: 5 },
  },
  unread: [],
  trees: ['dd'.repeat(32) as ChunkId],
}

const FULL: SnapshotRoot = {
  ...LEAST,
  paths: [text('/home/anna'), Uint8Array.of(0x2f, 0xff)],
  tags: ['before', 'wörld'],
  offsetMinutes: -570,
  parent: 'cc'.repeat(32) as RootId,
  excludes: ['*.tmp', '/home/anna/cache'],
  unread: [{ path: text('/home/anna/secret'), code: 'EACCES' }],
  unreadLeftOut: 3,
  trees: ['dd', 'ee'].map((pair) => pair.repeat(32) as ChunkId),
}

function good(name: string, root: SnapshotRoot, comment: string): Vector {
  const { raw, links } = encodeRoot(root)
  const header = { spec: 'snapshot.md S8.1 S8.2 S8.3', expect: 'success', comment, links: links.join(' ') }
  return { name, header: { ...header, root: toPlainJson(root) }, body: raw }
}

interface Fault {
  readonly rule: string
  readonly reason: string
  readonly expect?: string
}

function bad(name: string, { rule, reason, expect }: Fault, change: (fields: CborValue[]) => void): Vector {
  const { raw, links } = encodeRoot(LEAST)
  const fields = decodeCbor(raw, { what: 'a vector', bytesMax: raw.byteLength }) as CborValue[]
  change(fields)
  const header = {
    spec: `snapshot.md ${rule}`,
    expect: expect ?? 'FORMAT_INVALID',
    reason,
    links: links.join(' '),
  }
  return { name, header, body: encodeCbor(fields) }
}

/** All vectors of root chunks. */
export function rootVectors(): Vector[] {
  const range = { rule: 'S8.3', reason: 'a number is out of range' }
  const texts = { rule: 'S8.3', reason: 'text is missing or too long' }
  const trees = { rule: 'S8.2', reason: 'its links are not the parts of its tree' }
  const list = { rule: 'S8.3', reason: 'a list is missing or too long' }
  const smallOrder = Uint8Array.of(1, ...new Uint8Array(31))
  return [
    good('least', LEAST, 'no parent, nothing left out'),
    good('full', FULL, 'every field used'),
    bad(
      'version-unknown',
      { rule: 'S8.1', reason: 'a version', expect: 'VERSION_UNKNOWN' },
      (root) => (root[0] = 2),
    ),
    bad('field-added', { rule: 'S8.1', reason: 'too many fields' }, (root) => void root.push(0)),
    bad('field-missing', { rule: 'S8.1', reason: 'a field is missing' }, (root) => void root.pop()),
    bad('trees-more-than-links', trees, (root) => (root[16] = 2)),
    bad('trees-none', trees, (root) => (root[16] = 0)),
    bad(
      'device-key-of-small-order',
      { rule: 'S8.4', reason: 'its device has no good key' },
      (root) => (root[1] = smallOrder),
    ),
    bad('host-too-long', texts, (root) => (root[2] = 'a'.repeat(257))),
    bad('uid-negative', range, (root) => (root[4] = -1)),
    bad('tags-too-many', list, (root) => (root[7] = Array.from({ length: 65 }, () => 'a'))),
    bad('time-beyond-64-bits', range, (root) => (root[8] = 2n ** 63n)),
    bad('offset-beyond-a-day', range, (root) => (root[9] = 1441)),
    bad(
      'parent-too-short',
      { rule: 'S8.3', reason: 'bytes of a wrong length' },
      (root) => (root[10] = new Uint8Array(31)),
    ),
    bad('stats-too-few', { rule: 'S8.3', reason: 'a field is missing' }, (root) => (root[13] = [1])),
  ]
}
