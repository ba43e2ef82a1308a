/** What is in force and where it comes from, for a person to look at. Pure; secrets are left out. */

import { inline, isOfTables, keyText, pair } from './format.ts'
import type { ConfigRead } from './parse.ts'
import type { ConfigPath, Positions } from './positions.ts'
import { isTable } from './reading.ts'
import type { Field } from './table.ts'
import { rootFields } from './tables.ts'
import type { Config } from './types.ts'

/** One setting that is in force. */
export interface ShownSetting {
  /** Keys from the top, and places in lists of tables from 0. */
  readonly path: ConfigPath
  /** As the file would have it, without secrets. */
  readonly value: unknown
  /** `line 3`, `default`, `inherited`, or the name of a variable. */
  readonly origin: string
}

/** What became of a text that was right. */
export type ConfigInForce = Extract<ConfigRead, { config: Config }>

/** What is in force as nested tables, secrets left out. */
export function tableInForce(config: Config): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries<Field<unknown>>(rootFields).flatMap(([property, field]) => {
      const value = config[property as keyof Config]
      return value === undefined ? [] : [[field.key, field.type.show(value)]]
    }),
  )
}

/** All settings that say something, in the order of their declaration. */
export function shownSettings({ config, table, overridden, positions }: ConfigInForce): ShownSetting[] {
  const heirs = new Set(
    config.profiles.flatMap(({ name, inherits }) => (inherits === undefined ? [] : [name])),
  )
  const originOf = (path: ConfigPath): string => {
    if (stands(table, path)) return lineIn(positions, path)
    return path[0] === 'profile' && heirs.has(String(path[1])) ? 'inherited' : 'default'
  }
  const all = Object.entries<Field<unknown>>(rootFields).flatMap(([property, field]) => {
    const value = config[property as keyof Config]
    if (value === undefined) return []
    const shown = field.type.show(value)
    if (overridden.has(property))
      return [{ path: [field.key], value: shown, origin: `CELLAR_${field.key.toUpperCase()}` }]
    return leavesOf(shown, [field.key]).map((leaf) => ({ ...leaf, origin: originOf(leaf.path) }))
  })
  return inOrder(all)
}

/** What is in no table comes first: in a file it must. */
function inOrder(settings: readonly ShownSetting[]): ShownSetting[] {
  return [
    ...settings.filter(({ path }) => path.length === 1),
    ...settings.filter(({ path }) => path.length > 1),
  ]
}

/** How the origin of what the file says otherwise begins. */
export const NOT_READ = 'the file now says'

/**
 * What is in force in a node that runs, beside what the file says now.
 *
 * @param file - as {@link shownSettings} gives it
 * @param inForce - as {@link tableInForce} gives it
 */
export function besides(
  file: readonly ShownSetting[],
  inForce: Readonly<Record<string, unknown>>,
): ShownSetting[] {
  const said = new Map(file.map((setting) => [JSON.stringify(setting.path), setting]))
  const all = Object.entries(inForce).flatMap(([key, value]) =>
    leavesOf(value, [key]).map((leaf) => {
      const now = said.get(JSON.stringify(leaf.path))
      if (now === undefined) return { ...leaf, origin: `${NOT_READ} nothing` }
      const isSame = JSON.stringify(now.value) === JSON.stringify(leaf.value)
      return isSame ? now : { ...leaf, origin: `${NOT_READ} ${inline(now.value)} (${now.origin})` }
    }),
  )
  return inOrder(all)
}

/** The settings as nested tables, as the file would have them. */
export function shownTable(settings: readonly ShownSetting[]): Record<string, unknown> {
  const top: Record<string, unknown> = {}
  for (const { path, value } of settings) {
    let at = top as Record<string | number, unknown>
    for (const [depth, key] of path.entries()) {
      if (depth === path.length - 1) at[key] = value
      else
        at = (at[key] ??= typeof path[depth + 1] === 'number' ? [] : {}) as Record<string | number, unknown>
    }
  }
  return top
}

/** The settings as a file, with a remark on each that says where it comes from. */
export function shownText(settings: readonly ShownSetting[]): string {
  const lines: string[] = []
  let header = ''
  for (const { path, value, origin } of settings) {
    const next = headerOf(path)
    if (next !== header) lines.push('', next)
    header = next
    lines.push(`${pair(String(path.at(-1)), value)}  # ${origin}`)
  }
  return `${lines.join('\n').trim()}\n`
}

/** `[metrics]`, `[[hook]]`; below that, what a name or a place stands for is part of its header. */
function headerOf(path: ConfigPath): string {
  const above = path.slice(0, -1)
  if (above.length === 0) return ''
  const isList = above.some((part) => typeof part === 'number')
  const keys = above.filter((part) => typeof part === 'string').map(keyText)
  // One remark tells two tables of a list apart: which one it is.
  if (!isList) return `[${keys.join('.')}]`
  return typeof above.at(-1) === 'number'
    ? `[[${keys.join('.')}]]  # ${String(above.at(-1))}`
    : `[${keys.join('.')}]`
}

/** All values below one; tables come after what is none, as in a file they must. */
function leavesOf(
  value: unknown,
  path: ConfigPath,
): { readonly path: ConfigPath; readonly value: unknown }[] {
  if (isTable(value)) {
    const entries = Object.entries(value)
    const sorted = [
      ...entries.filter(([, item]) => !isTable(item)),
      ...entries.filter(([, item]) => isTable(item)),
    ]
    return sorted.flatMap(([key, item]) => leavesOf(item, [...path, key]))
  }
  // Lists of tables are hooks, but for limits, which stand on one line.
  if (Array.isArray(value) && isOfTables(value) && path[0] === 'hook')
    return value.flatMap((item: unknown, at) => leavesOf(item, [...path, at]))
  return [{ path, value }]
}

function stands(table: unknown, path: ConfigPath): boolean {
  let at = table
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return false
    at = (at as Record<string | number, unknown>)[key]
  }
  return true
}

function lineIn(positions: Positions, path: ConfigPath): string {
  const line = positions.lineOf(path)
  return line === undefined ? 'file' : `line ${String(line)}`
}
