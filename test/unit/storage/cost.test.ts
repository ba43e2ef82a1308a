/** What operations cost in index operations: in step with what is new or freed, not with what is there. */
import assert from 'node:assert/strict'
import { ChunkIndex } from '../../../storage/index/chunk-index.ts'
import { MemoryDisk } from '../../../storage/memory-disk.ts'
import { memoryKeyValue, type MemoryKeyValue } from '../../../storage/memory-key-value.ts'
import { openStore } from '../../../storage/open-store.ts'
import type { ChunkStore } from '../../../storage/index.ts'
import { testChunk } from '../../support/chunks.ts'

const SHARED = 50

describe('chunk store, what it costs', () => {
  /** A store with many held roots, all over the same leaves and each with one leaf of its own. */
  async function withRoots(count: number): Promise<{ store: ChunkStore; map: MemoryKeyValue }> {
    const map = memoryKeyValue()
    const options = { dir: '/store', disk: new MemoryDisk(), reserveBytes: 0, packBytes: 20_000 }
    const store = await openStore({ ...options, openIndex: () => Promise.resolve(map) })
    const shared = Array.from({ length: SHARED }, (_, at) => testChunk(`shared ${String(at)}`))
    const tree = testChunk(
      'tree',
      shared.map((chunk) => chunk.id),
    )
    for (const { id, bytes } of [...shared, tree]) await store.put(id, bytes)
    for (let at = 0; at < count; at++) {
      for (const { id, bytes } of rootOf(at)) await store.put(id, bytes)
      if (at % 50 === 0) await store.commit()
    }
    for (let at = 0; at < count; at++) await store.hold(rootOf(at)[1].id)
    return { store, map }
  }
  const tree = testChunk(
    'tree',
    Array.from({ length: SHARED }, (_, at) => testChunk(`shared ${String(at)}`).id),
  )
  const rootOf = (at: number) => {
    const own = testChunk(`own ${String(at)}`)
    return [own, testChunk(`root ${String(at)}`, [tree.id, own.id])] as const
  }

  async function costOf(map: MemoryKeyValue, task: () => Promise<unknown>): Promise<number> {
    const before = { ...map.counts }
    await task()
    return map.counts.gets + map.counts.changes - before.gets - before.changes
  }

  it('holds, releases and reclaims one root of 1,000 at the cost of one root of 10', async () => {
    const few = await withRoots(10)
    const many = await withRoots(1000)
    const costs = async ({ store, map }: { store: ChunkStore; map: MemoryKeyValue }): Promise<number[]> => {
      const [own, root] = rootOf(5000)
      await store.put(own.id, own.bytes)
      await store.put(root.id, root.bytes)
      const hold = await costOf(map, () => store.hold(root.id))
      const release = await costOf(map, () => store.release(root.id))
      const reclaim = await costOf(map, () => store.reclaim({ mayReclaim: () => true, compact: false }))
      return [hold, release, reclaim]
    }
    const expected = await costs(few)
    // One more or less: whether a pack happens to be new.
    for (const [at, cost] of (await costs(many)).entries()) {
      assert.ok(Math.abs(cost - (expected[at] ?? 0)) <= 2, `${String(cost)} is not ${String(expected[at])}`)
    }
    for (const cost of expected)
      assert.ok(cost < 60, `${String(expected)}: less than what is shared would cost`)
  })

  it('opens a store with 1,000 roots without looking at every chunk', async () => {
    const { store, map } = await withRoots(1000)
    await store.close()
    assert.ok(map.size > 3000)
    const cost = await costOf(map, () => new ChunkIndex(map).load())
    assert.ok(cost < 10)
  })
})
