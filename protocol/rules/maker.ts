/** Whose snapshot a root is, once several devices have announced it (deletion.md §3). */

import type { DeviceId, RootId } from '../ids.ts'
import type { Dot } from '../listing/types.ts'
import type { Membership } from '../membership/types.ts'
import { liveIndex } from './live.ts'
import { rememberRoots, type RootsMemory } from './remember.ts'
import type { AcceptedAdd, View } from './view.ts'

/** What a node knows of a root besides its announcements. */
export interface MakerFacts {
  /** The device that the root chunk names; undefined where it cannot be read here. */
  readonly sealed: DeviceId | undefined
  /** When the listing that announced something claims to be from. */
  announcedAtMs(dot: Dot): number | undefined
}

/**
 * The device that made a snapshot: bringing one back announces it anew, and changes nothing about whose it is. The root
 * chunk says it, and is believed only of a device that announced the root itself: any device that may back up could
 * seal the name of another. Else it is who announced the root first: what was forgotten came before what lives.
 *
 * @param announced - one announcement, perhaps not signed yet
 */
export function makerOf(
  view: View,
  membership: Membership,
  announced: { readonly root: RootId; readonly owner: DeviceId },
  facts: MakerFacts,
): DeviceId {
  const { root, owner } = announced
  const adds = announcements(view, membership).get(root) ?? []
  if (adds.every(({ dot }) => dot.device === owner)) return owner
  const { sealed } = facts
  if (sealed !== undefined && adds.some(({ dot }) => dot.device === sealed)) return sealed
  const living = liveIndex(view, membership).get(root) ?? []
  const ranked = adds.map(({ dot }) => ({
    device: dot.device,
    lives: living.some((live) => isSameDot(live.dot, dot)) ? 1 : 0,
    atMs: facts.announcedAtMs(dot) ?? Number.POSITIVE_INFINITY,
  }))
  const first = ranked.reduce((a, b) => {
    if (a.lives !== b.lives) return a.lives < b.lives ? a : b
    if (a.atMs !== b.atMs) return a.atMs < b.atMs ? a : b
    return a.device <= b.device ? a : b
  })
  return first.device
}

/** All entitled announcements by root, forgotten or not. */
function announcements(view: View, membership: Membership): ReadonlyMap<RootId, readonly AcceptedAdd[]> {
  return rememberRoots(ANNOUNCED, view, membership, () => {
    const index = new Map<RootId, AcceptedAdd[]>()
    for (const lane of view.lanes.values()) {
      for (const add of lane.adds.values()) {
        if (!add.isEntitled) continue
        const others = index.get(add.root)
        if (others === undefined) index.set(add.root, [add])
        else others.push(add)
      }
    }
    return index
  })
}

function isSameDot(a: Dot, b: Dot): boolean {
  return a.device === b.device && a.incarnation === b.incarnation && a.seq === b.seq && a.n === b.n
}

const ANNOUNCED: RootsMemory<ReadonlyMap<RootId, readonly AcceptedAdd[]>> = new WeakMap()
