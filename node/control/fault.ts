/** Says in one sentence what is wrong with parameters, of what the checking library found. Pure. */

import { nearestName } from '../config/nearest.ts'

/** One thing that is wrong, as JSON Schema names it. */
export interface Fault {
  readonly keyword: string
  /** A JSON pointer: `/filter/paths/0`. */
  readonly instancePath: string
  readonly params: Readonly<Record<string, unknown>>
  readonly message: string
}

/** What is wrong with parameters. */
export interface ParameterFault {
  /** Which, as `filter.paths[0]`; empty: all of them. */
  readonly parameter: string
  readonly sentence: string
}

interface Table {
  readonly properties?: Readonly<Record<string, unknown>>
}

/** Names of types for people. */
const TYPES: Readonly<Record<string, string>> = {
  object: 'a table',
  array: 'a list',
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
}

/**
 * The first fault in words.
 *
 * @param faults - one or more
 * @param schema - of the parameters, for the names there are
 */
export function faultSentence(faults: readonly Fault[], schema: Table): ParameterFault {
  // Of several forms that do not fit, the sentence is about the place where they part, not about each of them.
  const fault = faults.find((one) => one.keyword === 'anyOf') ?? faults[0]
  if (fault === undefined) return { parameter: '', sentence: 'they are not what the schema says' }
  const place = placeOf(fault.instancePath)
  const inside = (name: string): string => (place === '' ? name : `${place}.${name}`)
  const { params } = fault
  if (fault.keyword === 'required') {
    const name = inside(first(params['requiredProperties']))
    return { parameter: name, sentence: `${name} is missing` }
  }
  // Where nothing may be, the schema is `false`: the fault lies at the property itself.
  if (fault.keyword === 'boolean') return { parameter: place, sentence: unknown(place, schema) }
  const what = place === '' ? 'they' : place
  return { parameter: place, sentence: `${what} ${must(fault)}` }
}

/** The sentence about a parameter that is none, with the one that was perhaps meant. */
function unknown(place: string, schema: Table): string {
  const names = place.includes('.') || place.includes('[') ? [] : Object.keys(schema.properties ?? {})
  const near = nearestName(place, names)
  return `there is no ${place}${near === undefined ? listOf(names) : ` (did you mean ${near}?)`}`
}

function listOf(names: readonly string[]): string {
  return names.length === 0 ? '' : ` (there are ${names.join(', ')})`
}

function must({ keyword, params, message }: Fault): string {
  switch (keyword) {
    case 'type':
      return `must be ${[params['type']]
        .flat()
        .map((type) => TYPES[String(type)] ?? String(type))
        .join(' or ')}`
    case 'enum':
      return `must be one of ${[params['allowedValues']].flat().map(String).join(', ')}`
    case 'anyOf':
      return 'fits none of the forms that it may have: see GET /v1/schema'
    default:
      return message
  }
}

function first(value: unknown): string {
  return String(Array.isArray(value) ? value[0] : value)
}

/** `/filter/paths/0` as a person writes it: `filter.paths[0]`. */
function placeOf(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce(
      (path, part) => (/^\d+$/.test(part) ? `${path}[${part}]` : path === '' ? part : `${path}.${part}`),
      '',
    )
}
