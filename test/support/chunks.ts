/** Chunks for the tests of storage: a visible header that parses, and bytes drawn from a seed. No keys. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chunkIdOf, type ChunkId } from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'

/** A chunk with its id and links. */
export interface TestChunk {
  readonly id: ChunkId
  readonly bytes: Uint8Array
  readonly links: readonly ChunkId[]
}

/** Makes a chunk: equal arguments, equal bytes. @param bodyBytes - bytes of ciphertext, at least 6 */
export function testChunk(seed: string, links: readonly ChunkId[] = [], bodyBytes = 100): TestChunk {
  const head = Buffer.alloc(28)
  head.write('RCch', 0, 'latin1')
  head[4] = 1
  head[5] = 1
  head.writeUInt32BE(links.length, 24)
  const sealed = Buffer.alloc(32 + bodyBytes + 16)
  const pattern = createHash('sha512').update(seed).digest()
  for (let at = 0; at < sealed.length; at += pattern.length) pattern.copy(sealed, at)
  const bytes = Buffer.concat([head, ...links.map((link) => Buffer.from(link, 'hex')), sealed])
  return { id: chunkIdOf(bytes), bytes, links }
}

/** A root over `count` leaves, leaves first. */
export function testTree(
  seed: string,
  count: number,
  bodyBytes = 100,
): { root: TestChunk; chunks: TestChunk[] } {
  const leaves = Array.from({ length: count }, (_, at) =>
    testChunk(`${seed} leaf ${String(at)}`, [], bodyBytes),
  )
  const root = testChunk(
    `${seed} root`,
    leaves.map((leaf) => leaf.id),
  )
  return { root, chunks: [...leaves, root] }
}

/** Fails unless both are the same bytes; says nothing of them. */
export function assertSameBytes(found: Uint8Array, expected: Uint8Array): void {
  assert.ok(
    Buffer.compare(found, expected) === 0,
    `${String(found.byteLength)} bytes are not the ${String(expected.byteLength)} expected`,
  )
}

/** Numbers below a bound, drawn from a seed. */
export function drawFrom(seed: number): (below: number) => number {
  let state = (seed ^ 0x5bd1e995) >>> 0 || 1
  return (below) => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return below === 0 ? 0 : state % below
  }
}

/** Sets a chunk aside as bad, whatever its bytes, and puts good ones in its place. */
export async function replaceChunk(
  store: Pick<ChunkStore, 'quarantine' | 'put' | 'commit'>,
  id: ChunkId,
  bytes: Uint8Array,
): Promise<void> {
  await store.quarantine(id)
  await store.put(id, bytes)
  await store.commit()
}
