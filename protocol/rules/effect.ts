/** R9: when a forget takes effect at a node (deletion.md §5), and what people pinned. */

import type { DeviceId, RootId } from '../ids.ts'
import type { Membership } from '../membership/types.ts'
import type { DeadAnnouncement, DeadRoot } from './forgotten.ts'
import type { SignedForget } from './in-force.ts'
import { rememberView, type ViewMemory } from './remember.ts'
import { laneOf, type View } from './view.ts'

/** What one node knows of a forgotten root beside its view. Times are by its own running clock, never by a claim. */
export interface EffectFacts {
  /** How long this node has had a forget. */
  hadForMs(forget: SignedForget): number
  /** How long ago this node first saw a root. */
  seenForMs(root: RootId): number
  /** Whether a root is among the newest few of its owner and source that are held here. */
  isAmongNewest(root: RootId, owner: DeviceId, source: Uint8Array): boolean
  /** See {@link pinnedRoots}. */
  isPinned(root: RootId): boolean
  readonly holdWindowMs: number
  readonly floorAgeMs: number
}

/** Whether a forgotten root may go here, as far as the node alone is concerned. */
export type Effect =
  | { readonly isEffective: true }
  | {
      readonly isEffective: false
      readonly why: 'hold-window' | 'floor-age' | 'floor-newest' | 'pinned'
      /** Of this node's running time; only where time alone ends it. */
      readonly remainingMs?: number
    }

const EFFECTIVE: Effect = { isEffective: true }

/**
 * Judges a dead root: each of its announcements needs one forget that has taken effect here. A root announced anew is
 * not dead, so an undo ends the matter whenever it comes into view.
 */
export function judgeEffect(dead: DeadRoot, facts: EffectFacts): Effect {
  const judged = dead.announcements.map((announcement) => {
    const ways = announcement.forgets.map((forget) => judgeForget(dead.root, announcement, forget, facts))
    return ways.reduce((best, way) => (waitOf(way) < waitOf(best) ? way : best))
  })
  return judged.reduce((worst, one) => (waitOf(one) > waitOf(worst) ? one : worst), EFFECTIVE)
}

function judgeForget(
  root: RootId,
  { owner, source }: DeadAnnouncement,
  forget: SignedForget,
  facts: EffectFacts,
): Effect {
  const holdMs = facts.holdWindowMs - facts.hadForMs(forget)
  // Floors and pins bind rules only: a person may forget what was made a minute ago, and what another pinned.
  const isRule = forget.reason === 'retention'
  if (isRule && facts.isPinned(root)) return { isEffective: false, why: 'pinned' }
  if (isRule && facts.isAmongNewest(root, owner, source)) return { isEffective: false, why: 'floor-newest' }
  const floorMs = isRule ? facts.floorAgeMs - facts.seenForMs(root) : 0
  if (holdMs <= 0 && floorMs <= 0) return EFFECTIVE
  return floorMs > holdMs
    ? { isEffective: false, why: 'floor-age', remainingMs: floorMs }
    : { isEffective: false, why: 'hold-window', remainingMs: holdMs }
}

/** For comparing: what no time ends comes last. */
function waitOf(effect: Effect): number {
  return effect.isEffective ? 0 : (effect.remainingMs ?? Infinity)
}

/**
 * Roots that a member with `read` pinned, and who did. Of a device that forked the pins of the branch seen first count:
 * they only ever keep.
 */
export function pinnedRoots(view: View, membership: Membership): ReadonlyMap<RootId, readonly DeviceId[]> {
  return rememberView(PINNED, view, membership, '', () => {
    const pinned = new Map<RootId, DeviceId[]>()
    for (const { device, incarnation, capabilities, removedEpoch } of membership.members.values()) {
      if (removedEpoch !== undefined || !capabilities.has('read')) continue
      for (const root of laneOf(view, device, incarnation)?.body.pins ?? []) {
        const others = pinned.get(root)
        if (others === undefined) pinned.set(root, [device])
        else others.push(device)
      }
    }
    return pinned
  })
}

const PINNED: ViewMemory<ReadonlyMap<RootId, readonly DeviceId[]>> = new WeakMap()
