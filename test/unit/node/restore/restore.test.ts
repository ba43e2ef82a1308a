import assert from 'node:assert/strict'
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { type ChunkSource, eitherSource, storeSource } from '../../../../node/chunk-source.ts'
import { everything } from '../../../../node/restore/selection.ts'
import { isCellarError } from '../../../../protocol/index.ts'
import { openStore } from '../../../../storage/index.ts'
import { type MadeTree, SnapshotMaker } from '../../../tools/make-snapshot.ts'
import { Bench, bytes } from './bench.ts'

const isRoot = process.getuid?.() === 0

describe('restoring', function () {
  this.timeout(20_000)
  let bench: Bench
  beforeEach(async () => {
    bench = await Bench.open()
  })
  afterEach(() => bench.close())

  it('gives back files, directories and symlinks of any name', async () => {
    const { problems, summary } = await bench.restoreTree({
      home: {
        in: {
          'caf\xe9 \n': { bytes: 'latin' },
          empty: {},
          link: { target: bytes('nowhere \xff') },
          deep: { in: { x: { bytes: 'y' } } },
        },
      },
    })
    assert.deepEqual(problems, [])
    assert.equal(readFileSync(Buffer.from(bench.at('home', 'caf\xe9 \n'), 'latin1'), 'latin1'), 'latin')
    assert.equal(bench.text('home', 'empty'), '')
    assert.equal(bench.text('home', 'deep', 'x'), 'y')
    assert.deepEqual(readlinkSync(bench.at('home', 'link'), { encoding: 'buffer' }), bytes('nowhere \xff'))
    assert.deepEqual([summary.totalFiles, summary.filesRestored, summary.bytesRestored], [6, 6, 6])
    assert.deepEqual(bench.leftovers(), [])
  })

  it('gives back files of many chunks, by list and by nodes, with two workers', async () => {
    const data = Buffer.alloc(20_000_000)
    for (let i = 0; i < data.length; i += 4) data.writeUInt32LE((i * 2_654_435_761) >>> 0, i)
    const { problems } = await bench.restoreTree(
      {
        small: { bytes: data.subarray(0, 5000), chunkBytes: 1000 },
        large: { bytes: data, chunkBytes: 50_000 },
      },
      { workers: 2 },
    )
    assert.deepEqual(problems, [])
    assert.ok(readFileSync(bench.at('large')).equals(data))
    assert.ok(readFileSync(bench.at('small')).equals(data.subarray(0, 5000)))
  })

  it('makes real holes', async () => {
    const MiB = 1 << 20
    const holes = [
      { offset: 0, length: 4 * MiB },
      { offset: 4 * MiB + 8192, length: 3 * MiB },
    ]
    const { problems } = await bench.restoreTree({
      bundled: { bytes: 'x'.repeat(8192), holes },
      chunked: { bytes: 'y'.repeat(8192), holes, chunkBytes: 3000 },
      none: { holes: [{ offset: 0, length: 9 * MiB }] },
    })
    assert.deepEqual(problems, [])
    for (const name of ['bundled', 'chunked']) {
      const expected = Buffer.alloc(7 * MiB + 8192)
      expected.fill(name === 'bundled' ? 'x' : 'y', 4 * MiB, 4 * MiB + 8192)
      assert.ok(readFileSync(bench.at(name)).equals(expected), name)
      assert.ok(statSync(bench.at(name)).blocks * 512 < MiB, name)
    }
    assert.equal(statSync(bench.at('none')).size, 9 * MiB)
    assert.ok(statSync(bench.at('none')).blocks * 512 < MiB)
  })

  it('sets modes, times and the owner exactly, on directories last', async () => {
    const mtimeNs = -1_234_567_891n
    const late = 4_300_000_000_000_000_001n
    const tree: MadeTree = {
      dir: {
        mode: 0o1500,
        mtimeNs: late,
        in: {
          file: { mode: 0o4751, mtimeNs, bytes: 'x' },
          link: { target: bytes('x'), mtimeNs },
          pipe: { type: 'fifo', mode: 0o620, mtimeNs },
          inner: { mode: 0o000, mtimeNs, in: { f: { mode: 0, bytes: '' } } },
        },
      },
    }
    const { problems } = await bench.restoreTree(tree)
    assert.deepEqual(problems, [])
    const facts = (...names: readonly string[]): readonly [number, bigint] => {
      const { mode, mtimeNs: time } = lstatSync(bench.at(...names), { bigint: true })
      return [Number(mode & 0o7777n), time]
    }
    assert.deepEqual(facts('dir'), [0o1500, late])
    assert.deepEqual(facts('dir', 'file'), [0o4751, mtimeNs])
    assert.equal(facts('dir', 'link')[1], mtimeNs)
    assert.deepEqual(facts('dir', 'pipe'), [0o620, mtimeNs])
    assert.deepEqual(facts('dir', 'inner'), [0, mtimeNs])
  })

  it('sets owners, devices, attributes, ACLs and capabilities as root', async function () {
    if (!isRoot || process.platform !== 'linux') this.skip()
    const capability = Buffer.from('AQAAAgAgAAAAAAAAAAAAAAAAAAA=', 'base64')
    // version 2; user::rw-, user:1234:r--, group::r--, mask::r--, other::---
    const acl = Buffer.from(
      '0200000001000600ffffffff02000400d204000004000400ffffffff10000400ffffffff20000000ffffffff',
      'hex',
    )
    const xattrs = [
      { name: bytes('security.capability'), value: capability },
      { name: bytes('system.posix_acl_access'), value: acl },
      { name: bytes('user.x'), value: bytes('\0\xff') },
    ]
    const { problems, notices } = await bench.restoreTree({
      file: { uid: 1234, gid: 4321, mode: 0o640, bytes: 'x', xattrs },
      dir: { uid: 5, gid: 6, mode: 0o2775, in: {} },
      device: { type: 'char', deviceNumber: { major: 1, minor: 300 }, mode: 0o666 },
    })
    assert.deepEqual([problems, notices], [[], []])
    const file = lstatSync(bench.at('file'))
    assert.deepEqual([file.uid, file.gid, file.mode & 0o7777], [1234, 4321, 0o640])
    const found = bench.posix.readXattrs(bytes(bench.at('file')))
    assert.deepEqual(
      found.map(({ name, value }) => [Buffer.from(name).toString(), Buffer.from(value).toString('hex')]),
      xattrs.map(({ name, value }) => [name.toString(), value.toString('hex')]),
    )
    const dir = lstatSync(bench.at('dir'))
    assert.deepEqual([dir.uid, dir.gid, dir.mode & 0o7777], [5, 6, 0o2775])
    assert.ok(lstatSync(bench.at('device')).isCharacterDevice())
  })

  it('keeps hard links together', async () => {
    const link = { inode: 77n, linkCount: 3, bytes: 'same' }
    const { problems } = await bench.restoreTree({
      a: { in: { one: link } },
      b: { in: { two: link, other: { ...link, inode: 78n } } },
      c: link,
    })
    assert.deepEqual(problems, [])
    assert.equal(bench.text('b', 'two'), 'same')
    assert.equal(statSync(bench.at('a', 'one')).ino, statSync(bench.at('b', 'two')).ino)
    assert.equal(statSync(bench.at('c')).ino, statSync(bench.at('b', 'two')).ino)
    assert.notEqual(statSync(bench.at('b', 'other')).ino, statSync(bench.at('b', 'two')).ino)
  })

  it('goes on after a bad chunk, leaves what was there, and reports', async () => {
    const root = await bench.maker.snapshot({
      bad: { bytes: 'bad content' },
      chunked: { bytes: 'x'.repeat(1000) + 'y'.repeat(1000) + 'z'.repeat(1000), chunkBytes: 1000 },
      good: { bytes: 'good' },
    })
    const third = bench.maker.vault.seal('data', Buffer.from('z'.repeat(1000)), []).id
    const bundle = bench.maker.vault.seal('bundle', Buffer.from('beforebad contentbehind'), []).id
    await bench.maker.store.quarantine(third)
    await bench.maker.store.quarantine(bundle)
    mkdirSync(bench.target)
    writeFileSync(bench.at('bad'), 'what was there')
    const { problems, problemCount } = await bench.restore(root)
    assert.deepEqual(problems.map(({ path }) => Buffer.from(path).toString()).sort(), ['/bad', '/chunked'])
    assert.equal(problemCount, 2)
    assert.match(problems[0]?.code ?? '', /^CHUNK_/)
    assert.equal(bench.text('bad'), 'what was there')
    assert.equal(existsSync(bench.at('chunked')), false)
    assert.equal(bench.text('good'), 'good')
    assert.deepEqual(bench.leftovers(), [])
  })

  it('finds a flipped bit in a pack, puts no such file in place, and takes the chunk from elsewhere', async () => {
    const store = await openStore({ dir: join(bench.base, 'store') })
    bench.maker = await SnapshotMaker.open(store)
    const noise = Buffer.from(Array.from({ length: 9000 }, (_, i) => (i * i * 7919) >>> 7))
    const root = await bench.maker.snapshot({
      bad: { bytes: noise, chunkBytes: 3000 },
      good: { bytes: 'good' },
    })
    const { id } = bench.maker.vault.seal('data', noise.subarray(3000, 6000), [])
    const whole = store.get(id)
    const [place] = store.locate([id])
    assert.ok(place !== undefined)
    const pack = openSync(place.path, 'r+')
    writeSync(pack, Uint8Array.of((whole[2000] ?? 0) ^ 1), 0, 1, place.offset + 2000)
    closeSync(pack)
    const { problems } = await bench.restore(root)
    assert.deepEqual(
      problems.map(({ path, code }) => [Buffer.from(path).toString(), code]),
      [['/bad', 'CHUNK_CORRUPT']],
    )
    assert.deepEqual(readdirSync(bench.target), ['good'])
    const peer: ChunkSource = { get: (wanted) => Promise.resolve(wanted === id ? whole : store.get(wanted)) }
    const mended = await bench.restore(root, {}, { source: eitherSource(storeSource(store), peer) })
    assert.deepEqual(mended.problems, [])
    assert.ok(readFileSync(bench.at('bad')).equals(noise))
  })

  it('restores a directory of the snapshot right into the target, or one file', async () => {
    const root = await bench.maker.snapshot({
      home: { in: { u: { in: { a: { bytes: 'a' }, d: { in: { b: { bytes: 'b' } } } } } } },
    })
    await bench.restore(root, { subpath: bytes('/home/u') })
    assert.deepEqual(readdirSync(bench.target).sort(), ['a', 'd'])
    assert.equal(bench.text('d', 'b'), 'b')
    bench.target = join(bench.base, 'second')
    await bench.restore(root, { subpath: bytes('home/u/d/b') })
    assert.deepEqual(readdirSync(bench.target), ['b'])
    await assert.rejects(bench.restore(root, { subpath: bytes('/home/v') }), (error) =>
      isCellarError(error, 'PATH_NOT_FOUND'),
    )
  })

  it('includes and excludes, and makes no directory in vain', async () => {
    const root = await bench.maker.snapshot({
      a: { in: { 'x.txt': { bytes: '1' }, y: { bytes: '2' } } },
      b: { in: { c: { in: { 'z.txt': { bytes: '3' } } } } },
      d: { in: { w: { bytes: '4' } } },
    })
    const { problems } = await bench.restore(root, { rules: { ...everything, includes: ['*.txt'] } })
    assert.deepEqual(problems, [])
    assert.deepEqual(readdirSync(bench.target, { recursive: true }).map(String).sort(), [
      'a',
      'a/x.txt',
      'b',
      'b/c',
      'b/c/z.txt',
    ])
    bench.target = join(bench.base, 'second')
    await bench.restore(root, { rules: { ...everything, includes: ['/b/c'] } })
    assert.deepEqual(readdirSync(bench.target, { recursive: true }).map(String).sort(), [
      'b',
      'b/c',
      'b/c/z.txt',
    ])
    bench.target = join(bench.base, 'third')
    await bench.restore(root, { rules: { ...everything, excludes: ['*.txt', '/d'] } })
    assert.deepEqual(readdirSync(bench.target, { recursive: true }).map(String).sort(), [
      'a',
      'a/y',
      'b',
      'b/c',
    ])
  })

  it('does nothing in a dry run, and counts', async () => {
    const { summary } = await bench.restoreTree(
      { a: { bytes: 'a' }, d: { in: { b: { bytes: 'bb' } } } },
      { dryRun: true },
    )
    assert.equal(existsSync(bench.target), false)
    assert.deepEqual([summary.filesRestored, summary.bytesRestored], [3, 3])
  })

  it('reads back what it wrote when asked', async () => {
    const { filesVerified, problems } = await bench.restoreTree(
      { a: { bytes: 'a' }, b: { bytes: 'b'.repeat(3000), chunkBytes: 999 } },
      { verify: true },
    )
    assert.deepEqual([filesVerified, problems], [2, []])
  })

  it('stops when told to, and leaves no unfinished file', async () => {
    const root = await bench.maker.snapshot(
      Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${String(i)}`, { bytes: 'x' }])),
    )
    const controller = new AbortController()
    controller.abort()
    await assert.rejects(bench.restore(root, {}, { signal: controller.signal }), (error) =>
      isCellarError(error, 'ABORTED'),
    )
    assert.deepEqual(existsSync(bench.target) ? readdirSync(bench.target) : [], [])
  })
})
