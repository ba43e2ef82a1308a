/**
 * A million entries in one snapshot, and a thousand snapshots of them: what is read for a page is counted, so that it
 * is the same on a slow machine.
 */
import assert from 'node:assert/strict'
import { type ChunkId, type Entry, encodeTree, splitEntries } from '../../../../protocol/index.ts'
import type { ChunkStore } from '../../../../storage/index.ts'
import { memoryStore } from '../../../../storage/index.ts'
import { every, testNode, type TestNode } from '../../../support/node.ts'
import { SnapshotMaker } from '../../../tools/make-snapshot.ts'
import { announceTree, mesh, search } from './files-node.ts'

const day = 86_400_000
/** One directory of so many entries, and so many directories of a thousand. */
const wide = 200_000
const dirs = 800
const snapshots = 1000

/** A store that counts what is read of it. */
function counting(store: ChunkStore): { store: ChunkStore; reads: () => number } {
  let reads = 0
  const counted = new Proxy(store, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return (...args: unknown[]): unknown => {
        if (name === 'get') reads++
        return Reflect.apply(value, target, args)
      }
    },
  })
  return {
    store: counted,
    reads: () => {
      const before = reads
      reads = 0
      return before
    },
  }
}

function fileEntry(name: string, inode: number, mtimeNs = 1n): Entry {
  const fields = { mode: 0o644, uid: 0, gid: 0, mtimeNs, ctimeNs: 1n, device: 1n, linkCount: 1, size: 0 }
  return { ...fields, type: 'file', name: Buffer.from(name), inode: BigInt(inode) }
}

function dirEntry(name: string, inode: number, trees: readonly ChunkId[]): Entry {
  return { ...fileEntry(name, inode), type: 'dir', trees }
}

const numbered = (word: string, at: number): string => `${word}-${String(at).padStart(6, '0')}`

describe('a million entries, a thousand snapshots', function () {
  this.timeout(600_000)
  let node: TestNode
  let maker: SnapshotMaker
  let reads: () => number
  before(async () => {
    const counted = counting(memoryStore())
    reads = counted.reads
    node = await testNode({ number: 1, membership: mesh, store: counted.store })
    maker = await SnapshotMaker.open(node.parts.store)
    const directory = async (entries: readonly Entry[]): Promise<ChunkId[]> => {
      const ids: ChunkId[] = []
      for (const part of splitEntries(entries)) {
        const { raw, links } = encodeTree(part)
        ids.push(await maker.put('tree', raw, links))
      }
      return ids
    }
    const files = (count: number, word: string, inode: number): Entry[] =>
      Array.from({ length: count }, (_, at) => fileEntry(numbered(word, at), inode + at))
    const many: Entry[] = []
    for (let at = 0; at < dirs; at++) {
      const inside = await directory(files(1000, `f${String(at)}`, at * 1000))
      many.push(dirEntry(numbered('dir', at), 2_000_000 + at, inside))
    }
    const wideEntry = dirEntry('wide', 1, await directory(files(wide, 'photo', 3_000_000)))
    const manyEntry = dirEntry('many', 2, await directory(many))
    // Each snapshot changes one file deep down, and so all directories above it; every tenth another file is there.
    for (let at = 0; at < snapshots; at++) {
      const diary = fileEntry('diary', 5, BigInt(Math.floor(at / 10)))
      const inside = [
        diary,
        fileEntry('daily', 6, BigInt(at)),
        ...(at % 10 === 0 ? [fileEntry(`log-${String(at)}`, 7)] : []),
      ]
      const anna = await directory([dirEntry('diaries', 3, await directory(inside)), manyEntry, wideEntry])
      const home = await directory([dirEntry('anna', 4, anna)])
      await announceTree(node, maker, await directory([dirEntry('home', 5, home)]), {
        timeMs: at * day,
        path: '/home/anna',
      })
    }
    // Root chunks are opened once, and remembered.
    await node.call('snapshots', { filter: every, snapshots: [], limit: 1 })
    reads()
  })
  after(() => node.close())

  const browse = (path: string, after?: string) =>
    node.call('browse', {
      snapshot: 'latest',
      filter: every,
      path,
      limit: 1000,
      ...(after !== undefined && { after }),
    })

  it('a page of a directory of 200,000 reads the way to it, and the parts that it shows', async () => {
    let page = await browse('/home/anna/wide')
    let seen = 0
    for (let pages = 0; ; pages++) {
      // The root, three directories on the way, and the parts of some 2,000 entries that a page of 1,000 touches.
      assert.ok(reads() <= 7, 'few reads for each page')
      assert.equal(page.entries[0]?.name, numbered('photo', seen))
      seen += page.entries.length
      if (page.next === undefined) break
      assert.equal(page.entries.length, 1000)
      page = await browse('/home/anna/wide', page.next)
    }
    assert.equal(seen, wide)
  })

  it('an entry in the middle of it is found without reading what is before', async () => {
    const found = await browse(`/home/anna/wide/${numbered('photo', 123_456)}`)
    assert.equal(found.entry?.name, numbered('photo', 123_456))
    assert.ok(reads() <= 15)
  })

  it('the versions of a path are found in all snapshots by reading the way to it only', async () => {
    const ask = (after?: string) =>
      node.call('versions', {
        path: '/home/anna/diaries/diary',
        filter: every,
        limit: 60,
        ...(after !== undefined && { after }),
      })
    const first = await ask()
    // Four directories of each snapshot, which all differ.
    assert.ok(reads() <= 4 * snapshots)
    assert.deepEqual([first.version_count, first.versions.length, first.snapshot_count], [100, 60, snapshots])
    assert.deepEqual(
      first.versions.map(({ snapshot_count }) => snapshot_count),
      Array(60).fill(10),
    )
    const second = await ask(first.next)
    assert.deepEqual([second.versions.length, second.next], [40, undefined])
    assert.equal(reads(), 0, 'what a snapshot has does not change: a later page reads nothing')
    const same = await node.call('versions', {
      path: `/home/anna/wide/${numbered('photo', 77)}`,
      filter: every,
      limit: 10,
    })
    assert.deepEqual([same.version_count, same.versions[0]?.snapshot_count], [1, snapshots])
    // Three directories of each snapshot, and once a few parts of the wide one.
    assert.ok(reads() <= 3 * snapshots + 12)
  })

  it('a search of all snapshots reads what they share once', async () => {
    const { hits, result } = await search(node, 'log-', { limit: 1000 })
    assert.equal(hits.length, snapshots / 10)
    assert.equal(hits.filter(({ is_gone }) => !is_gone).length, 0)
    const partsOfAll = dirs + wide / 1000
    // The newest whole; of each other one four directories, beside the four of the next newer.
    assert.ok(reads() <= partsOfAll + 8 * snapshots)
    assert.ok(result.entries < 1_000_000 + 20 * snapshots)
    assert.ok(result.entries >= 1_000_000)
  })

  it('a page of a search goes on without reading what is behind it', async () => {
    const first = await search(node, 'photo', { limit: 1000, snapshot: 'latest', below: '/home/anna/wide' })
    reads()
    const second = await search(node, 'photo', {
      limit: 1000,
      snapshot: 'latest',
      below: '/home/anna/wide',
      after: first.result.next!,
    })
    assert.equal(second.hits[0]?.name, numbered('photo', 1000))
    assert.ok(reads() <= 20)
  })

  it('a page of snapshots reads nothing that was read before', async () => {
    const page = await node.call('snapshots', { filter: every, snapshots: [], limit: 100, newestFirst: true })
    assert.deepEqual([page.length, reads()], [100, 0])
  })
})
