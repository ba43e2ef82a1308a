/** The text of settings, for a file that a person will edit. Pure. */

import { stringify } from 'smol-toml'
import { CONFIG_DEFAULT } from './defaults.ts'
import type { Field } from './table.ts'
import { rootFields } from './tables.ts'
import type { Config } from './types.ts'

const TITLE = `# Settings of this device. After a change: cellar config check, then cellar config reload (some wait for a restart).
# A line that begins with # says what holds without it. All settings: cellar config schema, and docs/config.md.
`

/** What a person opens a new file for, most of all. */
const PROFILE = `
# What is backed up, and when:
#
# [profile.default]
# sources = ["~/Documents"]
# schedule = "daily"
`

/** Settings that most people will look for, shown with their defaults in a new file. */
const SHOWN: ReadonlySet<keyof Config> = new Set([
  'listen',
  'mdns',
  'peers',
  'holdWindowMs',
  'floorAgeMs',
  'floorNewest',
  'silentAfterMs',
  'logLevel',
])

/** A file that reads as these settings: what is as without it stands there as a remark, or not at all. */
export function formatConfig(config: Config): string {
  const lines: string[] = []
  const tables: Record<string, unknown> = {}
  for (const [property, field] of Object.entries<Field<unknown>>(rootFields)) {
    const key = property as keyof Config
    const isDefault = JSON.stringify(config[key]) === JSON.stringify(CONFIG_DEFAULT[key])
    if (config[key] === undefined) continue
    const value = field.type.write(config[key])
    if (!isDefault && isOfTables(value)) tables[field.key] = value
    else if (!isDefault) lines.push(pair(field.key, value))
    else if (SHOWN.has(key)) lines.push(`# ${pair(field.key, value)}`)
  }
  const rest = Object.keys(tables).length === 0 ? '' : `\n${stringify(tables)}\n`
  const example = config.profiles.length === 0 ? PROFILE : ''
  return `${TITLE}\n${lines.join('\n')}\n${rest}${example}`
}

/** `key = value` on one line. */
export function pair(key: string, value: unknown): string {
  return `${keyText(key)} = ${inline(value)}`
}

/** A key as TOML wants it, in quotes where it must be. */
export function keyText(key: string): string {
  return /^[A-Za-z0-9_-]+$/.test(key) ? key : inline(key)
}

/** A value on one line: tables in braces. */
export function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([key, item]) => pair(key, item))
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
  }
  return stringify({ it: value }).trim().slice('it = '.length)
}

/** A table, or a list of such: it goes below all that is none. */
export function isOfTables(value: unknown): boolean {
  if (Array.isArray(value)) return value.length > 0 && value.every(isOfTables)
  return typeof value === 'object' && value !== null
}
