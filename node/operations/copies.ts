/** How many devices hold a snapshot, as `snapshots` and `status` say it. */

import type { RootId } from '../../protocol/index.ts'
import type { NodeParts } from '../parts.ts'

/** Copies of a root as this device knows them: what it holds itself counts before it has been announced. */
export function copiesNow(parts: NodeParts, root: RootId): { copies: number; copies_wanted: number } {
  const { holders, goal } = parts.ledger.copies(root)
  const here = parts.store.isHeld(root) && !holders.includes(parts.signer.device)
  return { copies: holders.length + (here ? 1 : 0), copies_wanted: goal }
}
