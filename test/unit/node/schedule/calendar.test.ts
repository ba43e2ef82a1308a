import assert from 'node:assert/strict'
import fc from 'fast-check'
import { CALENDAR_WORDS, parseCalendar } from '../../../../node/schedule/calendar.ts'

const dayMs = 86_400_000

/** The first times of an expression in a time zone, as that place writes them. */
function times(text: string, zone: string, from: string, many: number): string[] {
  const calendar = parseCalendar(text, zone)
  assert.ok(calendar !== undefined, text)
  const found: string[] = []
  let ms = Date.parse(from)
  for (let i = 0; i < many; i++) {
    const next = calendar.after(ms)
    assert.ok(next !== undefined)
    found.push(new Date(next).toLocaleString('sv', { timeZone: zone }).slice(0, 16) + offsetAt(next, zone))
    ms = next
  }
  return found
}

function offsetAt(ms: number, zone: string): string {
  const parts = new Intl.DateTimeFormat('en', { timeZone: zone, timeZoneName: 'longOffset' }).formatToParts(
    ms,
  )
  const offset = parts.find(({ type }) => type === 'timeZoneName')?.value.replace('GMT', '') ?? ''
  return offset === '+00:00' ? '' : offset
}

describe('a calendar expression', () => {
  it('is a word, for times that begin something', () => {
    assert.deepEqual(times('daily', 'UTC', '2026-03-01T12:00:00Z', 2), [
      '2026-03-02 00:00',
      '2026-03-03 00:00',
    ])
    assert.deepEqual(times('hourly', 'UTC', '2026-03-01T12:00:00Z', 2), [
      '2026-03-01 13:00',
      '2026-03-01 14:00',
    ])
    assert.deepEqual(times('weekly', 'UTC', '2026-03-01T12:00:00Z', 2), [
      '2026-03-02 00:00',
      '2026-03-09 00:00',
    ])
    assert.deepEqual(times('monthly', 'UTC', '2026-03-01T12:00:00Z', 2), [
      '2026-04-01 00:00',
      '2026-05-01 00:00',
    ])
    assert.deepEqual(times('yearly', 'UTC', '2026-03-01T12:00:00Z', 2), [
      '2027-01-01 00:00',
      '2028-01-01 00:00',
    ])
  })

  it('is cron with five fields, or six with seconds', () => {
    assert.deepEqual(times('30 3 * * mon-fri', 'UTC', '2026-03-06T12:00:00Z', 1), ['2026-03-09 03:30'])
    assert.deepEqual(times('0 */4 * * *', 'UTC', '2026-03-06T12:00:00Z', 1), ['2026-03-06 16:00'])
    const calendar = parseCalendar('*/5 * * * * *', 'UTC')
    assert.equal(calendar?.after(Date.parse('2026-03-06T12:00:01Z')), Date.parse('2026-03-06T12:00:05Z'))
  })

  it('counts either day where both are given, as cron does', () => {
    assert.deepEqual(times('0 0 13 * fri', 'UTC', '2026-03-01T00:00:00Z', 3), [
      '2026-03-06 00:00',
      '2026-03-13 00:00',
      '2026-03-20 00:00',
    ])
  })

  it('is never due when it is off', () => {
    assert.equal(parseCalendar('off')?.after(0), undefined)
  })

  it('is nothing else, and names days that come (J2.2)', () => {
    for (const text of [
      '',
      'often',
      'Daily',
      '@daily',
      '* * *',
      '* * * *',
      '61 * * * *',
      '* * * * * * *',
      '0 0 31 2 *',
      '2026-03-01T00:00:00',
      'hourly daily',
      'toString',
      '*\n* * * *',
    ])
      assert.equal(parseCalendar(text), undefined, JSON.stringify(text))
  })

  it('comes once when the clock leaps over it in spring, right after the leap (J2.1)', () => {
    assert.deepEqual(times('30 2 * * *', 'Europe/Berlin', '2026-03-27T12:00:00Z', 3), [
      '2026-03-28 02:30+01:00',
      '2026-03-29 03:30+02:00',
      '2026-03-30 02:30+02:00',
    ])
  })

  it('comes once when the clock has its hour twice in autumn', () => {
    assert.deepEqual(times('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 2), [
      '2026-10-25 02:30+02:00',
      '2026-10-26 02:30+01:00',
    ])
  })

  it('comes every day of a year at midnight, where midnight itself is leapt over too', () => {
    // Clocks of Santiago leap from 24:00 to 01:00.
    for (const zone of [
      'UTC',
      'Europe/Berlin',
      'America/New_York',
      'America/Santiago',
      'Australia/Lord_Howe',
    ]) {
      const calendar = parseCalendar('daily', zone)
      let ms = Date.parse('2026-01-01T12:00:00Z')
      const days = new Set<string>()
      for (let i = 0; i < 365; i++) {
        const next = calendar?.after(ms) ?? Number.NaN
        assert.ok(next - ms <= 25 * 3_600_000 + 12 * 3_600_000, `${zone}: ${new Date(next).toISOString()}`)
        days.add(new Date(next).toLocaleDateString('sv', { timeZone: zone }))
        ms = next
      }
      assert.equal(days.size, 365, zone)
    }
  })

  it('always goes forward, and gives the same time from anywhere before it', () => {
    const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kolkata')
    const texts = fc.constantFrom(
      ...Object.keys(CALENDAR_WORDS),
      '30 2 * * *',
      '*/30 * * * *',
      '15 1 * * sun',
    )
    const moments = fc.integer({ min: Date.parse('2024-01-01'), max: Date.parse('2030-01-01') })
    fc.assert(
      fc.property(zones, texts, moments, fc.nat(dayMs), (zone, text, ms, later) => {
        const calendar = parseCalendar(text, zone)
        const next = calendar?.after(ms) ?? Number.NaN
        assert.ok(next > ms)
        if (ms + later < next) assert.equal(calendar?.after(ms + later), next)
      }),
      { numRuns: 60 },
    )
  })
})
