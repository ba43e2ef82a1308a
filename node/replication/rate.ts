/** Holds the transfer of chunks to a rate (replication.md §5). */

import type { Clock } from '../../protocol/index.ts'
import type { Channel } from '../network.ts'

/** Bytes per second in each direction; undefined: as fast as it goes. */
export interface RateLimits {
  readonly uploadBytesPerSecond?: number
  readonly downloadBytesPerSecond?: number
}

/** Idle time that may be made up for, milliseconds: a short pause is not lost, a long one is no burst. */
const burstMs = 250

/** One direction's allowance, shared by all channels. */
export class RateLimit {
  readonly #clock: Clock
  readonly #bytesPerMs: number
  #freeAtMs = 0

  /** @param bytesPerSecond - 1 or more */
  constructor(clock: Clock, bytesPerSecond: number) {
    this.#clock = clock
    this.#bytesPerMs = bytesPerSecond / 1000
  }

  /** Resolves once so many bytes may pass. @throws the signal's reason when it is aborted first */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
    this.#freeAtMs = Math.max(this.#freeAtMs, nowMs - burstMs) + bytes / this.#bytesPerMs
    if (this.#freeAtMs > nowMs) await this.#clock.sleep(this.#freeAtMs - nowMs, signal)
  }
}

/** Both directions of a node; a way to put its channels under them. */
export class Rates {
  readonly #upload: RateLimit | undefined
  readonly #download: RateLimit | undefined
  readonly #signal: AbortSignal

  /** @param signal - ends waiting when the node closes */
  constructor(clock: Clock, limits: RateLimits, signal: AbortSignal) {
    const { uploadBytesPerSecond: up, downloadBytesPerSecond: down } = limits
    this.#upload = up === undefined ? undefined : new RateLimit(clock, up)
    this.#download = down === undefined ? undefined : new RateLimit(clock, down)
    this.#signal = signal
  }

  /**
   * The channel, slowed where there is a limit. What is not taken in time stops the peer by the channel's own flow
   * control.
   */
  apply(channel: Channel): Channel {
    const [upload, download, signal] = [this.#upload, this.#download, this.#signal]
    if (upload === undefined && download === undefined) return channel
    return {
      send: async (frame) => {
        await upload?.take(bytesOf(frame), signal)
        await channel.send(frame)
      },
      receive: async (within) => {
        const frame = await channel.receive(within)
        if (frame !== undefined) await download?.take(frame.byteLength, signal)
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
