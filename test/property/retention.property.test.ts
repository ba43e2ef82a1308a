/** Rules of retention against a slow reference that says what is kept in other words (retention.md). */

import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  type AnnouncedAt,
  applyRules,
  type Candidate,
  type DeviceId,
  formatDuration,
  parseDuration,
  plausibleTimes,
  type RetentionRules,
} from '../../protocol/index.ts'

const DAY_MS = 86_400_000
const START_MS = Date.parse('2026-01-25T00:00:00Z')

const span = fc.constantFrom('1h', '5h', '1d', '2d12h', '7d', '1m', '1m15d', '1y', '1y2m3d4h')
const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 })
const number = fc.integer({ min: -1, max: 6 })

const rules = fc
  .record({
    last: some(number),
    hourly: some(number),
    daily: some(number),
    weekly: some(number),
    monthly: some(number),
    yearly: some(number),
    within: some(span),
    withinHourly: some(span),
    withinDaily: some(span),
    withinWeekly: some(span),
    withinMonthly: some(span),
    withinYearly: some(span),
    tags: some(fc.array(fc.array(fc.constantFrom('a', 'b', ''), { minLength: 1, maxLength: 2 }))),
  })
  .map((all): RetentionRules => {
    const given = Object.entries(all).filter(([, value]) => value !== undefined)
    return Object.fromEntries(given)
  })

/** Times within a few hours, weeks or years, so that buckets are full, and quarters of hours, so that some are equal. */
const candidates: fc.Arbitrary<Candidate[]> = fc
  .tuple(fc.constantFrom(100, 2000, 80_000), fc.constantFrom(1, 3))
  .chain(([quarters, offsets]) =>
    fc.array(
      fc.record({
        timeMs: fc.nat(quarters).map((quarter) => START_MS + quarter * 900_000),
        offsetMinutes: fc.constantFrom(...[60, -300, 840].slice(0, offsets)),
        tags: fc.subarray(['a', 'b']),
        rank: fc.nat(),
        protections: fc.constantFrom([], [], [], ['pinned']),
      }),
      { maxLength: 25 },
    ),
  )
  .map((rows) => {
    const byRank = rows.map((_, at) => at).sort((a, b) => (rows[a]?.rank ?? 0) - (rows[b]?.rank ?? 0))
    return rows.map(({ rank: _, ...row }, at) => ({ ...row, id: `s${at}`, order: byRank.indexOf(at) }))
  })

const isNewer = (a: Candidate, b: Candidate): boolean =>
  a.timeMs > b.timeMs || (a.timeMs === b.timeMs && a.order > b.order)

/** The ISO week as a text, by the Thursday that it has. */
function weekText(local: Date): string {
  const thursday = new Date(local.getTime() + (3 - ((local.getUTCDay() + 6) % 7)) * DAY_MS)
  const firstOfYear = Date.UTC(thursday.getUTCFullYear(), 0, 1)
  return `${thursday.getUTCFullYear()}-W${Math.floor((thursday.getTime() - firstOfYear) / (7 * DAY_MS)) + 1}`
}

/** The bucket of a snapshot as a person would write it. */
function label(period: string, { timeMs, offsetMinutes, id }: Candidate): string {
  const local = new Date(timeMs + offsetMinutes * 60_000)
  const text = local.toISOString()
  if (period === 'hourly') return new Date(timeMs).toISOString().slice(0, 13)
  if (period === 'daily') return text.slice(0, 10)
  if (period === 'weekly') return weekText(local)
  if (period === 'monthly') return text.slice(0, 7)
  return period === 'yearly' ? text.slice(0, 4) : id
}

/** The start of a span, counted in whole months first, then in days of the month, then in hours. */
function startOf(newest: Candidate, text: string): number {
  const unit = (letter: string): number => Number(new RegExp(`(\\d+)${letter}`).exec(text)?.[1] ?? 0)
  const localMs = newest.timeMs + newest.offsetMinutes * 60_000
  const local = new Date(localMs)
  const months = local.getUTCFullYear() * 12 + local.getUTCMonth() - unit('y') * 12 - unit('m')
  const firstOfMonth = Date.UTC(Math.floor(months / 12), months % 12, 1)
  const intoMonth = (local.getUTCDate() - 1) * DAY_MS + (((localMs % DAY_MS) + DAY_MS) % DAY_MS)
  return firstOfMonth + intoMonth - unit('d') * DAY_MS - unit('h') * 3_600_000 - newest.offsetMinutes * 60_000
}

/** Why one snapshot is kept, found by asking about each rule alone and comparing it with all others. */
function reasons(one: Candidate, all: readonly Candidate[], given: RetentionRules): string[] {
  const found: string[] = []
  const newest = all.find((other) => all.every((third) => !isNewer(third, other))) as Candidate
  const isOldest = all.every((other) => other === one || isNewer(other, one))
  const isWithin = (other: Candidate, text: string): boolean => other.timeMs > startOf(newest, text)
  const isFirst = (period: string, among: readonly Candidate[]): boolean =>
    among.every(
      (other) => other === one || label(period, other) !== label(period, one) || other.order > one.order,
    )
  for (const list of given.tags ?? []) {
    const has = list.every((tag) => one.tags.includes(tag) || (tag === '' && one.tags.length === 0))
    if (has) found.push(`has tags [${list.join(', ')}]`)
  }
  if (given.within !== undefined && isWithin(one, given.within)) found.push(`within ${given.within}`)
  for (const period of ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const) {
    const count = given[period] ?? 0
    if (count === 0) continue
    const labels = [...new Set(all.map((other) => label(period, other)))]
    const newestOf = (text: string): Candidate =>
      all
        .filter((other) => label(period, other) === text)
        .reduce((best, other) => (isNewer(other, best) ? other : best))
    const own = newestOf(label(period, one))
    const newerBuckets = labels.filter((text) => isNewer(newestOf(text), own)).length
    const isCounted = count === -1 || newerBuckets < count
    if (isCounted && isFirst(period, all)) found.push(`${period} snapshot`)
    else if (isOldest && (count === -1 || labels.length < count)) found.push(`oldest ${period} snapshot`)
  }
  for (const period of ['Hourly', 'Daily', 'Weekly', 'Monthly', 'Yearly'] as const) {
    const text = given[`within${period}`]
    if (text === undefined || !isWithin(one, text)) continue
    const word = period.toLowerCase()
    const inside = all.filter((other) => isWithin(other, text))
    if (isFirst(word, inside)) found.push(`${word} within ${text}`)
    else if (isOldest) found.push(`oldest ${word} within ${text}`)
  }
  return [...found, ...(one.protections ?? [])]
}

/** Applies rules; undefined where they are refused as empty. */
function apply(all: readonly Candidate[], given: RetentionRules) {
  try {
    return applyRules(all, given)
  } catch {
    return undefined
  }
}

const isEmpty = (given: RetentionRules): boolean =>
  Object.values(given).every((rule) => rule === 0 || (Array.isArray(rule) && rule.length === 0))

describe('rules of retention', () => {
  it('T3.2 T3.3 T3.4 T3.5 T3.6 T3.8 T3.9 keep what the reference keeps, with its reasons', () => {
    fc.assert(
      fc.property(candidates, rules, (all, given) => {
        const result = apply(all, given)
        if (result === undefined) return assert.ok(isEmpty(given))
        const expected = all
          .toSorted((a, b) => (isNewer(a, b) ? -1 : 1))
          .map((one) => ({ id: one.id, matches: reasons(one, all, given) }))
        const kept = expected.filter(({ matches }) => matches.length > 0)
        const isRefused = all.length > 0 && kept.length === 0
        assert.deepEqual(result, {
          keep: isRefused ? expected : kept,
          forget: isRefused ? [] : expected.filter(({ matches }) => matches.length === 0).map(({ id }) => id),
          isRefused,
        })
      }),
      { numRuns: 1500 },
    )
  })

  it('T3.1 do not depend on the order of what they are given', () => {
    fc.assert(
      fc.property(candidates, rules, fc.infiniteStream(fc.nat()), (all, given, keys) => {
        const keyed = all.map((one) => ({ one, key: Number(keys.next().value) }))
        const mixed = keyed.sort((a, b) => a.key - b.key).map(({ one }) => one)
        assert.deepEqual(apply(mixed, given), apply(all, given))
      }),
    )
  })

  it('forget nothing more when they are applied to what they kept', () => {
    fc.assert(
      fc.property(candidates, rules, (all, given) => {
        const result = apply(all, given)
        if (result === undefined) return
        const kept = new Set(result.keep.map(({ id }) => id))
        assert.deepEqual(
          apply(
            all.filter(({ id }) => kept.has(id)),
            given,
          )?.forget,
          [],
        )
      }),
    )
  })

  it('lose no more days to a flood by a device that may only add than it had time for, and two', () => {
    const flood = fc.array(
      fc.record({ quarter: fc.nat(), offsetMinutes: fc.integer({ min: -1440, max: 1440 }) }),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(3), flood, (daily, daysOver, added) => {
        const honest = Array.from({ length: 8 }, (_, day) => candidateAt(`h${day}`, day, 12, 0))
        const lastMs = honest.at(-1)?.timeMs ?? 0
        const hostile = added.map(({ quarter, offsetMinutes }, at) => {
          const timeMs = lastMs + (quarter % (daysOver * 96 + 1)) * 900_000
          return { ...candidateAt(`x${at}`, 0, 0, 8 + at), timeMs, offsetMinutes }
        })
        const { keep } = applyRules([...honest, ...hostile], { daily })
        const left = keep.filter(({ id }) => id.startsWith('h')).length
        assert.ok(left >= Math.min(daily, 8) - daysOver - 2, `${left} of ${daily} are left`)
      }),
    )
  })
})

function candidateAt(id: string, day: number, hour: number, order: number): Candidate {
  const timeMs = START_MS + day * DAY_MS + hour * 3_600_000
  return { id, timeMs, order: order === 0 ? day : order, tags: [], offsetMinutes: 0 }
}

describe('durations', () => {
  it('T4.1 are read as they are written', () => {
    const part = fc.nat(99_999)
    fc.assert(
      fc.property(fc.record({ years: part, months: part, days: part, hours: part }), (duration) => {
        assert.deepEqual(parseDuration(formatDuration(duration)), { ...duration })
      }),
    )
  })
})

describe('plausible times', () => {
  const announced: fc.Arbitrary<AnnouncedAt[]> = fc.array(
    fc.record({
      dot: fc.record({
        device: fc.constantFrom('laptop' as DeviceId, 'desktop' as DeviceId),
        incarnation: fc.integer({ min: 1, max: 2 }),
        seq: fc.integer({ min: 1, max: 6 }),
        n: fc.nat(2),
      }),
      claimedMs: fc.nat(100),
      seenMs: fc.nat(100),
    }),
    { maxLength: 15 },
  )

  it('T2.1 T2.2 are those claimed, within what came before in the chain and when they were seen', () => {
    fc.assert(
      fc.property(announced, (all) => {
        const times = plausibleTimes(all)
        for (const [at, one] of all.entries()) {
          // The most that any announcement before it in its chain was found to be, and what this one claims.
          const before = all.flatMap((other, where) => {
            const order = [
              other.dot.incarnation - one.dot.incarnation,
              other.dot.seq - one.dot.seq,
              other.dot.n - one.dot.n,
              where - at,
            ].find((difference) => difference !== 0)
            return other.dot.device === one.dot.device && order !== undefined && order < 0
              ? [times[where] ?? 0]
              : []
          })
          assert.equal(times[at], Math.min(Math.max(one.claimedMs, ...before), one.seenMs))
        }
      }),
    )
  })
})
