/** R14: what makes retention stop for a device until a person has looked (retention.md §5). */

/** How much of an older snapshot a newer one of the same source still has, both by the visible sizes of chunks. */
export interface SharedBytes {
  readonly olderBytes: number
  /** Of the older closure, what is in the newer one too. */
  readonly sharedBytes: number
}

/** Times of one announcement. Milliseconds. */
export interface AnnouncementTimes {
  readonly claimedMs: number
  /** When this node first saw it. */
  readonly seenMs: number
  /** Plausible time of the announcement of the same source before it, if there is one. */
  readonly beforeMs?: number
}

/** Something that is not as it should be. */
export type Suspicion =
  /** The newest snapshot has only this share (0..1) of the bytes of the one before: much was changed or encrypted. */
  | { readonly kind: 'changed'; readonly share: number }
  /** So many announcements within a day, of a device that used to make `habit` a day. */
  | { readonly kind: 'rate'; readonly count: number; readonly habit: number }
  /** A snapshot claims to be so much later than it was seen, or earlier than the one before it. Milliseconds. */
  | { readonly kind: 'future' | 'past'; readonly byMs: number }

const SHARE_LEAST = 0.4
/** Of less, a person's ordinary work may change most. */
const OLDER_BYTES_LEAST = 32 * 1024 * 1024
const CLOCK_TOLERANCE_MS = 3_600_000
const DAY_MS = 86_400_000
const HABIT_DAYS = 30
const HABIT_DAYS_LEAST = 3
const RATE_FACTOR = 5
const RATE_LEAST = 24

/** T5.1: a newer snapshot that has little of the one before. */
export function judgeShare({ olderBytes, sharedBytes }: SharedBytes): Suspicion | undefined {
  if (olderBytes < OLDER_BYTES_LEAST) return undefined
  const share = sharedBytes / olderBytes
  return share < SHARE_LEAST ? { kind: 'changed', share } : undefined
}

/**
 * T5.2: more announcements within the newest 24 hours than five times the habit of the device, and more than 24. The
 * habit is the median of the 24 hours before, one after the other, of 30 days, those without any left out; it is not
 * known before there are three such days.
 *
 * @param timesMs - plausible times of all announcements of one device, forgotten ones too, in any order
 * @param trustedMs - what was announced until then a person has found in order; it still makes the habit
 */
export function judgeRate(
  timesMs: readonly number[],
  trustedMs = Number.NEGATIVE_INFINITY,
): Suspicion | undefined {
  const newest = timesMs.reduce((latest, time) => Math.max(latest, time), Number.NEGATIVE_INFINITY)
  const days = new Array<number>(HABIT_DAYS + 1).fill(0)
  let count = 0
  for (const time of timesMs) {
    const daysAgo = Math.floor((newest - time) / DAY_MS)
    if (daysAgo <= HABIT_DAYS) days[daysAgo] = (days[daysAgo] ?? 0) + 1
    if (daysAgo === 0 && time > trustedMs) count++
  }
  const active = days
    .slice(1)
    .filter((ofDay) => ofDay > 0)
    .sort((a, b) => a - b)
  if (active.length < HABIT_DAYS_LEAST) return undefined
  const habit = active[Math.floor(active.length / 2)] ?? 0
  return count > Math.max(RATE_LEAST, RATE_FACTOR * habit) ? { kind: 'rate', count, habit } : undefined
}

/** T5.3: a claimed time more than an hour after it was seen, or before the snapshot of that source which came before. */
export function judgeTimes({ claimedMs, seenMs, beforeMs }: AnnouncementTimes): Suspicion | undefined {
  if (claimedMs - seenMs > CLOCK_TOLERANCE_MS) return { kind: 'future', byMs: claimedMs - seenMs }
  if (beforeMs !== undefined && beforeMs - claimedMs > CLOCK_TOLERANCE_MS)
    return { kind: 'past', byMs: beforeMs - claimedMs }
  return undefined
}
