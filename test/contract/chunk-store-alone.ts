/** What every chunk store must do with chunks that stay without what is below them (storage/spec/README.md §1). */
import assert from 'node:assert/strict'
import { CellarError, type ChunkId } from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import { assertSameBytes, testChunk, testTree } from '../support/chunks.ts'

/** Defines the tests. */
export function aloneRules(
  get: () => ChunkStore,
  putAll: (chunks: readonly { id: ChunkId; bytes: Uint8Array }[]) => Promise<void>,
): void {
  const reclaimAll = () => get().reclaim({ mayReclaim: () => true, unfinished: true })

  it('leaves a chunk alone without what is below it, until that is here again', async () => {
    const leaf = testChunk('leaf')
    const shared = testChunk('shared')
    const tree = testChunk('tree', [leaf.id, shared.id])
    const root = testChunk('root', [tree.id])
    const other = testChunk('other', [shared.id])
    await putAll([leaf, shared, tree, root, other])
    await get().hold(root.id)
    await get().hold(other.id)
    await get().release(root.id)
    const alone = { staysAlone: (id: ChunkId) => id === root.id || id === tree.id }
    const freed = await get().freedBy([root.id], alone)
    assert.deepEqual([freed.chunks, freed.isWhole], [1, true])
    const again = { mayReclaim: () => true, ...alone, unfinished: true }
    assert.equal((await get().reclaim({ mayReclaim: () => true, ...alone })).chunks, 1)
    assert.equal((await get().reclaim(again)).chunks, 0)
    assert.deepEqual(get().missing([root.id, tree.id, leaf.id, shared.id]), [leaf.id])
    assert.deepEqual([get().isComplete(root.id), get().isComplete(tree.id)], [false, false])
    assertSameBytes(get().get(tree.id), tree.bytes)
    await assert.rejects(
      get().hold(root.id),
      (error: unknown) => error instanceof CellarError && error.code === 'CLOSURE_INCOMPLETE',
    )
    // What it shared is not kept for its sake.
    await get().release(other.id)
    assert.equal((await get().reclaim({ mayReclaim: () => true, ...alone })).chunks, 2)
    await putAll([leaf, shared])
    await get().hold(root.id)
    assert.equal(get().isComplete(root.id), true)
    await get().release(root.id)
    assert.equal((await reclaimAll()).chunks, 4)
  })

  it('removes what was left alone once nobody wants it to stay', async () => {
    const { root, chunks } = testTree('t', 3)
    await putAll(chunks)
    await get().hold(root.id)
    await get().release(root.id)
    await get().reclaim({ mayReclaim: () => true, staysAlone: (id) => id === root.id })
    assert.equal((await get().reclaim({ mayReclaim: () => true })).chunks, 0)
    assert.equal((await get().reclaim({ mayReclaim: () => true, unfinished: true })).chunks, 1)
    assert.equal(get().stats().chunks, 0)
  })
}
