/** How a setting is typed in: what its JSON schema allows decides, and what was typed becomes a value again. Pure. */

import type { SettingInForce } from '../../../api.ts'

/** One way of typing in. */
export type Field =
  /** One of these. */
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'yes-no' }
  | { readonly kind: 'number'; readonly least?: number | undefined; readonly most?: number | undefined }
  /** One item a line. */
  | { readonly kind: 'lines' }
  /** Anything; `choices` are offered. */
  | { readonly kind: 'text'; readonly choices: readonly string[]; readonly isJson?: boolean }

type Schema = Readonly<Record<string, unknown>>

/** The way for a setting that can be changed. */
export function fieldOf({ schema = {} }: SettingInForce): Field {
  const kinds = variantsOf(schema)
  const words = kinds.flatMap((kind) => wordsOf(kind))
  const types = new Set(kinds.map(({ type }) => type).filter((type) => type !== undefined))
  if (kinds.some((kind) => kind['type'] === 'array')) {
    const items = kinds.find((kind) => kind['type'] === 'array')?.['items'] as Schema | undefined
    return items?.['type'] === 'string' ? { kind: 'lines' } : { kind: 'text', choices: [], isJson: true }
  }
  if (types.has('boolean')) return { kind: 'yes-no' }
  const number = kinds.find(({ type }) => type === 'integer' || type === 'number')
  if (number !== undefined && words.length === 0)
    return { kind: 'number', least: number['minimum'] as number, most: number['maximum'] as number }
  const isClosed = words.length > 0 && kinds.every((kind) => wordsOf(kind).length > 0)
  if (isClosed) return { kind: 'choice', choices: words }
  return { kind: 'text', choices: [...words, ...wordsOfPattern(kinds)] }
}

function variantsOf(schema: Schema): Schema[] {
  const any = schema['anyOf']
  return Array.isArray(any) ? (any as Schema[]).flatMap(variantsOf) : [schema]
}

function wordsOf(schema: Schema): string[] {
  if (typeof schema['const'] === 'string') return [schema['const']]
  const all = schema['enum']
  return Array.isArray(all) ? all.filter((word): word is string => typeof word === 'string') : []
}

/** Times of a schedule are words or fields of cron: the words stand at the front of the pattern. */
function wordsOfPattern(kinds: readonly Schema[]): string[] {
  return kinds.flatMap(({ pattern }) => {
    const words = typeof pattern === 'string' ? /^\^\(([a-z|]+)\|\[/.exec(pattern)?.[1] : undefined
    return words === undefined ? [] : words.split('|')
  })
}

/** What stands in the field at first. */
export function typedOf(value: unknown, field: Field): string {
  if (value === undefined) return ''
  if (field.kind === 'lines') return Array.isArray(value) ? value.map(String).join('\n') : ''
  if (field.kind === 'text' && field.isJson === true) return JSON.stringify(value, undefined, 2)
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/**
 * The value that was typed; undefined: it is not to be set.
 *
 * @throws {SyntaxError} where a list of tables is no JSON
 */
export function valueOf(typed: string, field: Field): unknown {
  const text = typed.trim()
  if (field.kind === 'lines') {
    const lines = typed.split('\n').map((line) => line.trim())
    return lines.filter((line) => line !== '')
  }
  if (text === '') return undefined
  if (field.kind === 'yes-no') return text === 'true'
  if (field.kind === 'number') return Number(text)
  if (field.kind === 'text' && field.isJson === true) return JSON.parse(text) as unknown
  // `limit_upload` is a number or a word; a number alone is meant as one.
  return field.kind === 'text' && field.choices.includes('none') && /^\d+$/.test(text) ? Number(text) : text
}
