/** What a drill draws, and how it tells whether it came back: pure, and on real files. */
import assert from 'node:assert/strict'
import { lstatSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ChunkId, Entry, SnapshotRoot, TreeView } from '../../../../protocol/index.ts'
import { isAsSealed, isSameContent, isUnchanged } from '../../../../node/adapters/drill-files.ts'
import { sampleFiles } from '../../../../node/watching/drill-sample.ts'
import { testChunk } from '../../../support/chunks.ts'
import { testMembership, withCode } from '../../../support/mesh.ts'
import { makeSnapshot, testNode } from '../../../support/node.ts'
import { seeded } from '../../../tools/seeded.ts'

const signal = new AbortController().signal

/** A snapshot of directories in memory: names that end in `/` are directories. */
type Directory = { readonly [name: string]: number | Directory }

function snapshotOf(top: Directory) {
  const trees = new Map<ChunkId, readonly Entry[]>()
  const read: ChunkId[] = []
  const make = (directory: Directory, path: string): ChunkId => {
    const entries = Object.entries(directory).map(([name, what]) => {
      const shared = { name: Buffer.from(name) }
      return typeof what === 'number'
        ? {
            ...shared,
            type: 'file',
            size: what,
            ...(what > 0 && { content: { kind: 'chunks', chunks: [] } }),
          }
        : { ...shared, type: 'dir', size: 0, trees: [make(what, `${path}${name}/`)] }
    })
    const { id } = testChunk(path)
    trees.set(id, entries as unknown as Entry[])
    return id
  }
  const root = { trees: [make(top, '/')] } as unknown as SnapshotRoot
  const reader = {
    tree: (id: ChunkId) => {
      read.push(id)
      return Promise.resolve({ entries: () => trees.get(id) ?? [] } as unknown as TreeView)
    },
  }
  return { root, reader, read }
}

describe('the sample of a drill', () => {
  const large = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`file ${String(at)}`, 10]))
  const directories = Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`dir ${String(at)}`, large]))
  const paths = (found: readonly { readonly path: Uint8Array }[]) =>
    found.map(({ path }) => Buffer.from(path).toString())

  it('is drawn by chance, each file once, and reads only directories on the way', async () => {
    const { root, reader, read } = snapshotOf({ home: directories })
    const found = paths(await sampleFiles(reader, root, { files: 20, bytes: 1e6 }, seeded('one'), signal))
    assert.equal(new Set(found).size, 20)
    for (const path of found) assert.match(path, /^\/home\/dir \d+\/file \d+$/)
    assert.ok(read.length <= 20 * 4, `${String(read.length)} directories read`)
    const others = paths(await sampleFiles(reader, root, { files: 20, bytes: 1e6 }, seeded('two'), signal))
    assert.notDeepEqual(found, others)
  })

  it('keeps to its bounds', async () => {
    const { root, reader } = snapshotOf({ small: 100, larger: 900, huge: 1e9 })
    for (const seed of ['a', 'b', 'c', 'd']) {
      const found = await sampleFiles(reader, root, { files: 5, bytes: 950 }, seeded(seed), signal)
      const sum = found.reduce((bytes, { entry }) => bytes + entry.size, 0)
      assert.ok(found.length >= 1 && sum <= 950)
    }
  })

  it('is empty where there is no file with content that is small enough', async () => {
    const { root, reader } = snapshotOf({ empty: 0, huge: 1e9, nothing: {} })
    assert.deepEqual(await sampleFiles(reader, root, { files: 5, bytes: 1000 }, seeded('e'), signal), [])
    const none = snapshotOf({})
    assert.deepEqual(
      await sampleFiles(none.reader, none.root, { files: 5, bytes: 1000 }, seeded('e'), signal),
      [],
    )
  })
})

describe('what came back from a drill', () => {
  let directory: string
  let one: Buffer
  let other: Buffer

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cellar-drill-'))
    one = Buffer.from(join(directory, 'one'))
    other = Buffer.from(join(directory, 'other'))
  })
  afterEach(() => {
    rmSync(directory, { recursive: true })
  })

  function entryOf(path: Buffer): Entry {
    const found = lstatSync(path, { bigint: true })
    return {
      type: 'file',
      size: Number(found.size),
      mtimeNs: found.mtimeNs,
      ctimeNs: found.ctimeNs,
      inode: found.ino,
    } as unknown as Entry
  }

  it('has the same bytes, or has not', async () => {
    const bytes = Buffer.from(seeded('bytes').bytes(3_000_000))
    writeFileSync(one, bytes)
    writeFileSync(other, bytes)
    assert.equal(await isSameContent(one, other, signal), true)
    bytes[2_999_999] = (bytes[2_999_999] as number) ^ 1
    writeFileSync(other, bytes)
    assert.equal(await isSameContent(one, other, signal), false)
    writeFileSync(other, bytes.subarray(0, 2_000_000))
    assert.equal(await isSameContent(one, other, signal), false)
    assert.equal(await isSameContent(other, one, signal), false)
    writeFileSync(one, '')
    assert.equal(await isSameContent(one, other, signal), false)
  })

  it('is told by length and time', () => {
    writeFileSync(one, 'some text')
    const entry = entryOf(one)
    assert.equal(isAsSealed(one, entry), true)
    writeFileSync(one, 'other text')
    assert.equal(isAsSealed(one, entry), false)
    assert.equal(isAsSealed(other, entry), false)
  })

  it('is compared only with a file that nobody has touched since', () => {
    writeFileSync(one, 'some text')
    const entry = entryOf(one)
    assert.equal(isUnchanged(one, entry), true)
    const { atime, mtime } = statSync(one)
    // The same length and the same time of change: the time of the inode tells it.
    writeFileSync(one, 'same size')
    utimesSync(one, atime, mtime)
    assert.equal(isUnchanged(one, entry), false)
    assert.equal(isUnchanged(other, entry), false)
  })
})

describe('a drill without anybody to restore from', () => {
  it('V4.3 ends with NO_PEER, and counts neither as passed nor as failed', async () => {
    const node = await testNode({ number: 1, membership: testMembership(['writer']).membership })
    try {
      await makeSnapshot(node)
      const drilled = assert.rejects(node.call('drill', {}), withCode('NO_PEER'))
      await node.clock.advance(60_000)
      await drilled
      assert.equal((await node.call('status', {})).watching.drill, undefined)
    } finally {
      await node.close()
    }
  })
})
