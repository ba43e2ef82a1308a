/** R6: whether a node may let go of a dead root (deletion.md §6). */

import type { DeviceId, RootId } from '../ids.ts'
import type { Membership } from '../membership/types.ts'
import { standingHolders } from './copies.ts'
import type { DeadRoot } from './forgotten.ts'
import { isCovered } from './horizon.ts'
import { formerLeaners, leaningLanes, leaningMembers } from './lean.ts'
import { type LiveRoot, liveRoots } from './live.ts'
import { rememberView, type ViewMemory } from './remember.ts'
import { laneKey, laneOf, type View } from './view.ts'

/** What a node waits for before it lets go of a dead root. */
export type Blocker =
  /** A device may still refer to what the root contains: it has not said that it took account of the forget. */
  | { readonly kind: 'leaning'; readonly device: DeviceId }
  /** A member's chain forked: nobody can say what it has promised, until it begins anew. */
  | { readonly kind: 'fork'; readonly device: DeviceId; readonly incarnation: number }
  /** A live root which may need chunks of the dead one, and which nobody is known to have whole. */
  | { readonly kind: 'unknown'; readonly root: RootId; readonly owner: DeviceId }

/**
 * What of R6b and R6c keeps a node from letting go of a dead root, as far as its view says: empty when nothing does.
 * The node sees for itself that its membership has not forked, that its own disk did not go back (R11), that no session
 * or restore is open here, and that the forget has taken effect (R9).
 *
 * @param self - this device, which is waited for like any other when it leans
 * @param isCompleteHere - whether the whole closure of a root is here, durable; asked once for each view and function,
 *   so hand in one function for a round of judgements, and another for the next round
 */
export function releaseBlockers(
  view: View,
  membership: Membership,
  self: DeviceId,
  dead: DeadRoot,
  isCompleteHere: (root: RootId) => boolean,
): readonly Blocker[] {
  return [
    ...leaningBlockers(view, membership, dead),
    ...forkBlockers(view, membership),
    ...unknownBlockers(view, membership, self, isCompleteHere),
  ]
}

/** R6b: every leaning member's own listing, under the newest membership known here; nobody's word for another. */
function leaningBlockers(view: View, membership: Membership, { announcements }: DeadRoot): Blocker[] {
  const leaning = leaningMembers(membership).flatMap(({ device, incarnation }): Blocker[] => {
    const lane = laneOf(view, device, incarnation)
    // No listing known is bottom; the horizon of a chain that forked counts as nothing (R1).
    const isClear =
      lane !== undefined &&
      lane.fork === undefined &&
      announcements.every(({ forgets }) =>
        forgets.some(({ by, incarnation: signedAs, seq }) =>
          isCovered(view, lane.body, { device: by, incarnation: signedAs, seq }),
        ),
      )
    return isClear ? [] : [{ kind: 'leaning', device }]
  })
  const former = formerLeaners(membership).flatMap(({ device, incarnation, cutSeq }): Blocker[] => {
    const seq = laneOf(view, device, incarnation)?.head.head.seq ?? 0
    return seq < cutSeq ? [{ kind: 'leaning', device }] : []
  })
  return [...leaning, ...former]
}

/** R6c: members whose present chain forked. */
export function forkBlockers(view: View, membership: Membership): readonly Blocker[] {
  return rememberView(FORKS, view, membership, '', () =>
    [...membership.members.values()].flatMap(({ device, incarnation, removedEpoch }): Blocker[] => {
      if (removedEpoch !== undefined) return []
      const isForked = laneOf(view, device, incarnation)?.fork !== undefined
      return isForked ? [{ kind: 'fork', device, incarnation }] : []
    }),
  )
}

const FORKS: ViewMemory<readonly Blocker[]> = new WeakMap()

/**
 * R6c: live roots of devices that lean which nobody is known to have whole. Those of a device that does not lean need
 * no counting: it can supply all of them (S2), and who holds them keeps his own (S1).
 *
 * @param round - what the answer is remembered by, beside the view
 */
export function unknownBlockers(
  view: View,
  membership: Membership,
  self: DeviceId,
  isCompleteHere: (root: RootId) => boolean,
  round: object = isCompleteHere,
): readonly Blocker[] {
  return rememberView(memoryOf(round), view, membership, self, () => {
    const suspects = rememberView(SUSPECTS, view, membership, self, () =>
      unheldLeaning(view, membership, self),
    )
    return suspects.flatMap(({ root, owner }): Blocker[] =>
      isCompleteHere(root) ? [] : [{ kind: 'unknown', root, owner }],
    )
  })
}

/** Live roots of devices that lean which no other member says it has. */
function unheldLeaning(view: View, membership: Membership, self: DeviceId): LiveRoot[] {
  const lanes = leaningLanes(membership)
  if (lanes.size === 0) return []
  return liveRoots(view, membership).filter(
    ({ dot, root }) =>
      lanes.has(laneKey(dot.device, dot.incarnation)) &&
      !standingHolders(view, membership, root).some((device) => device !== self),
  )
}

const SUSPECTS: ViewMemory<readonly LiveRoot[]> = new WeakMap()
const UNKNOWN = new WeakMap<object, ViewMemory<readonly Blocker[]>>()

function memoryOf(round: object): ViewMemory<readonly Blocker[]> {
  const known = UNKNOWN.get(round)
  if (known !== undefined) return known
  const memory: ViewMemory<readonly Blocker[]> = new WeakMap()
  UNKNOWN.set(round, memory)
  return memory
}
