/** R5: who leans, and on which roots (deletion.md §4). */

import type { DeviceId, RootId } from '../ids.ts'
import { memberNow, wasEverEntitled } from '../membership/entitlement.ts'
import type { Member, Membership } from '../membership/types.ts'
import { copyLane, holdsOf, sheddingOf } from './copies.ts'
import { contestedRoots } from './in-force.ts'
import { liveIndex } from './live.ts'
import { storingMembers } from './placement.ts'
import { rememberView, type ViewMemory } from './remember.ts'
import { type LaneKey, laneKey, laneOf, type View } from './view.ts'

/** Present members that may lean: reclaiming waits for each of them, whatever its newest listing says of itself. */
export function leaningMembers(membership: Membership): readonly Member[] {
  const known = LEANING.get(membership)
  if (known !== undefined) return known
  const leaning = [...membership.members.values()].filter(
    (member) => member.removedEpoch === undefined && member.capabilities.has('lean'),
  )
  LEANING.set(membership, leaning)
  return leaning
}

const LEANING = new WeakMap<Membership, readonly Member[]>()

/** A present member from which `lean` was taken, and the newest listing of it that the taker knew. */
export interface FormerLeaner {
  readonly device: DeviceId
  readonly incarnation: number
  readonly cutSeq: number
}

/**
 * Present members that leaned once as this incarnation. What they had announced by the cut must be known before
 * anything is reclaimed; what they announce later by leaning still, is not promised to be completed.
 */
export function formerLeaners(membership: Membership): readonly FormerLeaner[] {
  const known = FORMER.get(membership)
  if (known !== undefined) return known
  const former: FormerLeaner[] = []
  for (const { device, incarnation, removedEpoch, capabilities } of membership.members.values()) {
    if (removedEpoch !== undefined || capabilities.has('lean')) continue
    const spans = membership.spans.get(device) ?? []
    const takings = spans.filter(
      ({ member }, at) =>
        member.incarnation === incarnation &&
        !member.capabilities.has('lean') &&
        spans[at - 1]?.member.incarnation === incarnation &&
        spans[at - 1]?.member.capabilities.has('lean') === true,
    )
    if (takings.length === 0) continue
    former.push({ device, incarnation, cutSeq: Math.max(...takings.map(({ cut }) => cut?.seq ?? 0)) })
  }
  FORMER.set(membership, former)
  return former
}

const FORMER = new WeakMap<Membership, readonly FormerLeaner[]>()

/**
 * Lanes whose announcements may lean: of present members that have `lean`, or had it once as this incarnation, for what
 * a device published leaning does not stand by itself when the right is taken.
 */
export function leaningLanes(membership: Membership): ReadonlySet<LaneKey> {
  const known = LANES.get(membership)
  if (known !== undefined) return known
  const { epoch } = membership
  const lanes = new Set<LaneKey>()
  for (const { device, incarnation, removedEpoch } of membership.members.values()) {
    if (removedEpoch !== undefined) continue
    if (wasEverEntitled(membership, { device, incarnation, epoch }, 'lean'))
      lanes.add(laneKey(device, incarnation))
  }
  LANES.set(membership, lanes)
  return lanes
}

const LANES = new WeakMap<Membership, ReadonlySet<LaneKey>>()

/**
 * Roots whose chunks a session may refer to without having them. To be asked with the view that the session pinned, and
 * never again for that session: what comes later is not within its pin.
 *
 * @param self - the device that opens the session; one without `lean`, or of a chain that forked, leans on nothing
 */
export function leanableRoots(view: View, membership: Membership, self: DeviceId): ReadonlySet<RootId> {
  return rememberView(LEANABLE, view, membership, self, () => {
    const leanable = new Set<RootId>()
    const member = memberNow(membership, self)
    if (member?.capabilities.has('lean') !== true) return leanable
    if (laneOf(view, self, member.incarnation)?.fork !== undefined) return leanable
    const live = liveIndex(view, membership)
    const contested = contestedRoots(view, membership)
    for (const { device } of storingMembers(membership)) {
      const lane = device === self ? undefined : copyLane(view, membership, device)
      // The holder must have known, when it said so, of all that this device knows of the membership: that it leans,
      // whose forgets were cut off since. Then its reclaiming waits for this device's horizon.
      if (lane === undefined || lane.head.head.epoch < membership.epoch) continue
      const shedding = sheddingOf(lane.body)
      for (const root of holdsOf(lane.body)) {
        // A root once forgotten is not leaned on, also when it was announced anew or the forget became void: somebody
        // who has not heard of that may be reclaiming it, and this device's horizon already covers the forget.
        if (live.has(root) && !contested.has(root) && !shedding.has(root)) leanable.add(root)
      }
    }
    return leanable
  })
}

const LEANABLE: ViewMemory<ReadonlySet<RootId>> = new WeakMap()
