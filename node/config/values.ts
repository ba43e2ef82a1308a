/** The kinds of values that settings have. Each knows how it is read, written, described and shown. */

import { formatSpan, parseSpan } from '../deletion/time-span.ts'
import { formatSize, parseSize } from './size-text.ts'
import { kindOf, type JsonSchema, type Place, REFUSED, type Refused, type ValueType } from './reading.ts'

/** What makes a kind of value; what is left out stands for itself. */
interface Kind<T> {
  readonly wants: string
  readonly schema: JsonSchema
  readonly example: unknown
  /** @returns undefined when it is not of the kind */
  readonly parse: (value: unknown, place: Place) => T | undefined
  readonly write?: (value: T) => unknown
  readonly show?: (value: T) => unknown
  /** What is there may be a secret, and is not said again when it does not fit. */
  readonly isSecret?: boolean
}

/** A value that is one thing: what does not fit is refused with what is wanted and what is there. */
export function kind<T>({ wants, schema, example, parse, write, show, isSecret }: Kind<T>): ValueType<T> {
  const writeIt = write ?? ((value: T) => value)
  const butIs = (value: unknown) => (isSecret === true ? '' : `, not ${kindOf(value)}`)
  return {
    wants,
    schema,
    example,
    read: (value, place) => parse(value, place) ?? place.refuse(`must be ${wants}${butIs(value)}`),
    write: writeIt,
    show: show ?? writeIt,
  }
}

/** A text that a pattern or a function takes; one pattern tells programs and decides. */
function textKind<T>(of: {
  readonly wants: string
  readonly example: string
  readonly pattern?: string
  readonly parse: (text: string, place: Place) => T | undefined
  readonly write?: (value: T) => unknown
  readonly show?: (value: T) => unknown
  readonly isSecret?: boolean
}): ValueType<T> {
  const { pattern, parse } = of
  const fits = pattern === undefined ? undefined : new RegExp(pattern, 'u')
  return kind({
    ...of,
    schema: { type: 'string', ...(pattern !== undefined && { pattern }) },
    parse: (value, place) =>
      typeof value === 'string' && fits?.test(value) !== false ? parse(value, place) : undefined,
  })
}

/** Any text that says something. */
export const text = textKind({ wants: 'a text in quotes', example: 'text', pattern: '.', parse: (it) => it })

/** Any text, also an empty one or one of several lines. */
export const anyText = textKind({ wants: 'a text in quotes', example: 'text', parse: (it) => it })

/** What stands in the place of a secret. */
export const HIDDEN = '…'

/** true or false. */
export const flag = kind<boolean>({
  wants: 'true or false, without quotes',
  schema: { type: 'boolean' },
  example: true,
  parse: (value) => (typeof value === 'boolean' ? value : undefined),
})

/** A whole number within bounds. */
export function whole(least: number, most = Number.MAX_SAFE_INTEGER, unit = ''): ValueType<number> {
  const bounds =
    most === Number.MAX_SAFE_INTEGER ? `${String(least)} or more` : `${String(least)} to ${String(most)}`
  return kind<number>({
    wants: `a whole number${unit === '' ? '' : ` of ${unit}`}, ${bounds}`,
    schema: {
      type: 'integer',
      minimum: least,
      ...(most !== Number.MAX_SAFE_INTEGER && { maximum: most }),
    },
    example: Math.max(least, 1),
    parse: (value) =>
      typeof value === 'number' && Number.isSafeInteger(value) && value >= least && value <= most
        ? value
        : undefined,
  })
}

/** A number within bounds, with a fraction or without. */
export function number(least: number, most: number): ValueType<number> {
  return kind<number>({
    wants: `a number, ${String(least)} to ${String(most)}`,
    schema: { type: 'number', minimum: least, maximum: most },
    example: most,
    parse: (value) => (typeof value === 'number' && value >= least && value <= most ? value : undefined),
  })
}

/** Kibibytes a second. */
export const rate = whole(1, Number.MAX_SAFE_INTEGER, 'KiB a second')

/** Kibibytes a second, or that there is no limit. */
export const rateOrNone = kind<number | 'none'>({
  wants: 'a whole number of KiB a second, 1 or more, or "none"',
  schema: { anyOf: [rate.schema, { const: 'none' }] },
  example: 500,
  parse: (value) =>
    value === 'none' || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1)
      ? value
      : undefined,
})

const SPAN_PATTERN = '^[0-9]{1,6}(w|d|h|min|s)$'

/** A time such as `7d`, within bounds in milliseconds. @returns milliseconds */
export function span(leastMs = 0, mostMs = Number.MAX_SAFE_INTEGER): ValueType<number> {
  const bounds =
    mostMs < Number.MAX_SAFE_INTEGER
      ? `, ${formatSpan(leastMs)} to ${formatSpan(mostMs)}`
      : leastMs > 0
        ? `, ${formatSpan(leastMs)} at least`
        : ''
  return textKind<number>({
    wants: `a time such as "7d", "12h", "90min" or "0s"${bounds}`,
    example: '7d',
    pattern: SPAN_PATTERN,
    parse: (it) => {
      const ms = parseSpan(it)
      return ms === undefined || ms < leastMs || ms > mostMs ? undefined : ms
    },
    write: formatSpan,
  })
}

/** A size such as `10GiB`, 1 byte or more. @returns bytes */
export const size = textKind<number>({
  wants: 'a size such as "500MiB" or "10GiB"',
  example: '10GiB',
  pattern: '^[0-9]+(\\.[0-9]+)? ?([kKmMgGtT]i?)?[bB]?$',
  parse: parseSize,
  write: formatSize,
})

/** One of a few words. */
export function oneOf<const W extends string>(words: readonly W[]): ValueType<W> {
  const shown = words.map((word) => `"${word}"`)
  return kind<W>({
    wants: `one of ${shown.join(', ')}`,
    schema: { enum: words },
    example: words[0],
    parse: (value) => words.find((word) => word === value),
  })
}

/**
 * The value, or a word that says that there is none, also where a default or a profile that is inherited from says
 * otherwise.
 */
export function orNone<T>(type: ValueType<T>, word = 'none'): ValueType<T | undefined> {
  return {
    wants: `${type.wants}, or "${word}"`,
    schema: { anyOf: [type.schema, { const: word }] },
    example: type.example,
    read: (value, place) => {
      if (value === word) return undefined
      // A value that is one thing is refused with both that it may be.
      return typeof value === 'object' ? type.read(value, place) : readOr(type, word, value, place)
    },
    write: (value) => (value === undefined ? word : type.write(value)),
    show: (value) => (value === undefined ? word : type.show(value)),
  }
}

function readOr<T>(type: ValueType<T>, word: string, value: unknown, place: Place): T | Refused {
  const refuse = (what: string): Refused => place.refuse(`${what}; or "${word}"`)
  return type.read(value, { ...place, refuse })
}

/** A path: `~` is the person's home, all else absolute. */
export const path = textKind<string>({
  wants: 'an absolute path, or one that begins with ~/',
  example: '~/Documents',
  pattern: '^(/|~$|~/)',
  parse: (it, place) =>
    it.includes('\0') ? undefined : it.startsWith('~') ? `${place.homeDirectory}${it.slice(1)}` : it,
})

/** A path that is made absolute where it is used. */
export const pathAsWritten = textKind<string>({
  wants: path.wants,
  example: '~/Restored',
  pattern: '^(/|~$|~/)',
  parse: (it) => (it.includes('\0') ? undefined : it),
})

/** A list of such values. */
export function listOf<T>(type: ValueType<T>, least = 0): ValueType<readonly T[]> {
  const some = least > 0 ? ', one at least' : ''
  return {
    wants: `a list, in brackets, each ${type.wants}${some}`,
    schema: { type: 'array', items: type.schema, ...(least > 0 && { minItems: least }) },
    example: [type.example],
    read: (value, place) => {
      if (!Array.isArray(value)) {
        const hint = typeof value === 'string' ? `: write [${JSON.stringify(value)}]` : ''
        return place.refuse(`must be a list, in brackets${hint === '' ? `, not ${kindOf(value)}` : hint}`)
      }
      if (value.length < least) return place.refuse('must name one at least')
      const items = value.map((item: unknown, at) => type.read(item, place.below(at)))
      return items.some((item) => item === REFUSED) ? REFUSED : (items as T[])
    },
    write: (values) => values.map((value) => type.write(value)),
    show: (values) => values.map((value) => type.show(value)),
  }
}

/** Names, or one word that stands for all there are. */
export function namesOrAll<const W extends string>(word: W): ValueType<W | readonly string[]> {
  const names = listOf(text)
  return {
    wants: `${names.wants}; or "${word}"`,
    schema: { anyOf: [names.schema, { const: word }] },
    example: names.example,
    read: (value, place) => (value === word ? word : names.read(value, place)),
    write: (value) => (value === word ? word : names.write(value as readonly string[])),
    show: (value) => (value === word ? word : names.show(value as readonly string[])),
  }
}

/** A program and its arguments. */
export const command: ValueType<readonly string[]> = {
  ...listOf(anyText, 1),
  wants: 'a program and its arguments, a list of texts in quotes',
  example: ['program', 'argument'],
  read: (value, place) => {
    const words = listOf(anyText, 1).read(value, place)
    return words !== REFUSED && words[0] === '' ? place.refuse('must begin with a program') : words
  },
}

/** `HOST:PORT`. */
export const hostPort = textKind<string>({
  wants: 'HOST:PORT, such as "127.0.0.1:9517" or "[::1]:9517"',
  example: '127.0.0.1:9517',
  pattern: '^(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9.-]+):[0-9]{1,5}$',
  parse: (it) => (Number(it.slice(it.lastIndexOf(':') + 1)) <= 65_535 ? it : undefined),
})

/** An address of the web. What is behind its host is often a secret, and not shown. */
export const webAddress = textKind<string>({
  wants: 'an address that begins with https:// or http://',
  example: 'https://host/path',
  pattern: '^https?://[^/]',
  isSecret: true,
  parse: (it) => (URL.canParse(it) ? it : undefined),
  show: (it) => {
    const { protocol, host, pathname, search, username } = new URL(it)
    const isPlain = pathname === '/' && search === '' && username === ''
    return isPlain ? it : `${protocol}//${host}/${HIDDEN}`
  },
})

/** An address of a mail server. */
export const mailServer = textKind<string>({
  wants: 'smtp://USER@HOST:PORT, or smtps://…',
  example: 'smtp://user@host:587',
  pattern: '^smtps?://[^/]',
  isSecret: true,
  parse: (it) => (URL.canParse(it) && new URL(it).hostname !== '' ? it : undefined),
  show: (it) => {
    const url = new URL(it)
    return url.password === '' ? it : it.replace(/:[^:@/]*@/, `:${HIDDEN}@`)
  },
})

/** Names with values, such as headers of HTTP. Values are not shown. */
export const headers: ValueType<Readonly<Record<string, string>>> = {
  ...kind<Readonly<Record<string, string>>>({
    isSecret: true,
    wants: 'a table of names and texts, such as { Authorization = "Bearer ${TOKEN}" }',
    schema: {
      type: 'object',
      propertyNames: { pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$" },
      additionalProperties: { type: 'string', pattern: '^[^\\r\\n]*$' },
    },
    example: { Title: 'text' },
    parse: (value) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
      const fits = Object.entries(value).every(
        ([name, it]) =>
          /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && typeof it === 'string' && /^[^\r\n]*$/.test(it),
      )
      return fits ? (value as Record<string, string>) : undefined
    },
  }),
  show: (value) => Object.fromEntries(Object.keys(value).map((name) => [name, HIDDEN])),
}
