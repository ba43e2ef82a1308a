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
  /** The claimed time is that of the listing, which may tell of all that was made since the one before. */
  readonly isOfListing?: boolean
}

/**
 * Times to sort and space announcements by: the claimed one, but no earlier than the announcement before it in the
 * chain of its device, and no later than this node saw it. So nobody can put a snapshot into the past of what it
 * announced before, or into the future.
 *
 * @param announcements - of any devices, in any order; what was forgotten too, as far as known: it bounds what follows
 * @returns one time for each, in the order given
 */
export function plausibleTimes(announcements: readonly AnnouncedAt[]): number[] {
  const times = new Array<number>(announcements.length)
  const before = new Map<DeviceId, number>()
  const inChain = [...announcements.entries()].sort(([, a], [, b]) => compareInChain(a.dot, b.dot))
  const left = countOfListings(announcements)
  for (const [at, { dot, claimedMs, seenMs, isOfListing }] of inChain) {
    const earliest = before.get(dot.device) ?? Number.NEGATIVE_INFINITY
    // T2.1: where the two contradict each other this node's own clock is believed.
    const latest = Math.min(Math.max(claimedMs, earliest), seenMs)
    const many = (isOfListing === true && left.get(listingOf(dot))) || 1
    left.set(listingOf(dot), many - 1)
    // T2.3: each goes one step towards the time of the listing, of as many steps as are left.
    const isSpread = many > 1 && Number.isFinite(earliest) && latest > earliest
    const time = isSpread ? Math.floor(earliest + (latest - earliest) / many) : latest
    times[at] = time
    before.set(dot.device, Math.max(time, earliest))
  }
  return times
}

/** How many announcements each listing has that are dated by it. */
function countOfListings(announcements: readonly AnnouncedAt[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { dot, isOfListing } of announcements)
    if (isOfListing === true) counts.set(listingOf(dot), (counts.get(listingOf(dot)) ?? 0) + 1)
  return counts
}

function listingOf({ device, incarnation, seq }: Dot): string {
  return `${device}/${String(incarnation)}/${String(seq)}`
}

/** Order in the chain of one device, over all its incarnations. */
export function compareInChain(a: Dot, b: Dot): number {
  return a.incarnation - b.incarnation || a.seq - b.seq || a.n - b.n
}
