/** The `[retention]` table of the settings: what is kept, of whom, and how often (spec/deletion.md §2). */

import type { RetentionRules } from '../api-deletion.ts'

/** How a node keeps house by itself. */
export interface RetentionSettings {
  readonly rules: RetentionRules
  /** Between two rounds, milliseconds: an hour .. 366 days. */
  readonly everyMs: number
  /** Names of devices, or ids; empty: all members. */
  readonly devices: readonly string[]
}

const COUNTS = [
  'last',
  'hourly',
  'daily',
  'weekly',
  'monthly',
  'yearly',
] as const satisfies (keyof RetentionRules)[]

const WITHIN = {
  withinHourly: 'hourly',
  withinDaily: 'daily',
  withinWeekly: 'weekly',
  withinMonthly: 'monthly',
  withinYearly: 'yearly',
} as const satisfies Partial<Record<keyof RetentionRules, string>>

/** What is kept, for a person: `7 daily, 4 weekly, all within 30d, hourly within 2d`. */
export function rulesInWords(rules: RetentionRules): string {
  const counts = COUNTS.flatMap((name) => {
    const count = rules[name]
    return count === undefined ? [] : [`${count === -1 ? 'all' : String(count)} ${name}`]
  })
  const within = rules.within === undefined ? [] : [`all within ${rules.within}`]
  const thinned = Object.entries(WITHIN).flatMap(([rule, words]) => {
    const span = rules[rule as keyof typeof WITHIN]
    return span === undefined ? [] : [`${words} within ${span}`]
  })
  const tags = (rules.tags ?? []).map((list) => `all with tag ${list.join(' and ')}`)
  return [...counts, ...within, ...thinned, ...tags].join(', ')
}
