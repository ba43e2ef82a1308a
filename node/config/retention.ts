/** What is kept, as the settings say it: the table `[retention]`, and that of a profile (spec/deletion.md §2). */

import { checkRules, isCellarError, type RetentionRules } from '../../protocol/index.ts'
import type { RetentionSettings } from '../deletion/retention-settings.ts'
import { isTable, type Place, REFUSED, type Refused, type ValueType } from './reading.ts'
import { type Fields, readTable, tableOf } from './table.ts'
import { kind, listOf, span, text } from './values.ts'

const hourMs = 3_600_000
const everyMsMax = 366 * 24 * hourMs

/** How many are kept; -1 stands for all. */
const keepCount = kind<number>({
  wants: 'a whole number, or -1 for all',
  schema: { type: 'integer', minimum: -1 },
  example: 7,
  parse: (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= -1 ? value : undefined,
})

const calendarSpan = kind<string>({
  wants: 'a time such as "30d" or "1y6m" (years, months, days, hours)',
  schema: { type: 'string', pattern: '^(?=[0-9])([0-9]{1,5}y)?([0-9]{1,5}m)?([0-9]{1,5}d)?([0-9]{1,5}h)?$' },
  example: '30d',
  parse: (value) =>
    typeof value === 'string' && /^(?=\d)(\d{1,5}y)?(\d{1,5}m)?(\d{1,5}d)?(\d{1,5}h)?$/.test(value)
      ? value
      : undefined,
})

/** Lists of tags, each written with commas: `["release,signed", "keep"]`. */
const tagLists: ValueType<readonly (readonly string[])[]> = {
  ...listOf(text),
  example: ['release', 'signed,tested'],
  read: (value, place) => {
    const lists = listOf(text).read(value, place)
    return lists === REFUSED ? REFUSED : lists.map((list) => list.split(','))
  },
  write: (lists) => lists.map((list) => list.join(',')),
  show: (lists) => lists.map((list) => list.join(',')),
}

type Period = 'hour' | 'day' | 'ISO week' | 'month' | 'year'

const counted = (key: string, period: Period) => ({
  key,
  type: keepCount,
  about: `Keep one of each of so many newest ${period}s that have snapshots.`,
  without: undefined,
})

const within = (key: string, period: Period) => ({
  key,
  type: calendarSpan,
  about: `Of those within this time before the newest, keep one of each ${period}.`,
  without: undefined,
})

/** The rules themselves, as `cellar forget` has them. */
const ruleFields: Fields<RetentionRules> = {
  last: { key: 'keep_last', type: keepCount, about: 'Keep so many newest, -1: all.', without: undefined },
  hourly: counted('keep_hourly', 'hour'),
  daily: counted('keep_daily', 'day'),
  weekly: counted('keep_weekly', 'ISO week'),
  monthly: counted('keep_monthly', 'month'),
  yearly: counted('keep_yearly', 'year'),
  within: {
    key: 'keep_within',
    type: calendarSpan,
    about: 'Keep all within this time before the newest.',
    without: undefined,
  },
  withinHourly: within('keep_within_hourly', 'hour'),
  withinDaily: within('keep_within_daily', 'day'),
  withinWeekly: within('keep_within_weekly', 'ISO week'),
  withinMonthly: within('keep_within_monthly', 'month'),
  withinYearly: within('keep_within_yearly', 'year'),
  tags: {
    key: 'keep_tags',
    type: tagLists,
    about: 'Keep those with all tags of one of these texts; tags are parted by commas.',
    without: undefined,
  },
}

/** Rules, how often they are applied, and to whom. */
interface RetentionTable extends RetentionRules {
  readonly everyMs: number
  readonly devices: readonly string[]
}

const retentionFields: Fields<RetentionTable> = {
  ...ruleFields,
  everyMs: {
    key: 'every',
    type: span(hourMs, everyMsMax),
    about: 'How often the rules are applied.',
    without: 24 * hourMs,
  },
  devices: {
    key: 'devices',
    type: listOf(text),
    about: 'Only to snapshots of these devices; without it to those of all members.',
    without: [],
    example: ['laptop'],
  },
}

const retentionTable = tableOf<RetentionTable>('[retention]', retentionFields)
const rulesTable = tableOf<RetentionRules>('[profile.NAME.retention]', ruleFields)

/** `[retention]`. */
export const retentionType: ValueType<RetentionSettings> & { readonly fields: Fields<RetentionTable> } = {
  ...retentionTable,
  get schema() {
    return retentionTable.schema
  },
  read: (value, place) => {
    if (!isTable(value)) return place.refuse(`must be ${retentionTable.wants}`)
    const table = readTable(retentionFields, value, place)
    if (table === REFUSED) return REFUSED
    const { everyMs, devices, ...given } = table
    const rules = checked(given, place)
    return rules === REFUSED ? REFUSED : { rules, everyMs, devices }
  },
  write: ({ rules, everyMs, devices }) => retentionTable.write({ ...rules, everyMs, devices }),
  show: ({ rules, everyMs, devices }) => retentionTable.show({ ...rules, everyMs, devices }),
}

/** The rules of one profile. */
export const rulesType: ValueType<RetentionRules> & { readonly fields: Fields<RetentionRules> } = {
  ...rulesTable,
  get schema() {
    return rulesTable.schema
  },
  read: (value, place) => {
    const table = rulesTable.read(value, place)
    return table === REFUSED ? REFUSED : checked(table, place)
  },
}

/** Only the rules that are given, if they keep anything. */
function checked(table: RetentionRules, place: Place): RetentionRules | Refused {
  const rules: RetentionRules = Object.fromEntries(
    Object.entries(table).filter(([, rule]) => rule !== undefined),
  )
  try {
    checkRules(rules)
  } catch (error) {
    if (!isCellarError(error)) throw error
    return place.refuse(`cannot be applied: ${error.message}`)
  }
  return rules
}
