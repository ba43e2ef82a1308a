/** What a device says of itself in its listings, besides what its ledger knows. */

import type { RootId } from '../protocol/index.ts'
import type { ChunkStore } from '../storage/index.ts'
import type { Saying } from './ledger/own.ts'

/** What a device says that can supply all it refers to, and so leans on nobody. */
export function sayingOf(store: ChunkStore, isFull: boolean): Saying {
  return { holds: heldRoots(store), isFull, leans: false }
}

/** The roots this node may say it holds: marked, and whole at this moment (R3). Sorted. */
export function heldRoots(store: ChunkStore): RootId[] {
  return store.holds().filter((root) => store.isComplete(root))
}
