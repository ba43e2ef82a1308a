/** What every chunk store must do with what another device keeps; run against the real one and its twin. */
import assert from 'node:assert/strict'
import type { ChunkId } from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import { assertSameBytes, testChunk, testTree, type TestChunk } from '../support/chunks.ts'

/** Defines the part of the suite. */
export function dropRules(get: () => ChunkStore): void {
  const putAll = async (chunks: readonly TestChunk[], completes = true): Promise<void> => {
    for (const { id, bytes } of chunks) await get().put(id, bytes, { completes })
  }
  const unused = async (): Promise<ChunkId[]> => {
    const found: ChunkId[] = []
    for await (const { id } of get().unused()) found.push(id)
    return found.sort()
  }
  const idsOf = (chunks: readonly TestChunk[]): ChunkId[] => chunks.map(({ id }) => id).sort()

  it('drops what nothing here refers to, and takes it anew', async () => {
    const [kept, gone] = [testChunk('kept'), testChunk('gone')]
    await putAll([kept, gone])
    const { chunks, bytes } = await get().drop([gone.id, gone.id, testChunk('never here').id])
    assert.deepEqual([chunks, bytes > gone.bytes.byteLength], [1, true])
    assert.deepEqual([get().has(kept.id), get().has(gone.id)], [true, false])
    assert.equal((await get().drop([gone.id])).chunks, 0, 'done twice it is done once')
    assert.equal(await get().put(gone.id, gone.bytes), true)
    await get().commit()
    assertSameBytes(get().get(gone.id), gone.bytes)
  })

  it('drops nothing that a hold or a complete chunk refers to, and nothing that has links', async () => {
    const held = testTree('held', 2)
    const staged = testTree('staged', 2)
    await putAll([...held.chunks, ...staged.chunks])
    await get().hold(held.root.id)
    const all = idsOf([...held.chunks, ...staged.chunks])
    assert.deepEqual(await unused(), [])
    assert.equal((await get().drop(all)).chunks, 0)
    assert.deepEqual(get().missing(all), [])
  })

  it('counts nothing below a chunk that a commit does not complete, until it is held', async () => {
    const { root, chunks } = testTree('loose', 3)
    await putAll(chunks, false)
    await get().commit()
    assert.equal(get().isComplete(root.id), false)
    const leaves = chunks.slice(0, 3)
    assert.deepEqual(await unused(), idsOf(leaves))
    assert.equal((await get().drop([leaves[0]?.id ?? root.id])).chunks, 1)
    assert.deepEqual([...get().missingBelow(root.id)], [leaves[0]?.id])
    await putAll([leaves[0] ?? root])
    await get().hold(root.id)
    assert.equal(get().isComplete(root.id), true)
    assert.equal((await get().drop(idsOf(leaves))).chunks, 0)
  })

  it('loosens what an interrupted backup has stored, and nothing below a hold', async () => {
    const [staged, shared] = [testTree('staged', 2), testTree('held', 2)]
    const above = testChunk('above', [staged.root.id, shared.root.id])
    await putAll([...staged.chunks, ...shared.chunks, above])
    await get().hold(shared.root.id)
    assert.equal(get().isComplete(above.id), true)
    assert.deepEqual(await unused(), [])
    await get().loosen()
    await get().loosen()
    const leaves = staged.chunks.slice(0, 2)
    assert.deepEqual(await unused(), idsOf(leaves))
    assert.deepEqual(
      [above, staged.root, shared.root].map(({ id }) => get().isComplete(id)),
      [false, false, true],
    )
    assert.equal(
      (await get().reclaim({ mayReclaim: () => true })).chunks,
      0,
      'it is unfinished, not released',
    )
    await get().hold(above.id)
    assert.equal(get().isComplete(above.id), true)
    await get().release(above.id)
    assert.equal((await get().reclaim({ mayReclaim: () => true })).chunks, 4)
    assert.equal(get().isComplete(shared.root.id), true)
  })

  it('lends packs that are no longer than was asked for', () => {
    const loan = get().lend({ bytesMax: 5000 })
    assert.equal(loan.bytesMax, 5000)
    get().giveBack(loan)
  })
}
