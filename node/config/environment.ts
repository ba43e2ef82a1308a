/** The environment in settings: `${NAME}` in texts, and variables that go before the file. Pure. */

import { isTable, type Place, REFUSED, type Refused } from './reading.ts'
import type { Field } from './table.ts'
import { rootFields } from './tables.ts'

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

const PREFIX = 'CELLAR_'

/**
 * Puts variables into all texts of a value: `${NAME}` is one, `$$` a dollar, any other dollar stays.
 *
 * @returns the same with its variables; refused where one is not set
 */
export function expandVariables(value: unknown, env: Environment, place: Place): unknown {
  if (typeof value === 'string') return expandText(value, env, place)
  if (Array.isArray(value))
    return value.map((item: unknown, at) => expandVariables(item, env, place.below(at)))
  if (!isTable(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, expandVariables(item, env, place.below(key))]),
  )
}

function expandText(text: string, env: Environment, place: Place): string | Refused {
  const missing: string[] = []
  const expanded = text.replace(/\$\$|\$\{([^}]*)\}/g, (_, name: string | undefined) => {
    if (name === undefined) return '$'
    const value = env[name]
    if (value === undefined) missing.push(name)
    return value ?? ''
  })
  for (const name of missing)
    place.refuse(
      `takes \${${name}}, and the environment has no ${name === '' ? 'variable without a name' : name}`,
    )
  return missing.length > 0 ? REFUSED : expanded
}

/** The settings that a variable may override: those of the top that are one value. */
function overridable(): readonly {
  readonly property: string
  readonly field: Field<unknown>
  readonly variable: string
}[] {
  return Object.entries<Field<unknown>>(rootFields).flatMap(([property, field]) =>
    isScalar(field) ? [{ property, field, variable: `${PREFIX}${field.key.toUpperCase()}` }] : [],
  )
}

function isScalar(field: Field<unknown>): boolean {
  return !['object', 'array'].includes(String(field.type.schema['type']))
}

/** The settings that the environment gives. @returns by property; what is refused is told by its variable's name */
export function fromEnvironment(env: Environment, place: Place): Readonly<Record<string, unknown>> {
  const given: Record<string, unknown> = {}
  for (const { property, field, variable } of overridable()) {
    const text = env[variable]
    if (text === undefined || text === '') continue
    const value = readText(field, text, place.below(variable))
    if (value !== REFUSED) given[property] = value
  }
  return given
}

/** A variable is text: `true` and `12` stand for what they would be in the file, where the setting wants that. */
function readText(field: Field<unknown>, text: string, place: Place): unknown {
  const deaf: Place = { ...place, refuse: () => REFUSED, below: () => deaf }
  const plain = field.type.read(text, deaf)
  if (plain !== REFUSED) return plain
  if (text === 'true' || text === 'false') return field.type.read(text === 'true', place)
  return field.type.read(/^-?\d{1,15}$/.test(text) ? Number(text) : text, place)
}
