/** Vectors of times, durations and suspicion (retention.md §2, §4, §5): what is expected is written by hand. */

import { toPlainJson, type Vector } from '../format.ts'

const NO_BODY = new Uint8Array(0)

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

function plausibleVectors(): Vector[] {
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
    times(
      'time-of-a-listing-with-three',
      'T2.3',
      [
        { ...at(1, 2, 1, '07T08:00', '07T12:00'), isOfListing: true },
        { ...at(1, 1, 0, '01T08:00', '01T12:00'), isOfListing: true },
        { ...at(1, 2, 0, '07T08:00', '07T12:00'), isOfListing: true },
        { ...at(1, 2, 2, '07T08:00', '07T12:00'), isOfListing: true },
      ],
      march('05T08:00', '01T08:00', '03T08:00', '07T08:00'),
    ),
    times(
      'time-of-a-first-listing-with-two',
      'T2.3',
      [
        { ...at(1, 1, 0, '07T08:00', '07T12:00'), isOfListing: true },
        { ...at(1, 1, 1, '07T08:00', '07T12:00'), isOfListing: true },
      ],
      march('07T08:00', '07T08:00'),
    ),
    times(
      'time-of-a-listing-in-the-future',
      'T2.3',
      [
        { ...at(1, 1, 0, '01T08:00', '01T12:00'), isOfListing: true },
        { ...at(1, 2, 0, '09T08:00', '04T08:00'), isOfListing: true },
        { ...at(1, 2, 1, '09T08:00', '04T08:00'), isOfListing: true },
      ],
      march('01T08:00', '02T20:00', '04T08:00'),
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

/** All vectors of what rules take times from. */
export function timeVectors(): Vector[] {
  return [...plausibleVectors(), ...durationVectors(), ...suspicionVectors()]
}
