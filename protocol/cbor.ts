/**
 * Deterministic CBOR: one encoding for each value, and a reader that takes no other (README.md of the specs, §3).
 *
 * The house uses a small part of RFC 8949: integers of 64 bits, byte strings, text, arrays, maps with text keys,
 * true, false and null. No floats, tags, undefined, or indefinite lengths.
 */

import { isUtf8 } from 'node:buffer'
import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import { CellarError, type ErrorCode } from './errors.ts'
import { cborItemsMax } from './limits.ts'

/** What may be encoded; numbers must be safe integers, bigints must fit 64 bits. */
export type CborValue =
  | number
  | bigint
  | string
  | boolean
  | null
  | Uint8Array
  | readonly CborValue[]
  | ReadonlyMap<string, CborValue>

/** Bounds and words for one decoding. */
export interface CborOptions {
  /** What is being read, for the message of an error: "a root chunk". */
  readonly what: string
  /** The code thrown for anything wrong. @defaultValue FORMAT_INVALID */
  readonly code?: ErrorCode
  /** Bytes accepted at most, before anything is looked at. */
  readonly bytesMax: number
  /** Arrays and maps inside one another, at most. @defaultValue 8 */
  readonly depthMax?: number
  /**
   * Values in all, those inside arrays and maps too: an empty array is one byte here and fifty in memory.
   *
   * @defaultValue {@link cborItemsMax}
   */
  readonly itemsMax?: number
}

/**
 * Encodes a value in its one deterministic form (RFC 8949 §4.2.1).
 *
 * @returns fresh bytes
 * @throws {RangeError} for a number that is no safe integer, or a text that is not well-formed: our own bug
 */
export function encodeCbor(value: CborValue): Uint8Array {
  return encode(value, ENCODE_OPTIONS)
}

/** As {@link encodeCbor}, for many rows whose numbers and texts the caller has checked already; three times as fast. */
export function encodeCheckedCbor(value: CborValue): Uint8Array {
  return encode(value, rfc8949EncodeOptions)
}

const ENCODE_OPTIONS = {
  ...rfc8949EncodeOptions,
  typeEncoders: {
    number: (value: number): null => {
      if (!Number.isSafeInteger(value)) throw new RangeError('only safe integers are encoded')
      return null
    },
    string: (value: string): null => {
      if (!value.isWellFormed()) throw new RangeError('only well-formed text is encoded')
      return null
    },
    undefined: (): null => {
      throw new RangeError('undefined is not encoded')
    },
  },
}

/**
 * Decodes bytes that must be the deterministic form of one value, and nothing after it.
 * The form is checked by walking the heads before anything is allocated for the content.
 *
 * @param bytes - borrowed; byte strings in the result are fresh copies
 * @returns numbers (bigint beyond the safe integers), text, Uint8Array, arrays, `Map` with text keys, booleans, null
 * @throws {CellarError} `options.code` for any other form
 */
export function decodeCbor(bytes: Uint8Array, options: CborOptions): unknown {
  const code = options.code ?? 'FORMAT_INVALID'
  if (bytes.byteLength > options.bytesMax) {
    throw new CellarError(code, `${options.what} is larger than allowed`, {
      bytes: bytes.byteLength,
      max: options.bytesMax,
    })
  }
  const fault = findFault(bytes, options.depthMax ?? 8, options.itemsMax ?? cborItemsMax)
  if (fault !== undefined) {
    throw new CellarError(code, `${options.what} is not deterministic CBOR: ${fault.what}`, {
      offset: fault.offset,
    })
  }
  return decode(bytes, DECODE_OPTIONS)
}

const DECODE_OPTIONS = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  useMaps: true,
  rejectDuplicateMapKeys: true,
}

/** What is wrong, and where. */
interface Fault {
  readonly what: string
  readonly offset: number
}

/** Argument of a head: its value (exact below 2^53, rounded above: only lengths need it) and where the head ends. */
interface Head {
  value: number
  end: number
}

const MAJOR_BYTES = 2
const MAJOR_TEXT = 3
const MAJOR_ARRAY = 4
const MAJOR_MAP = 5
const MAJOR_TAG = 6
const MAJOR_SIMPLE = 7

/** Walks the heads of `bytes`; undefined when they are one value in deterministic form. */
function findFault(bytes: Uint8Array, depthMax: number, itemsMax: number): Fault | undefined {
  const head: Head = { value: 0, end: 0 }
  const open: OpenItem[] = []
  let offset = 0
  let items = 0
  do {
    if (++items > itemsMax) return { what: 'it has too many values', offset }
    const what = readHead(bytes, offset, head)
    if (what !== undefined) return { what, offset }
    const major = (bytes[offset] as number) >> 5
    const fault = checkKey(bytes, open.at(-1), offset, head.end + head.value, major)
    if (fault !== undefined) return { what: fault, offset }
    if (major === MAJOR_BYTES || major === MAJOR_TEXT) {
      if (head.value > bytes.byteLength - head.end) return { what: 'a string runs beyond the end', offset }
      const start = head.end
      head.end += head.value
      if (major === MAJOR_TEXT && !isUtf8(bytes.subarray(start, head.end)))
        return { what: 'text is not UTF-8', offset }
    } else if (major === MAJOR_ARRAY || major === MAJOR_MAP) {
      const inside = major === MAJOR_MAP ? head.value * 2 : head.value
      if (inside > bytes.byteLength - head.end)
        return { what: 'more items are announced than follow', offset }
      if (open.length >= depthMax) return { what: 'it is nested too deeply', offset }
      // The item itself is counted off when its last part is, see below.
      open.push({ left: inside + 1, isMap: major === MAJOR_MAP, keyStart: 0, keyEnd: 0 })
    }
    offset = head.end
    countOff(open)
    if (offset >= bytes.byteLength && open.length > 0) return { what: 'it ends too early', offset }
  } while (open.length > 0)
  return offset === bytes.byteLength ? undefined : { what: 'something follows the value', offset }
}

/** An array or map whose items are being read. */
interface OpenItem {
  left: number
  readonly isMap: boolean
  keyStart: number
  keyEnd: number
}

/** Counts one item off the innermost open one; what becomes empty is an item of the next one out. */
function countOff(open: OpenItem[]): void {
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    top.left--
    if (top.left > 0) return
    open.pop()
  }
}

/** A key of a map must be text, and greater than the one before in the order of its encoded bytes. */
function checkKey(
  bytes: Uint8Array,
  inside: OpenItem | undefined,
  start: number,
  end: number,
  major: number,
): string | undefined {
  if (inside?.isMap !== true || inside.left % 2 !== 0) return undefined
  if (major !== MAJOR_TEXT) return 'a key is not text'
  if (end > bytes.byteLength) return 'a string runs beyond the end'
  if (
    inside.keyEnd > 0 &&
    Buffer.compare(bytes.subarray(inside.keyStart, inside.keyEnd), bytes.subarray(start, end)) >= 0
  ) {
    return 'keys are not in order'
  }
  inside.keyStart = start
  inside.keyEnd = end
  return undefined
}

/** Reads the head at `offset` into `head`; says what is wrong with it, if anything is. */
function readHead(bytes: Uint8Array, offset: number, head: Head): string | undefined {
  const first = bytes[offset]
  if (first === undefined) return 'it ends too early'
  const major = first >> 5
  const minor = first & 31
  if (major === MAJOR_TAG) return 'tags are not used'
  if (major === MAJOR_SIMPLE) {
    head.value = 0
    head.end = offset + 1
    return minor >= 20 && minor <= 22 ? undefined : 'neither true, false nor null'
  }
  if (minor < 24) {
    head.value = minor
    head.end = offset + 1
    return undefined
  }
  if (minor > 27) return minor === 31 ? 'indefinite lengths are not used' : 'a reserved head'
  const width = 1 << (minor - 24)
  head.end = offset + 1 + width
  if (head.end > bytes.byteLength) return 'it ends too early'
  let value = 0
  for (let at = offset + 1; at < head.end; at++) value = value * 256 + (bytes[at] as number)
  head.value = value
  return value < (SHORTEST[width] as number) ? 'a number is not in its shortest form' : undefined
}

/** By the width of an argument: the least value that needs it. */
const SHORTEST: readonly number[] = [0, 24, 0x100, 0, 0x1_0000, 0, 0, 0, 0x1_0000_0000]
