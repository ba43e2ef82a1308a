/** The messages that come over a channel, one after the other. */

import { pipe } from 'it-pipe'
import { CellarError, decodeFrame, type Message } from '../protocol/index.ts'
import type { Channel } from './network.ts'

/**
 * Reads messages until the peer ends its direction.
 *
 * @throws {CellarError} `PEER_PROTOCOL` for a chunk, or for what is no message; and as `Channel.receive`
 */
export function messagesOf(channel: Channel): AsyncIterable<Message> {
  return pipe(framesOf(channel), decodeMessages)
}

async function* framesOf(channel: Channel): AsyncGenerator<Uint8Array> {
  for (let frame = await channel.receive(); frame !== undefined; frame = await channel.receive()) yield frame
}

async function* decodeMessages(frames: AsyncIterable<Uint8Array>): AsyncGenerator<Message> {
  for await (const frame of frames) {
    const decoded = decodeFrame(frame)
    if (decoded.kind !== 'message')
      throw new CellarError('PEER_PROTOCOL', 'a peer sent a chunk where it should send a message')
    yield decoded.message
  }
}
