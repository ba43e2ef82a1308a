/** What of roots that are still to come is here already (R6a): a walk over what is not yet whole, and no further. */

import { type ChunkId, isCellarError, type RootId } from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { pause } from '../pause.ts'

/** Chunks looked at before others have the thread. */
const stepsPerPause = 256

/**
 * Chunks below live roots that this device should hold and does not. Of what is whole only its top is named: the store
 * keeps what a whole chunk refers to.
 */
export async function neededChunks(ledger: Ledger, store: ChunkStore): Promise<ReadonlySet<ChunkId>> {
  const needed = new Set<ChunkId>()
  let steps = 0
  for (const root of ledger.liveRoots()) {
    if (store.isHeld(root) || !isComing(ledger, store, root)) continue
    const open: ChunkId[] = [root]
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (++steps % stepsPerPause === 0) await pause()
      if (needed.has(id) || !store.has(id)) continue
      needed.add(id)
      if (!store.isComplete(id)) open.push(...linksOf(store, id))
    }
  }
  return needed
}

/**
 * Some of it is here, and it is wanted: by the copies goal, as nobody else says that he has it, or as it is this
 * device's own and not taken over yet (R5.4).
 */
function isComing(ledger: Ledger, store: ChunkStore, root: RootId): boolean {
  if (!store.has(root)) return false
  return ledger.leaned().has(root) || ledger.isWanted(root) || ledger.copies(root).holders.length === 0
}

function linksOf(store: ChunkStore, id: ChunkId): readonly ChunkId[] {
  try {
    return store.links(id)
  } catch (error) {
    if (isCellarError(error)) return [] // damaged: it will be fetched again, and what is below with it
    throw error
  }
}
