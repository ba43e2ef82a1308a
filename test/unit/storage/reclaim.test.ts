/** Giving space back: beside other work, stopped, and with the machine going down at every write. */
import assert from 'node:assert/strict'
import type { ChunkId } from '../../../protocol/index.ts'
import { memoryStore, type ChunkStore, type ReclaimProgress } from '../../../storage/index.ts'
import { decodeChunkRecord, TABLE } from '../../../storage/index/record.ts'
import { prefixRange } from '../../../storage/key-value.ts'
import { MemoryDisk } from '../../../storage/memory-disk.ts'
import { memoryKeyValue, type MemoryKeyValue } from '../../../storage/memory-key-value.ts'
import { openStore } from '../../../storage/open-store.ts'
import { packHeaderBytes } from '../../../storage/pack/format.ts'
import { assertSameBytes, testChunk, testTree, type TestChunk } from '../../support/chunks.ts'

const all = { mayReclaim: () => true } as const
/** Everything that can be given back is. */
const thorough = { deadShareMin: 1e-9, wasteShareMax: 0 } as const

class World {
  readonly disk = new MemoryDisk()
  readonly map = memoryKeyValue()
  store!: ChunkStore

  async open(packBytes = 4000): Promise<ChunkStore> {
    this.map.beforeBatch = () => this.disk.step()
    const options = { dir: '/store', disk: this.disk, reserveBytes: 0, headroomBytes: 0, packBytes }
    this.store = await openStore({ ...options, openIndex: () => Promise.resolve(this.map) })
    return this.store
  }

  /** The machine goes down, if it has not yet, and comes back with some of what was not synced. */
  async restart(draw: (below: number) => number): Promise<ChunkStore> {
    if (!this.disk.isDown) {
      this.disk.crashAfter(0, draw)
      assert.throws(() => this.disk.step())
    }
    this.disk.restart(draw)
    this.map.crash(draw(this.map.undurableBatches + 1))
    return await this.open()
  }
}

async function putAll(store: ChunkStore, chunks: readonly TestChunk[]): Promise<void> {
  for (const { id, bytes } of chunks) await store.put(id, bytes)
}

async function assertSound(store: ChunkStore): Promise<void> {
  for await (const { kind, message } of store.verify({
    readData: true,
    signal: new AbortController().signal,
  }))
    assert.fail(`${kind}: ${message}`)
}

/** I1.1: each chunk without references is in one of the two lists of such chunks, and no other is. */
async function assertListsInStep(map: MemoryKeyValue): Promise<void> {
  const listed = new Map<number, Set<string>>()
  for (const table of [TABLE.unused, TABLE.released]) {
    const ids = new Set<string>()
    for await (const [key] of map.iterate(prefixRange(Uint8Array.of(table))))
      ids.add(Buffer.from(key.subarray(1)).toString('hex'))
    listed.set(table, ids)
  }
  const expected = new Map<number, Set<string>>([
    [TABLE.unused, new Set()],
    [TABLE.released, new Set()],
  ])
  for await (const [key, value] of map.iterate(prefixRange(Uint8Array.of(TABLE.chunk)))) {
    const { refs, isReleased } = decodeChunkRecord(value)
    if (refs > 0) continue
    expected
      .get(isReleased ? TABLE.released : TABLE.unused)
      ?.add(Buffer.from(key.subarray(1)).toString('hex'))
  }
  assert.deepEqual(listed, expected)
}

/** Snapshots of a tree of which a leaf changes each time: each shares all but that leaf with the one before. */
function snapshots(count: number): { roots: TestChunk[]; chunks: TestChunk[] } {
  const leaves = Array.from({ length: 6 }, (_, at) => testChunk(`leaf ${String(at)}`, [], 200))
  const chunks = leaves.slice(1)
  const roots: TestChunk[] = []
  for (let time = 0; time < count; time++) {
    const changed = testChunk(`leaf ${String(time % 6)} of ${String(time)}`, [], 200 + 300 * (time % 4))
    leaves[time % 6] = changed
    const trees = [leaves.slice(0, 3), leaves.slice(3)].map((these) =>
      testChunk(
        'tree',
        these.map((leaf) => leaf.id),
      ),
    )
    const root = testChunk(
      `root ${String(time)}`,
      trees.map((tree) => tree.id),
    )
    chunks.push(changed, ...trees, root)
    roots.push(root)
  }
  return { roots, chunks }
}

describe('chunk store, giving space back', () => {
  it('lets others have their turn between its steps', async () => {
    const { store } = await opened(100_000)
    const { root, chunks } = testTree('large', 6000, 10)
    await putAll(store, chunks)
    await store.hold(root.id)
    await store.release(root.id)
    const other = testTree('other', 2)
    let asked = 0
    let askedWhenHeld = 0
    const beside = async (): Promise<void> => {
      await putAll(store, other.chunks)
      await store.hold(other.root.id)
      askedWhenHeld = asked
    }
    let besides: Promise<void> | undefined
    const mayReclaim = (): boolean => {
      asked++
      besides ??= beside()
      return true
    }
    await store.reclaim({ mayReclaim, compact: false })
    await besides
    assert.ok(askedWhenHeld > 0 && askedWhenHeld < 5000, String(askedWhenHeld))
    assert.equal(store.stats().chunks, 3)
    await assertSound(store)
  })

  it('compacts in steps, each of which needs little room, and lets others have their turn between', async () => {
    const { store, map } = await opened(60_000_000)
    const chunks = Array.from({ length: 28 }, (_, at) => testChunk(`c ${String(at)}`, [], 2_000_000))
    await putAll(store, chunks)
    const odd = new Set(chunks.filter((_, at) => at % 2 === 1).map((chunk) => chunk.id))
    await store.reclaim({ mayReclaim: (id) => odd.has(id), unfinished: true, compact: false })
    const other = testTree('other', 2)
    const done: string[] = []
    let besides: Promise<void> | undefined
    const beside = async (): Promise<void> => {
      await putAll(store, other.chunks)
      await store.hold(other.root.id)
      done.push('held')
    }
    const before = store.stats().packBytes
    let most = 0
    map.beforeBatch = () => (most = Math.max(most, store.stats().packBytes))
    await store.reclaim({
      mayReclaim: () => false,
      onProgress: ({ step }) => {
        done.push(step)
        if (step === 'compacting') besides ??= beside()
      },
    })
    await besides
    assert.deepEqual(done, ['removing', 'compacting', 'held', 'compacting'])
    assert.ok(most <= before + 18_000_000, `${String(most - before)} bytes more`)
    for (const { id, bytes } of chunks) if (!odd.has(id)) assertSameBytes(store.get(id), bytes)
    await assertSound(store)
  })

  it('asks in the moment of deciding: who objects midway keeps all that is left', async () => {
    const { store } = await opened(100_000)
    const { root, chunks } = testTree('large', 6000, 10)
    await putAll(store, chunks)
    await store.hold(root.id)
    await store.release(root.id)
    let asked = 0
    const { chunks: removed } = await store.reclaim({ mayReclaim: () => ++asked <= 5000, compact: false })
    assert.equal(removed, 5000)
    assert.equal(store.stats().chunks, 1001)
    assert.equal((await store.reclaim({ ...all })).chunks, 1001)
  })

  it('stops when told, durably, and goes on the next time where it was', async () => {
    const world = await opened(100_000)
    const { store, map } = world
    const { root, chunks } = testTree('large', 6000, 10)
    await putAll(store, chunks)
    await store.hold(root.id)
    await store.release(root.id)
    const controller = new AbortController()
    let asked = 0
    const first = await store.reclaim({
      mayReclaim: () => {
        if (++asked === 3000) controller.abort()
        return true
      },
      signal: controller.signal,
    })
    assert.deepEqual([first.chunks, first.freedBytes], [3000, 0])
    await assertListsInStep(map)
    const again = await world.restart(() => 0)
    const second = await again.reclaim({ ...all })
    assert.equal(second.chunks, 3001)
    assert.equal(again.stats().packBytes, 0)
  })

  it('says how far it is', async () => {
    const { store } = await opened(4000)
    const { roots, chunks } = snapshots(8)
    await putAll(store, chunks)
    await store.hold(roots[0]?.id ?? assert.fail())
    await store.release(roots[0]?.id ?? assert.fail())
    const said: ReclaimProgress[] = []
    const result = await store.reclaim({
      ...all,
      unfinished: true,
      onProgress: (progress) => said.push(progress),
    })
    assert.deepEqual(said.at(-1), { step: 'compacting', ...result })
    assert.equal(said[0]?.step, 'removing')
    assert.ok(result.freedBytes > 0)
  })

  it('frees of unfinished things only what it is told to', async () => {
    for (const store of [(await opened(4000)).store, memoryStore()]) {
      const [held, unfinished] = [testTree('held', 3), testTree('unfinished', 3)]
      await putAll(store, [...held.chunks, ...unfinished.chunks])
      await store.hold(held.root.id)
      await store.release(held.root.id)
      assert.equal((await store.reclaim(all)).chunks, 4)
      assert.deepEqual(store.missing(unfinished.chunks.map((chunk) => chunk.id)), [])
      assert.equal((await store.reclaim({ ...all, unfinished: true })).chunks, 4)
    }
  })

  it('counts what would be freed, and then frees just that', async () => {
    for (const store of [(await opened(4000)).store, memoryStore()]) {
      const { roots, chunks } = snapshots(20)
      await putAll(store, chunks)
      for (const { id } of roots) await store.hold(id)
      const before = store.stats()
      const unfinished = testTree('unfinished', 3)
      await putAll(store, unfinished.chunks)
      await store.commit()
      for (const gone of [roots.slice(3, 4), roots.slice(5, 9), roots.slice(12)]) {
        const ids = gone.map((root) => root.id)
        const { isWhole, ...freed } = await store.freedBy(ids)
        assert.equal(isWhole, true)
        assert.ok(freed.chunks >= ids.length)
        assert.equal((await store.freedBy(ids, { mayReclaim: () => false })).chunks, 0)
        const also = await store.freedBy(ids, { mayReclaim: () => true, unfinished: true })
        assert.equal(also.chunks, freed.chunks + 4)
        await store.release(...ids)
        // The same, asked after the marks are gone.
        assert.deepEqual(await store.freedBy(ids), { ...freed, isWhole })
        assert.deepEqual(await store.freedBy([], all), { ...freed, isWhole })
        const result = await store.reclaim(all)
        assert.deepEqual({ chunks: result.chunks, bytes: result.bytes }, freed)
      }
      assert.ok(store.stats().chunks < before.chunks)
      await assertSound(store)
    }
  })

  it('releases many roots at once, all or none, wherever it is cut short', async () => {
    const { roots, chunks } = snapshots(6)
    const ids = roots.map((root) => root.id)
    for (let after = 0; after < 8; after++) {
      const world = new World()
      const store = await world.open()
      await putAll(store, chunks)
      for (const id of ids) await store.hold(id)
      world.disk.crashAfter(after, () => 0)
      await store.release(...ids.slice(1), testChunk('never held').id).catch(() => undefined)
      const again = await world.restart(() => 0)
      const held = again.holds()
      assert.ok(held.length === ids.length || held.length === 1, String(held.length))
      await assertSound(again)
      await assertListsInStep(world.map)
    }
  })

  it('A2.1: goes on safely when the index is made anew while a pack is looked through', async () => {
    const { store, disk } = await opened(1_000_000)
    const chunks = Array.from({ length: 900 }, (_, at) => testChunk(`c ${String(at)}`, [], 300))
    await putAll(store, chunks)
    const idsOf = (isIn: (at: number) => boolean): Set<ChunkId> =>
      new Set(chunks.filter((_, at) => isIn(at)).map((chunk) => chunk.id))
    const odd = idsOf((at) => at % 2 === 1)
    await store.reclaim({ mayReclaim: (id) => odd.has(id), unfinished: true, compact: false })
    disk.capacityBytes = store.stats().packBytes + 40_000 // so that it goes in small steps
    const compacting = store.compact()
    for (let time = 0; time < 12; time++) await new Promise(setImmediate) // it has looked through most of the pack
    await store.rebuildIndex() // brings the others back: they are nobody's, but they are there
    const half = idsOf((at) => at % 4 < 2)
    await store.reclaim({ mayReclaim: (id) => half.has(id), unfinished: true, compact: false })
    await compacting
    await assertSound(store)
    for (const { id, bytes } of chunks) if (!half.has(id)) assertSameBytes(store.get(id), bytes)
  })

  const draws = {
    'all that was not synced is lost': () => 0,
    'all of it came through': (below: number) => below - 1,
    'some of it came through': (() => {
      let state = 7
      return (below: number) => (below === 0 ? 0 : (state = (state * 1103515245 + 12345) % 2 ** 31) % below)
    })(),
  }
  for (const [name, draw] of Object.entries(draws))
    it(`A2.5, O5.1: ends as if nothing had been, wherever the machine goes down; ${name}`, async () => {
      const { roots, chunks } = snapshots(12)
      const gone = roots.filter((_, at) => at % 3 !== 0).map((root) => root.id)
      const kept = roots.filter((_, at) => at % 3 === 0).map((root) => root.id)
      const twin = memoryStore()
      await putAll(twin, chunks)
      for (const { id } of roots) await twin.hold(id)
      await twin.release(...gone)
      await twin.reclaim(all)

      let isCutShort = true
      for (let after = 0; isCutShort; after++) {
        const world = new World()
        const store = await world.open()
        await putAll(store, chunks)
        for (const { id } of roots) await store.hold(id)
        world.disk.crashAfter(after, draw)
        try {
          await store.release(...gone)
          await store.reclaim({ ...all, compact: thorough })
        } catch (error) {
          assert.ok(world.disk.isDown, String(error))
        }
        isCutShort = world.disk.isDown
        const again = await world.restart(draw)
        const moment = `crash after ${String(after)} changes`
        for (const id of kept) assert.ok(again.isComplete(id), moment)
        await assertSound(again)
        await assertListsInStep(world.map)

        await again.release(...gone)
        await again.reclaim({ ...all, compact: thorough })
        assertEqualStores(again, twin, chunks, moment)
        await assertSound(again)
      }
    })

  async function opened(packBytes: number): Promise<World> {
    const world = new World()
    await world.open(packBytes)
    return world
  }
})

/** Both hold the same, have the same chunks, and no byte more on the disk than these take. */
function assertEqualStores(
  found: ChunkStore,
  twin: ChunkStore,
  chunks: readonly TestChunk[],
  text: string,
): void {
  assert.deepEqual(found.holds(), twin.holds(), text)
  const idsIn = (store: ChunkStore): ChunkId[] =>
    chunks.map((chunk) => chunk.id).filter((id) => store.has(id))
  assert.deepEqual(idsIn(found), idsIn(twin), text)
  const { bytes, packs, packBytes } = found.stats()
  assert.equal(bytes, twin.stats().bytes, text)
  assert.equal(packBytes, bytes + packs * packHeaderBytes, text)
}
