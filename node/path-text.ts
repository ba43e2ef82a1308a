/**
 * How a path travels in JSON: file names are bytes, JSON is text. A path that is valid UTF-8 is a plain
 * string; any other is `{ b64 }`. Both directions lose nothing.
 */

import type { PathFields, PathText } from './api-path.ts'

export type { PathFields, PathText }

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The text of bytes that are valid UTF-8, else `undefined`. */
export function utf8OrUndefined(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes)
  } catch {
    return undefined
  }
}

/**
 * Makes what travels from the raw bytes of a path.
 *
 * @param bytes - any bytes; borrowed
 */
export function pathText(bytes: Uint8Array): PathText {
  return utf8OrUndefined(bytes) ?? { b64: Buffer.from(bytes).toString('base64') }
}

/** The raw bytes of a path that travelled; fresh. */
export function pathBytes(path: PathText): Uint8Array {
  return typeof path === 'string'
    ? new Uint8Array(Buffer.from(path, 'utf8'))
    : new Uint8Array(Buffer.from(path.b64, 'base64'))
}

/** Something a person can read: bytes that are no UTF-8 show as U+FFFD. */
export function pathDisplay(path: PathText): string {
  return typeof path === 'string' ? path : Buffer.from(path.b64, 'base64').toString('utf8')
}

/**
 * The two fields by which messages name a path (`path`, and `path_b64` when it is not UTF-8).
 *
 * @param bytes - any bytes; borrowed
 */
export function pathFields(bytes: Uint8Array): PathFields {
  const text = utf8OrUndefined(bytes)
  if (text !== undefined) return { path: text }
  return { path: Buffer.from(bytes).toString('utf8'), path_b64: Buffer.from(bytes).toString('base64') }
}

/** The raw bytes named by the two fields of a message; fresh. */
export function pathFieldBytes(fields: PathFields): Uint8Array {
  return new Uint8Array(
    fields.path_b64 === undefined ? Buffer.from(fields.path, 'utf8') : Buffer.from(fields.path_b64, 'base64'),
  )
}
