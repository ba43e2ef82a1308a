import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { ChunkId } from '../../../../protocol/index.ts'
import { closureBytes, compareClosures, type Closures } from '../../../../node/deletion/compare-closures.ts'

/** Chunks by name: what they link to. Each has ten bytes. */
class Tree implements Closures {
  readonly #links: ReadonlyMap<ChunkId, readonly ChunkId[]>
  looked = 0

  constructor(links: Readonly<Record<string, readonly string[]>>) {
    this.#links = new Map(Object.entries(links).map(([name, below]) => [id(name), below.map(id)]))
  }

  links(chunk: ChunkId): readonly ChunkId[] {
    this.looked++
    return this.#links.get(chunk) ?? []
  }

  bytes(): number {
    return 10
  }
}

const { signal } = new AbortController()
const never = () => false
const always = () => true

function id(name: string): ChunkId {
  return createHash('sha256').update(name).digest('hex') as ChunkId
}

describe('two closures compared', () => {
  it('counts each chunk of a closure once', async () => {
    const tree = new Tree({ root: ['a', 'b'], a: ['x', 'y'], b: ['x'] })
    assert.equal(await closureBytes(tree, id('root'), signal), 50)
  })

  it('says how much of the older one is in the newer one', async () => {
    const tree = new Tree({
      old: ['a', 'b'],
      a: ['a1', 'a2'],
      b: ['b1', 'b2'],
      new: ['a', 'c'],
      c: ['b1', 'c1'],
    })
    const compared = await compareClosures(tree, { older: id('old'), newer: id('new') }, never, signal)
    // old, b and b2 are gone; new, c and c1 came
    assert.deepEqual(compared, { olderBytes: 70, sharedBytes: 40, newerBytes: 70 })
  })

  it('does not look below what both have', async () => {
    const many = Array.from({ length: 1000 }, (_, at) => `leaf ${String(at)}`)
    const tree = new Tree({ old: ['same', 'a'], new: ['same', 'b'], same: many })
    const roots = { older: id('old'), newer: id('new'), olderBytes: 10_030 }
    const compared = await compareClosures(tree, roots, never, signal)
    assert.equal(compared.sharedBytes, 10_010)
    assert.equal(compared.newerBytes, 10_030)
    assert.ok(tree.looked < 10, `${String(tree.looked)} chunks were looked into`)
  })

  it('finds what has moved to another depth', async () => {
    const tree = new Tree({
      old: ['moved'],
      moved: ['m1', 'm2', 'm3'],
      new: ['deep'],
      deep: ['deeper'],
      deeper: ['moved'],
    })
    const compared = await compareClosures(tree, { older: id('old'), newer: id('new') }, never, signal)
    assert.equal(compared.sharedBytes, 40)
    const back = await compareClosures(tree, { older: id('new'), newer: id('old') }, never, signal)
    assert.equal(back.sharedBytes, 40)
  })

  it('looks twice before it says that little is left', async () => {
    // `twice` is in a part that both have, and in one that went: it is not lost.
    const tree = new Tree({
      old: ['same', 'went'],
      new: ['same'],
      same: ['twice'],
      went: ['twice'],
    })
    const roots = { older: id('old'), newer: id('new') }
    const once = await compareClosures(tree, roots, never, signal)
    const again = await compareClosures(tree, roots, always, signal)
    assert.equal(once.sharedBytes, 10)
    assert.deepEqual(again, { olderBytes: 40, sharedBytes: 20, newerBytes: 30 })
  })

  it('stops when told to', async () => {
    const many = Array.from({ length: 1000 }, (_, at) => `leaf ${String(at)}`)
    const aborted = AbortSignal.abort(new Error('enough'))
    await assert.rejects(closureBytes(new Tree({ root: many }), id('root'), aborted), /enough/)
  })
})
