/** Answers peers that ask for chunks (wire.md "chunks", replication.md §3). */

import {
  CellarError,
  type ChunkId,
  encodeChunkFrame,
  encodeMessage,
  isCellarError,
} from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import { isBadHere } from './bad-here.ts'
import { messagesOf } from '../messages.ts'
import type { Channel } from '../network.ts'
import { pause } from '../pause.ts'

/** What the server tells its node. */
export interface ServerEvents {
  /** A chunk has been handed to a peer's stream. */
  served(bytes: number): void
  /** A chunk read here is bad: it was not sent. */
  bad(id: ChunkId): void
  /** The peer finds chunks of a snapshot of this device nowhere. */
  missing(ids: readonly ChunkId[]): void
}

/**
 * Serves one peer's channel until it ends. One request is answered at a time and in order, chunk by chunk, and only
 * as fast as the peer reads: a peer that asks for much and reads nothing costs one chunk of memory.
 *
 * The store's hash is not checked for each chunk sent: the receiver checks it (C1), and tells when it was wrong.
 */
export async function serveChunks(store: ChunkStore, channel: Channel, events: ServerEvents): Promise<void> {
  for await (const message of messagesOf(channel)) {
    switch (message.type) {
      case 'want':
        await answer(store, channel, message.request, message.ids, events)
        break
      case 'corrupt':
        // The receiver saw bytes that are not what the id says: look again, this time with the hash.
        for (const id of message.ids) {
          if (isBadHere(store, id)) events.bad(id)
          // A peer may say so of a thousand chunks, again and again: others have their turn in between.
          await pause()
        }
        break
      case 'missing':
        events.missing(message.ids)
        break
      default:
        throw new CellarError('PEER_PROTOCOL', `a peer sent "${message.type}" where it asks for chunks`)
    }
  }
}

/**
 * Answers in the order asked, so that the receiver knows each chunk by its turn; a missing one is said in its turn
 * too.
 */
async function answer(
  store: ChunkStore,
  channel: Channel,
  request: number,
  ids: readonly ChunkId[],
  events: ServerEvents,
) {
  for (const id of ids) {
    const bytes = tryRead(store, id, events)
    if (bytes === undefined) await channel.send(encodeMessage({ type: 'absent', request, ids: [id] }))
    else {
      await channel.send(encodeChunkFrame(request, bytes))
      events.served(bytes.byteLength)
    }
  }
  await channel.send(encodeMessage({ type: 'done', request }))
}

/** The chunk's bytes, or undefined when this node has not got it, or not whole. */
function tryRead(store: ChunkStore, id: ChunkId, events: ServerEvents): Uint8Array | undefined {
  if (!store.has(id)) return undefined
  try {
    return store.read(id)
  } catch (error) {
    if (!isCellarError(error, 'CHUNK_CORRUPT') && !isCellarError(error, 'CHUNK_NOT_FOUND')) throw error
    events.bad(id)
    return undefined
  }
}
