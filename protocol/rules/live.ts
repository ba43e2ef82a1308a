/** R2: which roots live (rules.md §3). */

import type { DeviceId, RootId } from '../ids.ts'
import type { Dot } from '../listing/types.ts'
import type { Membership } from '../membership/types.ts'
import { forgottenBy } from './in-force.ts'
import { rememberRoots, type RootsMemory } from './remember.ts'
import type { Lane, View } from './view.ts'

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

/**
 * All live announcements, in the order of the lanes, within a lane in that of acceptance. A root that was announced
 * again is there twice. The array stays the same while nothing is announced or forgotten: asking again costs nothing.
 */
export function liveRoots(view: View, membership: Membership): readonly LiveRoot[] {
  return rememberRoots(LIVE, view, membership, () => {
    const forgotten = forgottenBy(view, membership)
    return [...view.lanes].flatMap(([key, lane]) => liveOfLane(lane, forgotten.get(key)))
  })
}

/** Live announcements by root. */
export function liveIndex(view: View, membership: Membership): ReadonlyMap<RootId, readonly LiveRoot[]> {
  return rememberRoots(INDEX, view, membership, () => {
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

/** The live announcements of one lane; a lane that said nothing new keeps its array. */
function liveOfLane(lane: Lane, forgotten: Names | undefined): readonly LiveRoot[] {
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

type Names = ReadonlyMap<string, unknown>

const OF_LANE = new WeakMap<object, { forgotten: Names | undefined; live: readonly LiveRoot[] }>()

const LIVE: RootsMemory<readonly LiveRoot[]> = new WeakMap()
const INDEX: RootsMemory<ReadonlyMap<RootId, readonly LiveRoot[]>> = new WeakMap()
