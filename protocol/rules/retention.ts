/** Which snapshots rules keep (retention.md §3): those of restic, safe against whoever may only add. */

import { CellarError } from '../errors.ts'
import { type Duration, formatDuration, isNoDuration, parseDuration, timeBefore } from './duration.ts'

/** A snapshot as the rules see it. */
export interface Candidate {
  readonly id: string
  /** Plausible time (`plausibleTimes`), milliseconds since 1970. */
  readonly timeMs: number
  /** Rank by which this node first saw them: the lower the earlier. */
  readonly order: number
  readonly tags: readonly string[]
  /** Of the place where it was made, east of Greenwich positive; 0 where nobody here can read it. */
  readonly offsetMinutes: number
  /** Why it is kept whatever the rules say (`pinned`, floors); it takes part in them like any other. */
  readonly protections?: readonly string[]
}

/** Rules, ORed: each keeps something, what none keeps is forgotten. Counts are 0 (keeps nothing), 1.., or -1 for all. */
export interface RetentionRules {
  readonly last?: number
  readonly hourly?: number
  readonly daily?: number
  readonly weekly?: number
  readonly monthly?: number
  readonly yearly?: number
  /** Durations (`parseDuration`), counted back from the newest. */
  readonly within?: string
  readonly withinHourly?: string
  readonly withinDaily?: string
  readonly withinWeekly?: string
  readonly withinMonthly?: string
  readonly withinYearly?: string
  /** All tags of any of the lists. */
  readonly tags?: readonly (readonly string[])[]
}

/** A snapshot that is kept, and why, in the words of restic. */
export interface KeptCandidate {
  readonly id: string
  /** Never empty, but where the rules were refused. */
  readonly matches: readonly string[]
}

/** What rules make of one group; both lists newest first. */
export interface Retained {
  readonly keep: readonly KeptCandidate[]
  readonly forget: readonly string[]
  /** The rules would have kept nothing at all: so all is kept (T3.8). */
  readonly isRefused: boolean
}

/** Where one bucket ends and the next begins; equal for snapshots of one bucket. */
type BucketOf = (candidate: Candidate) => number

const PERIODS = {
  hourly: hourOf,
  daily: dayOf,
  weekly: isoWeekOf,
  monthly: monthOf,
  yearly: yearOf,
} as const satisfies Record<string, BucketOf>

type Period = keyof typeof PERIODS

const WITHIN = {
  hourly: 'withinHourly',
  daily: 'withinDaily',
  weekly: 'withinWeekly',
  monthly: 'withinMonthly',
  yearly: 'withinYearly',
} as const satisfies Record<Period, keyof RetentionRules>

const PERIOD_NAMES = Object.keys(PERIODS) as Period[]

/**
 * Chooses what to keep of one group of snapshots. The result does not depend on the order they are given in.
 *
 * @param candidates - all of the group, ids distinct
 * @throws {CellarError} `USAGE` as {@link checkRules}
 */
export function applyRules(candidates: readonly Candidate[], rules: RetentionRules): Retained {
  checkRules(rules)
  const newestFirst = [...candidates].sort(compareNewestFirst)
  const reasons = new Map<string, string[]>(newestFirst.map(({ id }) => [id, []]))
  for (const [{ id }, reason] of reasonsOf(newestFirst, rules)) reasons.get(id)?.push(reason)
  const keep = newestFirst.flatMap(({ id }) => {
    const matches = reasons.get(id) ?? []
    return matches.length === 0 ? [] : [{ id, matches }]
  })
  if (keep.length === 0) {
    // T3.8: rules that empty a group are a mistake, or an attack.
    return {
      keep: newestFirst.map(({ id }) => ({ id, matches: [] })),
      forget: [],
      isRefused: newestFirst.length > 0,
    }
  }
  const forget = newestFirst.filter(({ id }) => reasons.get(id)?.length === 0).map(({ id }) => id)
  return { keep, forget, isRefused: false }
}

/**
 * Says nothing of rules that can be applied.
 *
 * @throws {CellarError} `USAGE`: no rule keeps anything (T3.7), a count that is none, a duration that is none
 */
export function checkRules(rules: RetentionRules): void {
  for (const name of ['last', ...PERIOD_NAMES] as const) {
    const count = rules[name] ?? 0
    if (!Number.isSafeInteger(count) || count < -1)
      throw new CellarError(
        'USAGE',
        `keep ${name} ${String(count)}: it must be a whole number, or -1 for all`,
      )
  }
  for (const name of ['within', ...PERIOD_NAMES.map((period) => WITHIN[period])] as const) {
    const text = rules[name]
    if (text !== undefined && parseDuration(text) === undefined)
      throw new CellarError('USAGE', `keep within "${text}": it must be a duration such as 1y6m7d12h`)
  }
  if (rules.tags?.some((list) => list.length === 0) === true)
    throw new CellarError('USAGE', 'keep tag: a list of tags has none')
  if (isEmpty(rules))
    throw new CellarError('USAGE', 'no rule keeps anything: every snapshot would be forgotten')
}

function isEmpty(rules: RetentionRules): boolean {
  const counts = [rules.last, ...PERIOD_NAMES.map((period) => rules[period])]
  const spans = [rules.within, ...PERIOD_NAMES.map((period) => rules[WITHIN[period]])]
  return (
    counts.every((count) => (count ?? 0) === 0) &&
    spans.every((text) => durationOf(text) === undefined) &&
    (rules.tags ?? []).length === 0
  )
}

/** A rule's duration; none where there is no rule, and where it is no time at all, which keeps nothing. */
function durationOf(text: string | undefined): Duration | undefined {
  const duration = text === undefined ? undefined : parseDuration(text)
  return duration === undefined || isNoDuration(duration) ? undefined : duration
}

/** A snapshot, and one reason to keep it. */
type Reason = readonly [Candidate, string]

/** Every reason to keep something, in the order in which they are told of one snapshot. */
function* reasonsOf(newestFirst: readonly Candidate[], rules: RetentionRules): Generator<Reason> {
  for (const one of newestFirst) {
    for (const list of rules.tags ?? []) if (hasTags(one, list)) yield [one, `has tags [${list.join(', ')}]`]
  }
  const within = durationOf(rules.within)
  if (within !== undefined)
    for (const one of since(newestFirst, within)) yield [one, `within ${formatDuration(within)}`]
  const rank = new Map(newestFirst.map((one, at) => [one, at]))
  const oldest = newestFirst.at(-1)
  const all = { among: newestFirst, oldest }
  yield* counted(all, rules.last ?? 0, (one) => rank.get(one) ?? 0, 'last snapshot')
  for (const period of PERIOD_NAMES)
    yield* counted(all, rules[period] ?? 0, PERIODS[period], `${period} snapshot`)
  for (const period of PERIOD_NAMES) {
    const span = durationOf(rules[WITHIN[period]])
    if (span === undefined) continue
    const inside = { among: since(newestFirst, span), oldest }
    yield* counted(inside, -1, PERIODS[period], `${period} within ${formatDuration(span)}`)
  }
  for (const one of newestFirst) for (const protection of one.protections ?? []) yield [one, protection]
}

/** T3.3: the first received of each of the newest buckets; T3.6: the oldest too, while the rule is not used up. */
function* counted(
  of: { readonly among: readonly Candidate[]; readonly oldest: Candidate | undefined },
  count: number,
  bucketOf: BucketOf,
  reason: string,
): Generator<Reason> {
  if (count === 0) return
  const first = new Map<number, Candidate>()
  for (const one of of.among) {
    const bucket = bucketOf(one)
    const known = first.get(bucket)
    const isFirst = known === undefined ? count === -1 || first.size < count : one.order < known.order
    if (isFirst) first.set(bucket, one)
  }
  for (const one of first.values()) yield [one, reason]
  const oldest = of.among.at(-1)
  const isUsedUp = count !== -1 && first.size === count
  // What lies before a span is not kept by it, though it may be the oldest of all.
  const mayStay = oldest !== undefined && oldest === of.oldest && !isUsedUp
  if (mayStay && first.get(bucketOf(oldest)) !== oldest) yield [oldest, `oldest ${reason}`]
}

/** T3.4: those after the newest less the duration, by the calendar where the newest was made. */
function since(newestFirst: readonly Candidate[], duration: Duration): readonly Candidate[] {
  const [newest] = newestFirst
  if (newest === undefined) return []
  const start = timeBefore(newest.timeMs, newest.offsetMinutes, duration)
  return newestFirst.filter(({ timeMs }) => timeMs > start)
}

/** T3.5: all of a list; the empty tag stands for having none. */
function hasTags({ tags }: Candidate, list: readonly string[]): boolean {
  return list.every((tag) => (tag === '' && tags.length === 0) || tags.includes(tag))
}

function compareNewestFirst(a: Candidate, b: Candidate): number {
  return b.timeMs - a.timeMs || b.order - a.order || (a.id < b.id ? -1 : 1)
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** T3.2: hours are the same everywhere, so that no claimed offset makes one of them two. */
function hourOf({ timeMs }: Candidate): number {
  return Math.floor(timeMs / HOUR_MS)
}

/** Days since 1970 by the calendar of the place where the snapshot was made. */
function dayOf({ timeMs, offsetMinutes }: Candidate): number {
  return Math.floor((timeMs + offsetMinutes * 60_000) / DAY_MS)
}

/** Weeks begin on Monday; that of 1 January 1970, a Thursday, is number 0. */
function isoWeekOf(candidate: Candidate): number {
  return Math.floor((dayOf(candidate) + 3) / 7)
}

function monthOf(candidate: Candidate): number {
  const local = new Date(dayOf(candidate) * DAY_MS)
  return local.getUTCFullYear() * 12 + local.getUTCMonth()
}

function yearOf(candidate: Candidate): number {
  return new Date(dayOf(candidate) * DAY_MS).getUTCFullYear()
}
