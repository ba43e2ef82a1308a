import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parseCalendar } from '../../../../node/schedule/calendar.ts'
import {
  againAfterMs,
  attemptsMax,
  begun,
  dueMs,
  ended,
  isBrokenOff,
  notAhead,
  regularMs,
  shareOf,
  stopped,
  type TaskRecord,
} from '../../../../node/schedule/plan.ts'

const at = (text: string) => Date.parse(text)
const daily = parseCalendar('daily', 'UTC') ?? assert.fail()
const never = parseCalendar('off') ?? assert.fail()
const minuteMs = 60_000

describe('what is due', () => {
  it('is the next time after the last run began, with its jitter', () => {
    const record: TaskRecord = { sinceMs: at('2026-03-01T12:00:00Z'), attempts: 0 }
    const times = { calendar: daily, jitterMs: 60 * minuteMs, share: 0.5 }
    assert.equal(dueMs(record, times), at('2026-03-02T00:30:00Z'))
  })

  it('is one time, however many were missed', () => {
    const times = { calendar: daily, jitterMs: 0, share: 0 }
    const missed: TaskRecord = { sinceMs: at('2026-03-01T12:00:00Z'), attempts: 0 }
    const nowMs = at('2026-03-20T08:00:00Z')
    assert.equal(dueMs(missed, times), at('2026-03-02T00:00:00Z'))
    const done = ended(begun(missed, nowMs, true), nowMs + minuteMs, { outcome: 'done' })
    assert.equal(dueMs(done, times), at('2026-03-21T00:00:00Z'))
  })

  it('never lies so late that a run could be taken for that of the next time', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('*/5 * * * *', 'hourly', 'daily', 'weekly', '30 2 * * *'),
        fc.integer({ min: at('2026-01-01'), max: at('2028-01-01') }),
        fc.nat(10 * 86_400_000),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (text, sinceMs, jitterMs, share) => {
          const calendar = parseCalendar(text, 'Europe/Berlin') ?? assert.fail()
          const times = { calendar, jitterMs, share }
          const first = regularMs({ sinceMs, attempts: 0 }, times) ?? assert.fail()
          assert.ok(first > sinceMs)
          // Begun in time, the next one is that of the next time of the calendar.
          const second = regularMs({ sinceMs: first, attempts: 0 }, times) ?? assert.fail()
          const at1 = calendar.after(sinceMs) ?? assert.fail()
          const at2 = calendar.after(at1) ?? assert.fail()
          assert.ok(first >= at1 && first < at2 && second >= at2)
        },
      ),
    )
  })

  it('is never, for what is off, whatever happened before', () => {
    const failed: TaskRecord = { sinceMs: 5, beganMs: 5, endedMs: 6, outcome: 'failed', attempts: 1 }
    assert.equal(dueMs(failed, { calendar: never, jitterMs: 0, share: 0 }), undefined)
  })
})

describe('a run that failed', () => {
  const times = { calendar: daily, jitterMs: 0, share: 0 }

  it(`is tried again after an hour, ${String(attemptsMax - 1)} times, then at its next time`, () => {
    let nowMs = at('2026-03-02T00:00:00Z')
    let record = begun({ sinceMs: nowMs - minuteMs, attempts: 0 }, nowMs, true)
    for (let attempt = 1; attempt < attemptsMax; attempt++) {
      nowMs += minuteMs
      record = ended(record, nowMs, { outcome: 'failed', code: 'STORE_FULL', message: 'the disk is full' })
      assert.equal(dueMs(record, times), nowMs + againAfterMs)
      nowMs += againAfterMs
      record = begun(record, nowMs, false)
    }
    record = ended(record, nowMs, { outcome: 'failed' })
    assert.equal(dueMs(record, times), at('2026-03-03T00:00:00Z'))
    // A regular time begins to count anew.
    record = ended(begun(record, at('2026-03-03T00:00:00Z'), true), at('2026-03-03T00:01:00Z'), {
      outcome: 'failed',
    })
    assert.equal(dueMs(record, times), at('2026-03-03T01:01:00Z'))
  })

  it('does not wait longer than for its next time', () => {
    const hourly = { ...times, calendar: parseCalendar('*/10 * * * *', 'UTC') ?? assert.fail() }
    const record = ended(
      begun({ sinceMs: 0, attempts: 0 }, at('2026-03-02T00:00:00Z'), true),
      at('2026-03-02T00:01:00Z'),
      {
        outcome: 'failed',
      },
    )
    assert.equal(dueMs(record, hourly), at('2026-03-02T00:10:00Z'))
  })

  it('remembers when it last went well', () => {
    const good = ended(begun({ sinceMs: 0, attempts: 0 }, 10, true), 20, {
      outcome: 'partly',
      message: 'one source',
    })
    const bad = ended(begun(good, 30, true), 40, { outcome: 'failed', message: 'the disk is full' })
    assert.equal(bad.successMs, 20)
    assert.equal(good.attempts, 0)
    assert.equal(begun(bad, 50, true).message, undefined)
  })
})

describe('a run that broke off', () => {
  const times = { calendar: daily, jitterMs: 0, share: 0 }

  it('is due at once, as long as it does not break the node each time', () => {
    const nowMs = at('2026-03-02T00:00:00Z')
    let record = begun({ sinceMs: nowMs - minuteMs, attempts: 0 }, nowMs, true)
    for (let attempt = 1; attempt < attemptsMax; attempt++) {
      assert.ok(isBrokenOff(record))
      assert.equal(dueMs(record, times), nowMs)
      record = begun(record, nowMs, false)
    }
    assert.equal(dueMs(record, times), at('2026-03-03T00:00:00Z'))
  })

  it('does not count when the node was stopped, however often', () => {
    const nowMs = at('2026-03-02T00:00:00Z')
    let record = begun({ sinceMs: nowMs - minuteMs, attempts: 0 }, nowMs, true)
    for (let i = 0; i < 20; i++) {
      record = stopped(record)
      assert.equal(dueMs(record, times), nowMs)
      record = begun(record, nowMs, false)
    }
  })
})

describe('a clock', () => {
  it('that was wrong and is set back does not put anything off', () => {
    const nowMs = at('2026-03-02T12:00:00Z')
    const record = notAhead({ sinceMs: at('2035-01-01T00:00:00Z'), attempts: 0 }, nowMs)
    assert.equal(dueMs(record, { calendar: daily, jitterMs: 0, share: 0 }), at('2026-03-03T00:00:00Z'))
    const right: TaskRecord = { sinceMs: nowMs, attempts: 0 }
    assert.equal(notAhead(right, nowMs), right)
  })
})

describe('the share of the jitter', () => {
  it('is always the same for a task of a device, and spread over devices', () => {
    assert.equal(shareOf('12D3KooWlaptop', 'check'), shareOf('12D3KooWlaptop', 'check'))
    const shares = Array.from({ length: 1000 }, (_, i) => shareOf(`12D3KooW${String(i)}`, 'check'))
    assert.ok(shares.every((share) => share >= 0 && share < 1))
    for (let tenth = 0; tenth < 10; tenth++) {
      const many = shares.filter((share) => Math.floor(share * 10) === tenth).length
      assert.ok(many > 60 && many < 140, `${String(many)} of 1000 in tenth ${String(tenth)}`)
    }
  })
})
