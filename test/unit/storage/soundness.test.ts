/** One bad chunk in a large store: which snapshots need it is known, at the cost of one walk and of little memory. */
import assert from 'node:assert/strict'
import type { ChunkId } from '../../../protocol/index.ts'
import type { ChunkStore } from '../../../storage/index.ts'
import { MemoryDisk } from '../../../storage/memory-disk.ts'
import { memoryKeyValue } from '../../../storage/memory-key-value.ts'
import { openStore } from '../../../storage/open-store.ts'
import { replaceChunk, testChunk, type TestChunk } from '../../support/chunks.ts'

const treeCount = 20
const leavesEach = 30
const rootCount = 25

describe('a store with a bad chunk', () => {
  let store: ChunkStore
  let gets = 0
  const leaves = Array.from({ length: treeCount * leavesEach }, (_, at) => testChunk(`leaf ${String(at)}`))
  const idsOf = (chunks: readonly TestChunk[]) => chunks.map(({ id }) => id)
  const trees = Array.from({ length: treeCount }, (_, at) =>
    testChunk(`tree ${String(at)}`, idsOf(leaves.slice(at * leavesEach, (at + 1) * leavesEach))),
  )
  /** All but the last need the first tree. */
  const roots = Array.from({ length: rootCount }, (_, at) => {
    const needed = at === rootCount - 1 ? trees.slice(1) : trees
    return testChunk(`root ${String(at)}`, idsOf(needed))
  })
  const badLeaf = leaves[3] as TestChunk

  beforeEach(async () => {
    const map = memoryKeyValue()
    const counted = new Proxy(map, {
      get(target, name) {
        if (name === 'get') gets++
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
    store = await openStore({
      dir: '/store',
      disk: new MemoryDisk(),
      reserveBytes: 0,
      headroomBytes: 0,
      openIndex: () => Promise.resolve(counted),
    })
    for (const { id, bytes } of [...leaves, ...trees, ...roots]) await store.put(id, bytes)
    for (const { id } of roots) await store.hold(id)
  })
  afterEach(() => store.close())

  const whole = () => roots.filter(({ id }) => store.isComplete(id)).map(({ id }) => id)

  it('is whole below whatever does not need it, and below nothing else', async () => {
    assert.equal(whole().length, rootCount)
    await store.quarantine(badLeaf.id)
    assert.deepEqual(whole(), [(roots.at(-1) as TestChunk).id])
    assert.equal(store.isComplete((trees[0] as TestChunk).id), false)
    assert.equal(store.isComplete((trees[1] as TestChunk).id), true)
    await replaceChunk(store, badLeaf.id, badLeaf.bytes)
    assert.equal(whole().length, rootCount)
  })

  it('knows it of all snapshots by looking at each chunk once', async () => {
    await store.quarantine(badLeaf.id)
    gets = 0
    whole()
    // Each chunk, once for each that links to it (trees: by all roots), and each root itself.
    const links = leaves.length + treeCount * rootCount + rootCount
    assert.ok(gets <= 3 * links, `${String(gets)} look-ups`)
    gets = 0
    whole()
    assert.ok(gets <= 2 * rootCount, `${String(gets)} look-ups when nothing has changed`)
  })

  it('names what is missing below a root, each chunk once', async () => {
    const bad: ChunkId[] = [badLeaf.id, (trees[4] as TestChunk).id]
    for (const id of bad) await store.quarantine(id)
    const [first] = roots as [TestChunk]
    assert.deepEqual([...store.missingBelow(first.id)].sort(), [...bad].sort())
  })
})
