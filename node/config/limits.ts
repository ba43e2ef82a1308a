/** How fast chunks may move at a given time of day. Pure: the time is handed in. */

import type { RateLimits } from '../replication/rate.ts'
import { type Config, type LimitRule, WEEKDAYS } from './types.ts'

const kib = 1024
const dayMinutes = 24 * 60

/** A moment by the local clock of the machine. */
export interface LocalMoment {
  /** 0 .. 6 from Sunday on. */
  readonly day: number
  /** 0 .. 1439 since midnight. */
  readonly minute: number
}

/** What the local clock shows. @param nowMs - milliseconds since 1970 */
export function localMoment(nowMs: number): LocalMoment {
  const date = new Date(nowMs)
  return { day: date.getDay(), minute: date.getHours() * 60 + date.getMinutes() }
}

/** The limits that hold at a moment: those of the first rule that fits, else those that always hold. */
export function limitsAt(config: Config, moment: LocalMoment): RateLimits {
  const rule = config.limits.find((one) => fits(one, moment))
  const upload = rule?.upload ?? config.limitUpload
  const download = rule?.download ?? config.limitDownload
  return {
    ...(typeof upload === 'number' && { uploadBytesPerSecond: upload * kib }),
    ...(typeof download === 'number' && { downloadBytesPerSecond: download * kib }),
  }
}

/** Says whether a rule holds at a moment. One that goes past midnight belongs to the day on which it begins. */
function fits({ fromMinute, toMinute, days }: LimitRule, { day, minute }: LocalMoment): boolean {
  const lasts = toMinute > fromMinute ? toMinute - fromMinute : toMinute - fromMinute + dayMinutes
  const isToday = minute >= fromMinute && minute < fromMinute + lasts
  const isFromYesterday = minute + dayMinutes < fromMinute + lasts
  const yesterday = (day + WEEKDAYS.length - 1) % WEEKDAYS.length
  return (isToday && includes(days, day)) || (isFromYesterday && includes(days, yesterday))
}

function includes(days: LimitRule['days'], day: number): boolean {
  const name = WEEKDAYS[day]
  return name !== undefined && days.includes(name)
}
