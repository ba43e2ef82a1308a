/** Single moments that random histories seldom meet. */
import assert from 'node:assert/strict'
import { type ChunkId, isCellarError } from '../../../protocol/index.ts'
import type { ChunkStore, Problem } from '../../../storage/index.ts'
import { MemoryDisk } from '../../../storage/memory-disk.ts'
import { memoryKeyValue } from '../../../storage/memory-key-value.ts'
import { openStore } from '../../../storage/open-store.ts'
import { assertSameBytes, testChunk } from '../../support/chunks.ts'

describe('chunk store, at single moments', () => {
  const disk = (): MemoryDisk => new MemoryDisk()
  function open(on: MemoryDisk, map = memoryKeyValue()): Promise<ChunkStore> {
    const options = { dir: '/store', disk: on, reserveBytes: 0, headroomBytes: 0, packBytes: 1_000_000 }
    return openStore({ ...options, openIndex: () => Promise.resolve(map) })
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

  it('leaves a pack as it was when a record does not fit the disk', async () => {
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

  it('gives up what a failed sync may have lost, says so, and keeps what was durable', async () => {
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

  it('keeps chunks pending when the index could not be written, and commits them the next time', async () => {
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

  it('brings nothing back that was removed, wherever compaction is cut short', async () => {
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
      await store.reclaim({ mayReclaim: (id) => !kept.has(id), compact: false })
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

  it('stops compacting when told, and goes on the next time', async () => {
    const store = await open(disk())
    const chunks = Array.from({ length: 12 }, (_, at) => testChunk(`c ${String(at)}`, [], 900_000))
    for (const { id, bytes } of chunks) await store.put(id, bytes)
    const controller = new AbortController()
    controller.abort()
    await store.reclaim({ mayReclaim: () => true, compact: false })
    assert.equal(await store.compact({ signal: controller.signal }), 0)
    assert.ok((await store.compact()) > 9_000_000)
    assert.equal(store.stats().packBytes < 1_000, true)
  })
})
