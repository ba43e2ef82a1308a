/** Vectors of retention (retention.md): what is expected is written by hand. */

import { toPlainJson, type Vector } from '../format.ts'
import { timeVectors } from './retention-times.ts'

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

/** All vectors of retention. */
export function retentionVectors(): Vector[] {
  return [...countVectors(), ...otherRuleVectors(), ...timeVectors()]
}
