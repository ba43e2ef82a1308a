/** What operations cost in look-ups, reads and writes: in step with what is new or freed, not with what is there. */
import assert from 'node:assert/strict'
import { ChunkIndex } from '../../../storage/index/chunk-index.ts'
import { MemoryDisk } from '../../../storage/memory-disk.ts'
import { memoryKeyValue, type MemoryKeyValue } from '../../../storage/memory-key-value.ts'
import { openStore } from '../../../storage/open-store.ts'
import type { ChunkStore } from '../../../storage/index.ts'
import { testChunk, type TestChunk } from '../../support/chunks.ts'

const SHARED = 50

interface World {
  readonly store: ChunkStore
  readonly map: MemoryKeyValue
  readonly disk: MemoryDisk
}

/** What a task cost: keys looked up, gone through and changed, and bytes read from packs. */
interface Cost {
  readonly keys: number
  readonly readBytes: number
  readonly writtenBytes: number
}

describe('chunk store, what it costs', function () {
  this.timeout(60_000)

  async function open(packBytes: number): Promise<World> {
    const map = memoryKeyValue()
    const disk = new MemoryDisk()
    const options = { dir: '/store', disk, reserveBytes: 0, packBytes }
    const store = await openStore({ ...options, openIndex: () => Promise.resolve(map) })
    return { store, map, disk }
  }

  /** A store with many held roots, all over the same leaves and each with one leaf of its own. */
  async function withRoots(count: number): Promise<World> {
    const world = await open(20_000)
    const { store } = world
    const shared = Array.from({ length: SHARED }, (_, at) => testChunk(`shared ${String(at)}`))
    for (const { id, bytes } of [...shared, tree]) await store.put(id, bytes)
    for (let at = 0; at < count; at++) {
      for (const { id, bytes } of rootOf(at)) await store.put(id, bytes)
      if (at % 50 === 0) await store.commit()
    }
    for (let at = 0; at < count; at++) await store.hold(rootOf(at)[1].id)
    return world
  }
  const tree = testChunk(
    'tree',
    Array.from({ length: SHARED }, (_, at) => testChunk(`shared ${String(at)}`).id),
  )
  const rootOf = (at: number) => {
    const own = testChunk(`own ${String(at)}`)
    return [own, testChunk(`root ${String(at)}`, [tree.id, own.id])] as const
  }

  async function costOf({ map, disk }: World, task: () => Promise<unknown>): Promise<Cost> {
    const [keys, bytes] = [{ ...map.counts }, { ...disk.counts }]
    await task()
    const { gets, iterated, changes } = map.counts
    return {
      keys: gets + iterated + changes - keys.gets - keys.iterated - keys.changes,
      readBytes: disk.counts.readBytes - bytes.readBytes,
      writtenBytes: disk.counts.writtenBytes - bytes.writtenBytes,
    }
  }
  const reclaim = ({ store }: World) => store.reclaim({ mayReclaim: () => true })

  it('holds, counts, releases and reclaims one root of 1,000 at the cost of one root of 10', async () => {
    const costs = async (world: World): Promise<Cost[]> => {
      const { store } = world
      const [own, root] = rootOf(5000)
      await store.put(own.id, own.bytes)
      await store.put(root.id, root.bytes)
      return [
        await costOf(world, () => store.hold(root.id)),
        await costOf(world, () => store.freedBy([root.id])),
        await costOf(world, () => store.release(root.id)),
        await costOf(world, () => reclaim(world)),
      ]
    }
    const expected = await costs(await withRoots(10))
    const found = await costs(await withRoots(1000))
    for (const [at, cost] of found.entries()) {
      // One or two more or less: whether a pack happens to be new.
      const text = `${JSON.stringify(found)} is not ${JSON.stringify(expected)}`
      assert.ok(Math.abs(cost.keys - (expected[at]?.keys ?? 0)) <= 2, text)
      assert.ok(cost.readBytes <= (expected[at]?.readBytes ?? 0) + 100, text)
      assert.ok(cost.writtenBytes <= (expected[at]?.writtenBytes ?? 0) + 100, text)
    }
    for (const { keys } of expected) assert.ok(keys < 60, 'less than what is shared would cost')
  })

  it('reclaims without looking at what an interrupted backup has stored', async () => {
    const world = await withRoots(10)
    const { store } = world
    for (let at = 0; at < 2000; at++) {
      const { id, bytes } = testChunk(`unfinished ${String(at)}`)
      await store.put(id, bytes)
    }
    await store.commit()
    await store.release(rootOf(3)[1].id)
    const { keys } = await costOf(world, () => reclaim(world))
    assert.ok(keys < 60, String(keys))
    const { chunks } = await store.reclaim({ mayReclaim: () => true, unfinished: true })
    assert.equal(chunks, 2000)
  })

  it('looks no further than it is told to when it counts what would be freed', async () => {
    const world = await withRoots(10)
    const roots = world.store.holds()
    const cost = await costOf(world, async () => {
      const { isWhole, chunks } = await world.store.freedBy(roots, { limit: 20 })
      assert.equal(isWhole, false)
      assert.ok(chunks > 0 && chunks < 20)
    })
    assert.ok(cost.keys <= 45, String(cost.keys))
    const whole = await world.store.freedBy(roots)
    assert.deepEqual([whole.chunks, whole.isWhole], [10 * 2 + SHARED + 1, true])
  })

  /** Two roots whose chunks lie by turns in the same packs. */
  async function interleaved(count: number, isFirst: (at: number) => boolean) {
    const world = await open(1_000_000)
    const chunks = Array.from({ length: count }, (_, at) => testChunk(`c ${String(at)}`, [], 10_000))
    for (const { id, bytes } of chunks) await world.store.put(id, bytes)
    const over = (seed: string, these: readonly TestChunk[]): TestChunk =>
      testChunk(
        seed,
        these.map((chunk) => chunk.id),
      )
    const gone = over(
      'gone',
      chunks.filter((_, at) => isFirst(at)),
    )
    const kept = over(
      'kept',
      chunks.filter((_, at) => !isFirst(at)),
    )
    for (const { id, bytes } of [gone, kept]) {
      await world.store.put(id, bytes)
      await world.store.hold(id)
    }
    await world.store.release(gone.id)
    await world.store.reclaim({ mayReclaim: () => true, compact: false })
    return world
  }

  it('moves no more than what it may for each byte it frees, and leaves little dead', async () => {
    const world = await interleaved(1000, (at) => at % 4 === 0)
    const { store, disk } = world
    const before = disk.counts.writtenBytes
    const freed = await store.compact()
    const { packBytes, deadBytes } = store.stats()
    assert.ok(deadBytes <= 0.05 * packBytes + 20_000, String(deadBytes))
    assert.ok(freed > 2_000_000, String(freed))
    assert.ok(disk.counts.writtenBytes - before < 3.2 * freed, 'three live chunks for each dead one')
  })

  it('leaves packs alone in which little is dead, and a store in which little is', async () => {
    const little = await interleaved(1000, (at) => at % 12 === 0)
    assert.equal(await little.store.compact(), 0, 'less than a tenth of each pack')
    assert.ok((await little.store.compact({ deadShareMin: 0.05 })) > 0)
    // Half of one pack of many.
    const one = await interleaved(2000, (at) => at < 80 && at % 2 === 0)
    assert.equal(await one.store.compact(), 0, 'less than a twentieth of all')
    assert.ok((await one.store.compact({ wasteShareMax: 0 })) > 300_000)
  })

  it('gives back what it can when the disk is short of space', async () => {
    const { store, disk } = await interleaved(2000, (at) => at < 80 && at % 2 === 0)
    disk.capacityBytes = store.stats().packBytes + 8_500_000
    assert.ok((await store.compact()) > 300_000)
  })

  it('removes packs of which nothing lives without reading or moving a byte', async () => {
    const world = await interleaved(1000, (at) => at < 500)
    const cost = await costOf(world, async () => {
      assert.ok((await world.store.compact({ wasteShareMax: 1 })) > 4_000_000)
    })
    assert.deepEqual([cost.readBytes, cost.writtenBytes], [0, 0])
  })

  it('opens a store with 1,000 roots without looking at every chunk', async () => {
    const world = await withRoots(1000)
    await world.store.close()
    assert.ok(world.map.size > 3000)
    const { keys } = await costOf(world, () => new ChunkIndex(world.map).load())
    assert.ok(keys < 1200, 'roots and packs')
  })
})
