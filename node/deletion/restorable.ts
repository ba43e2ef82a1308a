/** What of the trash can be brought back still. */

import { type DeviceId, holdersOf, type RootId } from '../../protocol/index.ts'
import type { DeadEntry } from '../ledger/trash.ts'
import type { NodeParts } from '../parts.ts'

type RestorableParts = Pick<NodeParts, 'ledger' | 'store'>

/** Dead roots of which some device, perhaps this one, still has all; the one forgotten last at the end. */
export function restorableDead(parts: RestorableParts): DeadEntry[] {
  return parts.ledger
    .dead()
    .filter(({ root }) => parts.store.isComplete(root) || otherHolders(parts, root).length > 0)
    .sort((a, b) => a.forgottenAtMs - b.forgottenAtMs || (a.root < b.root ? -1 : 1))
}

/** Other devices that say they hold a root. */
export function otherHolders({ ledger }: Pick<RestorableParts, 'ledger'>, root: RootId): DeviceId[] {
  return holdersOf(ledger.view, ledger.membership, root).filter((device) => device !== ledger.device)
}
