/** Orders as they stand in the catalog (spec/orders.md §5). */

import {
  decodeCbor,
  deviceFromKey,
  encodeCbor,
  ERRORS,
  type ErrorCode,
  Fields,
  fromHex,
  keyOfDevice,
  nameBytesMax,
  ORDER_STATES,
  orderDirectoryBytesMax,
  orderNameBytesMax,
  type OrderId,
  orderPatternsMax,
  pathBytesMax,
  type RootId,
  toHex,
} from '../../protocol/index.ts'
import type { Order } from './order.ts'

const RECORD = { what: 'the record of an order', code: 'STORE_DAMAGED' } as const
const RECORD_BYTES_MAX = 1024 * 1024
const messageBytesMax = 1024

/** The catalog's value of an order, fresh. */
export function encodeOrder(order: Order): Uint8Array {
  const { includes, iincludes, excludes, iexcludes } = order.patterns
  const { files, filesTotal, bytes, bytesTotal, errors } = order.progress
  const { directory } = order
  return encodeCbor([
    fromHex(order.id),
    keyOfDevice(order.device),
    fromHex(order.root),
    order.path,
    [includes, iincludes, excludes, iexcludes],
    order.name,
    order.askedMs,
    order.changedMs,
    ORDER_STATES.indexOf(order.state),
    [files, filesTotal, bytes, bytesTotal, errors],
    order.code ?? null,
    order.message === undefined ? null : order.message.slice(0, messageBytesMax / 4).toWellFormed(),
    directory === undefined ? null : [directory.path, directory.dev, directory.ino],
    order.place ?? null,
    order.isSettled,
  ])
}

/**
 * Reads one back.
 *
 * @param bytes - borrowed
 * @throws {CellarError} `STORE_DAMAGED`
 */
export function decodeOrder(bytes: Uint8Array): Order {
  const fields = new Fields(decodeCbor(bytes, { ...RECORD, bytesMax: RECORD_BYTES_MAX, depthMax: 3 }), RECORD)
  const id = toHex(fields.bytes(16)) as OrderId
  const device = deviceFromKey(fields.bytes(32))
  const root = toHex(fields.bytes(32)) as RootId
  const path = fields.bytes(0, pathBytesMax)
  const patterns = fields.nested()
  const list = () =>
    patterns.list(orderPatternsMax, (value) => patterns.nested([value]).bytes(1, nameBytesMax))
  const order: Order = {
    ...{ id, device, root, path },
    patterns: { includes: list(), iincludes: list(), excludes: list(), iexcludes: list() },
    name: fields.text(orderNameBytesMax),
    askedMs: fields.uint(),
    changedMs: fields.uint(),
    state: ORDER_STATES[fields.uint(ORDER_STATES.length - 1)] ?? 'failed',
    progress: readProgress(fields.nested()),
    ...(!fields.skipNull() && { code: codeOf(fields.text(64)) }),
    ...(!fields.skipNull() && { message: fields.text(messageBytesMax) }),
    ...(!fields.skipNull() && { directory: readDirectory(fields.nested()) }),
    ...(!fields.skipNull() && { place: fields.text(orderDirectoryBytesMax) }),
    isSettled: fields.boolean(),
  }
  fields.end()
  return order
}

function readProgress(fields: Fields): Order['progress'] {
  return {
    files: fields.uint(),
    filesTotal: fields.uint(),
    bytes: fields.uint(),
    bytesTotal: fields.uint(),
    errors: fields.uint(),
  }
}

function readDirectory(fields: Fields): NonNullable<Order['directory']> {
  const u64 = 2n ** 64n - 1n
  return { path: fields.text(pathBytesMax), dev: fields.bigint(0n, u64), ino: fields.bigint(0n, u64) }
}

/** A later version may know codes that this one does not. */
function codeOf(text: string): ErrorCode {
  return Object.hasOwn(ERRORS, text) ? (text as ErrorCode) : 'INTERNAL'
}

/** A short beginning of an id, enough for a person. */
export function shortId(id: OrderId): string {
  return id.slice(0, 8)
}
