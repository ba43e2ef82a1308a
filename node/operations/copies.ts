/** How many devices hold a snapshot, as `snapshots` and `status` say it. */

import { type Copies, isReplicated, type RootId } from '../../protocol/index.ts'
import type { NodeParts } from '../parts.ts'
import { isThin } from '../thin/thin.ts'

/** What counting copies needs. */
type Counting = Pick<NodeParts, 'ledger' | 'store' | 'signer' | 'watching'>

/**
 * Copies of a root as this device trusts in them: what a device says it holds and could not prove is none
 * (watching.md §3).
 */
export function trustedCopies({ ledger, watching }: Counting, root: RootId): Copies {
  const copies = ledger.copies(root)
  const { doubts } = watching
  if (doubts.isEmpty) return copies
  const isTrusted = (device: Copies['holders'][number]) => !doubts.has(device, root)
  return { ...copies, holders: copies.holders.filter(isTrusted), away: copies.away.filter(isTrusted) }
}

/** Whether a root is on as many devices as the goal wants, and each of those that count can be trusted. */
export function isSafe(parts: Counting, root: RootId): boolean {
  const { ledger, watching } = parts
  if (!isReplicated(ledger.view, ledger.membership, root)) return false
  if (watching.doubts.isEmpty) return true
  const { holders, away, goal } = trustedCopies(parts, root)
  return holders.length >= goal && (away.length > 0 || holders.length > 1)
}

/** Copies of a root as this device knows them: what it holds itself counts before it has been announced. */
export function copiesNow(parts: Counting, root: RootId): { copies: number; copies_wanted: number } {
  const { holders, goal } = trustedCopies(parts, root)
  const { ledger, store, signer } = parts
  // What a thin device holds it is about to drop.
  const here =
    store.isHeld(root) && !holders.includes(signer.device) && !isThin(ledger.membership, signer.device)
  return { copies: holders.length + (here ? 1 : 0), copies_wanted: goal }
}
