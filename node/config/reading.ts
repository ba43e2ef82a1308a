/** Reading a setting: what a value may be, and the collecting of all that is wrong with a file. */

import type { ConfigPath } from './positions.ts'

/** A JSON schema, or a part of one (draft 2020-12). */
export type JsonSchema = Readonly<Record<string, unknown>>

/** Something that is wrong with the settings. */
export interface Problem {
  readonly path: ConfigPath
  /** What is wrong, behind the name of the setting: `must be …`. */
  readonly what: string
  /** The name that was probably meant. */
  readonly nearest?: string
}

/** In the place of a value that was refused. */
export const REFUSED: unique symbol = Symbol('refused')
/** Its type. */
export type Refused = typeof REFUSED

/** Where a value stands, and who is told what is wrong with it. */
export interface Place {
  readonly path: ConfigPath
  /** Of the person, absolute: what `~` is. */
  readonly homeDirectory: string
  /** Tells of something wrong here, and goes on. */
  refuse(what: string, nearest?: string): Refused
  /** A place below this one. */
  below(key: string | number): Place
}

/** One kind of value. */
export interface ValueType<T> {
  /** What it must be, behind "must be". */
  readonly wants: string
  /** The same for programs. What it lets through may still be refused (a text that is no address), never otherwise. */
  readonly schema: JsonSchema
  /** How it is written in the file, for a person who has never seen one. */
  readonly example: unknown
  /** Reads what TOML gave; what is refused the place has been told. */
  read(value: unknown, place: Place): T | Refused
  /** What TOML would give, so that it reads as the same. */
  write(value: T): unknown
  /** The same to be looked at: without what is secret in it. */
  show(value: T): unknown
}

/** Makes a place at the top of a file, and the list of what is told. */
export function placeAtTop(homeDirectory: string): { readonly place: Place; readonly problems: Problem[] } {
  const problems: Problem[] = []
  const placeAt = (path: ConfigPath): Place => ({
    path,
    homeDirectory,
    refuse: (what, nearest) => {
      problems.push({ path, what, ...(nearest !== undefined && { nearest }) })
      return REFUSED
    },
    below: (key) => placeAt([...path, key]),
  })
  return { place: placeAt([]), problems }
}

/** A path as the file would have it: `profile.photos.exclude[1]`; lists are counted from 1, as people do. */
export function pathInWords(path: ConfigPath): string {
  let words = ''
  for (const part of path) {
    if (typeof part === 'number') words += `[${String(part + 1)}]`
    else {
      const key = /^[A-Za-z0-9_-]+$/.test(part) ? part : JSON.stringify(part)
      words += words === '' ? key : `.${key}`
    }
  }
  return words
}

/** What a value is, for a person who expected another. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (value instanceof Date) return 'a date'
  if (typeof value === 'string') return value.length > 40 ? 'another text' : JSON.stringify(value)
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'a table'
}

/** Says whether a value is a table of TOML. */
export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}
