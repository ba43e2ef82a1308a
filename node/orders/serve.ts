/** Serves one order of a peer over one channel: takes it, and says how it stands until the peer goes (wire.md §8). */

import {
  CellarError,
  decodeFrame,
  type DeviceId,
  encodeMessage,
  isCellarError,
  type Message,
} from '../../protocol/index.ts'
import type { Channel } from '../network.ts'
import { type Order, stateOf } from './order.ts'
import type { TakenOrders } from './taken.ts'

/** What a peer is told of, before its stream ends; anything else breaks the stream off. */
const TOLD = ['NOT_ENTITLED', 'ORDER_REFUSED', 'ORDER_NOT_FOUND', 'PEER_BUSY', 'STORE_FULL'] as const

/**
 * Serves a channel until the peer ends its side.
 *
 * @throws {CellarError} `PEER_PROTOCOL` when the peer breaks the rules, `PEER_GONE`
 */
export async function serveOrder(taken: TakenOrders, device: DeviceId, channel: Channel): Promise<void> {
  const first = await nextMessage(channel)
  if (first === undefined) return
  let order: Order
  try {
    order = await begin(taken, device, first)
  } catch (error) {
    if (!isCellarError(error) || !TOLD.some((code) => code === error.code)) throw error
    const { code, message } = error
    await channel.send(encodeMessage({ type: 'error', code, message }))
    return
  }
  const failure = new AbortController()
  const teller = new Teller(channel, order, failure)
  const off = taken.onChange((changed) => {
    teller.changed(changed)
  })
  try {
    // What changed before somebody listened.
    teller.changed(await taken.find(device, order.id))
    for (;;) {
      const message = await nextMessage(channel, failure.signal)
      if (message === undefined) return
      if (message.type !== 'restoreWithdraw') throw broken(message)
      await taken.withdraw(order)
    }
  } finally {
    off()
    await teller.idle()
  }
}

/** W8.2. */
async function begin(taken: TakenOrders, device: DeviceId, first: Message): Promise<Order> {
  if (first.type === 'restoreOrder') return await taken.take(device, first)
  if (first.type === 'restoreAsk') return await taken.find(device, first.order)
  throw broken(first)
}

/** Says how an order stands, one message at a time: of what changes while one is on its way, the newest is said. */
class Teller {
  readonly #channel: Channel
  readonly #failure: AbortController
  #order: Order
  #isDue = false
  #isSending = false
  #sending: Promise<void> = Promise.resolve()

  constructor(channel: Channel, order: Order, failure: AbortController) {
    this.#channel = channel
    this.#order = order
    this.#failure = failure
  }

  changed(order: Order): void {
    if (order.id !== this.#order.id || order.device !== this.#order.device) return
    this.#order = order
    this.#isDue = true
    if (this.#isSending) return
    this.#isSending = true
    this.#sending = this.#send()
  }

  async #send(): Promise<void> {
    try {
      while (this.#isDue) {
        this.#isDue = false
        await this.#channel.send(encodeMessage(stateOf(this.#order)))
      }
      this.#isSending = false
    } catch (error) {
      this.#failure.abort(error) // nothing more is sent
    }
  }

  async idle(): Promise<void> {
    await this.#sending
  }
}

async function nextMessage(channel: Channel, signal?: AbortSignal): Promise<Message | undefined> {
  const frame = await channel.receive(signal)
  if (frame === undefined) return undefined
  const decoded = decodeFrame(frame)
  if (decoded.kind === 'chunk') throw new CellarError('PEER_PROTOCOL', 'a peer sent a chunk with an order')
  return decoded.message
}

function broken({ type }: Message): CellarError {
  return new CellarError('PEER_PROTOCOL', `a peer sent "${type}" where it should give an order`)
}
