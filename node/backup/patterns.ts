/** Patterns for paths, as restic has them (node/spec/backup.md §2); pure. */

import { CellarError } from '../../protocol/index.ts'
import { posix } from 'node:path'

/** A path in components: names as text, see {@link nameText}. */
export type NamePath = readonly string[]

/** One pattern, ready to be asked. */
interface Pattern {
  readonly isNegated: boolean
  /** Begins with `/`: matches from the top only. */
  readonly isRooted: boolean
  /** What each component must be; `undefined` is `**`, any number of components. */
  readonly parts: readonly (((name: string) => boolean) | undefined)[]
}

/** A list of patterns, asked in order: a later one overrides. */
export interface PatternList {
  /** Says whether the last component of a path is matched, by the last pattern that has a say. */
  matches(path: NamePath): boolean
  readonly isEmpty: boolean
}

/**
 * The text of a file name, for matching: UTF-8 where it is, and each byte that is not as U+DC80..U+DCFF, so
 * that no two names share a text.
 *
 * @param name - raw bytes; borrowed
 */
export function nameText(name: Uint8Array): string {
  const bytes = Buffer.from(name.buffer, name.byteOffset, name.byteLength)
  const text = bytes.toString('latin1')
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is just about bytes
  if (/^[\x00-\x7f]*$/.test(text)) return text
  const decoded = bytes.toString('utf8')
  return decoded.includes('\ufffd') ? escapedText(bytes) : decoded
}

function escapedText(bytes: Buffer): string {
  let text = ''
  for (let at = 0; at < bytes.length; ) {
    let length = 1
    const lead = bytes[at] ?? 0
    if (lead >= 0xc2 && lead < 0xf5) length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
    const one = bytes.toString('utf8', at, Math.min(at + length, bytes.length))
    const isWhole =
      Buffer.byteLength(one) === length &&
      (!one.includes('\ufffd') || bytes.subarray(at, at + length).equals(REPLACEMENT))
    if (lead < 0x80 || (length > 1 && isWhole)) {
      text += one
      at += length
    } else {
      text += String.fromCharCode(0xdc00 + lead)
      at += 1
    }
  }
  return text
}

const REPLACEMENT = Buffer.from('\ufffd')

function malformed(pattern: string): CellarError {
  return new CellarError(
    'USAGE',
    `The pattern ${JSON.stringify(pattern)} is malformed: a bracket or a backslash is not finished.`,
  )
}

/** Reads a bracket of a pattern from `at` (after `[`); gives it as part of a regular expression, and where it ends. */
function readBracket(
  pattern: string,
  chars: readonly string[],
  at: number,
): { source: string; next: number } {
  let source = '['
  if (chars[at] === '^') {
    source += '^'
    at++
  }
  const one = (): string => {
    let char = chars[at++]
    if (char === '\\') char = chars[at++]
    else if (char === '-' || char === ']') throw malformed(pattern)
    if (char === undefined) throw malformed(pattern)
    return char
  }
  const escaped = (char: string): string => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`
  for (let isFirst = true; isFirst || chars[at] !== ']'; isFirst = false) {
    const low = one()
    let high = low
    if (chars[at] === '-') {
      at++
      high = one()
    }
    // An upside-down range matches nothing.
    if ((low.codePointAt(0) ?? 0) <= (high.codePointAt(0) ?? 0)) source += `${escaped(low)}-${escaped(high)}`
  }
  return { source: `${source}]`, next: at + 1 }
}

/** Compiles one component of a pattern: `*`, `?`, `[a-z]`, `[^a-z]`, `\` (Go's filepath.Match). */
function compilePart(pattern: string, part: string): (name: string) => boolean {
  if (!/[\\[\]*?]/.test(part)) return (name) => name === part
  const suffix = /^\*([^\\[\]*?]*)$/.exec(part)?.[1]
  if (suffix !== undefined) return (name) => name.endsWith(suffix)
  let source = ''
  const chars = Array.from(part)
  for (let at = 0; at < chars.length; ) {
    const char = chars[at++] ?? ''
    if (char === '*') source += source.endsWith('.*') ? '' : '.*'
    else if (char === '?') source += '.'
    else if (char === '[') {
      const bracket = readBracket(pattern, chars, at)
      source += bracket.source
      at = bracket.next
    } else {
      const literal = char === '\\' ? chars[at++] : char
      if (literal === undefined) throw malformed(pattern)
      source += `\\u{${(literal.codePointAt(0) ?? 0).toString(16)}}`
    }
  }
  const expression = new RegExp(`^(?:${source})$`, 'su')
  return (name) => expression.test(name)
}

/** Compiles one pattern. */
function compile(text: string): Pattern {
  const isNegated = text.startsWith('!')
  const body = isNegated ? text.slice(1) : text
  if (body === '') throw new CellarError('USAGE', 'An empty pattern excludes nothing: leave it out.')
  const clean = posix.normalize(body).replace(/(?<=.)\/$/, '')
  const isRooted = clean.startsWith('/')
  const names = clean.split('/').filter((name) => name !== '')
  return {
    isNegated,
    isRooted,
    parts: names.map((name) => (name === '**' ? undefined : compilePart(text, name))),
  }
}

/** Whether pattern parts from `part` on match names from `name` on, to the very end of both. */
function matchesFrom({ parts }: Pattern, part: number, names: NamePath, name: number): boolean {
  for (; part < parts.length; part++, name++) {
    const matcher = parts[part]
    if (matcher === undefined) {
      for (let skipped = name; skipped <= names.length; skipped++)
        if (matchesFrom({ parts } as Pattern, part + 1, names, skipped)) return true
      return false
    }
    const text = names[name]
    if (text === undefined || !matcher(text)) return false
  }
  return name === names.length
}

function isMatch(pattern: Pattern, names: NamePath): boolean {
  if (pattern.isRooted) return matchesFrom(pattern, 0, names, 0)
  if (!pattern.parts.includes(undefined)) {
    const from = names.length - pattern.parts.length
    return from >= 0 && matchesFrom(pattern, 0, names, from)
  }
  for (let from = 0; from <= names.length; from++) if (matchesFrom(pattern, 0, names, from)) return true
  return false
}

/**
 * Compiles a list of patterns.
 *
 * @param patterns - as restic's; `!` in front includes again
 * @param options - `ignoreCase`: compare without regard to case
 * @throws {CellarError} `USAGE` when one is malformed
 */
export function compilePatterns(
  patterns: readonly string[],
  options: { readonly ignoreCase: boolean },
): PatternList {
  const list = patterns.map((text) => compile(options.ignoreCase ? text.toLowerCase() : text))
  return {
    isEmpty: list.length === 0,
    matches(path) {
      if (list.length === 0) return false
      const names = options.ignoreCase ? path.map((name) => name.toLowerCase()) : path
      let isExcluded = false
      for (const pattern of list)
        if (isExcluded === pattern.isNegated && isMatch(pattern, names)) isExcluded = !pattern.isNegated
      return isExcluded
    },
  }
}

/**
 * Reads a file of patterns: one a line, `#` begins a comment line, `$NAME` and `${NAME}` are taken from the
 * environment, `$$` is one dollar.
 *
 * @param text - of the whole file
 * @param env - where names are looked up; what is not there becomes nothing
 */
export function readPatternFile(text: string, env: Readonly<Record<string, string | undefined>>): string[] {
  return text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) =>
      line.replace(
        /\$(?:\$|\{([^}]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g,
        (whole, braced: string | undefined, plain: string | undefined) =>
          whole === '$$' ? '$' : (env[braced ?? plain ?? ''] ?? ''),
      ),
    )
}

/**
 * Reads a size: digits, then nothing or b, k, M, G, T in either case (powers of 1024).
 *
 * @returns bytes
 * @throws {CellarError} `USAGE`
 */
export function readSize(text: string): number {
  const found = /^(\d+)([bkmgt]?)$/i.exec(text.trim())
  const bytes =
    found === null
      ? Number.NaN
      : Number(found[1]) *
        1024 ** ['', 'k', 'm', 'g', 't'].indexOf((found[2] ?? '').toLowerCase().replace('b', ''))
  if (!Number.isSafeInteger(bytes))
    throw new CellarError('USAGE', `${JSON.stringify(text)} is not a size: write it as 500k, 10M, 2G or 1T.`)
  return bytes
}
