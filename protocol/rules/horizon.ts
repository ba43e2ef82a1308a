/** R4: how far a device says that it takes account of the others (rules.md §4). */

import type { DeviceIncarnation, Horizon, HorizonEntry, ListingBody } from '../listing/types.ts'
import { chainEnds } from '../membership/entitlement.ts'
import type { Membership } from '../membership/types.ts'
import { hashAt, type LaneKey, laneKey, type View, vectorOf } from './view.ts'

/**
 * The horizon that the next listing states: the meet of the view and the pins of all open sessions.
 *
 * @param pins - for each open session the vector ({@link vectorOf}) that it recorded before its first look-up
 */
export function horizonOf(view: View, pins: readonly Horizon[]): Horizon {
  return pins.reduce(meet, vectorOf(view))
}

/** The earlier of two horizons, chain by chain; a chain that one of them has not is in neither. */
export function meet(a: Horizon, b: Horizon): Horizon {
  const others = new Map<LaneKey, HorizonEntry>(
    b.map((entry) => [laneKey(entry.device, entry.incarnation), entry]),
  )
  const met: HorizonEntry[] = []
  for (const entry of a) {
    const other = others.get(laneKey(entry.device, entry.incarnation))
    if (other !== undefined) met.push(other.seq < entry.seq ? other : entry)
  }
  return met
}

/**
 * The same horizon, of chains that were closed no later than where they end (R4.1). Who had accepted more before it
 * heard of that would name a listing that others never take, so cannot compare (R6.2). What it says of the end is true,
 * for the end is in the chain that it accepted; where it is not, or not known any more, nothing changes.
 */
export function endAtCuts(view: View, membership: Membership, horizon: Horizon): Horizon {
  const ends = new Map(
    chainEnds(membership, membership.epoch).map((end) => [laneKey(end.device, end.incarnation), end]),
  )
  return horizon.map((entry) => {
    const key = laneKey(entry.device, entry.incarnation)
    const end = ends.get(key)
    const lane = view.lanes.get(key)
    if (end === undefined || lane === undefined || entry.seq <= end.seq) return entry
    if (hashAt(lane, entry.seq) !== entry.hash || hashAt(lane, end.seq) !== end.hash) return entry
    return { ...entry, seq: end.seq, hash: end.hash }
  })
}

/** A listing, by its place in a chain. */
export interface ListingPlace extends DeviceIncarnation {
  readonly seq: number
}

/**
 * Whether the horizon of a body takes account of a listing, on the branch that is accepted here (R6). What cannot be
 * compared is not covered: a number beyond the chain known here, or so far back that its hash is gone.
 */
export function isCovered(
  view: View,
  body: ListingBody,
  { device, incarnation, seq }: ListingPlace,
): boolean {
  const key = laneKey(device, incarnation)
  const entry = horizonIndex(body).get(key)
  if (entry === undefined || entry.seq < seq) return false
  const lane = view.lanes.get(key)
  // A number alone would mean two things after a fork: the hash says which branch, and with it all that came before.
  return lane !== undefined && hashAt(lane, entry.seq) === entry.hash
}

const HORIZONS = new WeakMap<ListingBody, ReadonlyMap<LaneKey, HorizonEntry>>()

function horizonIndex(body: ListingBody): ReadonlyMap<LaneKey, HorizonEntry> {
  const known = HORIZONS.get(body)
  if (known !== undefined) return known
  const index = new Map(
    body.horizon.map((entry) => [laneKey(entry.device, entry.incarnation), entry] as const),
  )
  HORIZONS.set(body, index)
  return index
}
