import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compareTrees, describeDifferences } from '../../tools/compare-trees.ts'
import { setMtimeNs, setXattr } from '../../tools/libc.ts'
import { type MadeTree, makeTree } from '../../tools/make-tree.ts'

describe('the tree tools', () => {
  let base: string
  let made: MadeTree
  const one = (): string => join(base, 'one')
  const other = (): string => join(base, 'other')

  before(() => {
    base = mkdtempSync(join(tmpdir(), 'cellar-trees-'))
    made = makeTree(one(), { seed: 7, filesSmall: 60, largeBytes: 300_000 })
    makeTree(other(), { seed: 7, filesSmall: 60, largeBytes: 300_000 })
  })
  after(() => rmSync(base, { recursive: true, force: true }))

  it('make the same tree from the same seed', () => {
    assert.equal(describeDifferences(compareTrees(one(), other())), '')
  })

  it('make every kind of thing for root', function () {
    if (process.getuid?.() !== 0) this.skip()
    assert.deepEqual(made.leftOut, [])
  })

  it('make what a search can find', () => {
    const found = readFileSync(join(one(), 'letters', `${made.names[0]!}.txt`), 'utf8')
    assert.ok(found.includes(made.contents[0]!))
  })

  it('see no difference in a faithful copy', function () {
    const copy = join(base, 'copy')
    try {
      execFileSync('cp', ['-a', '--sparse=always', one(), copy], { stdio: 'pipe' })
    } catch {
      this.skip()
    }
    assert.equal(describeDifferences(compareTrees(one(), copy, { holes: false })), '')
  })

  const changes: Readonly<Record<string, (path: (name: string) => string) => void>> = {
    bytes: (path) => {
      const content = readFileSync(path('large/diary.txt'))
      content[100_000]! ^= 1
      writeFileSync(path('large/diary.txt'), content)
    },
    size: (path) => truncateSync(path('large/zeros'), 74_999),
    mode: (path) => chmodSync(path('modes/644'), 0o640),
    mtime: (path) => setMtimeNs(Buffer.from(path('one byte')), 1n),
    missing: (path) => rmSync(path('empty file')),
    extra: (path) => writeFileSync(path('something more'), ''),
    xattrs: (path) =>
      setXattr(Buffer.from(path('attributes/many')), Buffer.from('user.more'), Buffer.from('1')),
    'hard link': (path) => {
      rmSync(path('letters/three'))
      writeFileSync(path('letters/three'), 'three names, one file')
    },
    target: (path) => {
      rmSync(path('links/self-0'))
      execFileSync('ln', ['-s', 'two', path('links/self-0')])
    },
    type: (path) => {
      rmSync(path('odd/fifo'))
      writeFileSync(path('odd/fifo'), '')
    },
    holes: (path) => {
      const content = readFileSync(path('sparse/hole-first'))
      rmSync(path('sparse/hole-first'))
      writeFileSync(path('sparse/hole-first'), content)
    },
  }

  for (const [what, change] of Object.entries(changes)) {
    it(`see a change of ${what}`, () => {
      const changed = join(base, `changed-${what.replace(' ', '-')}`)
      makeTree(changed, { seed: 7, filesSmall: 60, largeBytes: 300_000 })
      change((name) => join(changed, name))
      const found = compareTrees(one(), changed)
      assert.ok(
        found.some((it) => it.what === what),
        `found only: ${describeDifferences(found)}`,
      )
      rmSync(changed, { recursive: true, force: true })
    })
  }

  it('see a link where there should be two files', () => {
    const changed = join(base, 'linked')
    makeTree(changed, { seed: 7, filesSmall: 60, largeBytes: 300_000 })
    rmSync(join(changed, 'modes/644'))
    linkSync(join(changed, 'links/one'), join(changed, 'modes/644'))
    lutimesSync(join(changed, 'modes/644'), 0, 0)
    assert.ok(compareTrees(one(), changed).some((it) => it.what === 'hard link'))
  })
})
