/** Dead roots: announced, and every announcement forgotten by a forget in force (deletion.md §3). */

import type { DeviceId, RootId } from '../ids.ts'
import type { Dot } from '../listing/types.ts'
import type { Membership } from '../membership/types.ts'
import { forgottenBy, type SignedForget } from './in-force.ts'
import { liveIndex } from './live.ts'
import { rememberRoots, type RootsMemory } from './remember.ts'
import type { View } from './view.ts'

/** An announcement that was forgotten. */
export interface DeadAnnouncement {
  readonly dot: Dot
  readonly owner: DeviceId
  /** 16 bytes, equal for snapshots of one source. */
  readonly source: Uint8Array
  readonly sizeClass: number
  /** Those in force, one at least. */
  readonly forgets: readonly SignedForget[]
}

/** A root that lives no more. */
export interface DeadRoot {
  readonly root: RootId
  /** All that count, one at least. */
  readonly announcements: readonly DeadAnnouncement[]
}

/**
 * All dead roots. A root that was announced anew lives, and is none. The array and what is in it stay the same while
 * nothing is announced or forgotten; otherwise the cost is that of what was forgotten, not of what lives.
 */
export function deadRoots(view: View, membership: Membership): readonly DeadRoot[] {
  return [...deadIndex(view, membership).values()]
}

/** Dead roots by id. */
export function deadIndex(view: View, membership: Membership): ReadonlyMap<RootId, DeadRoot> {
  return rememberRoots(DEAD, view, membership, () => {
    const live = liveIndex(view, membership)
    const dead = new Map<RootId, { root: RootId; announcements: DeadAnnouncement[] }>()
    for (const [lane, names] of forgottenBy(view, membership)) {
      const adds = view.lanes.get(lane)?.adds
      for (const [name, forgets] of names) {
        const add = adds?.get(name)
        // R2: what a device without `backup` announces is no root; a forget may come before what it names.
        if (add?.isEntitled !== true || live.has(add.root)) continue
        const { dot, root, source, sizeClass } = add
        const announcement = { dot, owner: dot.device, source, sizeClass, forgets }
        const known = dead.get(root)
        if (known === undefined) dead.set(root, { root, announcements: [announcement] })
        else known.announcements.push(announcement)
      }
    }
    return dead
  })
}

const DEAD: RootsMemory<ReadonlyMap<RootId, DeadRoot>> = new WeakMap()
