/** Answers a peer about listings and membership, and tells it of news (sync.md §2). */

import { CellarError, decodeFrame, encodeMessage, type Message, splitListing } from '../../protocol/index.ts'
import type { Events } from '../events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Channel } from '../network.ts'
import { messagesOf } from '../messages.ts'
import { Outbox } from './outbox.ts'

/** What both ends of this protocol stand on. */
export interface SyncParts {
  readonly ledger: Ledger
  readonly events: Events
}

/**
 * Serves one peer's channel until it ends: says hello, says which listings are known here, says so again whenever that
 * changes, and hands out bodies and entries that are asked for.
 */
export async function serveSync(parts: SyncParts, channel: Channel): Promise<void> {
  const { ledger, events } = parts
  const outbox = new Outbox(channel)
  checkHello(ledger, await channel.receive())
  await outbox.send(encodeMessage(ledger.hello()))
  await outbox.send(encodeMessage({ type: 'heads', heads: ledger.heads() }))
  const news = new News(ledger, outbox)
  const off = events.on((event) => {
    if (event.kind === 'view') news.tell()
  })
  try {
    for await (const message of messagesOf(channel)) {
      for (const answer of answersTo(ledger, message)) await outbox.send(encodeMessage(answer))
    }
  } finally {
    off()
  }
}

/** The first message must be a hello of the same mesh. */
function checkHello(ledger: Ledger, frame: Uint8Array | undefined): void {
  const decoded = frame === undefined ? undefined : decodeFrame(frame)
  if (decoded?.kind !== 'message' || decoded.message.type !== 'hello') {
    throw new CellarError('PEER_PROTOCOL', 'a peer did not begin with a hello')
  }
  if (decoded.message.mesh !== ledger.membership.mesh)
    throw new CellarError('PEER_PROTOCOL', 'a peer belongs to another mesh')
}

/** The answers to one request, made one after the other as the peer takes them. */
function* answersTo(ledger: Ledger, message: Message): Generator<Message> {
  switch (message.type) {
    case 'getListing': {
      const { heads, body } = ledger.listingSince(message)
      yield* splitListing(heads, body)
      break
    }
    case 'getMembership':
      yield { type: 'membership', entries: ledger.membership.entries.slice(message.fromEpoch) }
      break
    case 'ping':
      yield { type: 'pong' }
      break
    default:
      throw new CellarError('PEER_PROTOCOL', `a peer sent "${message.type}" where it asks for listings`)
  }
}

/** Tells a peer what is new, once for many changes in a row; never more than one message waits. */
class News {
  readonly #ledger: Ledger
  readonly #outbox: Outbox
  #told: number
  #isDue = false
  #isSending = false

  constructor(ledger: Ledger, outbox: Outbox) {
    this.#ledger = ledger
    this.#outbox = outbox
    this.#told = ledger.membership.epoch
  }

  tell(): void {
    this.#isDue = true
    if (!this.#isSending) void this.#send()
  }

  async #send(): Promise<void> {
    this.#isSending = true
    try {
      while (this.#isDue) {
        this.#isDue = false
        if (this.#told !== this.#ledger.membership.epoch) {
          this.#told = this.#ledger.membership.epoch
          await this.#outbox.send(encodeMessage(this.#ledger.hello()))
        }
        await this.#outbox.send(encodeMessage({ type: 'heads', heads: this.#ledger.heads() }))
      }
    } catch {
      // The channel has ended: its own loop sees that, and the next link begins with all heads again.
    } finally {
      this.#isSending = false
    }
  }
}
