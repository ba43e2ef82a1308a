/** R2: which roots live (rules.md §3). */

import type { DeviceId, RootId } from '../ids.ts'
import type { Dot } from '../listing/types.ts'
import { isForgetEntitled } from '../membership/entitlement.ts'
import type { Membership } from '../membership/types.ts'
import { type AcceptedForget, addKey, type Lane, type LaneKey, laneKey, type View } from './view.ts'

/** An announcement that no entitled device has forgotten. */
export interface LiveRoot {
  readonly dot: Dot
  readonly root: RootId
  /** Who announced it. */
  readonly owner: DeviceId
  /** 16 bytes, equal for snapshots of one source. */
  readonly source: Uint8Array
  readonly sizeClass: number
}

/** Announcements forgotten with effect, by lane, then by {@link addKey}. */
export type Forgotten = ReadonlyMap<LaneKey, ReadonlySet<string>>

/**
 * All live announcements, in the order of the lanes, within a lane in that of acceptance. A root that was announced
 * again is there twice. The array is remembered for the view: asking again costs nothing.
 */
export function liveRoots(view: View, membership: Membership): readonly LiveRoot[] {
  return remember(view, membership, LIVE, () => {
    const forgotten = forgottenBy(view, membership)
    return [...view.lanes].flatMap(([key, lane]) => liveOfLane(lane, forgotten.get(key)))
  })
}

/** Live announcements by root. */
export function liveIndex(view: View, membership: Membership): ReadonlyMap<RootId, readonly LiveRoot[]> {
  return remember(view, membership, INDEX, () => {
    const index = new Map<RootId, LiveRoot[]>()
    for (const live of liveRoots(view, membership)) {
      const others = index.get(live.root)
      if (others === undefined) index.set(live.root, [live])
      else others.push(live)
    }
    return index
  })
}

/** Whether any announcement of a root lives. */
export function isLive(view: View, membership: Membership, root: RootId): boolean {
  return liveIndex(view, membership).has(root)
}

/** Forgets in force: signed by a device entitled to it where it stands, before its chain forked if it did. */
export function forgetsInForce(view: View, membership: Membership): AcceptedForget[] {
  return [...view.lanes.values()].flatMap((lane) =>
    lane.forgets.filter((forget) => isInForce(lane, forget, membership)),
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
  const known = FORGOTTEN.get(view.forgetsMark)?.get(membership)
  if (known !== undefined) return known
  const forgotten = new Map<LaneKey, Set<string>>()
  for (const { dot, root } of forgetsInForce(view, membership)) {
    const key = laneKey(dot.device, dot.incarnation)
    const names = forgotten.get(key)
    if (names === undefined) forgotten.set(key, new Set([addKey(dot.seq, dot.n, root)]))
    else names.add(addKey(dot.seq, dot.n, root))
  }
  const byMembership = FORGOTTEN.get(view.forgetsMark) ?? new WeakMap<Membership, Forgotten>()
  FORGOTTEN.set(view.forgetsMark, byMembership.set(membership, forgotten))
  return forgotten
}

const FORGOTTEN = new WeakMap<object, WeakMap<Membership, Forgotten>>()

/** The live announcements of one lane; a lane that said nothing new keeps its array. */
function liveOfLane(lane: Lane, forgotten: ReadonlySet<string> | undefined): readonly LiveRoot[] {
  const known = OF_LANE.get(lane.adds)
  if (known !== undefined && known.forgotten === forgotten) return known.live
  const live: LiveRoot[] = []
  for (const [key, { dot, root, source, sizeClass, isEntitled }] of lane.adds) {
    if (isEntitled && forgotten?.has(key) !== true)
      live.push({ dot, root, owner: lane.device, source, sizeClass })
  }
  OF_LANE.set(lane.adds, { forgotten, live })
  return live
}

const OF_LANE = new WeakMap<
  object,
  { forgotten: ReadonlySet<string> | undefined; live: readonly LiveRoot[] }
>()

/** Remembers a result for as long as the view and the membership that it follows from. */
type Memory<T> = WeakMap<View, { membership: Membership; value: T }>

const LIVE: Memory<readonly LiveRoot[]> = new WeakMap()
const INDEX: Memory<ReadonlyMap<RootId, readonly LiveRoot[]>> = new WeakMap()

function remember<T>(view: View, membership: Membership, memory: Memory<T>, make: () => T): T {
  const known = memory.get(view)
  if (known?.membership === membership) return known.value
  const value = make()
  memory.set(view, { membership, value })
  return value
}
