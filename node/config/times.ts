/** Kinds of values that name times: when something is due, hours of the day, days of the week. */

import { CALENDAR_WORDS, parseCalendar } from '../schedule/calendar.ts'
import type { ValueType } from './reading.ts'
import { type CalendarText, type Weekday, WEEKDAYS } from './types.ts'
import { kind } from './values.ts'

const WORDS = ['off', ...Object.keys(CALENDAR_WORDS)]

/** When something is due; see {@link CalendarText}. */
export const calendar: ValueType<CalendarText> = kind<CalendarText>({
  wants: `${WORDS.join(', ')}, or the five fields of cron (minute, hour, day of the month, month, day of the week) such as "30 3 * * *"`,
  schema: {
    type: 'string',
    pattern: `^(${WORDS.join('|')}|[0-9A-Za-z_*,/?#-]+( +[0-9A-Za-z_*,/?#-]+){4,5})$`,
  },
  example: 'daily',
  parse: (value) => (typeof value === 'string' && parseCalendar(value) !== undefined ? value : undefined),
})

/** An hour of the day. @returns minutes since midnight, 0 .. 1440 */
export const clockTime: ValueType<number> = kind<number>({
  wants: 'an hour of the day such as "08:00", "24:00" at most',
  schema: { type: 'string', pattern: '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$' },
  example: '08:00',
  parse: (value) => {
    const match = typeof value === 'string' ? /^(\d\d):([0-5]\d)$/.exec(value) : null
    const minutes = Number(match?.[1]) * 60 + Number(match?.[2])
    return minutes <= 24 * 60 ? minutes : undefined
  },
  write: (minutes) =>
    [Math.floor(minutes / 60), minutes % 60].map((it) => String(it).padStart(2, '0')).join(':'),
})

/** From Monday on, as people count. */
const WEEK: readonly Weekday[] = [...WEEKDAYS.slice(1), 'sun']

/** Days of the week: `mon..fri`, `sat,sun`. @returns in the order of the week */
export const weekdays: ValueType<readonly Weekday[]> = kind<readonly Weekday[]>({
  wants: 'days of the week such as "mon..fri" or "sat,sun"',
  schema: { type: 'string', pattern: `^(${dayPattern()})(,(${dayPattern()}))*$` },
  example: 'mon..fri',
  parse: (value) => {
    if (typeof value !== 'string') return undefined
    const found = value.split(',').map((part) => daysIn(part.trim()))
    const days = new Set(found.flatMap((part) => part ?? []))
    return found.includes(undefined) ? undefined : WEEK.filter((day) => days.has(day))
  },
  write: (days) => days.join(','),
})

function dayPattern(): string {
  const day = `(${WEEK.join('|')})`
  return ` *${day}(\\.\\.${day})? *`
}

/** `mon..fri`, `fri..mon`, `sat`. */
function daysIn(part: string): readonly Weekday[] | undefined {
  const [first, last, ...more] = part.split('..')
  const from = WEEK.findIndex((day) => day === first)
  const to = last === undefined ? from : WEEK.findIndex((day) => day === last)
  if (from < 0 || to < 0 || more.length > 0) return undefined
  const count = ((to - from + WEEK.length) % WEEK.length) + 1
  return [...WEEK, ...WEEK].slice(from, from + count)
}
