/** R2: which forgets are in force (rules.md §3), and by which announcement they are found. */

import type { DeviceId, RootId } from '../ids.ts'
import { isForgetEntitled, wasEntitled } from '../membership/entitlement.ts'
import type { Membership } from '../membership/types.ts'
import { type AcceptedForget, addKey, type Lane, type LaneKey, laneKey, type View } from './view.ts'

/** A forget, and the chain that it stands in. */
export interface SignedForget extends AcceptedForget {
  readonly by: DeviceId
  readonly incarnation: number
}

/** Forgets in force, by the lane of the announcement that they name, then by its {@link addKey}. */
export type Forgotten = ReadonlyMap<LaneKey, ReadonlyMap<string, readonly SignedForget[]>>

/** Forgets in force: signed by a device entitled to it where it stands, before its chain forked if it did. */
export function forgetsInForce(view: View, membership: Membership): SignedForget[] {
  return [...view.lanes.values()].flatMap((lane) =>
    lane.forgets.flatMap((forget) => {
      const { device: by, incarnation } = lane
      return isInForce(lane, forget, membership) ? [{ ...forget, by, incarnation }] : []
    }),
  )
}

function isInForce(lane: Lane, forget: AcceptedForget, membership: Membership): boolean {
  // R1: outside the common prefix of a fork a forget is void.
  if (lane.fork !== undefined && forget.seq > lane.fork.sharedSeq) return false
  const { device, incarnation } = lane
  return isForgetEntitled(membership, { device, incarnation, seq: forget.seq, epoch: forget.epoch })
}

/** The announcements that forgets in force name. Kept as long as neither forgets, forks nor membership change. */
export function forgottenBy(view: View, membership: Membership): Forgotten {
  return keep(FORGOTTEN, view, membership, () => {
    const forgotten = new Map<LaneKey, Map<string, SignedForget[]>>()
    for (const forget of forgetsInForce(view, membership)) {
      const { dot, root } = forget
      const lane = laneKey(dot.device, dot.incarnation)
      const names = forgotten.get(lane) ?? new Map<string, SignedForget[]>()
      forgotten.set(lane, names)
      const name = addKey(dot.seq, dot.n, root)
      const others = names.get(name)
      if (others === undefined) names.set(name, [forget])
      else others.push(forget)
    }
    return forgotten
  })
}

/**
 * Roots that somebody, entitled to it when he said so, wanted forgotten under whatever announcement: also by a forget
 * that is void here by now, for a node that knows less of forks or of the membership may still go by it (R5).
 */
export function contestedRoots(view: View, membership: Membership): ReadonlySet<RootId> {
  return keep(CONTESTED, view, membership, () => {
    const contested = new Set<RootId>()
    for (const { device, incarnation, forgets } of view.lanes.values()) {
      for (const { root, epoch } of forgets)
        if (wasEntitled(membership, { device, incarnation, epoch }, 'forget')) contested.add(root)
    }
    return contested
  })
}

type Kept<T> = WeakMap<object, WeakMap<Membership, T>>

const FORGOTTEN: Kept<Forgotten> = new WeakMap()
const CONTESTED: Kept<ReadonlySet<RootId>> = new WeakMap()

/** Keeps what follows from forgets, forks and membership alone. */
function keep<T>(kept: Kept<T>, { forgetsMark }: View, membership: Membership, make: () => T): T {
  const byMembership = kept.get(forgetsMark) ?? new WeakMap<Membership, T>()
  kept.set(forgetsMark, byMembership)
  const known = byMembership.get(membership)
  if (known !== undefined) return known
  const value = make()
  byMembership.set(membership, value)
  return value
}
