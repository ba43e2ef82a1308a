/**
 * On which line of a TOML text each key stands. The parser of TOML gives values without places; a wrong value would
 * else be told of without a line. What is found here goes into messages only and never into a setting.
 */

import { parse } from 'smol-toml'

/** Keys, and places in lists from 0, from the top of a file down to one value. */
export type ConfigPath = readonly (string | number)[]

/** Finds lines. */
export interface Positions {
  /** The line of a key, from 1; where it is not there itself, that of the nearest thing around it. */
  lineOf(path: ConfigPath): number | undefined
}

/**
 * Looks for all keys.
 *
 * @param text - TOML that the parser has taken: of anything else some lines are missing
 */
export function positionsOf(text: string): Positions {
  let lines: ReadonlyMap<string, number> | undefined
  return {
    lineOf: (path) => {
      lines ??= linesOf(text) // most files are right: nobody asks
      for (let length = path.length; length > 0; length--) {
        const line = lines.get(nameOf(path.slice(0, length)))
        if (line !== undefined) return line
      }
      return undefined
    },
  }
}

function linesOf(text: string): ReadonlyMap<string, number> {
  const scanner = new Scanner(text)
  scanner.document()
  return scanner.lines
}

const BARE = /[A-Za-z0-9_-]+/y
/** What is neither quoted, nor in brackets, nor a comment: numbers, dates, true and false. */
const PLAIN = /[^\s,\]}#]+(?: [0-9:.Z+-]+)?/y
const BLANK = /[ \t]*/y

function nameOf(path: ConfigPath): string {
  return JSON.stringify(path)
}

/** Goes through a text once; what it does not understand it passes over by a character, so that it always ends. */
class Scanner {
  readonly lines = new Map<string, number>()
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
    const line = this.#line
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
  #pair(table: ConfigPath): void {
    const [start, line] = [this.#at, this.#line]
    const keys = this.#key()
    const path = [...table, ...keys]
    for (let length = table.length + 1; length <= path.length; length++)
      this.#note(path.slice(0, length), line)
    this.#skipTo('=')
    this.#at++
    this.#blank()
    this.#value(path)
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
      this.#comma(start)
    }
  }

  #braces(path: ConfigPath): void {
    this.#at++
    for (;;) {
      this.#trivia()
      if (this.#ends('}')) return
      const start = this.#at
      this.#pair(path)
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
