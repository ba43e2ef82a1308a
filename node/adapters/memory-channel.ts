/** Two ends of a channel in one process, with the back-pressure of a real one (mesh.md §4). */

import { CellarError, channelReadBytesMax, frameBytesMax } from '../../protocol/index.ts'
import type { Channel } from '../network.ts'

/**
 * Takes something to the other end: at once, or later. What has one way arrives in the order it was sent.
 *
 * @param way - stands for one direction of one channel
 */
export type Carry = (way: object, deliver: () => void) => void

const AT_ONCE: Carry = (_way, deliver) => {
  deliver()
}

/** One end of a channel in memory. */
export class MemoryChannel implements Channel {
  /** Told once when the channel is over in both directions. */
  onEnd: () => void = () => undefined
  #far!: MemoryChannel
  #carry: Carry = AT_ONCE
  readonly #frames: Uint8Array[] = []
  #held = 0
  #isFarClosed = false
  #isClosed = false
  #isFinished = false
  #error: CellarError | undefined
  #wakeReader: (() => void) | undefined
  #wakeWriters: (() => void)[] = []

  /** Why the channel broke; asked anew after each wait. */
  get #failure(): CellarError | undefined {
    return this.#error
  }

  get #isFull(): boolean {
    return this.#held > channelReadBytesMax && !this.#isFinished
  }

  /** @returns both ends */
  static pair(carry: Carry = AT_ONCE): readonly [MemoryChannel, MemoryChannel] {
    const near = new MemoryChannel()
    const far = new MemoryChannel()
    near.#far = far
    far.#far = near
    near.#carry = carry
    far.#carry = carry
    return [near, far]
  }

  async send(frame: Uint8Array | readonly Uint8Array[]): Promise<void> {
    const whole = frame instanceof Uint8Array ? frame.slice() : Uint8Array.from(Buffer.concat([...frame]))
    if (whole.byteLength > frameBytesMax)
      throw new CellarError('FRAME_TOO_LONG', 'a frame is too long to send')
    if (this.#error !== undefined) throw this.#error
    if (this.#isClosed) throw gone('the channel has been closed')
    const far = this.#far
    if (far.#isFinished) return
    far.#held += whole.byteLength + 4
    this.#carry(this, () => {
      if (far.#isFinished || far.#failure !== undefined) return
      far.#frames.push(whole)
      far.#wakeReader?.()
    })
    while (far.#isFull && this.#failure === undefined) {
      await new Promise<void>((resolve) => this.#wakeWriters.push(resolve))
    }
    if (this.#failure !== undefined) throw this.#failure
  }

  async receive(signal?: AbortSignal): Promise<Uint8Array | undefined> {
    signal?.throwIfAborted()
    for (;;) {
      if (this.#error !== undefined) throw this.#error
      const frame = this.#frames.shift()
      if (frame !== undefined) {
        this.#held -= frame.byteLength + 4
        if (this.#held <= channelReadBytesMax) this.#far.#letWriters()
        return frame
      }
      if (this.#isFarClosed) return undefined
      await this.#more(signal)
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed || this.#error !== undefined) return
    this.#isClosed = true
    const far = this.#far
    this.#carry(this, () => {
      far.#isFarClosed = true
      far.#wakeReader?.()
      if (far.#isClosed) this.#over()
    })
    await Promise.resolve()
  }

  abort(error: Error): void {
    const mine = error instanceof CellarError ? error : gone('the channel was broken off', error)
    this.#fail(mine)
    this.#carry(this, () => {
      this.#far.#fail(gone('the peer broke the channel off, or has gone'))
    })
  }

  /** Ends a channel that nobody reads any more: what still comes is dropped. */
  finish(): void {
    this.#isFinished = true
    this.#frames.length = 0
    this.#held = 0
    this.#far.#letWriters()
  }

  /** Breaks both ends, as a lost connection does. */
  lose(): void {
    this.#fail(gone('the connection was lost'))
    this.#far.#fail(gone('the connection was lost'))
  }

  #fail(error: CellarError): void {
    if (this.#error !== undefined || (this.#isClosed && this.#isFarClosed && this.#frames.length === 0))
      return
    this.#error = error
    this.#frames.length = 0
    this.#held = 0
    this.#wakeReader?.()
    this.#letWriters()
    this.#far.#letWriters()
    this.#over()
  }

  #over(): void {
    this.onEnd()
    this.#far.onEnd()
  }

  #letWriters(): void {
    const waiting = this.#wakeWriters
    this.#wakeWriters = []
    for (const wake of waiting) wake()
  }

  async #more(signal: AbortSignal | undefined): Promise<void> {
    let onAbort: (() => void) | undefined
    try {
      await new Promise<void>((resolve, reject) => {
        this.#wakeReader = resolve
        onAbort = () => {
          reject(signal?.reason as Error)
        }
        signal?.addEventListener('abort', onAbort, { once: true })
      })
    } finally {
      this.#wakeReader = undefined
      if (onAbort !== undefined) signal?.removeEventListener('abort', onAbort)
    }
  }
}

function gone(what: string, cause?: unknown): CellarError {
  return new CellarError('PEER_GONE', what, {}, cause === undefined ? undefined : { cause })
}
