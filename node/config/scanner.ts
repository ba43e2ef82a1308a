/**
 * Finds where in a TOML text keys, values and headers stand. The parser of TOML gives values without places: what is
 * found here says on which line a wrong one is (positions.ts), and where a changed one goes (edit-text.ts).
 */

import { parse } from 'smol-toml'

/** Keys, and places in lists from 0, from the top of a file down to one value. */
export type ConfigPath = readonly (string | number)[]

/** Where a `key = value` stands; offsets of characters. */
export interface PairSpan {
  readonly path: ConfigPath
  /** The table of the header above it, or the one between braces. */
  readonly table: ConfigPath
  readonly isInBraces: boolean
  /** Of the key. */
  readonly start: number
  readonly valueStart: number
  /** Behind the value. */
  readonly end: number
}

/** Where a header stands. */
export interface HeaderSpan {
  readonly path: ConfigPath
  readonly isList: boolean
  readonly start: number
  /** Behind the last bracket. */
  readonly end: number
}

/** Where an item of a list stands. */
export interface ItemSpan {
  readonly path: ConfigPath
  readonly start: number
  readonly end: number
}

/** What a text has, each in the order in which it ends. */
export interface Scan {
  /** Lines of keys, from 1, by `nameOf`. */
  readonly lines: ReadonlyMap<string, number>
  readonly pairs: readonly PairSpan[]
  readonly headers: readonly HeaderSpan[]
  readonly items: readonly ItemSpan[]
}

/**
 * Goes through a text.
 *
 * @param text - TOML that the parser has taken: of anything else some is missing
 */
export function scanOf(text: string): Scan {
  const scanner = new Scanner(text)
  scanner.document()
  return scanner
}

const BARE = /[A-Za-z0-9_-]+/y
/** What is neither quoted, nor in brackets, nor a comment: numbers, dates, true and false. */
const PLAIN = /[^\s,\]}#]+(?: [0-9:.Z+-]+)?/y
const BLANK = /[ \t]*/y

/** A path as one text, for maps. */
export function nameOf(path: ConfigPath): string {
  return JSON.stringify(path)
}

/** Goes through a text once; what it does not understand it passes over by a character, so that it always ends. */
class Scanner {
  readonly lines = new Map<string, number>()
  readonly pairs: PairSpan[] = []
  readonly headers: HeaderSpan[] = []
  readonly items: ItemSpan[] = []
  readonly #text: string
  /** How many tables each list of tables (`[[hook]]`) has so far. */
  readonly #counts = new Map<string, number>()
  #at = 0
  #line = 1
  #table: ConfigPath = []

  constructor(text: string) {
    this.#text = text
  }

  document(): void {
    this.#trivia()
    while (this.#at < this.#text.length) {
      if (this.#peek() === '[') this.#header()
      else this.#pair(this.#table)
      this.#trivia()
    }
  }

  /** `[a.b]` or `[[a.b]]`. */
  #header(): void {
    const [start, line] = [this.#at, this.#line]
    const isList = this.#text.startsWith('[[', this.#at)
    this.#at += isList ? 2 : 1
    const keys = this.#key()
    this.#skipTo(']')
    this.#at += isList ? 2 : 1
    const inside = this.#resolve(keys.slice(0, -1))
    const own = [...inside, ...keys.slice(-1)]
    if (isList) {
      const count = this.#counts.get(nameOf(own)) ?? 0
      this.#counts.set(nameOf(own), count + 1)
      this.#table = [...own, count]
    } else this.#table = this.#resolve(keys)
    for (let length = 1; length <= own.length; length++) this.#note(own.slice(0, length), line)
    this.#note(this.#table, line)
    this.headers.push({ path: this.#table, isList, start, end: this.#at })
  }

  /** Below a list of tables its last one is meant. */
  #resolve(keys: readonly string[]): ConfigPath {
    let path: ConfigPath = []
    for (const key of keys) {
      path = [...path, key]
      const count = this.#counts.get(nameOf(path))
      if (count !== undefined) path = [...path, count - 1]
    }
    return path
  }

  /** `key = value`, in the table of the last header or in one between braces. */
  #pair(table: ConfigPath, isInBraces = false): void {
    const [start, line] = [this.#at, this.#line]
    const keys = this.#key()
    const path = [...table, ...keys]
    for (let length = table.length + 1; length <= path.length; length++)
      this.#note(path.slice(0, length), line)
    this.#skipTo('=')
    this.#at++
    this.#blank()
    const valueStart = this.#at
    this.#value(path)
    this.pairs.push({ path, table, isInBraces, start, valueStart, end: this.#at })
    if (this.#at === start) this.#at++
  }

  #key(): string[] {
    const keys: string[] = []
    do {
      if (keys.length > 0) this.#at++
      this.#blank()
      keys.push(this.#keyPart())
      this.#blank()
    } while (this.#peek() === '.')
    return keys
  }

  #keyPart(): string {
    const quote = this.#peek()
    if (quote !== '"' && quote !== "'") return this.#match(BARE)
    const start = this.#at
    this.#quoted(quote)
    const raw = this.#text.slice(start, this.#at)
    return quote === "'" ? raw.slice(1, -1) : unescaped(raw)
  }

  #value(path: ConfigPath): void {
    const first = this.#peek()
    if (first === '"' || first === "'") this.#quoted(first)
    else if (first === '[') this.#list(path)
    else if (first === '{') this.#braces(path)
    else this.#match(PLAIN)
  }

  #list(path: ConfigPath): void {
    this.#at++
    for (let index = 0; ; index++) {
      this.#trivia()
      if (this.#ends(']')) return
      const start = this.#at
      const item = [...path, index]
      this.#note(item, this.#line)
      this.#value(item)
      this.items.push({ path: item, start, end: this.#at })
      this.#comma(start)
    }
  }

  #braces(path: ConfigPath): void {
    this.#at++
    for (;;) {
      this.#trivia()
      if (this.#ends('}')) return
      const start = this.#at
      this.#pair(path, true)
      this.#comma(start)
    }
  }

  #comma(start: number): void {
    this.#trivia()
    if (this.#peek() === ',' || this.#at === start) this.#at++
  }

  #ends(bracket: string): boolean {
    if (this.#at < this.#text.length && this.#peek() !== bracket) return false
    this.#at++
    return true
  }

  /** A text between quotes, one or three of them. */
  #quoted(quote: string): void {
    const triple = quote.repeat(3)
    const close = this.#text.startsWith(triple, this.#at) ? triple : quote
    this.#at += close.length
    while (this.#at < this.#text.length && !this.#text.startsWith(close, this.#at)) {
      if (this.#peek() === '\\' && quote === '"') this.#step()
      this.#step()
    }
    this.#at += close.length
    // Two more quotes may stand before the three that end a text.
    while (close === triple && this.#peek() === quote) this.#at++
  }

  /** Blanks, ends of lines and comments. */
  #trivia(): void {
    for (;;) {
      const char = this.#peek()
      if (char === '#') while (this.#at < this.#text.length && this.#peek() !== '\n') this.#at++
      else if (char !== '' && ' \t\r\n'.includes(char)) this.#step()
      else return
    }
  }

  #blank(): void {
    this.#match(BLANK)
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }

  #skipTo(char: string): void {
    while (this.#at < this.#text.length && this.#peek() !== char) this.#step()
  }

  #step(): void {
    if (this.#peek() === '\n') this.#line++
    this.#at++
  }

  #peek(): string {
    return this.#text.charAt(this.#at)
  }

  #note(path: ConfigPath, line: number): void {
    const name = nameOf(path)
    if (!this.lines.has(name)) this.lines.set(name, line)
  }
}

/** The key that is meant by a text between double quotes. */
function unescaped(raw: string): string {
  try {
    return Object.keys(parse(`${raw} = 0`))[0] ?? ''
  } catch {
    return raw // no TOML: the parser has told what is wrong with it
  }
}
