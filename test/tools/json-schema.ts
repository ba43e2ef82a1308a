/** A small judge of JSON schemas: it knows what those of this project use, and refuses to ignore anything else. */

import { isDeepStrictEqual } from 'node:util'

type Schema = Readonly<Record<string, unknown>>

/** Words that say nothing about what is right. */
const REMARKS = new Set(['$schema', 'title', 'description', 'default', 'examples'])

type Rule = (wanted: never, value: unknown, schema: Schema) => boolean

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)

const TYPES: Readonly<Record<string, (value: unknown) => boolean>> = {
  object: isObject,
  array: Array.isArray,
  string: (value) => typeof value === 'string',
  boolean: (value) => typeof value === 'boolean',
  number: (value) => typeof value === 'number',
  integer: Number.isInteger,
}

const RULES: Readonly<Record<string, Rule>> = {
  type: (type: string, value) => TYPES[type]?.(value) ?? unknownWord(`type ${type}`),
  enum: (values: unknown[], value) => values.some((one) => isDeepStrictEqual(one, value)),
  const: (one: unknown, value) => isDeepStrictEqual(one, value),
  anyOf: (schemas: Schema[], value) => schemas.some((schema) => fitsSchema(schema, value)),
  pattern: (pattern: string, value) => typeof value !== 'string' || new RegExp(pattern, 'u').test(value),
  minimum: (least: number, value) => typeof value !== 'number' || value >= least,
  maximum: (most: number, value) => typeof value !== 'number' || value <= most,
  items: (schema: Schema, value) => !Array.isArray(value) || value.every((item) => fitsSchema(schema, item)),
  minItems: (least: number, value) => !Array.isArray(value) || value.length >= least,
  required: (keys: string[], value) => !isObject(value) || keys.every((key) => Object.hasOwn(value, key)),
  properties: (schemas: Record<string, Schema>, value) =>
    !isObject(value) ||
    Object.entries(schemas).every(
      ([key, schema]) => !Object.hasOwn(value, key) || fitsSchema(schema, value[key]),
    ),
  propertyNames: (schema: Schema, value) =>
    !isObject(value) || Object.keys(value).every((key) => fitsSchema(schema, key)),
  additionalProperties: (rest: Schema | false, value, schema) => {
    if (!isObject(value)) return true
    const known = Object.keys(schema['properties'] ?? {})
    return Object.keys(value).every(
      (key) => known.includes(key) || (rest !== false && fitsSchema(rest, value[key])),
    )
  },
}

/** Says whether a value fits a schema. @throws {TypeError} for a word of schemas that is not known here */
export function fitsSchema(schema: Schema, value: unknown): boolean {
  return Object.entries(schema).every(([word, wanted]) => {
    if (REMARKS.has(word)) return true
    const rule = RULES[word] ?? unknownWord(word)
    return rule(wanted as never, value, schema)
  })
}

function unknownWord(word: string): never {
  throw new TypeError(`this judge does not know "${word}"`)
}
