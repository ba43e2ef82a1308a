/** Opens a store in a directory. */
import type { ChunkStore } from './chunk-store.ts'

/** What a store is told when it is opened. */
export interface StoreOptions {
  /** Directory, absolute; made if it is not there. */
  readonly dir: string
}

/** Opens the store in a directory. */
export async function openStore(_options: StoreOptions): Promise<ChunkStore> {
  await Promise.resolve()
  throw new TypeError('being built')
}
