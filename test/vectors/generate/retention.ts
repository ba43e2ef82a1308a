/** Vectors of retention (retention.md): what is expected is written by hand. */

import { toPlainJson, type Vector } from '../format.ts'

const NO_BODY = new Uint8Array(0)

/** A candidate: time with offset, then perhaps tags and what protects it. The name is its place in the alphabet. */
type Row = readonly [at: string, tags?: readonly string[], protections?: readonly string[]]

/** Rules on candidates in the order they were first seen, named a, b, c …; `keep` newest first. */
function rules(
  name: string,
  spec: string,
  given: Readonly<Record<string, unknown>>,
  rows: readonly Row[],
  keep: readonly (readonly string[])[],
  comment: string,
): Vector {
  const candidates = rows.map(([at, tags = [], protections = []], order) => {
    return { id: String.fromCharCode(97 + order), at, tags, ...(protections.length > 0 && { protections }) }
  })
  const header = { spec: `retention.md ${spec}`, expect: 'success', of: 'rules', comment }
  const texts = { rules: toPlainJson(given), candidates: toPlainJson(candidates), keep: toPlainJson(keep) }
  return { name, header: { ...header, ...texts }, body: NO_BODY }
}

function refused(name: string, given: Readonly<Record<string, unknown>>, reason: string): Vector {
  const header = { spec: 'retention.md T3.7', expect: 'USAGE', reason, of: 'rules' }
  const texts = {
    rules: toPlainJson(given),
    candidates: '[{"id":"a","at":"2026-03-01T08:00:00Z","tags":[]}]',
  }
  return { name, header: { ...header, ...texts }, body: NO_BODY }
}

function times(
  name: string,
  spec: string,
  announced: readonly unknown[],
  expected: readonly string[],
): Vector {
  const header = { spec: `retention.md ${spec}`, expect: 'success', of: 'times' }
  return {
    name,
    header: { ...header, announced: toPlainJson(announced), times: toPlainJson(expected) },
    body: NO_BODY,
  }
}

function duration(name: string, spec: string, text: string, from = '', before = ''): Vector {
  const expect = before === '' ? 'refused' : 'success'
  const header = { spec: `retention.md ${spec}`, expect, of: 'duration', text, from, before }
  return { name, header, body: NO_BODY }
}

function judged(name: string, spec: string, of: string, facts: unknown, suspicion: unknown): Vector {
  const header = { spec: `retention.md ${spec}`, expect: 'success', of }
  return {
    name,
    header: { ...header, facts: toPlainJson(facts), suspicion: toPlainJson(suspicion) },
    body: NO_BODY,
  }
}

const WEEK: readonly Row[] = [
  ['2026-03-01T08:00:00+01:00'],
  ['2026-03-02T08:00:00+01:00'],
  ['2026-03-02T20:00:00+01:00'],
  ['2026-03-03T08:00:00+01:00'],
]

function countVectors(): Vector[] {
  const day = 'daily snapshot'
  return [
    rules(
      'daily',
      'T3.3',
      { daily: 2 },
      WEEK,
      [
        ['d', day],
        ['b', day],
      ],
      'the example',
    ),
    rules(
      'daily-not-used-up',
      'T3.3',
      { daily: 4 },
      WEEK,
      [
        ['d', day],
        ['b', day],
        ['a', day],
      ],
      'three days',
    ),
    rules(
      'oldest-is-not-first-received',
      'T3.6',
      { daily: 2 },
      [['2026-03-01T20:00:00Z'], ['2026-03-01T08:00:00Z']],
      [
        ['a', day],
        ['b', 'oldest daily snapshot'],
      ],
      'b was made before a and received after it: one day of two, so both are kept',
    ),
    rules(
      'oldest-when-used-up',
      'T3.6',
      { daily: 1 },
      [['2026-03-01T20:00:00Z'], ['2026-03-01T08:00:00Z']],
      [['a', day]],
      'the same, used up',
    ),
    rules(
      'oldest-of-all',
      'T3.6',
      { yearly: -1 },
      [['2026-03-01T20:00:00Z'], ['2026-03-01T08:00:00Z']],
      [
        ['a', 'yearly snapshot'],
        ['b', 'oldest yearly snapshot'],
      ],
      'a rule that keeps all is never used up',
    ),
    rules(
      'last-and-equal-times',
      'T3.1 T3.3',
      { last: 2 },
      [['2026-03-01T08:00:00Z'], ['2026-03-01T08:00:00Z'], ['2026-03-01T08:00:00Z']],
      [
        ['c', 'last snapshot'],
        ['b', 'last snapshot'],
      ],
      'of equal times the last received is the newest',
    ),
    rules(
      'hours-are-of-utc',
      'T3.2',
      { hourly: 2 },
      [['2026-03-01T08:10:00+01:00'], ['2026-03-01T09:20:00+02:00'], ['2026-03-01T06:50:00Z']],
      [
        ['a', 'hourly snapshot'],
        ['c', 'hourly snapshot'],
      ],
      'a and b are of 07:00 UTC, whatever their clocks show',
    ),
    rules(
      'days-are-where-it-was-made',
      'T3.2',
      { daily: 3 },
      [['2026-03-01T23:30:00-05:00'], ['2026-03-02T23:30:00Z'], ['2026-03-03T00:30:00+01:00']],
      [
        ['c', day],
        ['b', day],
        ['a', day],
      ],
      'b and c are at one moment, and of two days',
    ),
    rules(
      'iso-weeks-over-a-new-year',
      'T3.2',
      { weekly: 3 },
      [
        ['2020-12-27T12:00:00Z'],
        ['2020-12-28T12:00:00Z'],
        ['2021-01-03T12:00:00Z'],
        ['2021-01-04T12:00:00Z'],
      ],
      [
        ['d', 'weekly snapshot'],
        ['b', 'weekly snapshot'],
        ['a', 'weekly snapshot'],
      ],
      'week 53 of 2020 goes from Monday 28 December to Sunday 3 January',
    ),
    rules(
      'each-rule-for-itself',
      'T3.3',
      { last: 1, daily: 1, monthly: 2, yearly: 1 },
      [
        ['2025-12-31T12:00:00Z'],
        ['2026-01-31T12:00:00Z'],
        ['2026-02-01T12:00:00Z'],
        ['2026-02-01T13:00:00Z'],
      ],
      [
        ['d', 'last snapshot'],
        ['c', day, 'monthly snapshot'],
        ['b', 'monthly snapshot', 'yearly snapshot'],
      ],
      'c is counted by two rules, b by two others',
    ),
    rules('count-zero', 'T3.3', { last: 1, daily: 0 }, WEEK, [['d', 'last snapshot']], 'as if not given'),
  ]
}

function otherRuleVectors(): Vector[] {
  return [
    rules(
      'within',
      'T3.4',
      { within: '1d' },
      [['2026-03-01T08:00:00Z'], ['2026-03-01T08:00:01Z'], ['2026-03-02T08:00:00Z']],
      [
        ['c', 'within 1d'],
        ['b', 'within 1d'],
      ],
      'a is a day before the newest: that is not within',
    ),
    rules(
      'within-daily',
      'T3.4',
      { withinDaily: '2d' },
      [
        ['2026-02-28T09:00:00Z'],
        ['2026-03-01T08:00:00Z'],
        ['2026-03-02T08:00:00Z'],
        ['2026-03-02T07:00:00Z'],
      ],
      [
        ['c', 'daily within 2d'],
        ['b', 'daily within 2d'],
        ['a', 'daily within 2d'],
      ],
      'one of each day; d was received after c',
    ),
    rules(
      'within-daily-oldest',
      'T3.6',
      { withinDaily: '2d' },
      [['2026-03-02T08:00:00Z'], ['2026-03-02T07:00:00Z']],
      [
        ['a', 'daily within 2d'],
        ['b', 'oldest daily within 2d'],
      ],
      'the oldest of all lies within',
    ),
    rules(
      'within-daily-oldest-is-before',
      'T3.6',
      { withinDaily: '2d' },
      [['2026-03-02T08:00:00Z'], ['2026-03-02T07:00:00Z'], ['2026-01-01T00:00:00Z']],
      [['a', 'daily within 2d']],
      'the oldest of all does not lie within',
    ),
    rules(
      'tags',
      'T3.5',
      { tags: [['a', 'b'], ['c'], ['']] },
      [
        ['2026-03-01T08:00:00Z', ['a']],
        ['2026-03-02T08:00:00Z', ['b', 'x', 'a']],
        ['2026-03-03T08:00:00Z', ['c']],
        ['2026-03-04T08:00:00Z'],
      ],
      [
        ['d', 'has tags []'],
        ['c', 'has tags [c]'],
        ['b', 'has tags [a, b]'],
      ],
      'all of one list; the empty tag is none',
    ),
    rules(
      'nothing-would-be-left',
      'T3.8',
      { tags: [['keep']] },
      [['2026-03-01T08:00:00Z'], ['2026-03-02T08:00:00Z']],
      [['b'], ['a']],
      'no snapshot has the tag: all stay',
    ),
    rules(
      'protected',
      'T3.9',
      { daily: 2 },
      [
        ['2026-03-01T08:00:00Z', [], ['pinned']],
        ['2026-03-02T08:00:00Z'],
        ['2026-03-03T08:00:00Z', [], ['pinned']],
        ['2026-03-03T09:00:00Z'],
      ],
      [
        ['c', 'daily snapshot', 'pinned'],
        ['b', 'daily snapshot'],
        ['a', 'pinned'],
      ],
      'a pinned snapshot fills its day like any other',
    ),
    refused('no-rules', {}, 'no rule keeps anything'),
    refused('rules-of-nothing', { daily: 0, within: '0d', tags: [] }, 'no rule keeps anything'),
    refused('count-below-all', { daily: -2 }, 'whole number'),
    refused('count-not-whole', { daily: 1.5 }, 'whole number'),
    refused('within-weeks', { last: 1, within: '2w' }, 'a duration'),
    refused('list-of-no-tags', { last: 1, tags: [[]] }, 'a list of tags has none'),
  ]
}

function timeVectors(): Vector[] {
  const at = (incarnation: number, seq: number, n: number, claimed: string, seen: string) => {
    return { incarnation, seq, n, claimed: `2026-03-${claimed}:00Z`, seen: `2026-03-${seen}:00Z` }
  }
  const march = (...list: readonly string[]): string[] => list.map((one) => `2026-03-${one}:00.000Z`)
  return [
    times('time-believed', 'T2.1', [at(1, 1, 0, '01T08:00', '05T12:00')], march('01T08:00')),
    times('time-in-the-future', 'T2.1', [at(1, 1, 0, '09T08:00', '05T12:00')], march('05T12:00')),
    times(
      'time-before-the-one-before',
      'T2.1',
      [at(1, 1, 0, '03T08:00', '05T12:00'), at(1, 2, 0, '01T08:00', '05T12:00')],
      march('03T08:00', '03T08:00'),
    ),
    times(
      'time-over-incarnations',
      'T2.1',
      [at(2, 1, 0, '01T08:00', '06T12:00'), at(1, 9, 3, '03T08:00', '05T12:00')],
      march('03T08:00', '03T08:00'),
    ),
    times(
      'time-of-a-clock-that-went-back',
      'T2.1',
      [at(1, 1, 0, '04T08:00', '05T12:00'), at(1, 1, 1, '04T09:00', '02T12:00')],
      march('04T08:00', '02T12:00'),
    ),
    times(
      'time-after-one-forgotten',
      'T2.2',
      [{ ...at(1, 1, 0, '03T08:00', '05T12:00'), forgotten: true }, at(1, 2, 0, '01T08:00', '05T12:00')],
      march('03T08:00', '03T08:00'),
    ),
  ]
}

function durationVectors(): Vector[] {
  return [
    duration('duration', 'T4.2', '1y5m7d2h', '2026-08-20T10:00:00+02:00', '2025-03-13T06:00:00.000Z'),
    duration('duration-month-end', 'T4.2', '1m', '2026-03-31T10:00:00Z', '2026-03-03T10:00:00.000Z'),
    duration('duration-leap-year', 'T4.2', '1y', '2024-02-29T00:00:00Z', '2023-03-01T00:00:00.000Z'),
    duration(
      'duration-day-where-made',
      'T4.2',
      '1m',
      '2026-04-01T00:30:00+02:00',
      '2026-02-28T22:30:00.000Z',
    ),
    duration('duration-of-weeks', 'T4.1', '2w'),
    duration('duration-without-unit', 'T4.1', '7'),
    duration('duration-of-nothing', 'T4.1', ''),
    duration('duration-negative', 'T4.1', '-7d'),
    duration('duration-unit-twice', 'T4.1', '7d7d'),
    duration('duration-too-long', 'T4.1', '100000d'),
  ]
}

function suspicionVectors(): Vector[] {
  const mib = 1024 * 1024
  const share = (olderBytes: number, sharedBytes: number) => ({ olderBytes, sharedBytes })
  const rate = (...days: readonly number[]) => ({ days })
  const claimed = (claimed: string, seen: string, before?: string) => ({
    claimed,
    seen,
    before: before ?? null,
  })
  return [
    judged('share-little', 'T5.1', 'share', share(100 * mib, 39 * mib), { kind: 'changed', share: 0.39 }),
    judged('share-enough', 'T5.1', 'share', share(100 * mib, 40 * mib), null),
    judged('share-of-little', 'T5.1', 'share', share(32 * mib - 1, 0), null),
    judged('share-of-32-mib', 'T5.1', 'share', share(32 * mib, 0), { kind: 'changed', share: 0 }),
    judged('rate-flood', 'T5.2', 'rate', rate(26, 5, 5, 1), { kind: 'rate', count: 26, habit: 5 }),
    judged('rate-of-habit', 'T5.2', 'rate', rate(25, 5, 5, 1), null),
    judged('rate-of-24', 'T5.2', 'rate', rate(24, 1, 1, 1), null),
    judged('rate-without-habit', 'T5.2', 'rate', rate(100, 1, 1), null),
    judged('times-future', 'T5.3', 'at', claimed('2026-03-01T10:00:01Z', '2026-03-01T09:00:00Z'), {
      kind: 'future',
      byMs: 3_601_000,
    }),
    judged(
      'times-an-hour-ahead',
      'T5.3',
      'at',
      claimed('2026-03-01T10:00:00Z', '2026-03-01T09:00:00Z'),
      null,
    ),
    judged(
      'times-past',
      'T5.3',
      'at',
      claimed('2026-03-01T08:00:00Z', '2026-03-01T12:00:00Z', '2026-03-01T10:00:00Z'),
      { kind: 'past', byMs: 7_200_000 },
    ),
  ]
}

/** All vectors of retention. */
export function retentionVectors(): Vector[] {
  return [
    ...countVectors(),
    ...otherRuleVectors(),
    ...timeVectors(),
    ...durationVectors(),
    ...suspicionVectors(),
  ]
}
