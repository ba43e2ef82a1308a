/** Which roots to fetch now, and from whom (replication.md §1). Pure: the twin of `replicator.ts`. */

import type { DeviceId, RootId } from '../../protocol/index.ts'

/** A live root that this device should hold and does not, as the plan sees it. */
export interface Candidate {
  readonly root: RootId
  /** Devices whose newest listing says that they hold it, forks left out. */
  readonly holders: readonly DeviceId[]
  /** Not to be tried again before, by the monotonic clock, milliseconds. */
  readonly notBeforeMs: number
}

/** One root to fetch, and the peers that can supply it. */
export interface PlannedFetch {
  readonly root: RootId
  readonly peers: readonly DeviceId[]
}

/** What the plan looks at. */
export interface PlanInput {
  /** Oldest first. */
  readonly candidates: readonly Candidate[]
  readonly connected: ReadonlySet<DeviceId>
  readonly nowMs: number
}

/**
 * The roots to fetch now, the newest first: it is what a person wants back first, and the older ones share most of it.
 * Empty when nothing is lacking or nobody in reach can supply it.
 */
export function planFetches(input: PlanInput): PlannedFetch[] {
  const plan: PlannedFetch[] = []
  for (const candidate of input.candidates) {
    if (candidate.notBeforeMs > input.nowMs) continue
    const peers = candidate.holders.filter((holder) => input.connected.has(holder))
    if (peers.length > 0) plan.push({ root: candidate.root, peers })
  }
  return plan.reverse()
}

/** How long to leave a root alone after so many failures in a row: 2 s, doubled, at most 5 minutes. */
export function retryDelayMs(failures: number, msMax = 300_000): number {
  return Math.min(2000 * 2 ** Math.min(failures - 1, 20), msMax)
}
