import assert from 'node:assert/strict'
import {
  closeSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Dir, Posix } from '../../../../node/adapters/posix.ts'
import { joinPath, loadPosix } from '../../../../node/adapters/posix.ts'
import { plainPosix } from '../../../../node/adapters/posix-plain.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

function codeOf(action: () => unknown): string | undefined {
  try {
    action()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  }
  return undefined
}

const systems: readonly (readonly [string, () => Promise<Posix>])[] = [
  ['this system', loadPosix],
  ['plain Node', () => Promise.resolve(plainPosix({ users: new Map(), groups: new Map() }))],
]

for (const [title, load] of systems) {
  describe(`file-system calls of ${title}`, () => {
    let posix: Posix
    let base: string
    let dir: Dir
    beforeEach(async () => {
      posix = await load()
      base = mkdtempSync(join(tmpdir(), 'cellar-posix-'))
      dir = posix.openDir(bytes(base))
    })
    afterEach(() => {
      posix.closeDir(dir)
      rmSync(base, { recursive: true, force: true })
    })

    it('creates, lists, renames and removes names of any bytes', () => {
      const name = bytes('a\xff\xfe \n')
      posix.close(posix.openAt(dir, name, 'create'))
      posix.renameAt(dir, name, bytes('b\xff'))
      posix.mkdirAt(dir, bytes('d\xe9'), 0o700)
      assert.deepEqual(
        posix
          .list(dir)
          .map((found) => found.toString('latin1'))
          .sort(),
        ['b\xff', 'd\xe9'],
      )
      posix.unlinkAt(dir, bytes('b\xff'))
      posix.rmdirAt(dir, bytes('d\xe9'))
      assert.equal(posix.list(dir).length, 0)
    })

    it('refuses to create what is there, and to go through a symlink', () => {
      mkdirSync(join(base, 'real'))
      symlinkSync('real', join(base, 'link'))
      symlinkSync('elsewhere', join(base, 'file'))
      assert.equal(
        codeOf(() => posix.openAt(dir, bytes('file'), 'create')),
        'EEXIST',
      )
      assert.match(codeOf(() => posix.openDirAt(dir, bytes('link'))) ?? '', /^(ENOTDIR|ELOOP)$/)
      assert.equal(
        codeOf(() => posix.openAt(dir, bytes('link'), 'read')),
        'ELOOP',
      )
      assert.equal(codeOf(() => posix.chmodAt(dir, bytes('link'), 0o700)) === undefined, false)
    })

    it('sets the times of a symlink and not of what it points to', () => {
      writeFileSync(join(base, 'file'), 'x')
      symlinkSync('file', join(base, 'link'))
      posix.utimeAt(dir, bytes('link'), 1_000_000_000_000_000_000n)
      posix.utimeAt(dir, bytes('file'), 2_000_000_000_000_000_000n)
      assert.equal(posix.statAt(dir, bytes('link'))?.mtimeNs, 1_000_000_000_000_000_000n)
      assert.equal(posix.statAt(dir, bytes('file'))?.mtimeNs, 2_000_000_000_000_000_000n)
    })

    it('makes hard links and tells by inode', () => {
      writeFileSync(join(base, 'one'), 'x')
      posix.linkAt(dir, bytes('one'), dir, bytes('two'))
      assert.equal(posix.statAt(dir, bytes('two'))?.inode, posix.statAt(dir, bytes('one'))?.inode)
      assert.equal(posix.statAt(dir, bytes('one'))?.linkCount, 2)
    })

    it('says undefined for a name that is not there', () => {
      assert.equal(posix.statAt(dir, bytes('nothing')), undefined)
    })

    it('knows how much space is left', () => {
      assert.ok(posix.freeBytes(dir) > 0)
    })

    it('joins paths with one slash', () => {
      assert.equal(Buffer.from(joinPath(bytes('/'), bytes('a'))).toString(), '/a')
      assert.equal(Buffer.from(joinPath(bytes('/x'), bytes('a'))).toString(), '/x/a')
    })
  })
}

describe('file-system calls of Linux', function () {
  if (process.platform !== 'linux') return
  let posix: Posix
  let base: string
  let dir: Dir
  beforeEach(async () => {
    posix = await loadPosix()
    base = mkdtempSync(join(tmpdir(), 'cellar-posix-'))
    dir = posix.openDir(bytes(base))
  })
  afterEach(() => {
    posix.closeDir(dir)
    rmSync(base, { recursive: true, force: true })
  })

  it('loses nothing', () => {
    assert.deepEqual(posix.lost, [])
  })

  for (const ns of [
    0n,
    -1n,
    -1_500_000_001n,
    1_700_000_000_123_456_789n,
    4_500_000_000_987_654_321n,
    -999_999_999n,
  ]) {
    it(`sets ${String(ns)} ns exactly, by name and by descriptor`, () => {
      writeFileSync(join(base, 'file'), 'x')
      posix.utimeAt(dir, bytes('file'), ns)
      assert.equal(lstatSync(join(base, 'file'), { bigint: true }).mtimeNs, ns)
      const fd = posix.openAt(dir, bytes('new'), 'create')
      posix.utime(fd, ns)
      posix.close(fd)
      assert.equal(posix.statAt(dir, bytes('new'))?.mtimeNs, ns)
    })
  }

  it('reads and sets extended attributes of any bytes, sorted', function () {
    writeFileSync(join(base, 'file\xff'), 'x')
    const path = bytes(join(base, 'attributed'))
    const fd = posix.openAt(dir, bytes('attributed'), 'create')
    try {
      posix.setXattr(fd, { name: bytes('user.b\xfe'), value: bytes('\0\x01\xff') })
    } catch {
      this.skip() // a temporary directory without extended attributes
    } finally {
      posix.close(fd)
    }
    posix.setXattrAt(dir, bytes('attributed'), { name: bytes('user.a'), value: bytes('') })
    const expected = [
      { name: new Uint8Array(bytes('user.a')), value: new Uint8Array() },
      { name: new Uint8Array(bytes('user.b\xfe')), value: new Uint8Array(bytes('\0\x01\xff')) },
    ]
    const plain = (found: ReturnType<Posix['readXattrs']>) =>
      found.map(({ name, value }) => ({ name: new Uint8Array(name), value: new Uint8Array(value) }))
    assert.deepEqual(plain(posix.readXattrs(path)), expected)
    assert.deepEqual(plain(posix.readXattrsAt(dir, bytes('attributed'))), expected)
    posix.removeXattrAt(dir, bytes('attributed'), bytes('user.a'))
    posix.removeXattrAt(dir, bytes('attributed'), bytes('user.never'))
    assert.equal(posix.readXattrs(path).length, 1)
  })

  it('finds the data between holes', function () {
    const fd = openSync(join(base, 'sparse'), 'w+')
    try {
      writeSync(fd, Buffer.alloc(4096, 1), 0, 4096, 1 << 20)
      writeSync(fd, Buffer.alloc(4096, 1), 0, 4096, 3 << 20)
      ftruncateSync(fd, 8 << 20)
      const extents = posix.dataExtents(fd, 8 << 20)
      if (extents?.length === 1) this.skip() // a file system without holes
      assert.deepEqual(extents, [
        { offset: 1 << 20, length: 4096 },
        { offset: 3 << 20, length: 4096 },
      ])
      ftruncateSync(fd, 0)
      ftruncateSync(fd, 1 << 20)
      assert.deepEqual(posix.dataExtents(fd, 1 << 20), [])
      assert.deepEqual(posix.dataExtents(fd, 0), [])
    } finally {
      closeSync(fd)
    }
  })

  it('makes FIFOs, and devices as root', function () {
    posix.mknodAt(dir, bytes('fifo'), { type: 'fifo' })
    assert.ok(lstatSync(join(base, 'fifo')).isFIFO())
    if (process.getuid?.() !== 0) this.skip()
    posix.mknodAt(dir, bytes('device'), { type: 'char', number: { major: 300, minor: 70_000 } })
    const { rdev } = lstatSync(join(base, 'device'), { bigint: true })
    assert.equal(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn), 300n)
    assert.equal((rdev & 0xffn) | ((rdev >> 12n) & ~0xffn), 70_000n)
  })

  it('keeps symlink targets of any bytes', () => {
    posix.symlinkAt(bytes('t\xff\xfe'), dir, bytes('link'))
    assert.equal(lstatSync(join(base, 'link')).size, 3)
  })

  it('makes the file system durable', () => {
    posix.syncFileSystem(dir)
  })

  it('knows the names of users', () => {
    if (readFileSync('/etc/passwd', 'utf8').includes('root:x:0:')) assert.equal(posix.userName(0), 'root')
    assert.equal(posix.userName(3_999_999_999), undefined)
  })
})
