/** What no rule may forget, as far as this node can tell: pins, floors, what is not yet held, suspicion (R9, R14). */

import type { NodeParts } from '../parts.ts'
import { EVERY } from '../snapshots.ts'
import { rankSnapshots, type RankedSnapshot } from './candidates.ts'
import type { SelectionFacts } from './selection.ts'
import { suspicionOf, type SuspicionParts } from './suspicion.ts'
import { spanInWords } from './time-span.ts'

/** What this room stands on. */
export type ProtectionParts = SuspicionParts & Pick<NodeParts, 'config'>

/**
 * Answers the questions of a selection, by the state of this moment. Every holder applies the same floors again on
 * receipt, by its own clock and its own holds: these here only spare it useless statements.
 */
export function protectionFacts(parts: ProtectionParts): SelectionFacts {
  const { ledger, store, config, vault } = parts
  const pinned = ledger.pinned()
  const newest = newestHeld(parts)
  return {
    protectionsOf: (snapshot) => {
      const reasons: string[] = []
      if (pinned.has(snapshot.root)) reasons.push('pinned')
      if (ledger.seenForMs(snapshot.root) < config.floorAgeMs)
        reasons.push(`younger than ${spanInWords(config.floorAgeMs)}`)
      if (newest.has(nameOf(snapshot))) reasons.push('newest of its source')
      return reasons
    },
    reasonToLeave: ({ root, known, owner }) => {
      // Announcing what another device made must not push out what that one has; a person brought it back by hand.
      if (known.maker !== owner) return `brought back by ${ledger.nameOf(owner)}`
      // What a device only claims to have must not push out what is here.
      if (!store.isComplete(root) && ledger.copies(root).away.length === 0) return 'not held elsewhere yet'
      if (vault !== undefined && known.root === undefined) return 'its description is not here'
      return undefined
    },
    suspicionOf: (device) => suspicionOf(parts, device)?.message,
  }
}

/** The newest few of each owner and source that are held here. */
function newestHeld(parts: ProtectionParts): ReadonlySet<string> {
  const { store, config } = parts
  const held = rankSnapshots(parts, parts.snapshots.list(EVERY)).filter(
    ({ root, owner, known }) => owner === known.maker && store.isComplete(root),
  )
  const count = new Map<string, number>()
  const newest = new Set<string>()
  for (const one of held.reverse()) {
    const source = `${one.owner}/${one.source}`
    const before = count.get(source) ?? 0
    if (before < config.floorNewest) newest.add(nameOf(one))
    count.set(source, before + 1)
  }
  return newest
}

function nameOf({ owner, root }: RankedSnapshot): string {
  return `${owner}/${root}`
}
