/** When this device has something to say, and what its next listing says; pure. */

import { type DeviceId, type Horizon, laneOf, type Listing, type RootId } from '../../protocol/index.ts'
import { laneName, type LedgerState } from './load.ts'

/** The newest listing of a chain, with its body; undefined before the first. */
export function newestListing(
  state: LedgerState,
  device: DeviceId,
  incarnation: number,
): Listing | undefined {
  const lane = laneOf(state.view, device, incarnation)
  const bodyBytes = state.bodies.get(laneName(device, incarnation))
  return lane === undefined || bodyBytes === undefined
    ? undefined
    : { signed: lane.head, body: lane.body, bodyBytes }
}

/**
 * Says whether a new listing is worth a signature: for what people or deletion wait for. The horizon alone travels
 * with the next one.
 *
 * @param holds - all roots held now, sorted
 * @param lanes - chains that the horizon would name now
 */
export function hasNews(
  state: LedgerState,
  previous: Listing,
  holds: readonly RootId[],
  lanes: number,
): boolean {
  if (state.pending.size > 0 || previous.signed.head.epoch !== state.membership.epoch) return true
  const said = previous.body.holds
  return (
    said.length !== holds.length ||
    holds.some((root, at) => said[at] !== root) ||
    previous.body.horizon.length < lanes - 1
  )
}

/** The horizon never goes back (I6): what an open session holds back stays where it was said to be. */
export function keepGrowing(previous: Listing | undefined, horizon: Horizon): Horizon {
  const merged = new Map(horizon.map((entry) => [laneName(entry.device, entry.incarnation), entry]))
  for (const old of previous?.body.horizon ?? []) {
    const now = merged.get(laneName(old.device, old.incarnation))
    if (now === undefined || now.seq < old.seq) merged.set(laneName(old.device, old.incarnation), old)
  }
  return [...merged.values()]
}
