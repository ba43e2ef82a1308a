/** Whether an upload that is kept here has come to its end (R6.7); pure but for what it asks. */

import { deadIndex, memberNow, type RootId, standingHolders } from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { KeptUpload } from './promises.ts'

/** What is asked of the ledger. */
export type UploadLedger = Pick<
  Ledger,
  'view' | 'membership' | 'isMembershipForked' | 'isWanted' | 'copies' | 'isLive'
>

/**
 * R6.7: an upload ends when each root that it was for is held here, or is dead, or is not wanted here and as many
 * others as should stand by it; or when its owner is no member any more, as this incarnation. No time ends it, nor does
 * silence.
 */
export function isUploadOver(
  ledger: UploadLedger,
  store: Pick<ChunkStore, 'isHeld' | 'isComplete'>,
  { device, incarnation, roots }: KeptUpload,
): boolean {
  const isForked = ledger.isMembershipForked // R8: nobody knows for sure then who was removed, or may forget
  if (!isForked && memberNow(ledger.membership, device)?.incarnation !== incarnation) return true
  return roots?.every((root) => isRootSettled(ledger, store, root)) === true
}

function isRootSettled(
  ledger: UploadLedger,
  store: Pick<ChunkStore, 'isHeld' | 'isComplete'>,
  root: RootId,
): boolean {
  if (store.isHeld(root) && store.isComplete(root)) return true
  if (ledger.isMembershipForked) return false
  if (ledger.isLive(root)) {
    if (ledger.isWanted(root)) return false
    const standing = standingHolders(ledger.view, ledger.membership, root).length
    return standing >= Math.max(1, ledger.copies(root).goal)
  }
  // Not heard of is not dead: its announcement may come by another way, and later.
  return deadIndex(ledger.view, ledger.membership).has(root)
}
