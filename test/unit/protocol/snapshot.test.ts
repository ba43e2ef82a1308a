import assert from 'node:assert/strict'
import {
  type ChunkId,
  decodeCbor,
  decodeRoot,
  decodeTree,
  encodeCbor,
  encodeRoot,
  encodeTree,
  entriesOfParts,
  type Entry,
  signerFromSeed,
  type SnapshotRoot,
  type TreeView,
} from '../../../protocol/index.ts'

const STATS = {
  ...{ files: 0, dirs: 0, others: 0, bytes: 0, filesNew: 0, filesChanged: 0, filesUnmodified: 0, dirsNew: 0 },
  ...{ dirsChanged: 0, dirsUnmodified: 0, bytesAdded: 0, bytesStored: 0, chunksAdded: 0 },
}

const ROOT: SnapshotRoot = {
  device: signerFromSeed(new Uint8Array(32).fill(7)).device,
  ...{
    host: 'h',
    user: 'u',
    uid: 0,
    gid: 0,
    paths: [Buffer.from('/')],
    tags: [],
    timeNs: 0n,
    offsetMinutes: 0,
  },
  ...{ excludes: [], program: 'p', stats: STATS, unread: [] },
  trees: ['dd'.repeat(32) as ChunkId],
}

const ENTRY: Entry = {
  ...{ type: 'fifo', name: Buffer.from('a'), mode: 0, uid: 0, gid: 0, mtimeNs: 0n, ctimeNs: 0n },
  ...{ inode: 0n, device: 0n, linkCount: 1, size: 0 },
}

describe('a root chunk', () => {
  it('keeps as much of what could not be read as has room, and counts the rest', () => {
    const unread = Array.from({ length: 40_000 }, (_, position) => ({
      path: Buffer.from(`/${String(position).padStart(50, 'x')}`),
      code: 'EACCES',
    }))
    const { raw, links } = encodeRoot({ ...ROOT, unread })
    const read = decodeRoot(raw, links)
    assert.ok(read.unread.length > 10_000)
    assert.equal(read.unread.length + (read.unreadLeftOut ?? 0), unread.length)
  })

  it('is not read when it says more of what could not be read than it may', () => {
    const { raw, links } = encodeRoot(ROOT)
    const fields = decodeCbor(raw, { what: 'a root', bytesMax: raw.byteLength }) as Uint8Array[]
    const tooMuch = Array.from({ length: 17 }, () => [new Uint8Array(65_536).fill(0x61), 'EIO'])
    const changed = encodeCbor(fields.with(14, tooMuch as never))
    assert.throws(() => decodeRoot(changed, links), { code: 'FORMAT_INVALID' })
  })

  it('is not written when no reader would take it', () => {
    assert.throws(() => encodeRoot({ ...ROOT, host: 'h'.repeat(257) }), { code: 'FORMAT_INVALID' })
    assert.throws(() => encodeRoot({ ...ROOT, trees: [] }), { code: 'FORMAT_INVALID' })
  })
})

describe('a tree', () => {
  it('is not written with entries that no reader would take', () => {
    const faulty: Entry[][] = [
      [{ ...ENTRY, name: Buffer.from('a/b') }],
      [ENTRY, ENTRY],
      [{ ...ENTRY, name: Buffer.from('b') }, ENTRY],
      [{ ...ENTRY, mtimeNs: 2n ** 63n }],
      [{ ...ENTRY, linkCount: 2 ** 32 }],
      [{ ...ENTRY, user: '' }],
      [{ ...ENTRY, type: 'dir', trees: [] }],
      [{ ...ENTRY, type: 'file', size: 1 }],
    ]
    for (const entries of faulty) assert.throws(() => encodeTree(entries), RangeError)
  })
})

describe('the parts of a directory', () => {
  const part = (...names: string[]): TreeView => {
    const { raw, links } = encodeTree(names.map((name) => ({ ...ENTRY, name: Buffer.from(name) })))
    return decodeTree(raw, links)
  }

  it('are read one after the other', () => {
    const entries = entriesOfParts([part('a', 'b'), part(), part('c')])
    assert.deepEqual(
      entries.map(({ name }) => Buffer.from(name).toString()),
      ['a', 'b', 'c'],
    )
  })

  it('are refused when they are not in order or share a name', () => {
    for (const parts of [
      [part('b'), part('a')],
      [part('a', 'b'), part('b')],
    ]) {
      assert.throws(() => entriesOfParts(parts), { code: 'FORMAT_INVALID' })
    }
  })
})
