import assert from 'node:assert/strict'
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemWorld } from '../../../../node/adapters/system-world.ts'
import { loadPosix, type Posix } from '../../../../node/adapters/posix.ts'
import { type ChunkSource, eitherSource, storeSource } from '../../../../node/chunk-source.ts'
import { restore, type RestoreRequest, type RestoreResult } from '../../../../node/restore/restore.ts'
import { everything } from '../../../../node/restore/selection.ts'
import type { RootId } from '../../../../protocol/index.ts'
import { isCellarError } from '../../../../protocol/index.ts'
import { openStore } from '../../../../storage/index.ts'
import { type MadeTree, SnapshotMaker } from '../../../tools/make-snapshot.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const isRoot = process.getuid?.() === 0

/** Lets a user remove read-only directories. */
function widen(path: string): void {
  chmodSync(path, 0o700)
  for (const found of readdirSync(path, { withFileTypes: true, encoding: 'buffer' })) {
    if (found.isDirectory()) widen(join(path, found.name.toString('latin1')))
  }
}

describe('restoring', function () {
  this.timeout(20_000)
  let maker: SnapshotMaker
  let posix: Posix
  let base: string
  let target: string

  beforeEach(async () => {
    maker = await SnapshotMaker.open()
    posix = await loadPosix()
    base = mkdtempSync(join(tmpdir(), 'cellar-restore-'))
    target = join(base, 'target')
  })
  afterEach(async () => {
    await maker.store.close()
    widen(base)
    rmSync(base, { recursive: true, force: true })
  })

  async function restoreRoot(
    root: RootId,
    options: Partial<RestoreRequest> = {},
    signal = new AbortController().signal,
  ): Promise<RestoreResult> {
    const request: RestoreRequest = {
      root,
      target: bytes(target),
      overwrite: 'always',
      delete: false,
      dryRun: false,
      verify: false,
      workers: 1,
      ...options,
    }
    return await restore(
      { source: storeSource(maker.store), vault: maker.vault, posix, world: systemWorld },
      request,
      { signal },
    )
  }
  async function restoreTree(tree: MadeTree, options: Partial<RestoreRequest> = {}): Promise<RestoreResult> {
    return await restoreRoot(await maker.snapshot(tree), options)
  }
  const at = (...names: readonly string[]): string => join(target, ...names)
  const text = (...names: readonly string[]): string => readFileSync(at(...names), 'latin1')
  const leftovers = (dir: string): string[] =>
    readdirSync(dir, { recursive: true })
      .map(String)
      .filter((name) => name.includes('.rootcellar'))

  it('gives back files, directories and symlinks of any name', async () => {
    const { problems, summary } = await restoreTree({
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
    assert.equal(readFileSync(Buffer.from(at('home', 'caf\xe9 \n'), 'latin1'), 'latin1'), 'latin')
    assert.equal(text('home', 'empty'), '')
    assert.equal(text('home', 'deep', 'x'), 'y')
    assert.deepEqual(readlinkSync(at('home', 'link'), { encoding: 'buffer' }), bytes('nowhere \xff'))
    assert.deepEqual([summary.totalFiles, summary.filesRestored, summary.bytesRestored], [6, 6, 6])
    assert.deepEqual(leftovers(target), [])
  })

  it('gives back files of many chunks, by list and by nodes, with two workers', async () => {
    const data = Buffer.alloc(20_000_000)
    for (let i = 0; i < data.length; i += 4) data.writeUInt32LE((i * 2_654_435_761) >>> 0, i)
    const { problems } = await restoreTree(
      {
        small: { bytes: data.subarray(0, 5000), chunkBytes: 1000 },
        large: { bytes: data, chunkBytes: 50_000 },
      },
      { workers: 2 },
    )
    assert.deepEqual(problems, [])
    assert.ok(readFileSync(at('large')).equals(data))
    assert.ok(readFileSync(at('small')).equals(data.subarray(0, 5000)))
  })

  it('makes real holes', async () => {
    const MiB = 1 << 20
    const holes = [
      { offset: 0, length: 4 * MiB },
      { offset: 4 * MiB + 8192, length: 3 * MiB },
    ]
    const { problems } = await restoreTree({
      bundled: { bytes: 'x'.repeat(8192), holes },
      chunked: { bytes: 'y'.repeat(8192), holes, chunkBytes: 3000 },
      none: { holes: [{ offset: 0, length: 9 * MiB }] },
    })
    assert.deepEqual(problems, [])
    for (const name of ['bundled', 'chunked']) {
      const expected = Buffer.alloc(7 * MiB + 8192)
      expected.fill(name === 'bundled' ? 'x' : 'y', 4 * MiB, 4 * MiB + 8192)
      assert.ok(readFileSync(at(name)).equals(expected), name)
      assert.ok(statSync(at(name)).blocks * 512 < MiB, name)
    }
    assert.equal(statSync(at('none')).size, 9 * MiB)
    assert.ok(statSync(at('none')).blocks * 512 < MiB)
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
    const { problems } = await restoreTree(tree)
    assert.deepEqual(problems, [])
    const facts = (...names: readonly string[]): readonly [number, bigint] => {
      const { mode, mtimeNs: time } = lstatSync(at(...names), { bigint: true })
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
    const { problems, notices } = await restoreTree({
      file: { uid: 1234, gid: 4321, mode: 0o640, bytes: 'x', xattrs },
      dir: { uid: 5, gid: 6, mode: 0o2775, in: {} },
      device: { type: 'char', deviceNumber: { major: 1, minor: 300 }, mode: 0o666 },
    })
    assert.deepEqual([problems, notices], [[], []])
    const file = lstatSync(at('file'))
    assert.deepEqual([file.uid, file.gid, file.mode & 0o7777], [1234, 4321, 0o640])
    const found = posix.readXattrs(bytes(at('file')))
    assert.deepEqual(
      found.map(({ name, value }) => [Buffer.from(name).toString(), Buffer.from(value).toString('hex')]),
      xattrs.map(({ name, value }) => [name.toString(), value.toString('hex')]),
    )
    const dir = lstatSync(at('dir'))
    assert.deepEqual([dir.uid, dir.gid, dir.mode & 0o7777], [5, 6, 0o2775])
    assert.ok(lstatSync(at('device')).isCharacterDevice())
  })

  it('keeps hard links together', async () => {
    const link = { inode: 77n, linkCount: 3, bytes: 'same' }
    const { problems } = await restoreTree({
      a: { in: { one: link } },
      b: { in: { two: link, other: { ...link, inode: 78n } } },
      c: link,
    })
    assert.deepEqual(problems, [])
    assert.equal(text('b', 'two'), 'same')
    assert.equal(statSync(at('a', 'one')).ino, statSync(at('b', 'two')).ino)
    assert.equal(statSync(at('c')).ino, statSync(at('b', 'two')).ino)
    assert.notEqual(statSync(at('b', 'other')).ino, statSync(at('b', 'two')).ino)
  })

  it('goes on after a bad chunk, leaves what was there, and reports', async () => {
    const root = await maker.snapshot({
      bad: { bytes: 'bad content' },
      chunked: { bytes: 'x'.repeat(1000) + 'y'.repeat(1000) + 'z'.repeat(1000), chunkBytes: 1000 },
      good: { bytes: 'good' },
    })
    const third = maker.vault.seal('data', Buffer.from('z'.repeat(1000)), []).id
    const bundle = maker.vault.seal('bundle', Buffer.from('beforebad contentbehind'), []).id
    await maker.store.quarantine(third)
    await maker.store.quarantine(bundle)
    mkdirSync(target)
    writeFileSync(at('bad'), 'what was there')
    const { problems, problemCount } = await restoreRoot(root)
    assert.deepEqual(problems.map(({ path }) => Buffer.from(path).toString()).sort(), ['/bad', '/chunked'])
    assert.equal(problemCount, 2)
    assert.match(problems[0]?.code ?? '', /^CHUNK_/)
    assert.equal(text('bad'), 'what was there')
    assert.equal(existsSync(at('chunked')), false)
    assert.equal(text('good'), 'good')
    assert.deepEqual(leftovers(target), [])
  })

  it('finds a flipped bit in a pack, puts no such file in place, and takes the chunk from elsewhere if it can', async () => {
    const store = await openStore({ dir: join(base, 'store') })
    maker = await SnapshotMaker.open(store)
    const noise = Buffer.from(Array.from({ length: 9000 }, (_, i) => (i * i * 7919) >>> 7))
    const root = await maker.snapshot({ bad: { bytes: noise, chunkBytes: 3000 }, good: { bytes: 'good' } })
    const { id } = maker.vault.seal('data', noise.subarray(3000, 6000), [])
    const whole = store.get(id)
    const [place] = store.locate([id])
    assert.ok(place !== undefined)
    const pack = openSync(place.path, 'r+')
    writeSync(pack, Uint8Array.of((whole[2000] ?? 0) ^ 1), 0, 1, place.offset + 2000)
    closeSync(pack)
    const { problems } = await restoreRoot(root)
    assert.deepEqual(
      problems.map(({ path, code }) => [Buffer.from(path).toString(), code]),
      [['/bad', 'CHUNK_CORRUPT']],
    )
    assert.deepEqual(readdirSync(target), ['good'])
    const peer: ChunkSource = { get: (wanted) => Promise.resolve(wanted === id ? whole : store.get(wanted)) }
    const request: RestoreRequest = {
      root,
      target: bytes(target),
      overwrite: 'always',
      delete: false,
      dryRun: false,
      verify: false,
      workers: 1,
    }
    const mended = await restore(
      { source: eitherSource(storeSource(store), peer), vault: maker.vault, posix, world: systemWorld },
      request,
      { signal: new AbortController().signal },
    )
    assert.deepEqual(mended.problems, [])
    assert.ok(readFileSync(at('bad')).equals(noise))
  })

  it('never follows a symlink below the target', async () => {
    const outside = join(base, 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'file'), 'precious')
    mkdirSync(target)
    symlinkSync(outside, at('dir'))
    symlinkSync(join(outside, 'file'), at('file'))
    const tree: MadeTree = { dir: { in: { file: { bytes: 'new' } } }, file: { bytes: 'new' } }
    const kept = await restoreTree(tree, { overwrite: 'never' })
    assert.deepEqual(
      kept.problems.map(({ code }) => code),
      ['EEXIST'],
    )
    assert.equal(readFileSync(join(outside, 'file'), 'latin1'), 'precious')
    const { problems } = await restoreTree(tree)
    assert.deepEqual(problems, [])
    assert.equal(readFileSync(join(outside, 'file'), 'latin1'), 'precious')
    assert.ok(lstatSync(at('dir')).isDirectory())
    assert.equal(text('dir', 'file'), 'new')
    assert.ok(lstatSync(at('file')).isFile())
  })

  it('overwrites as the policy says', async () => {
    const mtimeNs = 1_600_000_000_000_000_000n
    const root = await maker.snapshot({ f: { bytes: 'snap', mtimeNs } })
    const attempt = async (
      overwrite: RestoreRequest['overwrite'],
      there: string,
      seconds: number,
    ): Promise<string> => {
      rmSync(target, { recursive: true, force: true })
      mkdirSync(target)
      writeFileSync(at('f'), there)
      utimesSync(at('f'), seconds, seconds)
      const { problems } = await restoreRoot(root, { overwrite })
      assert.deepEqual(problems, [])
      return text('f')
    }
    assert.equal(await attempt('always', 'here', 1_600_000_000), 'snap')
    assert.equal(await attempt('if-changed', 'here', 1_600_000_000), 'here')
    assert.equal(await attempt('if-changed', 'here', 1_600_000_001), 'snap')
    assert.equal(await attempt('if-changed', 'longer', 1_600_000_000), 'snap')
    assert.equal(await attempt('if-newer', 'here', 1_600_000_000), 'here')
    assert.equal(await attempt('if-newer', 'here', 1_599_999_999), 'snap')
    assert.equal(await attempt('never', 'here', 1), 'here')
  })

  it('replaces an empty directory by a file, and a full one only when deleting', async () => {
    mkdirSync(at('empty'), { recursive: true })
    mkdirSync(at('full', 'x'), { recursive: true })
    writeFileSync(at('full', 'x', 'precious'), '')
    const root = await maker.snapshot({ empty: { bytes: 'e' }, full: { bytes: 'f' } })
    const first = await restoreRoot(root)
    assert.deepEqual(
      first.problems.map(({ code }) => code),
      ['ENOTEMPTY'],
    )
    assert.equal(text('empty'), 'e')
    assert.ok(existsSync(at('full', 'x', 'precious')))
    const second = await restoreRoot(root, { delete: true })
    assert.deepEqual(second.problems, [])
    assert.equal(text('full'), 'f')
    assert.deepEqual(leftovers(target), [])
  })

  it('removes what the snapshot lacks only when asked, only where the snapshot is whole, and not what it could not read', async () => {
    const root = await maker.snapshot(
      { home: { in: { u: { in: { a: { bytes: 'a' }, sub: { in: {} } } } } } },
      { paths: [bytes('/home/u')], unread: [{ path: bytes('/home/u/unread'), code: 'EACCES' }] },
    )
    mkdirSync(at('home', 'u', 'sub'), { recursive: true })
    mkdirSync(at('home', 'u', 'gone', 'x'), { recursive: true })
    for (const name of ['etc', 'home/other', 'home/u/gone/x/f', 'home/u/unread', 'home/u/sub/f'])
      writeFileSync(at(name), '')
    symlinkSync(at('etc'), at('home', 'u', 'link'))
    assert.equal((await restoreRoot(root)).summary.filesDeleted, 0)
    assert.equal((await restoreRoot(root, { delete: true, dryRun: true })).summary.filesDeleted, 3)
    const { summary, problems } = await restoreRoot(root, { delete: true })
    assert.deepEqual(problems, [])
    assert.equal(summary.filesDeleted, 5)
    assert.deepEqual(readdirSync(at('home', 'u')).sort(), ['a', 'sub', 'unread'])
    assert.deepEqual(readdirSync(at('home', 'u', 'sub')), [])
    assert.ok(existsSync(at('etc')) && existsSync(at('home', 'other')))
  })

  it('restores a directory of the snapshot right into the target, or one file', async () => {
    const root = await maker.snapshot({
      home: { in: { u: { in: { a: { bytes: 'a' }, d: { in: { b: { bytes: 'b' } } } } } } },
    })
    await restoreRoot(root, { subpath: bytes('/home/u') })
    assert.deepEqual(readdirSync(target).sort(), ['a', 'd'])
    assert.equal(text('d', 'b'), 'b')
    target = join(base, 'second')
    await restoreRoot(root, { subpath: bytes('home/u/d/b') })
    assert.deepEqual(readdirSync(target), ['b'])
    await assert.rejects(restoreRoot(root, { subpath: bytes('/home/v') }), (error) =>
      isCellarError(error, 'PATH_NOT_FOUND'),
    )
  })

  it('includes and excludes, and makes no directory in vain', async () => {
    const root = await maker.snapshot({
      a: { in: { 'x.txt': { bytes: '1' }, y: { bytes: '2' } } },
      b: { in: { c: { in: { 'z.txt': { bytes: '3' } } } } },
      d: { in: { w: { bytes: '4' } } },
    })
    const { problems } = await restoreRoot(root, { rules: { ...everything, includes: ['*.txt'] } })
    assert.deepEqual(problems, [])
    assert.deepEqual(readdirSync(target, { recursive: true }).map(String).sort(), [
      'a',
      'a/x.txt',
      'b',
      'b/c',
      'b/c/z.txt',
    ])
    target = join(base, 'second')
    await restoreRoot(root, { rules: { ...everything, includes: ['/b/c'] } })
    assert.deepEqual(readdirSync(target, { recursive: true }).map(String).sort(), ['b', 'b/c', 'b/c/z.txt'])
    target = join(base, 'third')
    await restoreRoot(root, { rules: { ...everything, excludes: ['*.txt', '/d'] } })
    assert.deepEqual(readdirSync(target, { recursive: true }).map(String).sort(), ['a', 'a/y', 'b', 'b/c'])
  })

  it('does nothing in a dry run, and counts', async () => {
    const { summary } = await restoreTree(
      { a: { bytes: 'a' }, d: { in: { b: { bytes: 'bb' } } } },
      { dryRun: true },
    )
    assert.equal(existsSync(target), false)
    assert.deepEqual([summary.filesRestored, summary.bytesRestored], [3, 3])
  })

  it('reads back what it wrote when asked', async () => {
    const { filesVerified, problems } = await restoreTree(
      { a: { bytes: 'a' }, b: { bytes: 'b'.repeat(3000), chunkBytes: 999 } },
      { verify: true },
    )
    assert.deepEqual([filesVerified, problems], [2, []])
  })

  it('leaves the mode of read-only directories as it should be, as a user too', async () => {
    mkdirSync(at('d'), { recursive: true })
    chmodSync(at('d'), 0o555)
    const { problems } = await restoreTree({
      d: { mode: 0o500, in: { e: { mode: 0o555, in: { f: { mode: 0o400, bytes: 'f' } } } } },
    })
    assert.deepEqual(problems, [])
    assert.equal(statSync(at('d')).mode & 0o7777, 0o500)
    assert.equal(statSync(at('d', 'e')).mode & 0o7777, 0o555)
  })

  it('stops when told to, and leaves no unfinished file', async () => {
    const root = await maker.snapshot(
      Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`f${String(i)}`, { bytes: 'x' }])),
    )
    const controller = new AbortController()
    controller.abort()
    await assert.rejects(restoreRoot(root, {}, controller.signal), (error) => isCellarError(error, 'ABORTED'))
    assert.deepEqual(existsSync(target) ? readdirSync(target) : [], [])
  })

  it('removes what a killed restore left', async () => {
    mkdirSync(at('d'), { recursive: true })
    const left = '.rootcellar-restore-4194999-0123456789abcdef-1-7'
    writeFileSync(at('d', left), '')
    const own = `.rootcellar-restore-${String(process.pid)}-0123456789abcdef-1-7`
    writeFileSync(at('d', own), '')
    await restoreTree({ d: { in: {} } })
    assert.deepEqual(readdirSync(at('d')), [own])
  })

  it('relinks names that are there, without leftovers', async () => {
    const link = { inode: 99n, linkCount: 2, bytes: 'new' }
    mkdirSync(target)
    writeFileSync(at('one'), 'old')
    linkSync(at('one'), at('two'))
    for (const time of [1, 2]) {
      const { problems } = await restoreTree({ one: link, two: link })
      assert.deepEqual(problems, [], String(time))
      assert.equal(statSync(at('one')).ino, statSync(at('two')).ino)
      assert.equal(text('two'), 'new')
      assert.deepEqual(readdirSync(target).sort(), ['one', 'two'])
    }
  })
})
