/**
 * Arguments as the system gave them. Node decodes them as UTF-8 and loses other bytes; here each byte that is not
 * UTF-8 becomes one lone surrogate (U+DC80 .. U+DCFF), so that a parser of text can handle it and nothing is lost.
 */

import { readFileSync, readlinkSync } from 'node:fs'
import { type PathText, pathText, utf8OrUndefined } from '../node/client.ts'

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

/** Arguments of this process behind the program's name; on Linux exact, elsewhere as Node decoded them. */
export function processArguments(): string[] {
  const decoded = process.argv.slice(2)
  if (process.platform !== 'linux' || !decoded.some((text) => text.includes('\ufffd'))) return decoded
  try {
    const raw = splitAtNul(readFileSync('/proc/self/cmdline')).slice(-decoded.length).map(decodeArgument)
    return raw.length === decoded.length ? raw : decoded
  } catch {
    return decoded
  }
}

function splitAtNul(bytes: Buffer): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let start = 0; start < bytes.byteLength; ) {
    const end = bytes.indexOf(0, start)
    parts.push(bytes.subarray(start, end < 0 ? bytes.byteLength : end))
    start = end < 0 ? bytes.byteLength : end + 1
  }
  return parts
}

/** The bytes of the directory this process is in. */
export function processDirectory(): Uint8Array {
  try {
    if (process.platform === 'linux') return readlinkSync('/proc/self/cwd', { encoding: 'buffer' })
  } catch {
    // no /proc here
  }
  return Buffer.from(process.cwd(), 'utf8')
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
