/** Single moments that random histories seldom meet. */
import assert from 'node:assert/strict'
import { type ChunkId, isCellarError } from '../../../protocol/index.ts'
import type { ChunkStore, Problem } from '../../../storage/index.ts'
import { MemoryDisk } from '../../../storage/memory-disk.ts'
import { memoryKeyValue, type MemoryKeyValue } from '../../../storage/memory-key-value.ts'
import { idKey, TABLE } from '../../../storage/index/record.ts'
import { openStore } from '../../../storage/open-store.ts'
import { packHeaderBytes } from '../../../storage/pack/format.ts'
import { assertSameBytes, testChunk, testTree } from '../../support/chunks.ts'

describe('chunk store, at single moments', () => {
  const disk = (): MemoryDisk => new MemoryDisk()
  function open(on: MemoryDisk, map = memoryKeyValue()): Promise<ChunkStore> {
    const options = { dir: '/store', disk: on, reserveBytes: 0, headroomBytes: 0, packBytes: 1_000_000 }
    return openStore({ ...options, openIndex: () => Promise.resolve(map) })
  }
  /** The machine goes down, if it has not yet, and comes back without what no sync has made durable. */
  function crash(on: MemoryDisk, map: MemoryKeyValue): void {
    if (!on.isDown) {
      on.crashAfter(0, () => 0)
      assert.throws(() => on.step())
    }
    on.restart(() => 0)
    map.crash(0)
  }
  async function problems(store: ChunkStore): Promise<Problem[]> {
    const found: Problem[] = []
    for await (const it of store.verify({ readData: true, signal: new AbortController().signal }))
      found.push(it)
    return found
  }

  it('stores a chunk anew that is put between the decision to remove it and its removal', async () => {
    const store = await open(disk())
    const chunks = ['a', 'b', 'c'].map((seed) => testChunk(seed))
    for (const { id, bytes } of chunks) await store.put(id, bytes)
    let again: { id: ChunkId; bytes: Uint8Array; put: Promise<boolean> } | undefined
    let last: ChunkId | undefined
    await store.reclaim({
      unfinished: true,
      mayReclaim: (id) => {
        const chunk = chunks.find((it) => it.id === last)
        if (chunk !== undefined) again ??= { ...chunk, put: store.put(chunk.id, chunk.bytes) }
        last = id
        return true
      },
    })
    assert.ok(again)
    assert.equal(await again.put, true, 'it must not rely on what is being removed')
    await store.commit()
    assertSameBytes(store.get(again.id), again.bytes)
    assert.deepEqual(await problems(store), [])
  })

  it('D5.5: leaves a pack as it was when a record does not fit the disk', async () => {
    const small = disk()
    const store = await open(small)
    const first = testChunk('first', [], 1000)
    await store.put(first.id, first.bytes)
    await store.commit()
    const before = small.size('/store/packs/00000001.pack')
    small.capacityBytes = (before ?? 0) + 500
    const second = testChunk('second', [], 5000)
    await assert.rejects(store.put(second.id, second.bytes), (error) => isCellarError(error, 'STORE_FULL'))
    assert.equal(small.size('/store/packs/00000001.pack'), before)
    small.capacityBytes = Infinity
    await store.put(second.id, second.bytes)
    await store.commit()
    assertSameBytes(store.get(second.id), second.bytes)
    assert.deepEqual(await problems(store), [])
  })

  it('O2.2: gives up what a failed sync may have lost, says so, and keeps what was durable', async () => {
    const failing = disk()
    const map = memoryKeyValue()
    const store = await open(failing, map)
    const [kept, lost] = [testChunk('kept', [], 1000), testChunk('lost', [], 1000)]
    await store.put(kept.id, kept.bytes)
    await store.commit()
    await store.put(lost.id, lost.bytes)
    failing.failingSyncs = 1
    await assert.rejects(store.commit())
    assert.equal(store.has(lost.id), false)
    assertSameBytes(store.get(kept.id), kept.bytes)
    assert.equal(await store.put(lost.id, lost.bytes), true)
    await store.commit()
    await store.close()
    const after = await open(failing, map)
    assertSameBytes(after.get(lost.id), lost.bytes)
    assert.deepEqual(await problems(after), [])
  })

  it('O2.3: keeps chunks pending when the index could not be written, and commits them the next time', async () => {
    const map = memoryKeyValue()
    const store = await open(disk(), map)
    const { id, bytes } = testChunk('patient')
    await store.put(id, bytes)
    map.beforeBatch = () => {
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
    }
    await assert.rejects(store.commit(), (error) => isCellarError(error, 'STORE_FULL'))
    assert.equal(store.stats().pending, 1)
    assertSameBytes(store.get(id), bytes)
    map.beforeBatch = undefined
    await store.commit()
    assert.equal(store.stats().chunks, 1)
  })

  it('A2.5, O5.1: brings nothing back that was removed, wherever compaction is cut short', async () => {
    for (let after = 0; after < 24; after++) {
      const on = disk()
      const map = memoryKeyValue()
      map.beforeBatch = () => {
        on.step()
      }
      const store = await open(on, map)
      const chunks = Array.from({ length: 12 }, (_, at) => testChunk(`c ${String(at)}`, [], 300_000))
      for (const { id, bytes } of chunks) await store.put(id, bytes)
      const kept = new Set([0, 7].map((at) => chunks[at]?.id))
      await store.reclaim({ mayReclaim: (id) => !kept.has(id), unfinished: true, compact: false })
      on.crashAfter(after, () => 0)
      await store.compact().catch(() => undefined)
      if (on.isDown) on.restart((below) => (after % 2 === 0 ? 0 : below - 1))
      map.crash(map.undurableBatches)
      const again = await open(on, map)
      for (const { id, bytes } of chunks) {
        assert.equal(again.has(id), kept.has(id), `crash after ${String(after)} steps`)
        if (kept.has(id)) assertSameBytes(again.get(id), bytes)
      }
      assert.deepEqual(await problems(again), [])
    }
  })

  it('A2.4, O4.1: names a held root in its file whenever the index does, wherever holding is cut short', async () => {
    for (let after = 0; after < 16; after++) {
      const on = disk()
      const map = memoryKeyValue()
      map.beforeBatch = () => {
        on.step()
      }
      const store = await open(on, map)
      const { root, chunks } = testTree('held', 3, 1000)
      for (const { id, bytes } of chunks) await store.put(id, bytes)
      on.crashAfter(after, () => 0)
      await store.hold(root.id).catch(() => undefined)
      crash(on, map)
      const isMarked = map.get(idKey(TABLE.hold, root.id)) !== undefined
      // The index is lost in the same moment.
      const rebuilt = await open(on)
      assert.ok(!isMarked || rebuilt.isHeld(root.id), `crash after ${String(after)} steps`)
      await rebuilt.close()
    }
  })

  for (const isLost of [false, true])
    it(`O6.1: makes durable what a killed process left before ${isLost ? 'a new' : 'the'} index names it`, async () => {
      const on = disk()
      let map = memoryKeyValue()
      const killed = await open(on, map)
      const { id, bytes } = testChunk('left', [], 1000)
      await killed.put(id, bytes)
      // It is killed here: the system has the bytes, the disk may not.
      if (isLost) map = memoryKeyValue()
      const next = await open(on, map)
      assert.equal(next.has(id), true)
      // Now the machine goes down, and loses all that no sync has made durable.
      crash(on, map)
      const after = await open(on, map)
      assertSameBytes(after.get(id), bytes)
      assert.deepEqual(await problems(after), [])
    })

  it('I1.2: uses nothing of an index that was not made to its end', async () => {
    const on = disk()
    const map = memoryKeyValue()
    const store = await open(on, map)
    const [kept, lost] = [testChunk('kept'), testChunk('lost')]
    for (const { id, bytes } of [kept, lost]) await store.put(id, bytes)
    await store.close()
    // As if making it had been cut short: without its version, and with an entry that nothing stands for.
    await map.batch(
      [
        { type: 'del', key: Uint8Array.of(TABLE.meta) },
        { type: 'del', key: idKey(TABLE.chunk, lost.id) },
        { type: 'put', key: idKey(TABLE.hold, lost.id), value: new Uint8Array(0) },
      ],
      true,
    )
    const again = await open(on, map)
    assert.equal(again.stats().rebuilt, true)
    assert.deepEqual(again.holds(), [])
    assertSameBytes(again.get(lost.id), lost.bytes)
    assert.deepEqual(await problems(again), [])
  })

  it('O5.2: leaves a pack alone in which it cannot find all that lives', async () => {
    const on = disk()
    const store = await open(on)
    const chunks = Array.from({ length: 3 }, (_, at) => testChunk(`c ${String(at)}`, [], 200_000))
    for (const { id, bytes } of chunks) await store.put(id, bytes)
    const [kept] = chunks
    assert.ok(kept)
    await store.reclaim({ mayReclaim: (id) => id !== kept.id, unfinished: true, compact: false })
    const path = '/store/packs/00000001.pack'
    const pack = on.open(path, 'write')
    pack.write([Buffer.from('no record')], packHeaderBytes)
    const size = pack.size()
    assert.equal(await store.compact(), 0)
    assert.equal(on.size(path), size)
    pack.close()
    assert.ok((await problems(store)).some(({ id }) => id === kept.id))
  })

  it('stops compacting when told, and goes on the next time', async () => {
    const store = await open(disk())
    const chunks = Array.from({ length: 12 }, (_, at) => testChunk(`c ${String(at)}`, [], 900_000))
    for (const { id, bytes } of chunks) await store.put(id, bytes)
    const controller = new AbortController()
    controller.abort()
    await store.reclaim({ mayReclaim: () => true, unfinished: true, compact: false })
    assert.equal(await store.compact({ signal: controller.signal }), 0)
    assert.ok((await store.compact()) > 9_000_000)
    assert.equal(store.stats().packBytes < 1_000, true)
  })
})
