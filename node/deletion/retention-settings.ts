/** The `[retention]` table of the settings: what is kept, of whom, and how often (spec/deletion.md §2). */

import { CellarError, checkRules, isCellarError } from '../../protocol/index.ts'
import type { RetentionRules } from '../api.ts'
import { formatSpan, parseSpan } from './time-span.ts'

/** How a node keeps house by itself. */
export interface RetentionSettings {
  readonly rules: RetentionRules
  /** Between two rounds, milliseconds: an hour .. 366 days. */
  readonly everyMs: number
  /** Names of devices, or ids; empty: all members. */
  readonly devices: readonly string[]
}

const hourMs = 3_600_000
const everyMsMax = 366 * 24 * hourMs

const COUNTS = {
  keep_last: 'last',
  keep_hourly: 'hourly',
  keep_daily: 'daily',
  keep_weekly: 'weekly',
  keep_monthly: 'monthly',
  keep_yearly: 'yearly',
} as const satisfies Record<string, keyof RetentionRules>

type CountRule = (typeof COUNTS)[keyof typeof COUNTS]

const KEYS = [...Object.keys(COUNTS), 'keep_within', 'keep_tags', 'every', 'devices']

/** Complains of one key of the table. */
type Complain = (key: string, what: string) => Error

/**
 * Reads the table.
 *
 * @param value - as TOML had it; undefined when the file has no such table: then nothing is forgotten by itself
 * @param path - of the file, for messages
 * @throws {CellarError} `CONFIG_INVALID`, naming the key; also when no rule keeps anything
 */
export function parseRetention(value: unknown, path: string): RetentionSettings | undefined {
  if (value === undefined) return undefined
  const complain: Complain = (key, what) => {
    const name = key === '' ? 'retention' : `retention.${key}`
    return new CellarError('CONFIG_INVALID', `${path}: "${name}" ${what}`, { path, key: name })
  }
  if (!isTable(value)) throw complain('', 'must be a table: write [retention], and its keys below it')
  for (const key of Object.keys(value)) {
    if (!KEYS.includes(key)) throw complain(key, `is not a setting (there are ${KEYS.join(', ')})`)
  }
  const within = oneText(value, 'keep_within', complain)
  const tags = texts(value, 'keep_tags', complain)?.map((list) => list.split(','))
  const rules: RetentionRules = {
    ...countsOf(value, complain),
    ...(within !== undefined && { within }),
    ...(tags !== undefined && { tags }),
  }
  try {
    checkRules(rules)
  } catch (error) {
    if (!isCellarError(error)) throw error
    throw complain('', `cannot be applied: ${error.message}`)
  }
  return { rules, everyMs: everyOf(value, complain), devices: texts(value, 'devices', complain) ?? [] }
}

/** The table that reads back as these settings. */
export function retentionTable({ rules, everyMs, devices }: RetentionSettings): Record<string, unknown> {
  const table: Record<string, unknown> = {}
  for (const [key, name] of Object.entries(COUNTS)) if (rules[name] !== undefined) table[key] = rules[name]
  if (rules.within !== undefined) table['keep_within'] = rules.within
  if (rules.tags !== undefined) table['keep_tags'] = rules.tags.map((list) => list.join(','))
  table['every'] = formatSpan(everyMs)
  if (devices.length > 0) table['devices'] = devices
  return table
}

/** What is kept, for a person: `7 daily, 4 weekly, within 30d`. */
export function rulesInWords(rules: RetentionRules): string {
  const counts = Object.values(COUNTS).flatMap((name) => {
    const count = rules[name]
    return count === undefined ? [] : [`${count === -1 ? 'all' : String(count)} ${name}`]
  })
  const within = rules.within === undefined ? [] : [`all within ${rules.within}`]
  const tags = (rules.tags ?? []).map((list) => `all with tag ${list.join(' and ')}`)
  return [...counts, ...within, ...tags].join(', ')
}

function countsOf(table: Record<string, unknown>, complain: Complain): RetentionRules {
  const counts: Partial<Record<CountRule, number>> = {}
  for (const [key, name] of Object.entries(COUNTS)) {
    const count = table[key]
    if (count === undefined) continue
    if (typeof count !== 'number' || !Number.isSafeInteger(count) || count < -1)
      throw complain(key, 'must be a whole number, or -1 for all')
    counts[name] = count
  }
  return counts
}

function everyOf(table: Record<string, unknown>, complain: Complain): number {
  const ms = parseSpan(oneText(table, 'every', complain) ?? '1d')
  if (ms === undefined || ms < hourMs || ms > everyMsMax)
    throw complain('every', 'must be a time such as "1d" or "12h", an hour at least')
  return ms
}

function oneText(table: Record<string, unknown>, key: string, complain: Complain): string | undefined {
  const value = table[key]
  if (value === undefined || typeof value === 'string') return value
  throw complain(key, 'must be a text in quotes')
}

function texts(table: Record<string, unknown>, key: string, complain: Complain): string[] | undefined {
  const value = table[key]
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.every((item): item is string => typeof item === 'string')) return value
  throw complain(key, 'must be a list of texts in quotes')
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}
