import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  buildFileNodes,
  type ChunkId,
  chunkIdOf,
  compareBytes,
  type ContentChunk,
  decodeFileNode,
  decodeTree,
  encodeFileNode,
  encodeTree,
  type Entry,
  type Extent,
  type FileNode,
  fileChunks,
  isCellarError,
  isNameRight,
  splitEntries,
  toHex,
  treeDigest,
} from '../../protocol/index.ts'

const id = fc.integer({ min: 0, max: 40 }).map((number) => number.toString(16).padStart(64, '5') as ChunkId)
const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)
const uint64 = fc.bigInt(0n, 2n ** 64n - 1n)
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff })
const name = fc.uint8Array({ minLength: 1, maxLength: 12 }).filter(isNameRight)

const facts = fc.record(
  {
    name,
    mode: fc.integer({ min: 0, max: 0o7777 }),
    uid: uint32,
    gid: uint32,
    user: fc.constantFrom('anna', 'bö', 'root'),
    group: fc.constantFrom('staff', 'wheel'),
    mtimeNs: int64,
    ctimeNs: int64,
    inode: uint64,
    device: fc.constantFrom(0n, 5n, 2n ** 64n - 1n),
    linkCount: uint32,
    xattrs: fc
      .uniqueArray(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 5 }), {
        minLength: 1,
        maxLength: 3,
      })
      .map((names) => names.sort().map((text) => ({ name: Buffer.from(text), value: Buffer.from(text) }))),
  },
  { requiredKeys: ['name', 'mode', 'uid', 'gid', 'mtimeNs', 'ctimeNs', 'inode', 'device', 'linkCount'] },
)

/** A file by lengths of hole and data by turns; with more data than a chunk holds, its content is in nodes. */
const file = fc
  .tuple(
    fc.array(fc.integer({ min: 1, max: 2 ** 20 }), { maxLength: 6 }),
    id,
    fc.integer({ min: 0, max: 1000 }),
    fc.boolean(),
  )
  .map(([lengths, chunk, offset, isBundle]) => {
    const holes: Extent[] = []
    let size = 0
    for (const [position, length] of lengths.entries()) {
      if (position % 2 === 0) holes.push({ offset: size, length })
      size += length
    }
    const base = { type: 'file' as const, size, ...(holes.length > 0 ? { holes } : {}) }
    const data = holes.reduce((left, hole) => left - hole.length, size)
    if (data === 0) return base
    if (data > 2_000_000) return { ...base, content: { kind: 'file' as const, chunk } }
    if (isBundle) return { ...base, content: { kind: 'bundle' as const, chunk, offset, length: data } }
    return { ...base, content: { kind: 'chunks' as const, chunks: [{ id: chunk, length: data }] } }
  })

const own = fc.oneof(
  file,
  fc
    .uniqueArray(id, { minLength: 1, maxLength: 3 })
    .map((trees) => ({ type: 'dir' as const, size: 4096, trees })),
  fc
    .uint8Array({ minLength: 1, maxLength: 9 })
    .filter((target) => !target.includes(0))
    .map((target) => ({ type: 'symlink' as const, size: 9, target })),
  fc.constant({ type: 'fifo' as const, size: 0 }),
  fc.record({
    type: fc.constantFrom('char' as const, 'block' as const),
    size: fc.constant(0),
    deviceNumber: fc.record({ major: uint32, minor: uint32 }),
  }),
)

const entry: fc.Arbitrary<Entry> = fc
  .tuple(facts, own)
  .map(([common, special]): Entry => ({ ...common, ...special }))
const entries = fc
  .uniqueArray(entry, { maxLength: 20, selector: (item) => toHex(item.name) })
  .map((items) => items.sort((a, b) => compareBytes(a.name, b.name)))

/** Bytes as hex: Buffer and Uint8Array with the same bytes are the same. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]))
}

describe('trees', () => {
  it('read as they were written, and are written again to the same bytes', () => {
    fc.assert(
      fc.property(entries, (given) => {
        const { raw, links } = encodeTree(given)
        const view = decodeTree(raw, links)
        const read = view.entries()
        assert.deepEqual(plain(read), plain(given))
        assert.equal(toHex(view.digest), toHex(treeDigest(given)))
        const dirs = given
          .filter(({ type }) => type === 'dir')
          .map((dir) => ({ name: dir.name, trees: dir.trees }))
        assert.deepEqual(plain(view.subdirs), plain(dirs))
        assert.equal(toHex(encodeTree(read).raw), toHex(raw))
      }),
    )
  })

  it('with any byte changed are read to something else or refused, never worse', () => {
    fc.assert(
      fc.property(entries, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, place, change) => {
        const { raw, links } = encodeTree(given)
        const at = place % raw.byteLength
        const changed = Uint8Array.from(raw)
        changed[at] = (changed[at] as number) ^ change
        try {
          const read = decodeTree(changed, links).entries()
          assert.notDeepEqual(plain(read), plain(given))
        } catch (error) {
          assert.ok(isCellarError(error), String(error))
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('have a digest that tells every fact of lstat, and not the content', () => {
    fc.assert(
      fc.property(entry, (given) => {
        const digest = toHex(treeDigest([given]))
        const others: Entry[] = [
          { ...given, mode: given.mode ^ 1 },
          { ...given, uid: given.uid ^ 1 },
          { ...given, gid: given.gid ^ 1 },
          { ...given, mtimeNs: given.mtimeNs ^ 1n },
          { ...given, ctimeNs: given.ctimeNs ^ 1n },
          { ...given, inode: given.inode ^ 1n },
          { ...given, linkCount: (given.linkCount ^ 1) >>> 0 },
          { ...given, size: given.size + 1 },
          { ...given, name: Buffer.concat([given.name, Buffer.from('x')]) },
        ]
        for (const other of others) assert.notEqual(toHex(treeDigest([other])), digest)
        const elsewhere: Entry = { ...given, device: given.device ^ 1n, user: 'other' }
        assert.equal(toHex(treeDigest([elsewhere])), digest)
      }),
    )
  })
})

const COMMON = {
  mode: 0o600,
  uid: 0,
  gid: 0,
  mtimeNs: 0n,
  ctimeNs: 0n,
  inode: 1n,
  device: 1n,
  linkCount: 1,
  size: 0,
} as const
const numbered = (count: number, prefix = 'entry'): Entry[] =>
  Array.from({ length: count }, (_, position) => ({
    ...COMMON,
    type: 'fifo' as const,
    name: Buffer.from(`${prefix}-${String(position)}`),
  }))

describe('the parts of a directory', () => {
  it('hold all entries in order and within their limits', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20_000 }),
        fc.string({ unit: fc.constantFrom('a', 'b', 'c') }),
        (count, prefix) => {
          const given = numbered(count, prefix)
          const parts = splitEntries(given.toReversed())
          assert.ok(parts.length >= 1)
          for (const part of parts) assert.ok(part.length <= 8192)
          for (const part of parts.slice(0, -1)) assert.ok(part.length >= 512)
          const sorted = given.toSorted((a, b) => compareBytes(a.name, b.name))
          assert.deepEqual(parts.flat(), sorted)
        },
      ),
      { numRuns: 8 },
    )
  })

  it('stay the same but for about one when an entry is added', () => {
    const given = numbered(20_000)
    const before = new Set(splitEntries(given).map((part) => toHex(treeDigest(part))))
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_000 }), (place) => {
        const added: Entry = { ...COMMON, type: 'fifo', name: Buffer.from(`entry-${String(place)}-more`) }
        const after = splitEntries([...given, added]).map((part) => toHex(treeDigest(part)))
        assert.ok(after.filter((digest) => !before.has(digest)).length <= 4)
      }),
      { numRuns: 8 },
    )
  })

  it('fit a chunk even when names and attributes are as large as they may be', () => {
    const value = new Uint8Array(1_000_000)
    const heavy = numbered(3000).map((item, position): Entry => {
      const longName = Buffer.concat([item.name, new Uint8Array(4000).fill(0x61)])
      return {
        ...item,
        name: longName,
        ...(position % 500 === 0 ? { xattrs: [{ name: Buffer.from('user.a'), value }] } : {}),
      }
    })
    for (const part of splitEntries(heavy)) assert.ok(encodeTree(part).raw.byteLength <= 4 * 1024 * 1024)
  })
})

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

/** Keeps nodes in memory, named by hash. */
function nodeKeeper(): {
  nodes: Map<ChunkId, FileNode>
  seal: (raw: Uint8Array, links: readonly ChunkId[]) => ChunkId
} {
  const nodes = new Map<ChunkId, FileNode>()
  const seal = (raw: Uint8Array, links: readonly ChunkId[]): ChunkId => {
    const body = Buffer.concat([raw, ...links.map((link) => Buffer.from(link, 'hex'))])
    const name = chunkIdOf(body)
    nodes.set(name, decodeFileNode(raw, links))
    return name
  }
  return { nodes, seal }
}

function chunksOf(count: number, seed: number): ContentChunk[] {
  return Array.from({ length: count }, (_, position) => ({
    id: chunkIdOf(Buffer.from(`${String(seed)}:${String(position)}`)),
    length: 1 + (position % 1000),
  }))
}

describe('file nodes', () => {
  it('give back the chunks in order, however many', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 30_000 }), fc.nat(), async (count, seed) => {
        const chunks = chunksOf(count, seed)
        const { nodes, seal } = nodeKeeper()
        const content = buildFileNodes(chunks, seal)
        if (content.kind !== 'file') {
          assert.ok(count <= 16)
          assert.deepEqual(content, { kind: 'chunks', chunks })
          return
        }
        const bytes = chunks.reduce((sum, { length }) => sum + length, 0)
        const load = (name: ChunkId): Promise<FileNode> => Promise.resolve(nodes.get(name) as FileNode)
        assert.deepEqual(await collect(fileChunks(content.chunk, bytes, load)), chunks)
        await assert.rejects(collect(fileChunks(content.chunk, bytes + 1, load)), { code: 'FORMAT_INVALID' })
      }),
      { numRuns: 8 },
    )
  })

  it('stay the same but for a few when a chunk is inserted', () => {
    const chunks = chunksOf(20_000, 1)
    const keeper = nodeKeeper()
    buildFileNodes(chunks, keeper.seal)
    const before = keeper.nodes.size
    buildFileNodes(chunks.toSpliced(7000, 0, { id: chunkIdOf(Buffer.from('new')), length: 5 }), keeper.seal)
    assert.ok(before > 40)
    assert.ok(
      keeper.nodes.size - before <= 6,
      `${String(keeper.nodes.size - before)} of ${String(before)} nodes are new`,
    )
  })

  it('refuse a node that is not what the one above it says', async () => {
    const { nodes, seal } = nodeKeeper()
    const content = buildFileNodes(chunksOf(5000, 2), seal)
    assert.ok(content.kind === 'file')
    const top = nodes.get(content.chunk) as FileNode
    const load = (name: ChunkId): Promise<FileNode> =>
      Promise.resolve(name === top.items[1]?.id ? top : (nodes.get(name) as FileNode))
    await assert.rejects(collect(fileChunks(content.chunk, top.bytes, load)), { code: 'FORMAT_INVALID' })
  })

  it('refuse a level left out, were the lengths right', async () => {
    const { nodes, seal } = nodeKeeper()
    const item = chunksOf(1, 3)[0] as ContentChunk
    const node = (level: number, id: ChunkId): ChunkId => {
      const { raw, links } = encodeFileNode(level, [{ id, length: item.length }])
      return seal(raw, links)
    }
    const load = (name: ChunkId): Promise<FileNode> => Promise.resolve(nodes.get(name) as FileNode)
    const leaf = node(0, item.id)
    assert.deepEqual(await collect(fileChunks(node(1, leaf), item.length, load)), [item])
    await assert.rejects(collect(fileChunks(node(2, leaf), item.length, load)), { code: 'FORMAT_INVALID' })
  })
})
