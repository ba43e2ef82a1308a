/** Frames: one message, or one chunk without a copy (wire.md §2); and listings larger than a frame. */

import { concatBytes } from '../bytes.ts'
import { CellarError } from '../errors.ts'
import { chunkBytesMax, frameBytesMax, headsPerListingMax, listingBytesMax } from '../limits.ts'
import { decodeMessageBody, encodeMessageBody } from './codec.ts'
import type { Frame, ListingPart, Message } from './messages.ts'

const MESSAGE = 0
const CHUNK = 1
const CHUNK_HEAD_BYTES = 5

/**
 * Encodes a message as a frame, fresh.
 *
 * @throws {CellarError} `FRAME_TOO_LONG` when nobody would accept it
 */
export function encodeMessage(message: Message): Uint8Array {
  const frame = concatBytes([Uint8Array.of(MESSAGE), encodeMessageBody(message)])
  if (frame.byteLength > frameBytesMax) throw tooLong(frame.byteLength)
  return frame
}

/**
 * A chunk as the parts of one frame: five fresh bytes, and the chunk itself, not copied.
 *
 * @param request - 0 .. 2^32 - 1, of the message that asked
 */
export function encodeChunkFrame(request: number, chunk: Uint8Array): [Uint8Array, Uint8Array] {
  if (chunk.byteLength > chunkBytesMax) throw tooLong(chunk.byteLength)
  const head = Buffer.alloc(CHUNK_HEAD_BYTES)
  head.writeUInt8(CHUNK, 0)
  head.writeUInt32BE(request, 1)
  return [head, chunk]
}

/**
 * Decodes one frame.
 *
 * @param frame - borrowed; a chunk in the result is a view into it, anything else fresh
 * @throws {CellarError} `FRAME_TOO_LONG`, `PEER_PROTOCOL`
 */
export function decodeFrame(frame: Uint8Array): Frame {
  if (frame.byteLength > frameBytesMax) throw tooLong(frame.byteLength)
  const type = frame[0]
  if (type === MESSAGE) return { kind: 'message', message: decodeMessageBody(frame.subarray(1)) }
  if (type !== CHUNK || frame.byteLength < CHUNK_HEAD_BYTES) {
    throw new CellarError('PEER_PROTOCOL', 'a frame that is neither a message nor a chunk', {
      bytes: frame.byteLength,
    })
  }
  if (frame.byteLength > CHUNK_HEAD_BYTES + chunkBytesMax) throw tooLong(frame.byteLength)
  const request = Buffer.from(frame.buffer, frame.byteOffset, CHUNK_HEAD_BYTES).readUInt32BE(1)
  return { kind: 'chunk', request, chunk: frame.subarray(CHUNK_HEAD_BYTES) }
}

function tooLong(bytes: number): CellarError {
  return new CellarError('FRAME_TOO_LONG', 'a frame is longer than allowed', { bytes, max: frameBytesMax })
}

/** Bytes of heads and body in one part of a listing. */
const PART_BYTES = 1024 * 1024

/** Splits a chain of heads and a body into messages that each fit a frame; at least one. */
export function* splitListing(heads: readonly Uint8Array[], body: Uint8Array): Generator<ListingPart> {
  let part: Uint8Array[] = []
  let partBytes = 0
  const none = new Uint8Array(0)
  for (const head of heads) {
    if (partBytes + head.byteLength > PART_BYTES) {
      yield { type: 'listing', heads: part, body: none, isMore: true }
      part = []
      partBytes = 0
    }
    part.push(head)
    partBytes += head.byteLength
  }
  for (let offset = 0; ; offset += PART_BYTES) {
    const isMore = offset + PART_BYTES < body.byteLength
    yield { type: 'listing', heads: part, body: body.subarray(offset, offset + PART_BYTES), isMore }
    if (!isMore) return
    part = []
  }
}

/** A listing put together again. */
export interface JoinedListing {
  readonly heads: readonly Uint8Array[]
  readonly bodyBytes: Uint8Array
}

/** Puts the parts of a listing together, within bounds. */
export class ListingJoiner {
  readonly #heads: Uint8Array[] = []
  readonly #body: Uint8Array[] = []
  #bodyBytes = 0

  /**
   * Takes the next part.
   *
   * @param part - kept
   * @returns the whole listing with the last part, undefined before
   * @throws {CellarError} `PEER_PROTOCOL` when it grows too large, or a part brings nothing
   */
  add(part: ListingPart): JoinedListing | undefined {
    if (part.isMore && part.heads.length === 0 && part.body.byteLength === 0)
      throw this.#refuse('a part brings nothing')
    if (this.#heads.length + part.heads.length > headsPerListingMax)
      throw this.#refuse('there are too many heads')
    if (this.#bodyBytes + part.body.byteLength > listingBytesMax) throw this.#refuse('the body is too long')
    for (const head of part.heads) this.#heads.push(head)
    this.#body.push(part.body)
    this.#bodyBytes += part.body.byteLength
    return part.isMore ? undefined : { heads: this.#heads, bodyBytes: concatBytes(this.#body) }
  }

  #refuse(reason: string): CellarError {
    return new CellarError('PEER_PROTOCOL', `a listing was sent wrongly: ${reason}`)
  }
}
