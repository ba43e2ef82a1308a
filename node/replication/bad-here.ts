/** Whether the bytes of a chunk here are what its id says. */

import { type ChunkId, isCellarError } from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'

/** Says whether a chunk is here, and damaged: reads all of it. */
export function isBadHere(store: Pick<ChunkStore, 'has' | 'get'>, id: ChunkId): boolean {
  if (!store.has(id)) return false
  try {
    store.get(id)
    return false
  } catch (error) {
    if (isCellarError(error, 'CHUNK_CORRUPT')) return true
    throw error
  }
}
