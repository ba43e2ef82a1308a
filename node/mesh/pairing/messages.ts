/** The messages of pairing: deterministic CBOR, strict, and short before anything is believed (pairing.md §4). */

import { decode, encode } from 'cborg'
import { CellarError, pairingGiftBytesMax, pairingMessageBytesMax } from '../../../protocol/index.ts'

/** In the order sent; the joiner begins. Sealed ones carry a payload below. */
export type PairingMessage =
  | { readonly type: 'start'; readonly number: string; readonly nonce: Uint8Array }
  | { readonly type: 'share'; readonly nonce: Uint8Array; readonly share: Uint8Array }
  | { readonly type: 'proof'; readonly share: Uint8Array; readonly tag: Uint8Array }
  | { readonly type: 'welcome'; readonly tag: Uint8Array; readonly sealed: Uint8Array }
  | { readonly type: 'request'; readonly sealed: Uint8Array }
  | { readonly type: 'gift'; readonly sealed: Uint8Array }
  | { readonly type: 'thanks'; readonly sealed: Uint8Array }
  | { readonly type: 'refuse'; readonly code: number }

type Field = 'number' | 'nonce' | 'share' | 'tag' | 'sealed' | 'code'

/** Field names of each type, in the order encoded; the number on the wire is the place in the list. */
const forms: readonly (readonly [PairingMessage['type'], ...Field[]])[] = [
  ['start', 'number', 'nonce'],
  ['share', 'nonce', 'share'],
  ['proof', 'share', 'tag'],
  ['welcome', 'tag', 'sealed'],
  ['request', 'sealed'],
  ['gift', 'sealed'],
  ['thanks', 'sealed'],
  ['refuse', 'code'],
]

const lengths: Partial<Record<Field, number>> = { nonce: 16, share: 32, tag: 64 }

/** @returns the frame, fresh */
export function encodePairing(message: PairingMessage): Uint8Array {
  const number = forms.findIndex(([type]) => type === message.type)
  const [, ...fields] = forms[number] as (typeof forms)[number]
  return encode([number, ...fields.map((field) => (message as unknown as Record<Field, unknown>)[field])])
}

/**
 * Reads the message that is due; anything else is refused before it is looked into.
 *
 * @param due - the type that may come now; `refuse` may always come
 * @throws {CellarError} `PEER_PROTOCOL`
 */
export function decodePairing<T extends PairingMessage['type']>(
  frame: Uint8Array,
  due: T,
): Extract<PairingMessage, { type: T | 'refuse' }> {
  if (frame.byteLength > (due === 'gift' ? pairingGiftBytesMax : pairingMessageBytesMax)) throw malformed()
  const value = decodeStrictly(frame)
  if (!Array.isArray(value)) throw malformed()
  const [number, ...values] = value as unknown[]
  const form = typeof number === 'number' ? forms[number] : undefined
  if (form === undefined || (form[0] !== due && form[0] !== 'refuse')) throw malformed()
  const [type, ...fields] = form
  if (values.length !== fields.length) throw malformed()
  const message: Record<string, unknown> = { type }
  for (const [i, field] of fields.entries()) message[field] = checkField(field, values[i])
  return message as Extract<PairingMessage, { type: T | 'refuse' }>
}

function checkField(field: Field, value: unknown): unknown {
  if (field === 'code') {
    if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw malformed()
  } else if (field === 'number') {
    if (typeof value !== 'string' || !/^\d{4}$/.test(value)) throw malformed()
  } else {
    const length = lengths[field]
    if (!(value instanceof Uint8Array)) throw malformed()
    if (length !== undefined && value.byteLength !== length) throw malformed()
  }
  return value
}

/** Decodes, and takes only the one deterministic form. @throws {CellarError} `PEER_PROTOCOL` */
export function decodeStrictly(bytes: Uint8Array): unknown {
  let value: unknown
  try {
    value = decode(bytes, {
      allowIndefinite: false,
      allowUndefined: false,
      strict: true,
      rejectDuplicateMapKeys: true,
    })
  } catch (error) {
    throw new CellarError('PEER_PROTOCOL', 'a pairing message cannot be read', {}, { cause: error })
  }
  if (Buffer.compare(encode(value), bytes) !== 0) throw malformed()
  return value
}

/** The error for a message that is not of its form; what was wrong is not told to the other side. */
export function malformed(): CellarError {
  return new CellarError('PEER_PROTOCOL', 'a pairing message of another form came')
}
