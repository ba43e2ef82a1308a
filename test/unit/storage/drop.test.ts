/** Dropping what another device keeps: with the machine going down at every write, and what it costs. */
import assert from 'node:assert/strict'
import type { ChunkId } from '../../../protocol/index.ts'
import type { ChunkStore } from '../../../storage/index.ts'
import { MemoryDisk } from '../../../storage/memory-disk.ts'
import { memoryKeyValue } from '../../../storage/memory-key-value.ts'
import { openStore } from '../../../storage/open-store.ts'
import { assertSameBytes, replaceChunk, testChunk, type TestChunk, testTree } from '../../support/chunks.ts'

class World {
  readonly disk = new MemoryDisk()
  map = memoryKeyValue()
  store!: ChunkStore

  async open(): Promise<ChunkStore> {
    this.map.beforeBatch = () => this.disk.step()
    const options = { dir: '/store', disk: this.disk, reserveBytes: 0, headroomBytes: 0, packBytes: 4000 }
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

async function putAll(store: ChunkStore, chunks: readonly TestChunk[], completes = true): Promise<void> {
  for (const { id, bytes } of chunks) await store.put(id, bytes, { completes })
}

async function assertSound(store: ChunkStore): Promise<void> {
  for await (const { kind, message } of store.verify({
    readData: true,
    signal: new AbortController().signal,
  }))
    assert.fail(`${kind}: ${message}`)
}

describe('dropping what another device keeps', () => {
  const content = Array.from({ length: 40 }, (_, at) => testChunk(`content ${String(at)}`, [], 700))
  const ids = content.map(({ id }) => id)
  const held = testTree('held', 5, 700)
  const tree = testChunk('tree', ids)

  it('gives the disk back what it drops, pack by pack', async () => {
    const store = await new World().open()
    await putAll(store, content)
    await store.commit()
    let before = store.stats().packBytes
    for (let at = 0; at < ids.length; at += 10) {
      const { freedBytes } = await store.drop(ids.slice(at, at + 10))
      assert.ok(freedBytes > 0 && store.stats().packBytes <= before - freedBytes)
      before = store.stats().packBytes
    }
    assert.equal(store.stats().chunks, 0)
    assert.equal(store.stats().packBytes, 0)
  })

  it('commits first what it is told to drop', async () => {
    const store = await new World().open()
    await putAll(store, content)
    assert.equal(store.stats().pending, content.length)
    assert.equal((await store.drop(ids)).chunks, content.length)
    assert.deepEqual(store.missing(ids), ids)
  })

  it('O5.3: drops nothing while something that is needed is unknown', async () => {
    const world = new World()
    const before = await world.open()
    await putAll(before, [...content, tree])
    await before.hold(tree.id)
    const [place] = before.locate([tree.id])
    assert.ok(place)
    await before.close()
    const file = world.disk.open(place.path, 'write')
    file.write([Uint8Array.of(tree.bytes.at(-1) === 1 ? 2 : 1)], place.offset + place.length - 1)
    file.close()
    world.map = memoryKeyValue() // the index is lost, and what the rotten tree links to looks free
    const store = await world.open()
    assert.deepEqual(store.quarantined(), [tree.id])
    assert.equal((await store.drop(ids)).chunks, 0)
    assert.deepEqual(store.missing(ids), [])
    await replaceChunk(store, tree.id, tree.bytes)
    assert.equal(store.isComplete(tree.id), true)
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
    it(`A2.2, A2.5: leaves each chunk whole or gone, wherever the machine goes down; ${name}`, async () => {
      let isCutShort = true
      for (let after = 0; isCutShort; after++) {
        const world = new World()
        const store = await world.open()
        await putAll(store, held.chunks)
        await store.hold(held.root.id)
        await putAll(store, content)
        await putAll(store, [tree], after % 2 === 0)
        await store.commit()
        world.disk.crashAfter(after, draw)
        try {
          await store.loosen()
          await store.drop(ids.slice(0, 30))
        } catch (error) {
          assert.ok(world.disk.isDown, String(error))
        }
        isCutShort = world.disk.isDown
        const again = await world.restart(draw)
        const moment = `crash after ${String(after)} changes`
        assert.ok(again.isComplete(held.root.id), moment)
        await assertSound(again)
        for (const { id, bytes } of content) {
          if (again.has(id)) assertSameBytes(again.get(id), bytes)
          else assert.ok(ids.indexOf(id) < 30, `${moment}: what nobody named is gone`)
        }
        await again.loosen()
        await again.drop(ids)
        assert.deepEqual(again.missing(ids), ids, moment)
        assert.deepEqual(unknownOf(again), [], moment)
        await assertSound(again)
      }
    })

  function unknownOf(store: ChunkStore): ChunkId[] {
    return store.quarantined()
  }
})
