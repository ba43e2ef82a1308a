import assert from 'node:assert/strict'
import { Diff, type DiffSides, type DiffTotals } from '../../../../node/browse/diff.ts'
import { dump } from '../../../../node/browse/dump.ts'
import { Finder } from '../../../../node/browse/find.ts'
import { ls } from '../../../../node/browse/ls.ts'
import { goMode, permissionText, timeText } from '../../../../node/browse/node-info.ts'
import { stats } from '../../../../node/browse/stats.ts'
import { type ChunkSource, eitherSource, storeSource } from '../../../../node/chunk-source.ts'
import { SnapshotReader } from '../../../../node/snapshot-reader.ts'
import type { ChunkId, SnapshotRoot } from '../../../../protocol/index.ts'
import { CellarError, isCellarError } from '../../../../protocol/index.ts'
import { type MadeTree, SnapshotMaker } from '../../../tools/make-snapshot.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const { signal } = new AbortController()

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

describe('looking inside snapshots', () => {
  let maker: SnapshotMaker
  let reader: SnapshotReader
  let read: ChunkId[]
  beforeEach(async () => {
    maker = await SnapshotMaker.open()
    read = []
    const source = storeSource(maker.store)
    const counting: ChunkSource = {
      get: (id, abort) => {
        read.push(id)
        return source.get(id, abort)
      },
    }
    reader = new SnapshotReader(counting, maker.vault)
  })
  afterEach(() => maker.store.close())

  async function make(tree: MadeTree): Promise<SnapshotRoot> {
    return await reader.root(await maker.snapshot(tree), signal)
  }

  describe('ls', () => {
    it('lists all, a directory before its content, in the order of bytes', async () => {
      const root = await make({ b: { bytes: 'x' }, a: { in: { z: {}, '\xff': { bytes: '' } } }, 'a-': {} })
      const nodes = await all(ls(reader, root, { paths: [], recursive: false }, signal))
      assert.deepEqual(
        nodes.map(({ path }) => path),
        ['/a', '/a/z', '/a/\ufffd', '/a-', '/b'],
      )
      assert.equal(nodes[2]?.path_b64, bytes('/a/\xff').toString('base64'))
      const file = nodes.at(-1)
      assert.deepEqual(
        [file?.message_type, file?.name, file?.type, file?.size, file?.permissions, file?.mtime],
        ['node', 'b', 'file', 1, '-rw-r--r--', '2020-09-13T12:26:40.123456789Z'],
      )
    })

    it('lists what is directly in a directory, or all below it', async () => {
      const root = await make({ a: { in: { b: { in: { c: {} } }, d: {} } }, e: {} })
      const paths = async (recursive: boolean): Promise<string[]> =>
        (await all(ls(reader, root, { paths: [bytes('a/')], recursive }, signal))).map(({ path }) => path)
      assert.deepEqual(await paths(false), ['/a', '/a/b', '/a/d'])
      assert.deepEqual(await paths(true), ['/a', '/a/b', '/a/b/c', '/a/d'])
      await assert.rejects(
        all(ls(reader, root, { paths: [bytes('/x')], recursive: false }, signal)),
        (error) => isCellarError(error, 'PATH_NOT_FOUND'),
      )
    })

    it('shows modes and times as others do', () => {
      assert.equal(permissionText({ type: 'dir', mode: 0o1777 }), 'drwxrwxrwt')
      assert.equal(permissionText({ type: 'file', mode: 0o6644 }), '-rwSr-Sr--')
      assert.equal(goMode({ type: 'dir', mode: 0o755 }), 2147484141)
      assert.equal(goMode({ type: 'symlink', mode: 0o777 }), 134218239)
      assert.equal(timeText(-1n), '1969-12-31T23:59:59.999999999Z')
      assert.equal(timeText(0n), '1970-01-01T00:00:00Z')
    })
  })

  describe('find', () => {
    it('finds by name in many snapshots, and reads equal directories once', async () => {
      const common = {
        in: {
          'x.txt': { bytes: '1', inode: 1n },
          sub: { inode: 2n, in: { 'Y.TXT': { bytes: '2', inode: 3n } } },
        },
        inode: 9n,
      }
      const first = await make({ common, 'z.txt': {} })
      const second = await make({ common, other: {} })
      const finder = new Finder(reader, { patterns: ['*.txt'], ignoreCase: true })
      assert.deepEqual(
        (await finder.find(first, signal)).map(({ path }) => path),
        ['/common/sub/Y.TXT', '/common/x.txt', '/z.txt'],
      )
      read = []
      assert.deepEqual(
        (await finder.find(second, signal)).map(({ path }) => path),
        ['/common/sub/Y.TXT', '/common/x.txt'],
      )
      assert.equal(read.length, 1)
    })

    it('asks for type and time too', async () => {
      const root = await make({ a1: { in: {}, mtimeNs: 5n }, a2: { mtimeNs: 5n }, a3: { mtimeNs: 9n } })
      const find = async (query: Partial<ConstructorParameters<typeof Finder>[1]>): Promise<string[]> =>
        (await new Finder(reader, { patterns: ['a*'], ignoreCase: false, ...query }).find(root, signal)).map(
          ({ path }) => path,
        )
      assert.deepEqual(await find({ type: 'file' }), ['/a2', '/a3'])
      assert.deepEqual(await find({ newestNs: 5n }), ['/a1', '/a2'])
      assert.deepEqual(await find({ oldestNs: 6n }), ['/a3'])
    })
  })

  describe('diff', () => {
    async function diff(sides: DiffSides): Promise<{ changes: string[]; totals: DiffTotals }> {
      const changes: string[] = []
      const run = Diff.run(reader, sides, signal)
      for (;;) {
        const step = await run.next()
        if (step.done === true) return { changes, totals: step.value }
        changes.push(`${step.value.modifier} ${step.value.path}`)
      }
    }

    it('tells what was added, removed, changed, and changed its type', async () => {
      const same = { bytes: 'same', inode: 1n }
      const from = await make({
        same,
        gone: { in: { x: { bytes: 'xx' } } },
        file: { bytes: 'a', inode: 2n },
        type: { bytes: 'f' },
        touched: { bytes: 't', inode: 3n },
      })
      const to = await make({
        same,
        fresh: { in: { y: { bytes: 'yyy' } } },
        file: { bytes: 'b', inode: 2n, mtimeNs: 1n },
        type: { in: { in: {} } },
        touched: { bytes: 't', inode: 3n, mtimeNs: 1n },
      })
      const { changes, totals } = await diff({ from: from.trees, to: to.trees, metadata: true })
      assert.deepEqual(changes, [
        'M /file',
        '+ /fresh/',
        '+ /fresh/y',
        '- /gone/',
        '- /gone/x',
        'U /touched',
        'T /type/',
        '+ /type/in',
      ])
      assert.equal(totals.changedFiles, 1)
      assert.deepEqual(
        [totals.added.files, totals.added.dirs, totals.removed.files, totals.removed.dirs],
        [2, 2, 2, 1],
      )
      assert.deepEqual([totals.added.bytes, totals.removed.bytes], [4, 4])
    })

    it('says nothing of a neighbour in another bundle', async () => {
      const bundle = async (raw: string): Promise<ChunkId> => await maker.put('bundle', Buffer.from(raw))
      const root = async (chunk: ChunkId, offset: number, mtimeNs: bigint): Promise<SnapshotRoot> => {
        const made = { content: { kind: 'bundle', chunk, offset, length: 4 }, size: 4, mtimeNs, inode: 1n }
        return await make({ f: made })
      }
      const from = await root(await bundle('keep-other'), 0, 1n)
      const to = await root(await bundle('xx-keep'), 3, 2n)
      const changed = await root(await bundle('xx-kept'), 3, 2n)
      assert.deepEqual((await diff({ from: from.trees, to: to.trees, metadata: false })).changes, [])
      assert.deepEqual((await diff({ from: to.trees, to: changed.trees, metadata: false })).changes, [
        'M? /f',
      ])
    })

    it('does not read equal directories', async () => {
      const same = { inode: 1n, in: { a: { bytes: 'a', inode: 2n } } }
      const from = await make({ same, x: { bytes: 'x' } })
      const to = await make({ same, x: { bytes: 'y', mtimeNs: 1n } })
      read = []
      await diff({ from: from.trees, to: to.trees, metadata: false })
      assert.equal(read.filter((id) => maker.vault.open(maker.store.get(id)).kind === 'tree').length, 2)
    })
  })

  describe('dump', () => {
    it('writes a file with its holes as zeros', async () => {
      const holes = [
        { offset: 2, length: 3 },
        { offset: 700_005, length: 300_000 },
      ]
      const root = await make({ f: { bytes: 'x'.repeat(700_010), chunkBytes: 100_000, holes }, e: {} })
      const pieces: Buffer[] = []
      const write = (piece: Uint8Array): Promise<void> => {
        pieces.push(Buffer.from(piece))
        return Promise.resolve()
      }
      assert.equal(await dump(reader, { root, path: bytes('/f') }, write, signal), 1_000_013)
      const expected = Buffer.alloc(1_000_013, 'x')
      for (const { offset, length } of holes) expected.fill(0, offset, offset + length)
      assert.ok(Buffer.concat(pieces).equals(expected))
      assert.equal(await dump(reader, { root, path: bytes('e') }, write, signal), 0)
      await assert.rejects(dump(reader, { root, path: bytes('/') }, write, signal), (error) =>
        isCellarError(error, 'PATH_NOT_FOUND'),
      )
    })
  })

  describe('stats', () => {
    it('counts in three ways', async () => {
      const id = await maker.snapshot({
        a: { bytes: 'a'.repeat(5000) },
        b: { bytes: 'a'.repeat(5000) },
        l1: { bytes: 'ln', linkCount: 2, inode: 5n },
        l2: { bytes: 'ln', linkCount: 2, inode: 5n },
      })
      const parts = { reader, source: storeSource(maker.store), vault: maker.vault }
      assert.deepEqual(await stats(parts, [id], 'restore-size', signal), {
        total_size: 10_002,
        total_file_count: 4,
        snapshots_count: 1,
      })
      assert.deepEqual(await stats(parts, [id, id], 'files-by-contents', signal), {
        total_size: 5002,
        total_file_count: 2,
        snapshots_count: 2,
      })
      const raw = await stats(parts, [id], 'raw-data', signal)
      assert.equal(raw.total_blob_count, 4)
      assert.ok((raw.compression_ratio ?? 0) > 1)
    })
  })

  describe('a source behind another', () => {
    it('gives what the first lacks or has damaged', async () => {
      const id = await maker.put('data', bytes('x'))
      const bad = (code: 'CHUNK_NOT_FOUND' | 'CHUNK_CORRUPT' | 'ABORTED'): ChunkSource => ({
        get: () => Promise.reject(new CellarError(code, code)),
      })
      const good = storeSource(maker.store)
      for (const code of ['CHUNK_NOT_FOUND', 'CHUNK_CORRUPT'] as const)
        assert.ok((await eitherSource(bad(code), good).get(id, signal)).length > 0)
      await assert.rejects(eitherSource(bad('ABORTED'), good).get(id, signal), (error) =>
        isCellarError(error, 'ABORTED'),
      )
      await assert.rejects(
        eitherSource(bad('CHUNK_CORRUPT'), bad('CHUNK_NOT_FOUND')).get(id, signal),
        (error) => isCellarError(error, 'CHUNK_CORRUPT'),
      )
    })
  })
})
