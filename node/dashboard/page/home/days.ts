/** On which of the last days each device made snapshots. Pure. */

/** So many days are shown, today the last. */
export const daysShown = 60

const dayMs = 86_400_000

/** When one snapshot was made, and by whom. */
export interface Made {
  readonly device: string
  /** RFC 3339. */
  readonly time: string
}

/** Snapshots a day, the oldest day first; of devices that made none in this time nothing. */
export type Days = ReadonlyMap<string, readonly number[]>

/**
 * Counts.
 *
 * @param startOfToday - by the clock of this machine, milliseconds
 */
export function countDays(made: readonly Made[], startOfToday: number): Days {
  const days = new Map<string, number[]>()
  for (const { device, time } of made) {
    // A day of 23 or 25 hours is one day all the same: to the nearest.
    const back = Math.ceil((startOfToday - Date.parse(time)) / dayMs)
    if (Number.isNaN(back) || back >= daysShown) continue
    const counts = days.get(device) ?? new Array<number>(daysShown).fill(0)
    const at = daysShown - 1 - Math.max(0, back)
    counts[at] = (counts[at] ?? 0) + 1
    days.set(device, counts)
  }
  return days
}

/** The strip in words: `snapshots on 41 of 60 days, none in the last 3`. */
export function daysText(counts: readonly number[] | undefined): string {
  if (counts === undefined) return `no snapshot in ${String(daysShown)} days`
  const days = counts.filter((count) => count > 0).length
  const since = counts.length - 1 - counts.findLastIndex((count) => count > 0)
  const end =
    since === 0 ? 'today too' : since === 1 ? 'the last one yesterday' : `none in the last ${String(since)}`
  return `snapshots on ${String(days)} of ${String(counts.length)} days, ${end}`
}

/** The day that stands so far from the end of a strip. */
export function dayOf(at: number, startOfToday: number): Date {
  const day = new Date(startOfToday)
  day.setDate(day.getDate() - (daysShown - 1 - at))
  return day
}
