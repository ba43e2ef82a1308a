/**
 * What goes over the control socket (spec/control.md): JSON lines, and between them runs of raw bytes, each announced
 * by a line `{"bytes": n}`. Pure: bytes in, items out.
 */

import { CellarError, ERRORS, type ErrorCode, type ErrorContext } from '../../protocol/errors.ts'
import { socketLimits } from './limits.ts'

/** An error as it crosses: what a person and a program need, no stack. */
export interface ErrorRecord {
  readonly code: ErrorCode
  readonly message: string
  readonly context: ErrorContext
}

/** One thing a server says. */
export type ControlItem =
  | { readonly event: unknown }
  | { readonly result: unknown }
  | { readonly error: ErrorRecord }
  | { readonly bytes: Uint8Array }

const NEWLINE = 10

/** The line for one value, as bytes, fresh. */
export function encodeLine(value: unknown): Uint8Array {
  return Buffer.from(`${JSON.stringify(value)}\n`, 'utf8')
}

/** Takes an error apart for the other side; what is not ours becomes `INTERNAL`. */
export function errorRecord(error: unknown): ErrorRecord {
  if (error instanceof CellarError)
    return { code: error.code, message: error.message, context: error.context }
  return {
    code: 'INTERNAL',
    message: error instanceof Error ? `${error.name}: ${error.message}` : String(error),
    context: {},
  }
}

/** Makes an error of a record that was read; an unknown code becomes `INTERNAL`. */
export function errorFromRecord(value: unknown): CellarError {
  if (!isTable(value)) return new CellarError('INTERNAL', 'the node failed without saying how')
  const { code, message, context } = value
  const known = typeof code === 'string' && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : 'INTERNAL'
  return new CellarError(known, typeof message === 'string' ? message : 'the node failed', contextOf(context))
}

function contextOf(value: unknown): ErrorContext {
  const context: Record<string, string | number | boolean> = {}
  if (!isTable(value)) return context
  for (const [key, fact] of Object.entries(value)) {
    if (typeof fact === 'string' || typeof fact === 'number' || typeof fact === 'boolean') context[key] = fact
  }
  return context
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Reads a stream that begins with one JSON line; the rest is raw. A stream that ends, whole, is as good as a line that
 * does: what breaks off is told apart by HTTP.
 *
 * @param bytesMax - of the line
 * @returns the value of the line, and the bytes behind it as they come
 * @throws {CellarError} `FORMAT_INVALID` when there is no line, or it is too long or no JSON; `ABORTED`, from the bytes
 *   too, when the stream breaks off
 */
export async function readHead(
  stream: AsyncIterable<Uint8Array>,
  bytesMax: number,
): Promise<{ value: unknown; rest: AsyncGenerator<Uint8Array> }> {
  const iterator = fromCaller(stream)
  const parts: Uint8Array[] = []
  let length = 0
  for (;;) {
    const next = await iterator.next()
    if (next.done === true) {
      if (length === 0)
        throw new CellarError('FORMAT_INVALID', 'a request has no parameters: send at least {}')
      return { value: parseJson(Buffer.concat(parts)), rest: behind(new Uint8Array(0), iterator) }
    }
    const end = next.value.indexOf(NEWLINE)
    parts.push(end < 0 ? next.value : next.value.subarray(0, end))
    length += end < 0 ? next.value.byteLength : end
    if (length > bytesMax)
      throw new CellarError('FORMAT_INVALID', `the parameters are longer than ${bytesMax} bytes`)
    if (end >= 0)
      return { value: parseJson(Buffer.concat(parts)), rest: behind(next.value.subarray(end + 1), iterator) }
  }
}

/** The same bytes; a stream that breaks off means that the caller went away. */
async function* fromCaller(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream
  } catch (error) {
    throw new CellarError('ABORTED', 'the caller went away', {}, { cause: error })
  }
}

async function* behind(first: Uint8Array, iterator: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (first.byteLength > 0) yield first
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value
}

/** Reads what a server says, item by item. @throws {CellarError} `FORMAT_INVALID` */
export async function* readItems(stream: AsyncIterable<Uint8Array>): AsyncGenerator<ControlItem> {
  const parts: Uint8Array[] = []
  let length = 0
  let raw = 0
  for await (const bytes of stream) {
    let rest: Uint8Array = bytes
    while (rest.byteLength > 0) {
      if (raw > 0) {
        const piece = rest.subarray(0, raw)
        raw -= piece.byteLength
        rest = rest.subarray(piece.byteLength)
        yield { bytes: piece }
        continue
      }
      const end = rest.indexOf(NEWLINE)
      parts.push(end < 0 ? rest : rest.subarray(0, end))
      length += end < 0 ? rest.byteLength : end
      if (length > socketLimits.lineBytesMax)
        throw new CellarError('FORMAT_INVALID', 'a line of the node is too long')
      if (end < 0) break
      rest = rest.subarray(end + 1)
      const item = itemOf(parseJson(Buffer.concat(parts)))
      parts.length = 0
      length = 0
      if (typeof item === 'number') raw = item
      else yield item
    }
  }
}

function itemOf(value: unknown): ControlItem | number {
  if (isTable(value)) {
    if ('event' in value) return { event: value['event'] }
    if ('result' in value) return { result: value['result'] }
    if ('error' in value) return { error: errorRecord(errorFromRecord(value['error'])) }
    const count = value['bytes']
    if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return count
  }
  throw new CellarError('FORMAT_INVALID', 'the node said something that this program does not understand')
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown
  } catch (error) {
    throw new CellarError('FORMAT_INVALID', 'a line on the control socket is no JSON', {}, { cause: error })
  }
}
