import assert from 'node:assert/strict'
import fc from 'fast-check'
import { BUNDLE_BYTES_MAX, BundleCutter, nameHash } from '../../../../node/backup/bundles.ts'
import { gearTable } from '../../../../node/backup/gear.ts'
import { chooseParent } from '../../../../node/backup/parent.ts'
import { agree } from '../../../../node/backup/previous.ts'
import { holesBetween } from '../../../../node/backup/run-file.ts'
import { mergeSources, outermostSources } from '../../../../node/backup/sources.ts'
import { type EntryFacts, isCellarError, type RootId, treeDigest } from '../../../../protocol/index.ts'

const table = gearTable(new Uint8Array(32))

interface File {
  readonly name: string
  readonly bytes: number
}

function bundlesOf(files: readonly File[]): string[][] {
  const cutter = new BundleCutter<string>()
  const done = files.flatMap(({ name, bytes }) =>
    cutter.add(name, bytes, nameHash(table, Buffer.from('dir'), Buffer.from(name))),
  )
  const last = cutter.take()
  return last.length > 0 ? [...done, last] : done
}

describe('bundles', () => {
  it('hold every file once, in order, and are never too large', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 512 * 1024 - 1 }), { maxLength: 400 }), (sizes) => {
        const files = sizes.map((bytes, index) => ({ name: `f${String(index)}`, bytes }))
        const bundles = bundlesOf(files)
        assert.deepEqual(
          bundles.flat(),
          files.map(({ name }) => name),
        )
        const bytesOf = new Map(files.map(({ name, bytes }) => [name, bytes]))
        for (const bundle of bundles) {
          assert.ok(bundle.length > 0)
          assert.ok(bundle.reduce((sum, name) => sum + (bytesOf.get(name) ?? 0), 0) <= BUNDLE_BYTES_MAX)
        }
      }),
    )
  })

  it('are mostly the same after a file is put in', () => {
    const files = Array.from({ length: 5000 }, (_, index) => ({
      name: `file-${String(index)}`,
      bytes: 1000 + ((index * 7919) % 7000),
    }))
    const before = new Set(bundlesOf(files).map((bundle) => bundle.join()))
    const after = bundlesOf([
      ...files.slice(0, 2000),
      { name: 'new', bytes: 5000 },
      ...files.slice(2000),
    ]).map((bundle) => bundle.join())
    const fresh = after.filter((bundle) => !before.has(bundle))
    assert.ok(before.size >= 12, String(before.size))
    assert.ok(fresh.length <= 4, `${String(fresh.length)} of ${String(after.length)}`)
  })
})

describe('sources', () => {
  const merge = (...paths: string[]): string[] =>
    outermostSources(mergeSources(paths.map((path) => Buffer.from(path)))).map(String)

  it('are each taken once, and one inside another as part of it', () => {
    assert.deepEqual(merge('/b/', '/a/b/c', '/a//b', '/b/../b/.', '/a/b'), ['/a/b', '/b'])
    assert.deepEqual(merge('/', '/a'), ['/'])
    assert.deepEqual(merge('/a', '/ab'), ['/a', '/ab'])
  })

  it('must be absolute', () => {
    assert.throws(
      () => merge('a/b'),
      (error) => isCellarError(error, 'USAGE'),
    )
  })
})

describe('the parent', () => {
  const root = (name: string): RootId => name as RootId
  const one = (name: string, timeNs: bigint, paths: string[], device = 'd') => ({
    ...{ root: root(name), host: 'h', device, timeNs, paths: paths.map((path) => Buffer.from(path)) },
  })
  it('is the newest of the same device and paths', () => {
    const candidates = [
      one('a', 1n, ['/x', '/y']),
      one('b', 3n, ['/x']),
      one('c', 2n, ['/y', '/x']),
      one('d', 9n, ['/x', '/y'], 'other'),
    ]
    assert.equal(
      chooseParent(candidates, { device: 'd', paths: [Buffer.from('/y/'), Buffer.from('/x')] }),
      'c',
    )
    assert.equal(chooseParent(candidates, { device: 'd', paths: [Buffer.from('/z')] }), 'b')
    assert.equal(chooseParent(candidates, { device: 'none', paths: [Buffer.from('/z')] }), undefined)
  })
})

describe('the parts of a directory that are as before', () => {
  const facts = (name: string): EntryFacts => ({
    ...{
      type: 'file',
      name: Buffer.from(name),
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtimeNs: 1n,
      ctimeNs: 1n,
      inode: 1n,
      linkCount: 1,
      size: 3,
    },
  })
  const partsOf = (lists: EntryFacts[][]) =>
    lists.map((entries) => ({ digest: treeDigest(entries), count: entries.length }))
  const [a, b, c, d, e, f] = ['a', 'b', 'c', 'd', 'e', 'f'].map(facts) as [
    EntryFacts,
    EntryFacts,
    EntryFacts,
    EntryFacts,
    EntryFacts,
    EntryFacts,
  ]

  it('are found at both ends', () => {
    const parts = partsOf([
      [a, b],
      [c, d],
      [e, f],
    ])
    assert.deepEqual(agree([a, b, c, d, e, f], parts), { head: 3, tail: 0, from: 6, to: 6 })
    assert.deepEqual(agree([a, b, c, facts('cc'), d, e, f], parts), { head: 1, tail: 1, from: 2, to: 5 })
    assert.deepEqual(agree([a, b, e, f], parts), { head: 1, tail: 1, from: 2, to: 2 })
    assert.deepEqual(agree([b, c, d, e, f], parts), { head: 0, tail: 2, from: 0, to: 1 })
    assert.deepEqual(agree([a, b], parts), { head: 1, tail: 0, from: 2, to: 2 })
    assert.deepEqual(agree([], partsOf([[]])), { head: 1, tail: 0, from: 0, to: 0 })
    assert.deepEqual(agree([a], []), { head: 0, tail: 0, from: 0, to: 1 })
  })
})

describe('holes', () => {
  it('are what lies between data, within a stretch', () => {
    const data = [
      { offset: 10, length: 10 },
      { offset: 40, length: 10 },
    ]
    assert.deepEqual(holesBetween(data, 0, 60), [
      { offset: 0, length: 10 },
      { offset: 20, length: 20 },
      { offset: 50, length: 10 },
    ])
    assert.deepEqual(holesBetween(data, 15, 45), [{ offset: 20, length: 20 }])
    assert.deepEqual(holesBetween(data, 25, 35), [{ offset: 25, length: 10 }])
    assert.deepEqual(holesBetween([], 5, 5), [])
  })
})
