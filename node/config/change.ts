/**
 * Changes settings in the text of a file (spec/config.md §6): decides whether they may be changed, makes the other
 * text, and makes sure that it says this and nothing else. Pure.
 */

import { isDeepStrictEqual } from 'node:util'
import { parse } from 'smol-toml'
import { CellarError } from '../../protocol/index.ts'
import { expandVariables } from './environment.ts'
import { withSetting, withValue } from './edit-text.ts'
import { harmlessSettings } from './harmless.ts'
import { configError, type ConfigSurroundings, readConfigText } from './parse.ts'
import { pathInWords, placeAtTop } from './reading.ts'

/** One setting and what it shall be. */
export interface SettingChange {
  readonly path: readonly string[]
  /** As the file would have it, but that nothing stands for a variable; undefined: what holds without it. */
  readonly value?: unknown
}

/**
 * The text with these changes.
 *
 * @throws {CellarError} `USAGE` for a setting that is not among {@link harmlessSettings}; `CONFIG_INVALID` where the
 *   text was wrong before, would be after, or where a variable goes before the file
 */
export function changedText(
  text: string,
  changes: readonly SettingChange[],
  from: ConfigSurroundings,
): string {
  const before = readConfigText(text, from)
  if (before.config === undefined) throw configError(from.path, before.problems)
  const allowed = harmlessSettings(before.config.profiles.map(({ name }) => name))
  let next = text
  let table: unknown = parse(text)
  for (const { path, value } of changes) {
    const setting = allowed.find((one) => isDeepStrictEqual(one.path, path))
    if (setting === undefined)
      throw new CellarError('USAGE', `${pathInWords(path)} cannot be changed here: cellar config edit`, {
        key: pathInWords(path),
      })
    const variable = `CELLAR_${setting.field.key.toUpperCase()}`
    if (path.length === 1 && (from.env?.[variable] ?? '') !== '')
      throw new CellarError('CONFIG_INVALID', `${pathInWords(path)} is given by the variable ${variable}`)
    const written = sameInFile(valueAt(table, path), value, from)
    next = withSetting(next, path, written)
    table = withValue(table, path, written)
  }
  const after = readConfigText(next, from)
  if (after.config === undefined) throw configError(from.path, after.problems)
  // Whatever was written into the file by hand, the change is that and no other.
  if (!isDeepStrictEqual(withoutEmpty(parse(next)), withoutEmpty(table)))
    throw new TypeError(`the change of ${from.path} would have changed more than was asked for`)
  return next
}

/** The value as the file has it: what already stands there stays, with its variables; a new text has none. */
function sameInFile(before: unknown, value: unknown, from: ConfigSurroundings): unknown {
  if (typeof value === 'string') {
    if (typeof before === 'string' && expanded(before, from) === value) return before
    return value.replace(/\$(?=[${])/g, '$$$$')
  }
  if (Array.isArray(value)) {
    const old: readonly unknown[] = Array.isArray(before) ? (before as unknown[]) : []
    return value.map((item: unknown) => {
      const same = old.find((one) => typeof one === 'string' && expanded(one, from) === item)
      return same ?? sameInFile(undefined, item, from)
    })
  }
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, sameInFile(undefined, item, from)]),
    )
  return value
}

/** A text with its variables; of what was read before, so that none is missing. */
function expanded(text: string, { env = {} }: ConfigSurroundings): unknown {
  return expandVariables(text, env, placeAtTop('').place)
}

function valueAt(table: unknown, path: readonly string[]): unknown {
  let at = table
  for (const key of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined
    at = (at as Record<string, unknown>)[key]
  }
  return at
}

/** A table of which the last setting was taken away may still stand there, empty. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => withoutEmpty(item) ?? {})
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  const entries = Object.entries(value).map(([key, item]) => [key, withoutEmpty(item)] as const)
  const full = entries.filter(([, item]) => item !== undefined)
  return full.length === 0 ? undefined : Object.fromEntries(full)
}
