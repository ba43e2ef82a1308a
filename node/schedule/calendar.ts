/** Calendar expressions: when something is due, by the local clock (spec/schedule.md §2). */

import { Cron } from 'croner'

/** The times at which something is due. */
export interface Calendar {
  /** The first such time after a moment, milliseconds since 1970; undefined: never again. */
  after(ms: number): number | undefined
}

/** Words, and what cron calls them. A machine that is off or asleep then does it once it is awake. */
export const CALENDAR_WORDS = {
  hourly: '0 * * * *',
  daily: '0 0 * * *',
  weekly: '0 0 * * 1',
  monthly: '0 0 1 * *',
  yearly: '0 0 1 1 *',
} as const

const NEVER: Calendar = { after: () => undefined }

/** Five fields, or six with seconds first; neither dates nor the names that cron begins with @. */
const FIELDS = /^[\w*,/?#-]+( +[\w*,/?#-]+){4,5}$/

/**
 * Reads a calendar expression: a word, `off`, or cron with five fields (minute, hour, day of the month, month, day of
 * the week), or six, with seconds before them. Where both days are given, either of them counts, as in cron. A time
 * that the clock leaps over in spring comes right after the leap; one that it has twice in autumn comes once, if the
 * expression names an hour.
 *
 * @param timeZone - IANA name; the machine's own where it is left out
 * @returns undefined when it cannot be understood, or names a day that never comes
 */
export function parseCalendar(text: string, timeZone?: string): Calendar | undefined {
  if (text === 'off') return NEVER
  const fields = Object.hasOwn(CALENDAR_WORDS, text)
    ? CALENDAR_WORDS[text as keyof typeof CALENDAR_WORDS]
    : text
  if (!FIELDS.test(fields)) return undefined
  let cron: Cron
  try {
    cron = new Cron(fields, { paused: true, ...(timeZone !== undefined && { timezone: timeZone }) })
  } catch {
    return undefined // what is wrong stands in the message of whoever asked: it knows file and line
  }
  const after = (ms: number) => cron.nextRun(new Date(ms))?.getTime()
  return after(0) === undefined ? undefined : { after }
}
