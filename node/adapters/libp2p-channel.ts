/** A channel of frames over one libp2p stream, with real flow control both ways (mesh.md §4). */

import type { Stream } from '@libp2p/interface'
import {
  CellarError,
  channelLingerMsMax,
  channelReadBytesMax,
  channelStallMsMax,
  frameBytesMax,
} from '../../protocol/index.ts'
import type { Channel } from '../network.ts'
import { FrameBuffer, frameHead } from './frame-buffer.ts'

/** Bodies up to this are copied behind their head, so that a small frame is one packet. */
const copyBytesMax = 16 * 1024
/** Bytes that may wait in the stream before `send` does: enough to keep it busy. */
const writeBytesHigh = 1024 * 1024

/**
 * What yamux's streams offer beside the interface: withholding credit without hiding what has come in already.
 * `pause()` would let it pile up in a list of pieces, and end the stream when that is long.
 */
interface Credit {
  sendPause?: () => void
  sendResume?: () => void
}

/** Where a channel stands, for the one who looks after all of them. */
export type ChannelState = 'open' | 'ended'

/** The frames of one stream. Made at once when the stream is handed over: what comes before is kept by the stream. */
export class StreamChannel implements Channel {
  readonly #stream: Stream
  readonly #now: () => number
  readonly #buffer: FrameBuffer
  #isPaused = false
  #isRemoteEnded = false
  #error: CellarError | undefined
  #isClosing = false
  #isGone = false
  #wakeReader: (() => void) | undefined
  #insideSinceMs: number | undefined
  #blockedSinceMs: number | undefined
  #finishedSinceMs: number | undefined
  #received = 0

  /**
   * @param now - the running time in milliseconds
   * @param bytesMax - of one frame that is received: less than others where anyone may send
   */
  constructor(stream: Stream, now: () => number, bytesMax: number = frameBytesMax) {
    this.#stream = stream
    this.#now = now
    this.#buffer = new FrameBuffer(bytesMax)
    stream.addEventListener('message', (event) => {
      this.#onData(event.data)
    })
    stream.addEventListener('remoteCloseWrite', () => {
      this.#onRemoteEnd()
    })
    stream.addEventListener('close', (event) => {
      this.#onGone(event.error)
    })
    if (stream.remoteWriteStatus === 'closed') this.#onRemoteEnd()
    if (stream.status !== 'open')
      this.#onGone(stream.status === 'closed' ? undefined : new Error(stream.status))
  }

  /** Why the channel broke; asked anew after each wait. */
  get #failure(): CellarError | undefined {
    return this.#error
  }

  get state(): ChannelState {
    return this.#isGone ? 'ended' : 'open'
  }

  async send(frame: Uint8Array | readonly Uint8Array[]): Promise<void> {
    const parts = frame instanceof Uint8Array ? [frame] : frame
    let length = 0
    for (const part of parts) length += part.byteLength
    if (length > frameBytesMax) {
      throw new CellarError('FRAME_TOO_LONG', `a frame of ${String(length)} bytes is too long to send`, {
        length,
      })
    }
    if (this.#error !== undefined) throw this.#error
    if (this.#isGone || this.#isClosing) throw gone('the channel has been closed')
    try {
      // All parts in one turn: two senders never mix their frames.
      if (length <= copyBytesMax) this.#stream.send(Buffer.concat([frameHead(length), ...parts]))
      else for (const part of [frameHead(length), ...parts]) this.#stream.send(part)
    } catch (error) {
      throw this.#failure ?? gone('the peer has gone', error)
    }
    if (this.#stream.writeBufferLength > writeBytesHigh) await this.#drained()
  }

  async receive(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    signal?.throwIfAborted()
    for (;;) {
      if (this.#error !== undefined) throw this.#error
      const frame = this.#next()
      if (frame !== undefined) return frame
      if (this.#isRemoteEnded && this.#stream.readBufferLength === 0) {
        if (this.#buffer.isInsideFrame) throw this.#break(gone('the peer ended inside a frame'))
        return undefined
      }
      await this.#more(signal)
    }
  }

  async close(): Promise<void> {
    if (this.#isClosing || this.#isGone) return
    this.#isClosing = true
    this.#blockedSinceMs ??= this.#now()
    try {
      // The stall limit ends this when the peer never reads.
      await this.#stream.close({ signal: AbortSignal.timeout(channelStallMsMax) })
    } catch (error) {
      this.#break(gone('the peer did not take the end of the channel', error))
    } finally {
      this.#blockedSinceMs = undefined
    }
  }

  abort(error: Error): void {
    this.#break(error instanceof CellarError ? error : gone('the channel was broken off', error))
  }

  /** Ends a channel that nobody reads any more: closes it, and gives the peer some seconds to do the same. */
  async finish(): Promise<void> {
    this.#finishedSinceMs = this.#now()
    this.#buffer.clear()
    await this.close()
  }

  /** Breaks the channel off when its peer has left it hanging too long (mesh.md §4). */
  check(nowMs: number): void {
    const isOver = (since: number | undefined, msMax: number) => since !== undefined && nowMs - since > msMax
    if (isOver(this.#insideSinceMs, channelStallMsMax)) this.#break(gone('the peer stopped inside a frame'))
    else if (isOver(this.#blockedSinceMs, channelStallMsMax)) this.#break(gone('the peer does not read'))
    else if (isOver(this.#finishedSinceMs, channelLingerMsMax))
      this.#break(gone('the peer did not close its side'))
  }

  /** The next frame in hand; lets the sender go on when little is held. */
  #next(): Uint8Array | undefined {
    let frame: Uint8Array | undefined
    try {
      frame = this.#buffer.next()
    } catch (error) {
      throw this.#break(error as CellarError)
    }
    if (this.#isPaused && this.#buffer.heldBytes < channelReadBytesMax / 2 && !this.#isGone) {
      this.#isPaused = false
      const stream = this.#stream as Stream & Credit
      if (stream.sendResume !== undefined) stream.sendResume()
      else stream.resume()
    }
    return frame
  }

  /** Waits until bytes, the end or an error came. The clock runs while a frame is begun and not whole. */
  async #more(signal: AbortSignal | undefined): Promise<void> {
    this.#insideSinceMs = this.#buffer.isInsideFrame ? this.#now() : undefined
    const before = this.#received
    let onAbort: (() => void) | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        if (this.#received !== before || this.#isGone) {
          resolve()
          return
        }
        this.#wakeReader = resolve
        onAbort = () => {
          reject(signal?.reason as Error)
        }
        signal?.addEventListener('abort', onAbort, { once: true })
      })
    } finally {
      this.#wakeReader = undefined
      this.#insideSinceMs = undefined
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort)
    }
  }

  #onData(data: Uint8Array | Iterable<Uint8Array>): void {
    if (this.#finishedSinceMs !== undefined || this.#error !== undefined) return
    // A list's own iterator gives its buffers as they are: no copy.
    if (data instanceof Uint8Array) this.#buffer.push(data)
    else for (const piece of data) this.#buffer.push(piece)
    this.#received += 1
    if (this.#buffer.heldBytes > channelReadBytesMax && !this.#isPaused) {
      this.#isPaused = true
      const stream = this.#stream as Stream & Credit
      if (stream.sendPause !== undefined) stream.sendPause()
      else if (stream.readStatus === 'readable') stream.pause()
    }
    this.#wakeReader?.()
  }

  #onRemoteEnd(): void {
    this.#isRemoteEnded = true
    this.#wakeReader?.()
  }

  #onGone(error: Error | undefined): void {
    if (this.#isGone) return
    this.#isGone = true
    if (error === undefined) this.#isRemoteEnded = true
    else this.#error ??= gone('the peer broke the channel off, or has gone', error)
    this.#wakeReader?.()
  }

  #break(error: CellarError): CellarError {
    this.#error ??= error
    this.#buffer.clear()
    this.#stream.abort(error)
    this.#wakeReader?.()
    return this.#error
  }

  /** Waits until the stream has taken all but a little (not `onDrain()`: it waits only the first time). */
  async #drained(): Promise<void> {
    const stream = this.#stream
    this.#blockedSinceMs = this.#now()
    let last = stream.writeBufferLength
    try {
      while (stream.writeBufferLength > writeBytesHigh) {
        await new Promise<void>((resolve, reject) => {
          const done = () => {
            for (const name of ['drain', 'idle', 'close'] as const) stream.removeEventListener(name, wake)
          }
          const wake = () => {
            done()
            if (this.#error !== undefined) reject(this.#error)
            else if (this.#isGone) reject(gone('the peer has gone'))
            else resolve()
          }
          for (const name of ['drain', 'idle', 'close'] as const) stream.addEventListener(name, wake)
        })
        // The stream goes on sending in a microtask of its own after 'drain'.
        await Promise.resolve()
        if (stream.writeBufferLength < last) this.#blockedSinceMs = this.#now()
        last = stream.writeBufferLength
      }
    } finally {
      if (!this.#isClosing) this.#blockedSinceMs = undefined
    }
  }
}

function gone(what: string, cause?: unknown): CellarError {
  return new CellarError('PEER_GONE', what, {}, cause === undefined ? undefined : { cause })
}
