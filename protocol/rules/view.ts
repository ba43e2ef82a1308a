/**
 * A view: what one node knows of every device's listings (rules.md §1).
 *
 * Immutable. Accepting a listing makes a new view that shares all but one lane with the old one, so a view may be kept
 * (a session's pin, a running walk) at no cost.
 */

import type { DeviceId, RootId } from '../ids.ts'
import type { Dot, ForgetReason, Horizon, ListingBody, ListingHash, SignedHead } from '../listing/types.ts'

/** Names a lane: device and incarnation. */
export type LaneKey = string & { readonly __brand: 'LaneKey' }

/** An announcement once accepted; it stays, whatever later listings leave out (R2). */
export interface AcceptedAdd {
  readonly dot: Dot
  readonly root: RootId
  readonly source: Uint8Array
  readonly sizeClass: number
  /** Whether its device had `backup` where it stands; if not, it announces nothing. */
  readonly isEntitled: boolean
}

/** A forget once accepted; whether it is in force depends on the membership and on forks (R2). */
export interface AcceptedForget {
  readonly dot: Dot
  readonly root: RootId
  readonly reason: ForgetReason
  readonly seq: number
  readonly epoch: number
}

/** The other sides of a fork (R1). */
export interface Fork {
  /** The branches are known to differ after this listing, if not before; 0: from the first. */
  readonly sharedSeq: number
  /** Newest known heads of the other branches: with our own chain they are the proof. */
  readonly tips: readonly SignedHead[]
}

/** What is known of one incarnation of one device. */
export interface Lane {
  readonly device: DeviceId
  readonly incarnation: number
  /** The newest accepted listing; on a fork, of the branch seen first. */
  readonly head: SignedHead
  readonly body: ListingBody
  /** Hashes of the last accepted listings, `hashes[0]` that of `firstSeq`; at most 4096. */
  readonly firstSeq: number
  readonly hashes: readonly ListingHash[]
  /** All ever accepted, of all branches, by {@link addKey}. */
  readonly adds: ReadonlyMap<string, AcceptedAdd>
  /** All ever accepted of the branch seen first. */
  readonly forgets: readonly AcceptedForget[]
  readonly fork: Fork | undefined
}

/** The listings of all devices, as one node knows them. */
export interface View {
  readonly lanes: ReadonlyMap<LaneKey, Lane>
  /** Stays the same object as long as no forget and no fork came in. */
  readonly forgetsMark: object
}

/** The view of a node that has heard nothing. */
export function emptyView(): View {
  return { lanes: new Map(), forgetsMark: {} }
}

/** The name of a lane. */
export function laneKey(device: DeviceId, incarnation: number): LaneKey {
  return `${device}/${incarnation}` as LaneKey
}

/** The lane of one incarnation of a device. */
export function laneOf(view: View, device: DeviceId, incarnation: number): Lane | undefined {
  return view.lanes.get(laneKey(device, incarnation))
}

/** Names an announcement within its lane: a dot, and the root under it. */
export function addKey(seq: number, n: number, root: RootId): string {
  return `${seq}.${n}.${root}`
}

/** The hash of an accepted listing of a lane; undefined when it is not known (any more). */
export function hashAt(lane: Lane, seq: number): ListingHash | undefined {
  return lane.hashes[seq - lane.firstSeq]
}

/** Newest accepted listing of every lane, sorted by nothing in particular: what a session pins (R4). */
export function vectorOf(view: View): Horizon {
  return [...view.lanes.values()].map(({ device, incarnation, head }) => ({
    device,
    incarnation,
    seq: head.head.seq,
    hash: head.hash,
  }))
}

/** Puts one lane in the place of its old state. */
export function withLane(view: View, lane: Lane, forgetsMark: object = view.forgetsMark): View {
  return { lanes: new Map(view.lanes).set(laneKey(lane.device, lane.incarnation), lane), forgetsMark }
}
