import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { type ChunkId, type Entry, isCellarError } from '../../../../protocol/index.ts'
import { makeTree } from '../../../tools/make-tree.ts'
import {
  makeDirectory,
  makeSetting,
  noise,
  readContent,
  readEntries,
  readRoot,
  run,
  type Setting,
} from './helper.ts'

describe('backup', () => {
  let directory = ''
  let setting: Setting
  const at = (...names: string[]): string => join(directory, ...names)
  const entryOf = (root: ChunkId | undefined, path: string): Entry | undefined =>
    root === undefined
      ? undefined
      : readEntries(setting, root).get(Buffer.from(path.slice(1)).toString('latin1'))

  beforeEach(async () => {
    directory = makeDirectory()
    setting = await makeSetting()
  })
  afterEach(async () => {
    execFileSync('rm', ['-rf', directory])
    await setting.store.close()
  })

  it('keeps a tree of every kind of thing, to the last bit', async () => {
    makeTree(directory, { seed: 'backup' })
    const { root, unread, summary } = await run(setting, [directory])
    assert.ok(root !== undefined)
    assert.deepEqual(unread, [])
    const entries = readEntries(setting, root)
    const prefix = `${directory.slice(1)}/`
    let files = 0
    for (const [path, entry] of entries) {
      if (!path.startsWith(prefix)) continue
      const real = Buffer.from(`/${path}`, 'latin1')
      const stats = lstatSync(real, { bigint: true })
      assert.equal(entry.mtimeNs, stats.mtimeNs, path)
      assert.equal(entry.ctimeNs, stats.ctimeNs, path)
      assert.equal(BigInt(entry.mode), stats.mode & 0o7777n, path)
      assert.equal(entry.inode, stats.ino, path)
      if (entry.type === 'symlink')
        assert.deepEqual(Buffer.from(entry.target ?? []), readlinkSync(real, { encoding: 'buffer' }))
      if (entry.type !== 'file') continue
      files++
      assert.ok((await readContent(setting, entry)).equals(readFileSync(real)), path)
    }
    assert.equal(summary.files, files)
    const found = execFileSync('find', [directory, '-mindepth', '1', '-printf', 'x']).length
    assert.equal([...entries.keys()].filter((path) => path.startsWith(prefix)).length, found)
    assert.ok(
      [...entries.values()].some(({ holes }) => holes !== undefined),
      'holes are kept',
    )
    assert.ok(
      [...entries.values()].some(({ xattrs }) => xattrs !== undefined),
      'attributes are kept',
    )
    assert.ok(
      [...entries.values()].some(({ mtimeNs }) => mtimeNs < 0n),
      'times before 1970 are kept',
    )
  })

  it('adds nothing for what is unchanged', async () => {
    makeTree(directory, { seed: 'again', largeBytes: 100_000 })
    const first = await run(setting, [directory])
    const chunks = setting.store.stats().chunks
    const second = await run(setting, [directory], {
      ...(first.root === undefined ? {} : { parent: first.root }),
    })
    assert.equal(second.summary.filesUnmodified, first.summary.files)
    assert.equal(second.summary.filesNew + second.summary.filesChanged, 0)
    assert.equal(second.summary.dataChunks, 0)
    // A new root, and the directories on the way to the source.
    assert.ok(setting.store.stats().chunks - chunks <= 3)
    assert.ok(second.root !== undefined && first.root !== undefined)
    const inSource = (root: ChunkId) =>
      [...readEntries(setting, root)].filter(([path]) => path.startsWith(`${directory.slice(1)}/`))
    assert.deepEqual(inSource(second.root), inSource(first.root))
    const alone = await run(setting, [directory])
    assert.equal(alone.summary.filesNew, first.summary.files)
    assert.ok(alone.summary.chunksAdded <= 3, String(alone.summary.chunksAdded))
  })

  it('reads again only what has changed', async () => {
    for (let i = 0; i < 50; i++) writeFileSync(at(`f${String(i)}`), noise(3000, i))
    const first = await run(setting, [directory])
    appendFileSync(at('f7'), 'more')
    const { root, summary } = await run(setting, [directory], { parent: first.root as ChunkId })
    assert.equal(summary.filesChanged, 1)
    assert.equal(summary.filesUnmodified, 49)
    assert.equal(summary.bytesAdded, 3004)
    const entry = entryOf(root, at('f7')) as Entry
    assert.ok((await readContent(setting, entry)).equals(readFileSync(at('f7'))))
    assert.ok((await readContent(setting, entryOf(root, at('f8')) as Entry)).equals(readFileSync(at('f8'))))
  })

  it('is not deceived by a file of the same size and time', async () => {
    writeFileSync(at('f'), 'before')
    utimesSync(at('f'), 1000, 1000)
    const first = await run(setting, [directory])
    writeFileSync(at('f'), 'behind')
    utimesSync(at('f'), 1000, 1000)
    const { root } = await run(setting, [directory], { parent: first.root as ChunkId })
    assert.equal((await readContent(setting, entryOf(root, at('f')) as Entry)).toString(), 'behind')
  })

  it('keeps equal content once, whoever reads it', async () => {
    const content = noise(3_000_000, 5)
    for (let i = 0; i < 8; i++) writeFileSync(at(`same${String(i)}`), content)
    writeFileSync(at('zeros'), Buffer.alloc(30_000_000))
    const { root, summary } = await run(setting, [directory], { threads: 3 })
    assert.ok(summary.bytesAdded <= 3_000_000 + 3 * 4_194_304, String(summary.bytesAdded))
    for (const name of ['same0', 'same7', 'zeros']) {
      assert.ok((await readContent(setting, entryOf(root, at(name)) as Entry)).equals(readFileSync(at(name))))
    }
  })

  it('makes the same data chunks of the same tree on two devices', async () => {
    makeTree(directory, { seed: 'two' })
    const other = await makeSetting()
    const dataOf = async (one: Setting): Promise<string[]> => {
      const { root } = await run(one, [directory], { threads: 2 })
      const ids = new Set<string>()
      for (const { content } of readEntries(one, root as ChunkId).values()) {
        if (content?.kind === 'chunks') for (const { id } of content.chunks) ids.add(id)
        else if (content !== undefined) ids.add(content.chunk)
      }
      return [...ids].sort()
    }
    const [a, b] = [await dataOf(setting), await dataOf(other)]
    assert.ok(a.length > 10)
    assert.deepEqual(a, b)
    await other.store.close()
  })

  it('does large files in threads, and finds what is known in them', async () => {
    const content = noise(9_000_000, 3)
    writeFileSync(at('a'), content)
    const first = await run(setting, [directory], { threads: 2 })
    writeFileSync(
      at('b'),
      Buffer.concat([content.subarray(0, 100), Buffer.from('inserted'), content.subarray(100)]),
    )
    const second = await run(setting, [directory], { threads: 2, parent: first.root as ChunkId })
    assert.ok(second.summary.bytesAdded < 5_000_000, String(second.summary.bytesAdded))
    for (const name of ['a', 'b']) {
      assert.ok(
        (await readContent(setting, entryOf(second.root, at(name)) as Entry)).equals(readFileSync(at(name))),
      )
    }
  })

  it('leaves out what rules name, but never a path that was named itself', async () => {
    for (const name of ['keep', 'out.o', 'big']) writeFileSync(at(name), name)
    writeFileSync(at('big'), noise(5000, 1))
    for (const name of ['cache', 'marked', 'node_modules', 'notcache']) mkdirSync(at(name))
    writeFileSync(at('cache', 'CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55\nrest')
    writeFileSync(at('notcache', 'CACHEDIR.TAG'), 'no signature')
    for (const name of ['cache', 'marked', 'node_modules', 'notcache']) writeFileSync(at(name, 'inside'), 'x')
    writeFileSync(at('marked', '.nobackup'), '')
    writeFileSync(at('node_modules', 'wanted.o'), 'x')
    const excludes = {
      patterns: ['*.o', 'node_modules'],
      caches: true,
      ifPresent: ['.nobackup'],
      largerThanBytes: 4096,
      patternsIgnoringCase: ['NOTHING'],
    }
    const { root } = await run(setting, [directory, at('node_modules', 'wanted.o')], { excludes })
    const paths = [...readEntries(setting, root as ChunkId).keys()].filter((path) =>
      path.startsWith(`${directory.slice(1)}/`),
    )
    assert.deepEqual(paths.map((path) => path.slice(directory.length)).sort(), [
      'cache',
      'cache/CACHEDIR.TAG',
      'keep',
      'marked',
      'marked/.nobackup',
      'node_modules',
      'node_modules/wanted.o',
      'notcache',
      'notcache/CACHEDIR.TAG',
      'notcache/inside',
    ])
    assert.ok(readRoot(setting, root as ChunkId).excludes.includes('node_modules'))
  })

  it('leaves out sockets and its own data, and says so', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(at('socket'), resolve))
    mkdirSync(at('own'))
    writeFileSync(at('own', 'secret'), 'x')
    const { root, notices, unread } = await run(setting, [directory], { own: [Buffer.from(at('own'))] })
    await new Promise((resolve) => server.close(resolve))
    assert.equal(entryOf(root, at('socket')), undefined)
    assert.equal(entryOf(root, at('own')), undefined)
    assert.equal(notices.length, 2)
    assert.deepEqual(unread, [])
  })

  it('reports a source that is not there, and fails when none is', async () => {
    writeFileSync(at('a'), 'a')
    const { root, unread } = await run(setting, [at('a'), at('gone', 'deep')])
    assert.ok(entryOf(root, at('a')) !== undefined)
    assert.deepEqual(
      unread.map(({ path, code }) => [Buffer.from(path).toString(), code]),
      [[at('gone', 'deep'), 'ENOENT']],
    )
    assert.deepEqual(
      readRoot(setting, root as ChunkId).unread.map(({ code }) => code),
      ['ENOENT'],
    )
    await assert.rejects(run(setting, [at('gone')]), (error) => isCellarError(error, 'SOURCE_UNREADABLE'))
  })

  it('reads a file of many names once, and keeps all of them', async () => {
    writeFileSync(at('one'), noise(700_000, 9))
    mkdirSync(at('sub'))
    linkSync(at('one'), at('sub', 'two'))
    linkSync(at('one'), at('three'))
    const { root, summary } = await run(setting, [directory])
    assert.equal(summary.bytesAdded, 700_000)
    const entries = [at('one'), at('sub', 'two'), at('three')].map((path) => entryOf(root, path) as Entry)
    assert.equal(new Set(entries.map(({ inode }) => inode)).size, 1)
    for (const entry of entries) assert.deepEqual(entry.content, entries[0]?.content)
  })

  it('keeps the holes of sparse files without reading them', async () => {
    const fd = openSync(at('disk.img'), 'w')
    writeSync(fd, noise(50_000, 1), 0, 50_000, 1 << 30)
    ftruncateSync(fd, 2 ** 31)
    closeSync(fd)
    const { root, summary } = await run(setting, [directory])
    const entry = entryOf(root, at('disk.img')) as Entry
    assert.equal(entry.size, 2 ** 31)
    assert.ok(summary.bytesAdded < 200_000, String(summary.bytesAdded))
    assert.ok((entry.holes?.length ?? 0) >= 2)
  })

  it('makes a lost chunk again, byte for byte, from the source', async () => {
    for (let i = 0; i < 20; i++) writeFileSync(at(`f${String(i)}`), noise(3000, i))
    const first = await run(setting, [directory])
    const { content } = entryOf(first.root, at('f3')) as Entry
    assert.equal(content?.kind, 'bundle')
    const lost = (content as { chunk: ChunkId }).chunk
    await setting.store.quarantine(lost)
    assert.equal(setting.store.has(lost), false)
    const second = await run(setting, [directory], { parent: first.root as ChunkId })
    assert.equal(setting.store.has(lost), true)
    assert.ok(second.root !== undefined)
  })

  it('rewrites one part of a large directory for one change', async () => {
    for (let i = 0; i < 9000; i++) writeFileSync(at(`file-${String(i).padStart(5, '0')}`), '')
    const first = await run(setting, [directory])
    const trees = (entryOf(first.root, directory) as Entry).trees ?? []
    assert.ok(trees.length > 2)
    writeFileSync(at('file-04500x'), '')
    unlinkSync(at('file-04510'))
    const second = await run(setting, [directory], { parent: first.root as ChunkId })
    const now = (entryOf(second.root, directory) as Entry).trees ?? []
    const fresh = now.filter((id) => !trees.includes(id))
    assert.ok(fresh.length <= 2, String(fresh.length))
    assert.equal((await run(setting, [directory])).summary.files, 9000)
    assert.ok(entryOf(second.root, at('file-04500x')) !== undefined)
    assert.equal(entryOf(second.root, at('file-04510')), undefined)
  })

  it('writes nothing in a dry run, and counts as if it had', async () => {
    makeTree(directory, { seed: 'dry', largeBytes: 5_000_000 })
    const dry = await run(setting, [directory], { dryRun: true, threads: 1 })
    assert.equal(dry.root, undefined)
    assert.equal(setting.store.stats().chunks + setting.store.stats().pending, 0)
    const real = await run(setting, [directory], { threads: 1 })
    assert.deepEqual(
      { ...dry.summary, durationMs: 0, chunksAdded: 0, treeChunks: 0, bytesStored: 0 },
      { ...real.summary, durationMs: 0, chunksAdded: 0, treeChunks: 0, bytesStored: 0 },
    )
  })

  it('writes no root when nothing has changed and that was asked for', async () => {
    mkdirSync(at('src'))
    writeFileSync(at('src', 'a'), 'a')
    const first = await run(setting, [at('src')])
    const again = { parent: first.root as ChunkId, skipIfUnchanged: true }
    // Something beside the source: none of its business.
    writeFileSync(at('beside'), 'b')
    assert.equal((await run(setting, [at('src')], again)).root, undefined)
    utimesSync(at('src', 'a'), 1, 1)
    assert.ok((await run(setting, [at('src')], again)).root !== undefined)
    unlinkSync(at('src', 'a'))
    assert.ok((await run(setting, [at('src')], again)).root !== undefined)
  })

  it('backs up what comes through a pipe', async () => {
    const content = noise(9_500_000, 77)
    async function* pieces(): AsyncIterable<Uint8Array> {
      for (let i = 0; i < content.length; i += 65_000) yield content.subarray(i, i + 65_000)
    }
    const { root } = await run(setting, [], { stdin: { name: Buffer.from('dump.sql'), stream: pieces() } })
    assert.ok((await readContent(setting, entryOf(root, '/dump.sql') as Entry)).equals(content))
    const empty = await run(setting, [], {
      stdin: { name: Buffer.from('none'), stream: (async function* () {})() },
    })
    assert.equal(entryOf(empty.root, '/none')?.size, 0)
  })

  it('refuses a pipe whose name no file can have, or that a source has, before it reads it', async () => {
    async function* unread(): AsyncIterable<Uint8Array> {
      yield await Promise.reject(new Error('it was read'))
    }
    const [, first = ''] = at('x').split('/')
    for (const name of ['', '..', 'a/b', 'a\0b', 'n'.repeat(5000), first]) {
      const request = { stdin: { name: Buffer.from(name), stream: unread() } }
      await assert.rejects(run(setting, [at('x')], request), (error) => isCellarError(error, 'USAGE'))
    }
  })

  it('follows symlinks on the way to a source, not in it', async () => {
    mkdirSync(at('real', 'sub'), { recursive: true })
    writeFileSync(at('real', 'sub', 'a'), 'a')
    symlinkSync('real', at('link'))
    symlinkSync('sub', at('real', 'inner'))
    const { root } = await run(setting, [at('link', 'sub'), at('real', 'inner')])
    assert.equal(entryOf(root, at('link'))?.type, 'dir')
    assert.equal(entryOf(root, at('link', 'sub', 'a'))?.type, 'file')
    assert.equal(entryOf(root, at('real', 'inner'))?.type, 'symlink')
  })

  it('goes as deep as directories go', async function () {
    this.timeout(120_000)
    const cwd = process.cwd()
    const depth = 3900
    try {
      process.chdir(directory)
      for (let i = 0; i < depth; i++) {
        mkdirSync('d')
        process.chdir('d')
      }
      writeFileSync('bottom', 'deep')
    } finally {
      process.chdir(cwd)
    }
    const { root, unread, summary } = await run(setting, [directory])
    assert.deepEqual(unread, [])
    assert.ok(summary.dirs >= depth)
    assert.ok(entryOf(root, `${directory}${'/d'.repeat(depth)}/bottom`) !== undefined)
    const again = await run(setting, [directory], { parent: root as ChunkId })
    assert.equal(again.summary.filesUnmodified, 1)
  })
})
