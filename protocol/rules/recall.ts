/** Puts back into a view what a node kept of a lane beside its newest chain and body (R1, R2; rules.md §2). */

import type { SignedHead } from '../listing/types.ts'
import { forkBranchesMax } from '../limits.ts'
import { type AcceptedAdd, addKey, type Lane, laneOf, type View, withLane } from './view.ts'

/** What the newest listing of a lane does not say any more, or never said. */
export interface Recalled {
  /** Accepted once, and left out of the newest body, or in a branch of a fork only. */
  readonly adds: readonly AcceptedAdd[]
  /** Newest heads of other branches, each with the number up to which it was known to share the chain. */
  readonly branches: readonly { readonly tip: SignedHead; readonly sharedSeq: number }[]
}

/** The announcements of a lane that its newest body does not say: to be kept beside it, since they live on (R2). */
export function unsaidAdds(lane: Lane): AcceptedAdd[] {
  // Every announcement of the body is in the lane: as many means the same ones.
  if (lane.adds.size === lane.body.adds.length) return []
  const said = new Set(lane.body.adds.map((add) => addKey(add.seq, add.n, add.root)))
  return [...lane.adds].flatMap(([key, add]) => (said.has(key) ? [] : [add]))
}

/** The view with what was kept of one lane; a lane that is not there stays away. */
export function recall(
  view: View,
  { device, incarnation }: Pick<Lane, 'device' | 'incarnation'>,
  { adds, branches }: Recalled,
): View {
  const lane = laneOf(view, device, incarnation)
  if (lane === undefined || (adds.length === 0 && branches.length === 0)) return view
  const merged = new Map(lane.adds)
  for (const add of adds) {
    const key = addKey(add.dot.seq, add.dot.n, add.root)
    if (!merged.has(key)) merged.set(key, add)
  }
  if (branches.length === 0) return withLane(view, { ...lane, adds: merged })
  const fork = {
    sharedSeq: Math.min(lane.fork?.sharedSeq ?? Infinity, ...branches.map((branch) => branch.sharedSeq)),
    tips: [...(lane.fork?.tips ?? []), ...branches.map((branch) => branch.tip)].slice(0, forkBranchesMax),
  }
  return withLane(view, { ...lane, adds: merged, fork }, {})
}
