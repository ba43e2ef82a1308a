/** Sends frames of several authors over one channel, one after the other. */

import type { Channel } from '../network.ts'
import { Serial } from '../serial.ts'

/** A queue before a channel; when it grows too long the peer does not read, and is let go. */
export class Outbox {
  readonly #channel: Channel
  readonly #serial = new Serial()
  #waiting = 0

  constructor(channel: Channel) {
    this.#channel = channel
  }

  /** Frames not yet handed on. */
  get waiting(): number {
    return this.#waiting
  }

  /** Sends a frame after those before it. @throws {CellarError} `PEER_GONE` */
  async send(frame: Uint8Array): Promise<void> {
    this.#waiting++
    try {
      await this.#serial.run(() => this.#channel.send(frame))
    } finally {
      this.#waiting--
    }
  }
}
