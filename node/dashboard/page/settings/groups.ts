/** Settings in the order in which people look for them, with the words of the page. Pure. */

import type { SettingInForce } from '../../../api.ts'

/** Settings that belong together. */
export interface Group {
  readonly title: string
  /** Of a profile, what it is called. */
  readonly hint?: string | undefined
  readonly settings: readonly SettingInForce[]
}

const TITLES: readonly (readonly [title: string, keys: readonly string[], hint?: string])[] = [
  ['How long things are kept', ['hold_window', 'floor_age', 'floor_newest', 'retention']],
  ['What the node does by itself', ['schedule', 'scrub', 'drill']],
  ['How fast', ['limit_upload', 'limit_download', 'limits']],
  ['Who is told', ['silent_after', 'silence', 'hook', 'email', 'status_file', 'log_level']],
  ['Figures', ['metrics']],
]

/** The groups: profiles first, what stands in no group last. */
export function groupsOf(settings: readonly SettingInForce[]): Group[] {
  const topOf = ({ path }: SettingInForce): string => path[0] ?? ''
  const names = [
    ...new Set(settings.filter((one) => topOf(one) === 'profile').map(({ path }) => path[1] ?? '')),
  ]
  const profiles = names.map((name) => ({
    title: `Profile ${name}`,
    hint: 'what is backed up together, when and how',
    settings: settings.filter(({ path }) => path[0] === 'profile' && path[1] === name),
  }))
  const known = new Set(['profile', ...TITLES.flatMap(([, keys]) => keys)])
  const titled = TITLES.map(([title, keys]) => ({
    title,
    settings: keys.flatMap((key) => settings.filter((one) => topOf(one) === key)),
  }))
  const rest = { title: 'This device', settings: settings.filter((one) => !known.has(topOf(one))) }
  return [...profiles, ...titled, rest].filter((group) => group.settings.length > 0)
}

/** What a setting is called within its group. */
export function nameOf({ path }: SettingInForce): string {
  return (path[0] === 'profile' ? path.slice(2) : path).join('.')
}

/** A value as it is shown: `every day` would be another word for one thing, so it stays as the file has it. */
export function valueText(value: unknown): string {
  if (value === undefined) return 'not set'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(valueText).join(', ')
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string') return value
  if (typeof value === 'number') return String(value)
  return JSON.stringify(value)
}

/** Where a value comes from, for a person. */
export function originText(origin: string | undefined): string {
  if (origin === undefined) return ''
  if (origin.startsWith('line ')) return origin
  if (origin.startsWith('CELLAR_')) return `from the variable ${origin}`
  if (origin === 'default') return 'by default'
  return origin
}
