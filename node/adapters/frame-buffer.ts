/** Cuts a stream of bytes into frames, only as far as somebody asks for them (mesh.md §4). Pure: no I/O. */

import { CellarError, frameBytesMax } from '../../protocol/index.ts'

/** Pieces shorter than this are copied together, so that a flood of tiny pieces costs bytes, not objects. */
const pieceBytesMin = 1024
const tailBytes = 16 * 1024
const headBytes = 4

/**
 * Bytes that came in, and the frames in them: a length of 4 bytes, big-endian, then the body.
 * Held as they came until asked for, so a thousand tiny frames cost no more than their bytes.
 */
export class FrameBuffer {
  readonly #bytesMax: number
  readonly #pieces: Uint8Array[] = []
  #first = 0
  #offset = 0
  #tail: Uint8Array | undefined
  #tailUsed = 0
  #body: Uint8Array | undefined
  #filled = 0
  #held = 0

  /** @param bytesMax - of one frame */
  constructor(bytesMax: number = frameBytesMax) {
    this.#bytesMax = bytesMax
  }

  /** Bytes that came in and are in no frame yet. */
  get heldBytes(): number {
    return this.#held
  }

  /** Whether a frame has begun that is not whole; to be asked after `next()` gave none. */
  get isInsideFrame(): boolean {
    return this.#body !== undefined || this.#held > 0
  }

  /** Adds what came in. @param piece - any length; kept, not changed */
  push(piece: Uint8Array): void {
    if (piece.byteLength === 0) return
    this.#held += piece.byteLength
    if (piece.byteLength >= pieceBytesMin) {
      this.#flushTail()
      this.#pieces.push(piece)
      return
    }
    let tail = this.#tail
    if (tail === undefined || this.#tailUsed + piece.byteLength > tail.byteLength) {
      this.#flushTail()
      tail = this.#tail = new Uint8Array(tailBytes)
    }
    tail.set(piece, this.#tailUsed)
    this.#tailUsed += piece.byteLength
  }

  /**
   * The next whole frame, fresh; undefined when more bytes are needed.
   *
   * @throws {CellarError} `FRAME_TOO_LONG`, before anything is set aside for it
   */
  next(): Uint8Array | undefined {
    if (this.#body === undefined) {
      if (this.#held < headBytes) return undefined
      const length = this.#readLength()
      if (length > this.#bytesMax) {
        throw new CellarError('FRAME_TOO_LONG', `a peer announced a frame of ${String(length)} bytes`, {
          length,
        })
      }
      // Slow: a small body must not keep a pooled 8 KiB alive, nor be part of another's buffer.
      this.#body = Buffer.allocUnsafeSlow(length)
      this.#filled = 0
    }
    this.#filled += this.#take(this.#body, this.#filled)
    if (this.#filled < this.#body.byteLength) return undefined
    const body = this.#body
    this.#body = undefined
    return body
  }

  /** Forgets everything. */
  clear(): void {
    this.#pieces.length = 0
    this.#first = this.#offset = this.#held = this.#filled = this.#tailUsed = 0
    this.#tail = this.#body = undefined
  }

  #readLength(): number {
    const head = new Uint8Array(headBytes)
    this.#take(head, 0)
    return new DataView(head.buffer).getUint32(0)
  }

  /** Moves bytes into `into` from `at` on, as many as there are and fit; returns how many. */
  #take(into: Uint8Array, at: number): number {
    const start = at
    while (at < into.byteLength) {
      if (this.#first === this.#pieces.length) {
        if (this.#tailUsed === 0) break
        this.#flushTail()
      }
      const piece = this.#pieces[this.#first] as Uint8Array
      const count = Math.min(piece.byteLength - this.#offset, into.byteLength - at)
      into.set(
        this.#offset === 0 && count === piece.byteLength
          ? piece
          : piece.subarray(this.#offset, this.#offset + count),
        at,
      )
      at += count
      this.#offset += count
      if (this.#offset === piece.byteLength) this.#dropFirst()
    }
    this.#held -= at - start
    return at - start
  }

  #dropFirst(): void {
    this.#pieces[this.#first] = empty
    this.#first += 1
    this.#offset = 0
    if (this.#first < 64 && this.#first < this.#pieces.length) return
    this.#pieces.splice(0, this.#first)
    this.#first = 0
  }

  #flushTail(): void {
    if (this.#tail === undefined || this.#tailUsed === 0) return
    this.#pieces.push(this.#tail.subarray(0, this.#tailUsed))
    this.#tail = this.#tail.subarray(this.#tailUsed)
    this.#tailUsed = 0
  }
}

const empty = new Uint8Array(0)

/** The head of a frame for a body of that many bytes, fresh. */
export function frameHead(length: number): Uint8Array {
  const head = new Uint8Array(headBytes)
  new DataView(head.buffer).setUint32(0, length)
  return head
}
