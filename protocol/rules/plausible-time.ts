/** When announcements were made, as far as a device can be believed (R9; retention.md §2). */

import type { DeviceId } from '../ids.ts'
import type { Dot } from '../listing/types.ts'

/** One announcement, and what is known of its time. */
export interface AnnouncedAt {
  readonly dot: Dot
  /** What its device says: the snapshot's own time where the root can be read, else that of the listing. Milliseconds. */
  readonly claimedMs: number
  /** When this node first saw the announcement, by its own clock. Milliseconds. */
  readonly seenMs: number
}

/**
 * Times to sort and space announcements by: the claimed one, but no earlier than the announcement before it in the chain of
 * its device, and no later than this node saw it. So nobody can put a snapshot into the past of what it announced
 * before, or into the future.
 *
 * @param announcements - of any devices, in any order; what was forgotten too, as far as known: it still bounds what follows
 * @returns one time for each, in the order given
 */
export function plausibleTimes(announcements: readonly AnnouncedAt[]): number[] {
  const times = new Array<number>(announcements.length)
  const before = new Map<DeviceId, number>()
  const inChain = [...announcements.entries()].sort(([, a], [, b]) => compareInChain(a.dot, b.dot))
  for (const [at, { dot, claimedMs, seenMs }] of inChain) {
    const earliest = before.get(dot.device) ?? Number.NEGATIVE_INFINITY
    // T2.1: where the two contradict each other this node's own clock is believed.
    const time = Math.min(Math.max(claimedMs, earliest), seenMs)
    times[at] = time
    before.set(dot.device, Math.max(time, earliest))
  }
  return times
}

/** Order in the chain of one device, over all its incarnations. */
export function compareInChain(a: Dot, b: Dot): number {
  return a.incarnation - b.incarnation || a.seq - b.seq || a.n - b.n
}
