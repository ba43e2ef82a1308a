/** Lengths of calendar time, as `--keep-within` takes them: `1y5m7d2h` (retention.md §4). */

/** Calendar units, none negative; months and years are as long as the calendar makes them. */
export interface Duration {
  readonly years: number
  readonly months: number
  readonly days: number
  readonly hours: number
}

const FORM = /^(?=\d)(?:(\d{1,5})y)?(?:(\d{1,5})m)?(?:(\d{1,5})d)?(?:(\d{1,5})h)?$/

/** Reads years, months, days and hours, each at most once and in this order. @returns undefined where it is not one */
export function parseDuration(text: string): Duration | undefined {
  const match = FORM.exec(text)
  if (match === null) return undefined
  const [years, months, days, hours] = match.slice(1).map((digits: string | undefined) => Number(digits ?? 0))
  return { years: years ?? 0, months: months ?? 0, days: days ?? 0, hours: hours ?? 0 }
}

/** Says whether it is no time at all. */
export function isNoDuration({ years, months, days, hours }: Duration): boolean {
  return years === 0 && months === 0 && days === 0 && hours === 0
}

/** The shortest text that {@link parseDuration} reads as this; `0h` for none. */
export function formatDuration(duration: Duration): string {
  const { years, months, days, hours } = duration
  const parts = [`${String(years)}y`, `${String(months)}m`, `${String(days)}d`, `${String(hours)}h`]
  return parts.filter((part) => !/^0\w/.test(part)).join('') || '0h'
}

/**
 * The time that lies a duration before another, by the calendar of the place where that one was told (T4.2): a month
 * before 31 March 10:00 is 3 March 10:00 (31 February, counted on), as restic has it. Hours are taken off last.
 *
 * @param timeMs - milliseconds since 1970
 * @param offsetMinutes - of that place, east of Greenwich positive
 * @returns milliseconds since 1970; −Infinity where no calendar reaches
 */
export function timeBefore(timeMs: number, offsetMinutes: number, duration: Duration): number {
  const local = new Date(timeMs + offsetMinutes * 60_000)
  local.setUTCFullYear(
    local.getUTCFullYear() - duration.years,
    local.getUTCMonth() - duration.months,
    local.getUTCDate() - duration.days,
  )
  const before = local.getTime() - offsetMinutes * 60_000 - duration.hours * 3_600_000
  return Number.isNaN(before) ? Number.NEGATIVE_INFINITY : before
}
