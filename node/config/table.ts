/** Tables of settings: one declaration of what may stand in each; by it they are read, written, described and shown. */

import { nearestName } from './nearest.ts'
import {
  isTable,
  type JsonSchema,
  kindOf,
  type Place,
  REFUSED,
  type Refused,
  type ValueType,
} from './reading.ts'

/** One setting of a table. */
export interface Field<T> {
  /** How it is called in the file. */
  readonly key: string
  readonly type: ValueType<T>
  /** What it does, for a person: one sentence or two. */
  readonly about: string
  /** What holds where the file says nothing. */
  readonly without: T
  /** A value for the documentation, as the file has it, where that of the type says too little. */
  readonly example?: unknown
  /** The table is of no use without it. */
  readonly isRequired?: true
  /** A running node takes note of it when it is started again, and not before. */
  readonly needsRestart?: true
  /** `{ append = [...] }` adds to the list of the profile that is inherited from. */
  readonly appends?: true
}

/** One setting for each key of what is read. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<T[K]> }

/** The settings of a table, in the order of their declaration. */
export function fieldsOf(fields: Fields<object>): readonly Field<unknown>[] {
  return Object.values(fields) as Field<unknown>[]
}

/** A kind of value that is a table, of which the settings are known. */
export interface TableType<T> extends ValueType<T> {
  readonly fields: Fields<T>
}

/**
 * A table with the settings declared.
 *
 * @param name - as it stands between brackets, for a person: `[metrics]`
 */
export function tableOf<T extends object>(name: string, fields: Fields<T>): TableType<T> {
  const wants = `a table: write ${name} on a line of its own, and its settings below`
  const dump = (one: (field: Field<unknown>, value: unknown) => unknown) => (values: T) => {
    const table: Record<string, unknown> = {}
    for (const [name, field] of Object.entries<Field<unknown>>(fields)) {
      const value = (values as Record<string, unknown>)[name]
      if (value !== undefined || field.without !== undefined) table[field.key] = one(field, value)
    }
    return table
  }
  return {
    fields,
    wants,
    example: Object.fromEntries(fieldsOf(fields).map((field) => [field.key, exampleOf(field)])),
    get schema() {
      return tableSchema(fieldsOf(fields))
    },
    read: (value, place) => {
      if (!isTable(value)) return place.refuse(`must be ${wants}`)
      return readTable(fields, value, place)
    },
    write: dump((field, value) => field.type.write(value)),
    show: dump((field, value) => field.type.show(value)),
  }
}

/** Reads the settings of a table, and refuses what is none. */
export function readTable<T extends object>(
  fields: Fields<T>,
  table: Readonly<Record<string, unknown>>,
  place: Place,
): T | Refused {
  let isRefused = refuseUnknown(table, fieldsOf(fields), place)
  const values: Record<string, unknown> = {}
  for (const [name, field] of Object.entries<Field<unknown>>(fields)) {
    const value = readField(field, table, place)
    if (value === REFUSED) isRefused = true
    values[name] = value
  }
  return isRefused ? REFUSED : (values as T)
}

/** Reads one setting of a table; what is not there has its default. */
export function readField<T>(
  { key, type, without, isRequired }: Field<T>,
  table: Readonly<Record<string, unknown>>,
  place: Place,
): T | Refused {
  if (Object.hasOwn(table, key)) return type.read(table[key], place.below(key))
  return isRequired === true ? place.refuse(`needs "${key}": ${type.wants}`) : without
}

/** Refuses the keys that are no settings. @returns whether there were such */
export function refuseUnknown(
  table: Readonly<Record<string, unknown>>,
  fields: readonly Field<unknown>[],
  place: Place,
): boolean {
  const names = fields.map((field) => field.key)
  const unknown = Object.keys(table).filter((key) => !names.includes(key))
  for (const key of unknown)
    place.below(key).refuse(`is not a setting here (there are ${names.join(', ')})`, nearestName(key, names))
  return unknown.length > 0
}

/** The schema of a table. */
export function tableSchema(fields: readonly Field<unknown>[]): JsonSchema {
  const required = fields.filter((field) => field.isRequired === true).map((field) => field.key)
  return {
    type: 'object',
    additionalProperties: false,
    ...(required.length > 0 && { required }),
    properties: Object.fromEntries(fields.map((field) => [field.key, fieldSchema(field)])),
  }
}

function fieldSchema(field: Field<unknown>): JsonSchema {
  const { type, appends, about, without } = field
  const schema = appends === true ? { anyOf: [type.schema, appendSchema(type.schema)] } : type.schema
  return {
    description: about,
    ...schema,
    ...(without !== undefined && field.isRequired !== true && { default: type.write(without) }),
  }
}

function appendSchema(list: JsonSchema): JsonSchema {
  return { type: 'object', additionalProperties: false, required: ['append'], properties: { append: list } }
}

function exampleOf(field: Field<unknown>): unknown {
  return field.example ?? field.type.example
}

/** Tables under names of a person's choice: `[profile.photos]`. @param pattern - of such a name */
export const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$'

/** What a name must be. */
export const NAME_WANTS =
  'a name of letters, digits, ".", "_" and "-", 64 at most, that begins with a letter or digit'

/** A list of tables, `[[hook]]`; a single one is refused with how to write it. */
export function tablesOf<T>(type: ValueType<T>, name: string): ValueType<readonly T[]> {
  return {
    wants: `tables: write ${name} above each`,
    schema: { type: 'array', items: type.schema },
    example: [type.example],
    read: (value, place) => {
      if (!Array.isArray(value))
        return place.refuse(`must be tables, each below ${name}, not ${kindOf(value)}`)
      const items = value.map((item: unknown, at) => type.read(item, place.below(at)))
      return items.some((item) => item === REFUSED) ? REFUSED : (items as T[])
    },
    write: (values) => values.map((value) => type.write(value)),
    show: (values) => values.map((value) => type.show(value)),
  }
}
