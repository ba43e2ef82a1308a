import assert from 'node:assert/strict'
import {
  applyRules,
  type Candidate,
  type DeviceId,
  judgeRate,
  judgeShare,
  judgeTimes,
  parseDuration,
  plausibleTimes,
  type RetentionRules,
  type SharedBytes,
  timeBefore,
} from '../../protocol/index.ts'
import { assertRefuses } from './expect.ts'
import { field, fromPlainJson, readVectors, type Vector } from './format.ts'

interface Row {
  readonly id: string
  readonly at: string
  readonly tags: readonly string[]
  readonly protections?: readonly string[]
}

/** Minutes east of Greenwich that an RFC 3339 time says. */
function offsetOf(time: string): number {
  const [, sign = '', hours = '0', minutes = '0'] = /([+-])(\d\d):(\d\d)$/.exec(time) ?? []
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes))
}

const json = (vector: Vector, key: string): unknown => fromPlainJson(field(vector, key))

function applied(vector: Vector) {
  const candidates = (json(vector, 'candidates') as Row[]).map(({ at, ...row }, order): Candidate => {
    return { ...row, timeMs: Date.parse(at), offsetMinutes: offsetOf(at), order }
  })
  return { candidates, ...applyRules(candidates, json(vector, 'rules') as RetentionRules) }
}

function checkTimes(vector: Vector): void {
  const announced = json(vector, 'announced') as (Record<'claimed' | 'seen', string> &
    Record<'incarnation' | 'seq' | 'n', number> & { isOfListing?: boolean })[]
  const found = plausibleTimes(
    announced.map(({ incarnation, seq, n, claimed, seen, isOfListing = false }) => {
      const dot = { device: 'laptop' as DeviceId, incarnation, seq, n }
      return { dot, claimedMs: Date.parse(claimed), seenMs: Date.parse(seen), isOfListing }
    }),
  )
  assert.deepEqual(
    found.map((ms) => new Date(ms).toISOString()),
    json(vector, 'times'),
  )
}

const HOUR_MS = 3_600_000

/** So many announcements in the newest 24 hours, in those before, and so on. */
function timesOfDays(days: readonly number[]): number[] {
  const newest = Date.parse('2026-03-01T12:00:00Z')
  return days.flatMap((many, daysAgo) =>
    Array.from({ length: many }, (_, at) => newest - daysAgo * 24 * HOUR_MS - at * 1000),
  )
}

const CHECKS: Readonly<Record<string, (vector: Vector) => void>> = {
  rules(vector) {
    const { candidates, keep, forget, isRefused } = applied(vector)
    const expected = json(vector, 'keep') as string[][]
    assert.deepEqual(
      keep.map(({ id, matches }) => [id, ...matches]),
      expected,
    )
    const kept = new Set(expected.map(([id]) => id))
    assert.deepEqual(
      [...forget].sort(),
      candidates.map(({ id }) => id).filter((id) => !kept.has(id)),
    )
    assert.equal(
      isRefused,
      expected.some(([, ...matches]) => matches.length === 0),
    )
  },
  times: checkTimes,
  duration(vector) {
    const parsed = parseDuration(field(vector, 'text'))
    if (field(vector, 'expect') === 'refused') {
      assert.equal(parsed, undefined)
      return
    }
    assert.ok(parsed !== undefined)
    const from = field(vector, 'from')
    const before = timeBefore(Date.parse(from), offsetOf(from), parsed)
    assert.equal(new Date(before).toISOString(), field(vector, 'before'))
  },
  share(vector) {
    assert.deepEqual(judgeShare(json(vector, 'facts') as SharedBytes) ?? null, json(vector, 'suspicion'))
  },
  rate(vector) {
    const { days } = json(vector, 'facts') as { days: number[] }
    assert.deepEqual(judgeRate(timesOfDays(days)) ?? null, json(vector, 'suspicion'))
  },
  at(vector) {
    const { claimed, seen, before } = json(vector, 'facts') as Record<string, string | null>
    const times = { claimedMs: Date.parse(claimed ?? ''), seenMs: Date.parse(seen ?? '') }
    const beforeMs = before === null ? {} : { beforeMs: Date.parse(before ?? '') }
    assert.deepEqual(judgeTimes({ ...times, ...beforeMs }) ?? null, json(vector, 'suspicion'))
  },
}

describe('vectors of retention', () => {
  const keys = ['of', 'rules', 'candidates', 'keep', 'announced', 'times', 'text', 'from', 'before']
  for (const vector of readVectors('retention', [...keys, 'facts', 'suspicion'])) {
    it(`${field(vector, 'of')}: ${vector.name.replaceAll('-', ' ')}`, () => {
      const check = CHECKS[field(vector, 'of')]
      assert.ok(check !== undefined)
      if (field(vector, 'expect') === 'USAGE') assertRefuses(vector, () => applied(vector))
      else check(vector)
    })
  }
})
