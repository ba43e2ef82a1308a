/** Which roots this device may mean to let go, and when it tries again (R7). Pure: the twin of `shedder.ts`. */

import {
  type DeviceId,
  type LiveRoot,
  type RootId,
  type ShedLack,
  type ShedVerdict,
} from '../../protocol/index.ts'
import { newestOfEachSource } from '../thin/thin.ts'

/** Roots that are being let go at once: each stands in every listing of this device until it is gone. */
export const intentsMax = 256

/** A round that has come to nothing is ended after so long, milliseconds: while it lasts the copy counts for nobody. */
export const roundMsMax = 3_600_000

/** How long to leave a root alone after so many rounds in vain: an hour, doubled, at most a day. */
export function roundRestMs(rounds: number): number {
  return Math.min(3_600_000 * 2 ** Math.min(rounds - 1, 10), 24 * 3_600_000)
}

/**
 * What a device keeps of its own, whoever else holds it: the newest snapshot of each of its sources. The next backup
 * tells by it what has not changed; without it everything would be read and stored anew. A thin device keeps its trees
 * instead, and leans on what is below them.
 *
 * @param seenMs - when this device first saw a root: what is announced anew after a forget is no younger for it
 */
export function keptAsParents(
  live: readonly LiveRoot[],
  self: DeviceId,
  seenMs: (root: RootId) => number,
): ReadonlySet<RootId> {
  return newestOfEachSource(live, self, 1, seenMs)
}

/**
 * Whom to ask for a proof: holders whose word suffices but for it, as many as are still missing. Nobody else: a proof
 * costs both sides reading.
 *
 * @param mayAsk - whether a device is in reach, and was not asked just now
 */
export function proofsWanted(verdict: ShedVerdict, mayAsk: (device: DeviceId) => boolean): DeviceId[] {
  if (verdict.kind !== 'wait' || verdict.lacking.some(isBeyondProof)) return []
  return verdict.lacking.flatMap((lack) =>
    lack.kind === 'holder' && lack.why === 'unproven' && mayAsk(lack.device) ? [lack.device] : [],
  )
}

/** What no proof mends. */
function isBeyondProof(lack: ShedLack): boolean {
  return lack.kind === 'intent' || lack.kind === 'unknown'
}
