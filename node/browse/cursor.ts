/** Where a page goes on: text that says nothing to whoever passes it on. Pure. */

import { CellarError } from '../../protocol/index.ts'

/** What a cursor may hold. */
export type CursorPart = string | number

/** Makes a cursor. */
export function encodeCursor(parts: readonly CursorPart[]): string {
  return Buffer.from(JSON.stringify(parts), 'utf8').toString('base64url')
}

/**
 * Reads a cursor.
 *
 * @param kinds - what it must hold, in order
 * @throws {CellarError} `USAGE` for one that this method has not made; what it held is not repeated (H3.2)
 */
export function decodeCursor<const K extends readonly ('string' | 'number')[]>(
  cursor: string,
  kinds: K,
): { -readonly [I in keyof K]: K[I] extends 'string' ? string : number } {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
  } catch {
    throw wrongCursor() // no JSON: nobody here has made it
  }
  if (!Array.isArray(parts) || parts.length !== kinds.length) throw wrongCursor()
  if (!kinds.every((kind, at) => typeof parts[at] === kind)) throw wrongCursor()
  return parts as { -readonly [I in keyof K]: K[I] extends 'string' ? string : number }
}

/** What a cursor that does not fit is refused with. */
export function wrongCursor(): CellarError {
  return new CellarError('USAGE', '"after" is not the "next" of a page of the same question: begin anew')
}
