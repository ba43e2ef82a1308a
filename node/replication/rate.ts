/** Holds the transfer of chunks to a rate (replication.md §5), which may change while it goes on. */

import type { Clock } from '../../protocol/index.ts'
import type { Channel } from '../network.ts'

/** Bytes per second in each direction; undefined: as fast as it goes. */
export interface RateLimits {
  readonly uploadBytesPerSecond?: number
  readonly downloadBytesPerSecond?: number
}

/** Idle time that may be made up for, milliseconds: a short pause is not lost, a long one is no burst. */
const burstMs = 250

/** How long a transfer may go on before it takes note of another rate, milliseconds. */
const noticeMs = 1000

/** One direction's allowance, shared by all channels, which take their turns in the order they came. */
export class RateLimit {
  readonly #clock: Clock
  readonly #bytesPerSecond: () => number | undefined
  #atMs: number
  /** Bytes that might have passed since the beginning. */
  #allowed = 0
  /** Bytes that were asked for, as a place on the same line. */
  #asked = -Infinity
  /** Since the last look. */
  #bytesPerMs: number | undefined

  /** @param bytesPerSecond - the rate of each moment, 1 or more; undefined: as fast as it goes */
  constructor(clock: Clock, bytesPerSecond: () => number | undefined) {
    this.#clock = clock
    this.#bytesPerSecond = bytesPerSecond
    this.#atMs = clock.monotonicMs()
  }

  /** Resolves once so many bytes may pass. @throws the signal's reason when it is aborted first */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    let bytesPerMs = this.#advance()
    if (bytesPerMs === undefined) return
    const place = Math.max(this.#asked, this.#allowed - burstMs * bytesPerMs) + bytes
    this.#asked = place
    // Less than a byte is nobody's turn.
    while (bytesPerMs !== undefined && place - this.#allowed >= 1) {
      await this.#clock.sleep(Math.min((place - this.#allowed) / bytesPerMs, noticeMs), signal)
      bytesPerMs = this.#advance()
    }
  }

  /** Counts what the time since the last look allowed. @returns the rate from now on */
  #advance(): number | undefined {
    const nowMs = this.#clock.monotonicMs()
    this.#allowed += (nowMs - this.#atMs) * (this.#bytesPerMs ?? 0)
    this.#atMs = nowMs
    const rate = this.#bytesPerSecond()
    this.#bytesPerMs = rate === undefined ? undefined : rate / 1000
    // Without a limit nobody waits, and nothing that was asked for is owed any more.
    if (rate === undefined) this.#asked = -Infinity
    return this.#bytesPerMs
  }
}

/** Both directions of a node; a way to put its channels under them. */
export class Rates {
  readonly #upload: RateLimit
  readonly #download: RateLimit
  readonly #signal: AbortSignal

  /**
   * @param limits - those of each moment
   * @param signal - ends waiting when the node closes
   */
  constructor(clock: Clock, limits: () => RateLimits, signal: AbortSignal) {
    this.#upload = new RateLimit(clock, () => limits().uploadBytesPerSecond)
    this.#download = new RateLimit(clock, () => limits().downloadBytesPerSecond)
    this.#signal = signal
  }

  /**
   * The channel, slowed while there is a limit. What is not taken in time stops the peer by the channel's own flow
   * control.
   */
  apply(channel: Channel): Channel {
    const [upload, download, signal] = [this.#upload, this.#download, this.#signal]
    return {
      send: async (frame) => {
        await upload.take(bytesOf(frame), signal)
        await channel.send(frame)
      },
      receive: async (within) => {
        const frame = await channel.receive(within)
        if (frame !== undefined) await download.take(frame.byteLength, signal)
        return frame
      },
      close: () => channel.close(),
      abort: (error) => {
        channel.abort(error)
      },
    }
  }
}

function bytesOf(frame: Uint8Array | readonly Uint8Array[]): number {
  if (frame instanceof Uint8Array) return frame.byteLength
  return frame.reduce((bytes, part) => bytes + part.byteLength, 0)
}
