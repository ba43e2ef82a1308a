import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { systemWorld } from '../../../../node/adapters/system-world.ts'
import type { RestoreRequest } from '../../../../node/restore/restore.ts'
import { TempNames } from '../../../../node/restore/temp-names.ts'
import { type MadeTree } from '../../../tools/make-snapshot.ts'
import { Bench, bytes } from './bench.ts'

const leftover = (pid: number) => `.rootcellar-restore-${String(pid)}-0123456789abcdef-1-7`

/** Another restore under way in this process. */
class OtherRestore {
  readonly #names = new TempNames(systemWorld.random)

  get file(): string {
    return `${this.#names.prefix(1)}7`
  }

  [Symbol.dispose](): void {
    this.#names.end()
  }
}

describe('restoring over what is there', function () {
  this.timeout(20_000)
  let bench: Bench
  beforeEach(async () => {
    bench = await Bench.open()
  })
  afterEach(() => bench.close())

  it('never follows a symlink below the target', async () => {
    const outside = join(bench.base, 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'file'), 'precious')
    mkdirSync(bench.target)
    symlinkSync(outside, bench.at('dir'))
    symlinkSync(join(outside, 'file'), bench.at('file'))
    const tree: MadeTree = { dir: { in: { file: { bytes: 'new' } } }, file: { bytes: 'new' } }
    const kept = await bench.restoreTree(tree, { overwrite: 'never' })
    assert.deepEqual(
      kept.problems.map(({ code }) => code),
      ['EEXIST'],
    )
    assert.equal(readFileSync(join(outside, 'file'), 'latin1'), 'precious')
    const { problems } = await bench.restoreTree(tree)
    assert.deepEqual(problems, [])
    assert.equal(readFileSync(join(outside, 'file'), 'latin1'), 'precious')
    assert.ok(lstatSync(bench.at('dir')).isDirectory())
    assert.equal(bench.text('dir', 'file'), 'new')
    assert.ok(lstatSync(bench.at('file')).isFile())
  })

  it('overwrites as the policy says', async () => {
    const mtimeNs = 1_600_000_000_000_000_000n
    const root = await bench.maker.snapshot({ f: { bytes: 'snap', mtimeNs } })
    const attempt = async (
      overwrite: RestoreRequest['overwrite'],
      there: string,
      seconds: number,
    ): Promise<string> => {
      rmSync(bench.target, { recursive: true, force: true })
      mkdirSync(bench.target)
      writeFileSync(bench.at('f'), there)
      utimesSync(bench.at('f'), seconds, seconds)
      const { problems } = await bench.restore(root, { overwrite })
      assert.deepEqual(problems, [])
      return bench.text('f')
    }
    assert.equal(await attempt('always', 'here', 1_600_000_000), 'snap')
    assert.equal(await attempt('if-changed', 'here', 1_600_000_000), 'here')
    assert.equal(await attempt('if-changed', 'here', 1_600_000_001), 'snap')
    assert.equal(await attempt('if-changed', 'longer', 1_600_000_000), 'snap')
    assert.equal(await attempt('if-newer', 'here', 1_600_000_000), 'here')
    assert.equal(await attempt('if-newer', 'here', 1_599_999_999), 'snap')
    assert.equal(await attempt('never', 'here', 1), 'here')
  })

  it('going on with what was broken off, keeps what is whole and gives folders their metadata', async () => {
    const tree: MadeTree = {
      dir: { mode: 0o751, in: { whole: { bytes: 'snap' }, missing: { bytes: 'snap' } } },
    }
    const root = await bench.maker.snapshot(tree)
    const attempt = async (goesOn: boolean): Promise<number> => {
      rmSync(bench.target, { recursive: true, force: true })
      mkdirSync(bench.at('dir'), { recursive: true, mode: 0o700 })
      writeFileSync(bench.at('dir', 'whole'), 'changed since')
      const { problems } = await bench.restore(root, { overwrite: 'never', goesOn })
      assert.deepEqual(problems, [])
      assert.equal(bench.text('dir', 'whole'), 'changed since')
      assert.equal(bench.text('dir', 'missing'), 'snap')
      return statSync(bench.at('dir')).mode & 0o777
    }
    assert.equal(await attempt(false), 0o700)
    assert.equal(await attempt(true), 0o751)
  })

  it('replaces an empty directory by a file, and a full one only when deleting', async () => {
    mkdirSync(bench.at('empty'), { recursive: true })
    mkdirSync(bench.at('full', 'x'), { recursive: true })
    writeFileSync(bench.at('full', 'x', 'precious'), '')
    const root = await bench.maker.snapshot({ empty: { bytes: 'e' }, full: { bytes: 'f' } })
    const first = await bench.restore(root)
    assert.deepEqual(
      first.problems.map(({ code }) => code),
      ['ENOTEMPTY'],
    )
    assert.equal(bench.text('empty'), 'e')
    assert.ok(existsSync(bench.at('full', 'x', 'precious')))
    const second = await bench.restore(root, { delete: true })
    assert.deepEqual(second.problems, [])
    assert.equal(bench.text('full'), 'f')
    assert.deepEqual(bench.leftovers(), [])
  })

  it('removes nothing from a directory that could not be read when it was backed up', async () => {
    const tree: MadeTree = { home: { in: { shut: { in: {} }, open: { in: {} } } } }
    const unread = [{ path: bytes('/home/shut'), code: 'EACCES' }]
    for (const name of ['shut', 'open']) {
      mkdirSync(bench.at('home', name, 'in'), { recursive: true })
      writeFileSync(bench.at('home', name, 'in', 'precious'), '')
    }
    const { problems } = await bench.restore(await bench.maker.snapshot(tree, { unread }), { delete: true })
    assert.deepEqual(problems, [])
    assert.ok(existsSync(bench.at('home', 'shut', 'in', 'precious')))
    assert.deepEqual(readdirSync(bench.at('home', 'open')), [])
    // Of more that could not be read not even the names are known: then nothing goes.
    writeFileSync(bench.at('home', 'open', 'kept'), '')
    const more = await bench.maker.snapshot(tree, { unread, unreadLeftOut: 1 })
    const { notices } = await bench.restore(more, { delete: true })
    assert.ok(existsSync(bench.at('home', 'open', 'kept')))
    assert.equal(notices.length, 1)
  })

  it('never removes what it was told to keep, nor what leads there, also below a part of a snapshot', async () => {
    const root = await bench.maker.snapshot({
      home: { in: { u: { in: { a: { bytes: 'a' }, store: { in: {} } } } } },
    })
    const own = ['x/y/own/keys', 'store/packs/1']
    for (const file of [...own, 'x/y/other', 'x/z']) {
      mkdirSync(bench.at(file, '..'), { recursive: true })
      writeFileSync(bench.at(file), '')
    }
    const keep = [bytes(bench.at('x/y/own')), bytes(bench.at('store')), bytes(bench.at('not/there'))]
    await bench.restore(root, { subpath: bytes('/home/u'), delete: true, keep })
    for (const file of own) assert.ok(existsSync(bench.at(file)), file)
    assert.deepEqual(readdirSync(bench.target).sort(), ['a', 'store', 'x'])
  })

  it('removes what the snapshot lacks when asked and where it is whole, never what it could not read', async () => {
    const root = await bench.maker.snapshot(
      { home: { in: { u: { in: { a: { bytes: 'a' }, sub: { in: {} } } } } } },
      { paths: [bytes('/home/u')], unread: [{ path: bytes('/home/u/unread'), code: 'EACCES' }] },
    )
    mkdirSync(bench.at('home', 'u', 'sub'), { recursive: true })
    mkdirSync(bench.at('home', 'u', 'gone', 'x'), { recursive: true })
    for (const name of ['etc', 'home/other', 'home/u/gone/x/f', 'home/u/unread', 'home/u/sub/f'])
      writeFileSync(bench.at(name), '')
    symlinkSync(bench.at('etc'), bench.at('home', 'u', 'link'))
    assert.equal((await bench.restore(root)).summary.filesDeleted, 0)
    assert.equal((await bench.restore(root, { delete: true, dryRun: true })).summary.filesDeleted, 3)
    const { summary, problems } = await bench.restore(root, { delete: true })
    assert.deepEqual(problems, [])
    assert.equal(summary.filesDeleted, 5)
    assert.deepEqual(readdirSync(bench.at('home', 'u')).sort(), ['a', 'sub', 'unread'])
    assert.deepEqual(readdirSync(bench.at('home', 'u', 'sub')), [])
    assert.ok(existsSync(bench.at('etc')) && existsSync(bench.at('home', 'other')))
  })

  it('leaves the mode of read-only directories as it should be, as a user too', async () => {
    mkdirSync(bench.at('d'), { recursive: true })
    chmodSync(bench.at('d'), 0o555)
    const { problems } = await bench.restoreTree({
      d: { mode: 0o500, in: { e: { mode: 0o555, in: { f: { mode: 0o400, bytes: 'f' } } } } },
    })
    assert.deepEqual(problems, [])
    assert.equal(statSync(bench.at('d')).mode & 0o7777, 0o500)
    assert.equal(statSync(bench.at('d', 'e')).mode & 0o7777, 0o555)
  })

  it('removes what a killed restore left, in the target too, but not what one under way is making', async () => {
    // it is being made by a live process, and by one that has ended
    const living = leftover(process.ppid)
    const left = leftover(4194999)
    // the number was a killed process's before it was this one's
    const reused = leftover(process.pid)
    for (const dir of ['.', 'd']) {
      mkdirSync(bench.at(dir), { recursive: true })
      for (const name of [living, left, reused]) writeFileSync(bench.at(dir, name), '')
    }
    using other = new OtherRestore()
    writeFileSync(bench.at('d', other.file), '')
    await bench.restoreTree({ d: { in: {} } }, { dryRun: true })
    assert.equal(readdirSync(bench.at('d')).length, 4)
    const { problems } = await bench.restoreTree({ d: { in: {} } })
    assert.deepEqual(problems, [])
    assert.deepEqual(readdirSync(bench.target), [living, 'd'])
    assert.deepEqual(readdirSync(bench.at('d')).sort(), [living, other.file].sort())
  })

  it('removes it where one file is restored, too', async () => {
    const left = leftover(4194999)
    mkdirSync(bench.target)
    writeFileSync(bench.at(left), '')
    const root = await bench.maker.snapshot({ d: { in: { f: { bytes: 'f' } } } })
    await bench.restore(root, { subpath: bytes('/d/f') })
    assert.deepEqual(readdirSync(bench.target), ['f'])
  })

  it('relinks names that are there, without leftovers', async () => {
    const link = { inode: 99n, linkCount: 2, bytes: 'new' }
    mkdirSync(bench.target)
    writeFileSync(bench.at('one'), 'old')
    linkSync(bench.at('one'), bench.at('two'))
    for (const time of [1, 2]) {
      const { problems } = await bench.restoreTree({ one: link, two: link })
      assert.deepEqual(problems, [], String(time))
      assert.equal(statSync(bench.at('one')).ino, statSync(bench.at('two')).ino)
      assert.equal(bench.text('two'), 'new')
      assert.deepEqual(readdirSync(bench.target).sort(), ['one', 'two'])
    }
  })
})
