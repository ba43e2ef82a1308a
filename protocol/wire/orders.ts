/** Parts of the messages about orders to restore (wire.md §8): patterns, paths, states and progress. */

import type { CborValue } from '../cbor.ts'
import type { Fields } from '../fields.ts'
import { nameBytesMax, orderPatternsMax, pathBytesMax } from '../limits.ts'
import type { OrderPatterns, OrderProgress, OrderState } from './messages.ts'

/** The states by their numbers; numbers are never used again. */
export const STATES: readonly OrderState[] = [
  'waiting',
  'accepted',
  'running',
  'done',
  'failed',
  'refused',
  'expired',
  'withdrawn',
]

/** Says whether an order in this state has ended, and never changes any more. */
export function isOrderOver(state: OrderState): boolean {
  return state !== 'waiting' && state !== 'accepted' && state !== 'running'
}

/** Four lists, in the order of {@link OrderPatterns}. */
export function patternsValue({ includes, iincludes, excludes, iexcludes }: OrderPatterns): CborValue {
  return [includes, iincludes, excludes, iexcludes]
}

/** W8.1: bounded one by one, and all together. */
export function readPatterns(fields: Fields): OrderPatterns {
  let count = 0
  const lists = fields.list(4, (value) => {
    const list = fields.nested([value]).list(orderPatternsMax, (pattern) => readName(fields, pattern))
    count += list.length
    return list
  })
  if (count > orderPatternsMax) fields.fail('too many patterns')
  const [includes, iincludes, excludes, iexcludes] = lists
  if (includes === undefined || iincludes === undefined || excludes === undefined || iexcludes === undefined)
    return fields.fail('a list of patterns is missing')
  return { includes, iincludes, excludes, iexcludes }
}

/** W8.1: absolute, or nothing. */
export function readPath(fields: Fields): Uint8Array {
  const path = fields.bytes(0, pathBytesMax)
  if (path.includes(0) || (path.byteLength > 0 && path[0] !== 0x2f))
    fields.fail('the path of an order is not absolute')
  return path
}

/** In the order of {@link OrderProgress}. */
export function progressValues(progress: OrderProgress): CborValue {
  const { files, filesTotal, bytes, bytesTotal, errors } = progress
  return [files, filesTotal, bytes, bytesTotal, errors]
}

/** Reads what {@link progressValues} wrote. @param fields - of the nested array */
export function readProgress(fields: Fields): OrderProgress {
  const progress = {
    files: fields.uint(),
    filesTotal: fields.uint(),
    bytes: fields.uint(),
    bytesTotal: fields.uint(),
    errors: fields.uint(),
  }
  fields.end()
  return progress
}

function readName(fields: Fields, value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array) || value.byteLength === 0 || value.byteLength > nameBytesMax)
    fields.fail('a pattern is missing or too long')
  if (value.includes(0)) fields.fail('a pattern holds a zero byte')
  return value
}
