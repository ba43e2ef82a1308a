/** What a session may refer to without storing it (R5; spec/thin.md §1). */
import assert from 'node:assert/strict'
import { IdTable } from '../../../../node/backup/id-table.ts'
import { openPresence, storePresence } from '../../../../node/backup/presence.ts'
import type { ChunkId, RootId } from '../../../../protocol/index.ts'
import { type ChunkStore, memoryStore } from '../../../../storage/index.ts'
import { testChunk, type TestChunk } from '../../../support/chunks.ts'

describe('a table of ids', () => {
  it('has what was added, however many, and nothing else', () => {
    const table = new IdTable()
    const ids = Array.from({ length: 5000 }, (_, at) => testChunk(`id ${String(at)}`).id)
    assert.equal(table.has(ids[0] as ChunkId), false)
    for (const id of ids.slice(0, 4000)) assert.equal(table.add(id), true)
    for (const id of ids.slice(0, 4000)) assert.equal(table.add(id), false)
    assert.equal(table.size, 4000)
    assert.ok(ids.slice(0, 4000).every((id) => table.has(id)))
    assert.ok(!ids.slice(4000).some((id) => table.has(id)))
  })
})

describe('presence', () => {
  let store: ChunkStore
  const data = testChunk('data')
  const other = testChunk('other data')
  const list = testChunk('list', [data.id, other.id])
  const tree = testChunk('tree', [list.id])
  const root = testChunk('root', [tree.id])
  const put = async (...chunks: readonly TestChunk[]) => {
    for (const { id, bytes } of chunks) await store.put(id, bytes)
    await store.commit()
  }
  const leaning = (...roots: readonly RootId[]) => openPresence(store, new Set(roots))

  beforeEach(() => {
    store = memoryStore()
  })
  afterEach(async () => {
    await store.close()
  })

  it('is what is here, where nothing may be leaned on', async () => {
    await put(data, list)
    for (const presence of [storePresence(store), await leaning()]) {
      assert.deepEqual([presence.has(data.id), presence.has(other.id)], [true, false])
      assert.deepEqual([presence.isWhole(data.id), presence.isWhole(list.id)], [true, false])
    }
  })

  it('is also what is below a root that may be leaned on, as far as its trees are here', async () => {
    await put(list, tree, root)
    const presence = await leaning(root.id)
    for (const { id } of [root, tree, list, data, other]) {
      assert.ok(presence.has(id))
      assert.ok(presence.isWhole(id))
    }
    assert.equal(presence.has(testChunk('else').id), false)
    assert.equal(presence.isWhole(testChunk('else').id), false)
  })

  it('Y1.3 knows nothing of what is below a tree that is not here', async () => {
    await put(root)
    const presence = await leaning(root.id)
    assert.deepEqual([presence.has(tree.id), presence.isWhole(tree.id)], [true, true])
    assert.deepEqual([presence.has(list.id), presence.has(data.id)], [false, false])
  })

  it('is not what is below another root that is here in parts', async () => {
    await put(list, tree, root)
    const elsewhere = testChunk('elsewhere')
    const presence = await leaning(elsewhere.id)
    assert.ok(presence.has(elsewhere.id))
    assert.deepEqual(
      [presence.has(data.id), presence.isWhole(root.id), presence.has(root.id)],
      [false, false, true],
    )
  })

  it('puts together what is here and what is leaned on', async () => {
    const fresh = testChunk('fresh')
    const next = testChunk('next root', [tree.id, fresh.id])
    await put(list, tree, root)
    const presence = await leaning(root.id)
    await put(fresh, next)
    assert.equal(presence.isWhole(next.id), true)
    const lost = testChunk('next root with a gap', [tree.id, testChunk('nowhere').id])
    await put(lost)
    assert.equal(presence.isWhole(lost.id), false)
    assert.equal(presence.isWhole(lost.id), false, 'asked again, too')
  })

  it('does not rely on a chunk here that is known to be bad', async () => {
    await put(data, other, list)
    await store.quarantine(data.id)
    const presence = await leaning()
    assert.deepEqual([presence.has(data.id), presence.isWhole(list.id)], [false, false])
  })

  it('asks who keeps chunks for the session, of those that have no links', async () => {
    await put(list)
    const kept = new Set<ChunkId>([data.id, other.id])
    const presence = await openPresence(store, new Set(), kept)
    assert.deepEqual([presence.has(data.id), presence.isWhole(list.id)], [true, true])
    kept.delete(other.id)
    const again = await openPresence(store, new Set(), kept)
    assert.equal(again.isWhole(list.id), false)
  })
})
