/** Where chunks come from when something is read: the own store, peers, or one after the other. */

import type { ChunkId } from '../protocol/index.ts'
import { CellarError, isCellarError } from '../protocol/index.ts'
import type { ChunkPlace, ChunkStore } from '../storage/index.ts'

/** Gives chunks by id. */
export interface ChunkSource {
  /**
   * One chunk, its hash verified; fresh or a view that nobody changes.
   *
   * @throws {CellarError} `CHUNK_NOT_FOUND`, `CHUNK_CORRUPT`, `NO_PEER`, `ABORTED`
   */
  get(id: ChunkId, signal: AbortSignal): Promise<Uint8Array>
  /**
   * Where chunks lie on this machine, so that worker threads read them themselves (and verify). Undefined for those
   * that only `get` can give. A place may go stale: then `get` is asked.
   */
  locate?(ids: readonly ChunkId[]): readonly (ChunkPlace | undefined)[]
}

/** The chunks of an open store. The store stays the caller's. */
export function storeSource(store: ChunkStore): ChunkSource {
  return {
    get: (id, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) throw new CellarError('ABORTED', 'reading was interrupted')
        resolve(store.get(id))
      }),
    locate: (ids) => store.locate(ids),
  }
}

/** The first source, and what it lacks or has damaged from the second. */
export function eitherSource(first: ChunkSource, second: ChunkSource): ChunkSource {
  return {
    get: async (id, signal) => {
      try {
        return await first.get(id, signal)
      } catch (error) {
        if (!isCellarError(error, 'CHUNK_NOT_FOUND') && !isCellarError(error, 'CHUNK_CORRUPT')) throw error
        try {
          return await second.get(id, signal)
        } catch (failure) {
          // a damaged chunk is what to tell, when nobody else has it
          throw isCellarError(failure, 'CHUNK_NOT_FOUND') ? error : failure
        }
      }
    },
    ...(first.locate === undefined ? {} : { locate: first.locate.bind(first) }),
  }
}
