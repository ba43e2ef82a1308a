/** R4: how far a device says that it takes account of the others (rules.md §4). */

import type { Horizon, HorizonEntry } from '../listing/types.ts'
import { type LaneKey, laneKey, type View, vectorOf } from './view.ts'

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
