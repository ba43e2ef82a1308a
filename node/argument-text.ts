/**
 * Arguments and lines of files as text that loses nothing: each byte that is not UTF-8 becomes one lone surrogate
 * (U+DC80 .. U+DCFF), so that a parser of text can handle it.
 */

import { type PathText, pathText, utf8OrUndefined } from './path-text.ts'

const ESCAPED = /[\udc80-\udcff]/

/**
 * Turns the bytes of one argument into text for the parser; `argumentBytes` turns it back.
 *
 * @param bytes - borrowed
 */
export function decodeArgument(bytes: Uint8Array): string {
  const whole = utf8OrUndefined(bytes)
  if (whole !== undefined) return whole
  let text = ''
  for (let at = 0; at < bytes.byteLength; ) {
    const length = characterLength(bytes, at)
    text +=
      length === 0
        ? String.fromCharCode(0xdc00 + (bytes[at] ?? 0))
        : (utf8OrUndefined(bytes.subarray(at, at + length)) ?? '')
    at += Math.max(1, length)
  }
  return text
}

/** Length of the valid UTF-8 character at a place, 0 when there is none. */
function characterLength(bytes: Uint8Array, at: number): number {
  const first = bytes[at] ?? 0
  const length =
    first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf8 ? 4 : 0
  if (length === 0 || at + length > bytes.byteLength) return 0
  return utf8OrUndefined(bytes.subarray(at, at + length)) === undefined ? 0 : length
}

/** The bytes of an argument as they were given; fresh. */
export function argumentBytes(text: string): Uint8Array {
  if (!ESCAPED.test(text)) return new Uint8Array(Buffer.from(text, 'utf8'))
  const parts: Uint8Array[] = []
  for (const character of text) {
    const code = character.charCodeAt(0)
    const escaped = character.length === 1 && code >= 0xdc80 && code <= 0xdcff
    parts.push(escaped ? Uint8Array.of(code - 0xdc00) : Buffer.from(character, 'utf8'))
  }
  return new Uint8Array(Buffer.concat(parts))
}

/** An argument as it travels to a node. */
export function argumentText(text: string): PathText {
  return ESCAPED.test(text) ? pathText(argumentBytes(text)) : text
}

/**
 * Makes a path absolute: no `.`, no `..`, no doubled or trailing slash; symbolic links are left as they are.
 *
 * @param bytes - a path as given; borrowed
 * @param directory - absolute, where relative ones begin; borrowed
 * @returns fresh bytes
 */
export function absolutePath(bytes: Uint8Array, directory: Uint8Array): Uint8Array {
  // latin1 keeps each byte one character, and '/' and '.' themselves.
  const given = Buffer.from(bytes).toString('latin1')
  const whole = given.startsWith('/') ? given : `${Buffer.from(directory).toString('latin1')}/${given}`
  const parts: string[] = []
  for (const part of whole.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return new Uint8Array(Buffer.from(`/${parts.join('/')}`, 'latin1'))
}
