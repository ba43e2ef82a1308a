/** Seals the source of a snapshot again: equal content makes equal chunks (chunk.md), so what is still there as it was
 * gives its chunks back. No snapshot is made of it. */

import type { SnapshotRoot } from '../../protocol/index.ts'
import { backup } from '../backup/backup.ts'
import { storePresence } from '../backup/presence.ts'
import type { NodeParts } from '../parts.ts'
import { readerOf, repeatRequest } from './backup.ts'

/** See `SealAgain`. @throws {CellarError} `STORE_FULL`, `VAULT_UNKNOWN`; the signal's reason */
export async function sealAgain(parts: NodeParts, root: SnapshotRoot, signal: AbortSignal): Promise<void> {
  const { store, world, catalog } = parts
  const vault = readerOf(parts)
  // Only what is here counts as known: a chunk that is damaged is not, and is made anew.
  const presence = storePresence(store)
  await backup(
    { store, presence, vault, contentIndex: catalog.sub('content'), clock: world.clock },
    repeatRequest(parts, root),
    { signal },
  )
}
