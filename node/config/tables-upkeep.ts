/** The tables of settings for what a node does by itself and how fast: `limits`, `[schedule]`, `[scrub]`, `[drill]`. */

import { CONFIG_DEFAULT } from './defaults.ts'
import { type Fields, tableOf } from './table.ts'
import { calendar, clockTime, weekdays } from './times.ts'
import { type DrillConfig, type LimitRule, type ScheduleConfig, type ScrubConfig, WEEKDAYS } from './types.ts'
import { number, orNone, rate, rateOrNone, size, whole } from './values.ts'

const limitFields: Fields<LimitRule> = {
  fromMinute: {
    key: 'from',
    type: clockTime,
    about: 'When it begins.',
    without: 0,
    example: '08:00',
  },
  toMinute: {
    key: 'to',
    type: clockTime,
    about: 'When it ends; an hour before `from` is one of the next day.',
    without: 24 * 60,
    example: '22:00',
  },
  days: {
    key: 'days',
    type: weekdays,
    about: 'On which days it begins.',
    without: [...WEEKDAYS.slice(1), 'sun'],
    example: 'mon..fri',
  },
  upload: {
    key: 'upload',
    type: rateOrNone,
    about: 'KiB a second for chunks sent, or `"none"`: as fast as it goes. Without it `limit_upload` counts.',
    without: undefined,
    example: 500,
  },
  download: {
    key: 'download',
    type: rateOrNone,
    about: 'The same for chunks received.',
    without: undefined,
    example: 2000,
  },
}

const scheduleFields: Fields<ScheduleConfig> = {
  check: {
    key: 'check',
    type: calendar,
    about: 'When to check that everything that should be in the store is there.',
    without: CONFIG_DEFAULT.schedule.check,
  },
  scrub: {
    key: 'scrub',
    type: calendar,
    about: 'When to read a part of the store, to find rot; how much, `[scrub]` says.',
    without: CONFIG_DEFAULT.schedule.scrub,
  },
  drill: {
    key: 'drill',
    type: calendar,
    about: 'When to restore a sample from another device and compare it; how much, `[drill]` says.',
    without: CONFIG_DEFAULT.schedule.drill,
  },
  retention: {
    key: 'retention',
    type: orNone(calendar),
    about: 'When to apply `[retention]`. Without it: as often as `retention.every` says.',
    without: CONFIG_DEFAULT.schedule.retention,
    example: '0 4 * * *',
  },
}

const scrubFields: Fields<ScrubConfig> = {
  percentPerDay: {
    key: 'percent_per_day',
    type: number(0.1, 100),
    about: 'How much of the store is read for each day that went by.',
    without: CONFIG_DEFAULT.scrub.percentPerDay,
  },
  limit: {
    key: 'limit',
    type: orNone(rate),
    about: 'Read at most so many KiB a second.',
    without: CONFIG_DEFAULT.scrub.limit,
  },
}

const drillFields: Fields<DrillConfig> = {
  files: {
    key: 'files',
    type: whole(1, 100_000),
    about: 'Restore at most so many files.',
    without: CONFIG_DEFAULT.drill.files,
  },
  bytes: {
    key: 'bytes',
    type: size,
    about: 'Restore at most so much.',
    without: CONFIG_DEFAULT.drill.bytes,
  },
}

/** One of `limits`. */
export const limitTable = tableOf<LimitRule>('{ from = …, to = … }', limitFields)
/** `[schedule]`. */
export const scheduleTable = tableOf<ScheduleConfig>('[schedule]', scheduleFields)
/** `[scrub]`. */
export const scrubTable = tableOf<ScrubConfig>('[scrub]', scrubFields)
/** `[drill]`. */
export const drillTable = tableOf<DrillConfig>('[drill]', drillFields)
