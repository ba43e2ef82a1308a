/** R5.4: what a device has stored for a root that leans, and when it may be dropped (deletion.md §4). */

import type { DeviceId, RootId } from '../ids.ts'
import type { Membership } from '../membership/types.ts'
import { chosenHolders, copyLane, holdersOf, sheddingOf } from './copies.ts'
import { isLive } from './live.ts'
import { copiesWanted, domainsOf, type ShedFacts, type ShedLack, type ShedVerdict } from './shed.ts'
import type { View } from './view.ts'

/**
 * Judges whether enough others have taken over a root that this device announced without having all of it. It never was
 * a holder, so there is no intent to announce: nobody counted on it.
 *
 * @returns `drop`: what it stored for the root may go; `abort`: the root was forgotten, and R6 says what becomes of it
 */
export function judgeHandOver(
  view: View,
  membership: Membership,
  self: DeviceId,
  root: RootId,
  facts: Pick<ShedFacts, 'isProven'>,
): ShedVerdict {
  if (!isLive(view, membership, root)) return { kind: 'abort', why: 'forgotten' }
  const counted: DeviceId[] = []
  const lacking: ShedLack[] = []
  for (const device of holdersOf(view, membership, root)) {
    if (device === self) continue
    const why = weaknessOf(view, membership, device, root, facts)
    if (why === undefined) counted.push(device)
    else lacking.push({ kind: 'holder', device, why })
  }
  const chosen = chosenHolders(view, membership, root).filter((device) => device !== self)
  const wanted = Math.max(1, copiesWanted(membership, chosen))
  const domains = domainsOf(membership, counted)
  const domainsWanted = Math.min(wanted, domainsOf(membership, chosen))
  if (counted.length < wanted) lacking.push({ kind: 'copies', missing: wanted - counted.length })
  else if (domains < domainsWanted) lacking.push({ kind: 'domains', missing: domainsWanted - domains })
  const isEnough = counted.length >= wanted && domains >= domainsWanted
  return isEnough ? { kind: 'drop', counted } : { kind: 'wait', lacking }
}

/** Why the word of a holder does not suffice; undefined when it does. */
function weaknessOf(
  view: View,
  membership: Membership,
  device: DeviceId,
  root: RootId,
  facts: Pick<ShedFacts, 'isProven'>,
): Extract<ShedLack, { kind: 'holder' }>['why'] | undefined {
  const lane = copyLane(view, membership, device)
  if (lane === undefined || sheddingOf(lane.body).has(root)) return 'shedding'
  // Who knows less of the membership does not wait for those who joined since.
  if (lane.head.head.epoch < membership.epoch) return 'epoch'
  return facts.isProven(device, root) ? undefined : 'unproven'
}
