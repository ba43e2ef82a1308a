import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { archive } from '../../../../node/browse/archive.ts'
import { storeSource } from '../../../../node/chunk-source.ts'
import { SnapshotReader } from '../../../../node/snapshot-reader.ts'
import type { ChunkId } from '../../../../protocol/index.ts'
import { type MadeTree, SnapshotMaker } from '../../../tools/make-snapshot.ts'

const MTIME = 1_600_000_000_123_456_789n
const CONTENT = Buffer.from('0123456789'.repeat(100_000))

const TREE: MadeTree = {
  home: {
    type: 'dir',
    mode: 0o750,
    mtimeNs: MTIME,
    in: {
      ['n'.repeat(180)]: { bytes: 'long name' },
      big: { bytes: CONTENT, chunkBytes: 65_536, mode: 0o600, mtimeNs: MTIME },
      'caf\u00c3\u00a9': { bytes: 'name in UTF-8' },
      empty: {},
      first: { bytes: 'two names', linkCount: 2, inode: 77n, device: 1n },
      holes: { size: 300_000, bytes: 'tail', holes: [{ offset: 0, length: 299_996 }] },
      link: { type: 'symlink', target: Buffer.from('../somewhere') },
      old: { bytes: 'before 1970', mtimeNs: -86_400_000_000_000n + 5n },
      pipe: { type: 'fifo', mode: 0o600 },
      second: { bytes: 'two names', linkCount: 2, inode: 77n, device: 1n },
      sub: { type: 'dir', mode: 0o700, in: { deep: { bytes: 'deep' } } },
      '\xff\xfe': { bytes: 'no UTF-8' },
    },
  },
}

describe('an archive of a directory', () => {
  let maker: SnapshotMaker
  let reader: SnapshotReader
  let target: string
  const signal = new AbortController().signal

  beforeEach(async () => {
    maker = await SnapshotMaker.open()
    reader = new SnapshotReader(storeSource(maker.store), maker.vault)
    target = mkdtempSync(join(tmpdir(), 'cellar-archive-'))
  })
  afterEach(() => {
    rmSync(target, { recursive: true, force: true })
  })

  async function made(path: string): Promise<{ bytes: Buffer; told: number; notices: string[] }> {
    const root = await reader.root(await maker.snapshot(TREE), signal)
    const pieces: Buffer[] = []
    const notices: string[] = []
    const write = (piece: Uint8Array) => {
      pieces.push(Buffer.from(piece))
      return Promise.resolve()
    }
    const told = await archive(reader, { root, path: Buffer.from(path) }, write, {
      signal,
      onNotice: (message) => notices.push(message),
    })
    return { bytes: Buffer.concat(pieces), told, notices }
  }

  it('is unpacked by tar to what was backed up', async () => {
    const { bytes, told, notices } = await made('/home')
    assert.equal(told, bytes.length)
    const tar = spawnSync('tar', ['-xp', '--no-same-owner', '-C', target], { input: bytes })
    assert.equal(tar.status, 0, tar.stderr.toString())
    const at = (name: string): string => join(target, 'home', name)
    assert.ok(readFileSync(at('big')).equals(CONTENT))
    assert.equal(readFileSync(at('n'.repeat(180)), 'utf8'), 'long name')
    assert.equal(readFileSync(at('caf\u00e9'), 'utf8'), 'name in UTF-8')
    assert.equal(readFileSync(at('sub/deep'), 'utf8'), 'deep')
    assert.equal(lstatSync(at('empty')).size, 0)
    assert.equal(readlinkSync(at('link')), '../somewhere')
    assert.ok(lstatSync(at('pipe')).isFIFO())
    assert.equal(lstatSync(at('first')).ino, lstatSync(at('second')).ino)
    assert.ok(readFileSync(at('holes')).equals(Buffer.concat([Buffer.alloc(299_996), Buffer.from('tail')])))
    const big = lstatSync(at('big'), { bigint: true })
    assert.equal(big.mtimeNs, MTIME)
    assert.equal(Number(big.mode) & 0o7777, 0o600)
    assert.equal(lstatSync(at('old'), { bigint: true }).mtimeNs, -86_400_000_000_000n + 5n)
    assert.equal(lstatSync(at('')).mode & 0o7777, 0o750)
    assert.equal(lstatSync(at(''), { bigint: true }).mtimeNs, MTIME)
    assert.equal(readFileSync(at('\\xff\\xfe'), 'utf8'), 'no UTF-8')
    assert.equal(notices.length, 1)
  })

  it('of the top has all that was backed up', async () => {
    const { bytes } = await made('/')
    const tar = spawnSync('tar', ['-t'], { input: bytes })
    assert.ok(tar.stdout.toString().split('\n').includes('home/sub/deep'))
  })

  it('ends with the error of who takes it, and of who reads', async () => {
    const root = await reader.root(await maker.snapshot(TREE), signal)
    const refuse = () => Promise.reject(new Error('no more room'))
    const options = { signal, onNotice: () => undefined }
    await assert.rejects(
      archive(reader, { root, path: Buffer.from('/home') }, refuse, options),
      /no more room/,
    )
    let reads = 0
    const source = storeSource(maker.store)
    const failing = {
      get: (id: ChunkId, within: AbortSignal) =>
        ++reads > 3 ? Promise.reject(new Error('gone')) : source.get(id, within),
    }
    const broken = new SnapshotReader(failing, maker.vault)
    const take = () => Promise.resolve()
    await assert.rejects(archive(broken, { root, path: Buffer.from('/home') }, take, options), /gone/)
  })

  it('of what is no directory is refused', async () => {
    const root = await reader.root(await maker.snapshot(TREE), signal)
    const take = () => Promise.resolve()
    const options = { signal, onNotice: () => undefined }
    await assert.rejects(archive(reader, { root, path: Buffer.from('/nowhere') }, take, options), {
      code: 'PATH_NOT_FOUND',
    })
  })
})
