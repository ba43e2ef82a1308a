/** The orders that this device gave to others: sent when they are in reach, and followed to their end. */

import {
  CellarError,
  type Clock,
  decodeFrame,
  encodeMessage,
  isCellarError,
  type Message,
  type OrderId,
  ordersWaitingMax,
  RESTORE_PROTOCOL,
  type Random,
  type RestoreState,
  toHex,
} from '../../protocol/index.ts'
import type { Events, TimeLimit } from '../events.ts'
import { limitTime } from '../mesh/time-limit.ts'
import type { Channel, Network } from '../network.ts'
import { Serial } from '../serial.ts'
import type { OrderBook, OrderListener } from './book.ts'
import { isOlder, isOver, type Order, orderAgeMsMax, orderOf, ordersMax } from './order.ts'
import { anyOf } from '../signals.ts'

/** What giving orders stands on. */
export interface GivenParts {
  readonly book: OrderBook
  readonly clock: Clock
  readonly random: Random
  readonly events: Events
}

/** What is asked for. */
export type Asked = Pick<Order, 'device' | 'root' | 'path' | 'patterns' | 'name'>

/** Longest time for the first word of the other device, milliseconds. */
const answerMsMax = 30_000
/** Before a device that is linked, and broke off, is asked again, milliseconds. */
const againMs = 2000

/** Keeps the orders that were given. */
export class GivenOrders {
  readonly #parts: GivenParts
  /** Those that a channel is open for. */
  readonly #followed = new Map<OrderId, Channel | undefined>()
  readonly #work = new Set<Promise<void>>()
  readonly #serial = new Serial()

  constructor(parts: GivenParts) {
    this.#parts = parts
  }

  /** All that are remembered, the oldest first. */
  list(): readonly Order[] {
    return this.#parts.book.list()
  }

  /** Notes an order; it is sent once its device is in reach. @throws {CellarError} `PEER_BUSY`, `STORE_FULL` */
  async give(asked: Asked): Promise<Order> {
    return await this.#serial.run(async () => {
      const { book, clock, random } = this.#parts
      const theirs = this.list().filter((order) => order.device === asked.device && !isOver(order))
      if (theirs.length >= ordersWaitingMax || this.list().length >= ordersMax)
        throw new CellarError(
          'PEER_BUSY',
          `${String(theirs.length)} orders given to that device are not done yet`,
        )
      const id = toHex(random.bytes(16)) as OrderId
      const order = orderOf({ order: id, ...asked }, asked.device, clock.nowMs())
      await book.add(order, clock.nowMs())
      this.#tell(order)
      return order
    })
  }

  /** Takes an order out of the book that never reached its device. */
  async drop(order: Order): Promise<void> {
    await this.#parts.book.remove(order)
  }

  /** Takes an order back: its device is told, now or when it is in reach again. */
  async withdraw(order: Order): Promise<void> {
    const channel = this.#followed.get(order.id)
    if (channel !== undefined) {
      await channel.send(encodeMessage({ type: 'restoreWithdraw' }))
      return
    }
    const now = this.#parts.book.get(order.device, order.id)
    if (now === undefined || isOver(now)) return
    if (now.isSettled)
      throw new CellarError('NO_PEER', 'its device has the order, and is not in reach: it cannot be told', {
        order: order.id,
      })
    await this.#end(order, { state: 'withdrawn' })
  }

  /** Says whether the device of an order is being listened to, and has said how it stands. */
  isFollowed({ id }: Order): boolean {
    return this.#followed.get(id) !== undefined
  }

  /** Resolves at the next change, or after so long. @throws the signal's reason when it is aborted first */
  async nextWithin({ clock, ms, signal }: TimeLimit): Promise<void> {
    const end = new AbortController()
    let off: () => void = () => undefined
    const changed = new Promise<void>((resolve) => {
      off = this.onChange(() => {
        resolve()
      })
    })
    const either = anyOf([signal, end.signal])
    try {
      await Promise.race([changed, clock.sleep(ms, either)])
    } finally {
      off()
      end.abort(new CellarError('ABORTED', 'the wait is over'))
      either.clear()
    }
  }

  /** Calls back for each change, how far it is too. @returns ends it */
  onChange(listener: OrderListener): () => void {
    return this.#parts.book.onChange(listener)
  }

  /** Sends and follows, whenever a device is in reach, until the signal is aborted. */
  async run(network: Network, signal: AbortSignal): Promise<void> {
    const { events, clock } = this.#parts
    const isEnded = () => signal.aborted
    while (!isEnded()) {
      await this.#expire()
      const linked = new Set(network.connected())
      for (const order of this.list())
        if (!isOver(order) && linked.has(order.device) && !this.#followed.has(order.id))
          this.#follow(network, order, signal)
      const isNews = ({ kind }: { readonly kind: string }) => kind === 'peer' || kind === 'order'
      const ms = this.list().every(isOver) ? 3_600_000 : 60_000
      await events.nextWithin(isNews, { clock, ms, signal }).catch((error: unknown) => {
        if (!isEnded()) throw error
      })
    }
    await Promise.all(this.#work)
  }

  /** What no device has answered for a day is over; of what one has, it tells the end when it is back. */
  async #expire(): Promise<void> {
    const nowMs = this.#parts.clock.nowMs()
    for (const order of this.list()) {
      const ageMs = order.isSettled ? 2 * orderAgeMsMax : orderAgeMsMax
      if (order.state === 'waiting' && isOlder(order.askedMs, ageMs, nowMs))
        await this.#end(order, { state: 'expired' })
    }
  }

  #follow(network: Network, order: Order, signal: AbortSignal): void {
    this.#followed.set(order.id, undefined)
    const work = this.#followOn(network, order, signal)
      .catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error)
        const code = isCellarError(error) ? error.code : 'INTERNAL'
        if (!signal.aborted) this.#parts.events.emit({ kind: 'trouble', code, message, device: order.device })
      })
      .finally(() => {
        this.#followed.delete(order.id)
        this.#work.delete(work)
      })
    this.#work.add(work)
  }

  /** Follows an order to its end, or until its device is gone. */
  async #followOn(network: Network, order: Order, signal: AbortSignal): Promise<void> {
    const { book, clock } = this.#parts
    const isOpen = () => {
      const now = book.get(order.device, order.id)
      return !signal.aborted && now !== undefined && !isOver(now)
    }
    while (isOpen() && network.connected().includes(order.device)) {
      try {
        await this.#followOnce(network, order, signal)
      } catch (error) {
        if (signal.aborted) return
        if (!isCellarError(error)) throw error
        const { code, message } = error
        if (code !== 'PEER_GONE') return void (await this.#end(order, { state: endOf(code), code, message }))
      }
      // It may be closing, or starting again.
      if (isOpen()) await clock.sleep(againMs, signal).catch(() => undefined)
    }
  }

  async #followOnce(network: Network, { device, id }: Order, signal: AbortSignal): Promise<void> {
    const { book, clock } = this.#parts
    const order = book.get(device, id)
    if (order === undefined) return
    const first: Message = order.isSettled
      ? { type: 'restoreAsk', order: id }
      : { type: 'restoreOrder', order: id, ...partsOf(order) }
    const channel = await limitTime(
      clock,
      answerMsMax,
      (within) => network.open(device, RESTORE_PROTOCOL, within),
      signal,
    )
    try {
      await channel.send(encodeMessage(first))
      const said = await limitTime(clock, answerMsMax, (within) => nextState(channel, within), signal)
      this.#followed.set(id, channel)
      await this.#take(order, said)
      while (this.#isOpen(order)) await this.#take(order, await nextState(channel, signal))
    } catch (error) {
      channel.abort(error as Error)
      throw error
    } finally {
      this.#followed.set(id, undefined)
      await channel.close()
    }
  }

  #isOpen({ device, id }: Order): boolean {
    const now = this.#parts.book.get(device, id)
    return now !== undefined && !isOver(now)
  }

  async #take(order: Order, said: RestoreState): Promise<void> {
    const { book, clock } = this.#parts
    const now = book.get(order.device, order.id)
    if (now === undefined || isOver(now)) return
    const { state, progress, code, directory } = said
    const isNew = now.state !== state || !now.isSettled || now.place !== directory
    if (!isNew) {
      book.note(order, progress)
      this.#parts.events.emit({ kind: 'order-progress' })
      return
    }
    const changed = await book.change(order, (before) =>
      isOver(before)
        ? undefined
        : {
            ...before,
            state,
            progress,
            isSettled: true,
            changedMs: clock.nowMs(),
            ...(code !== undefined && { code }),
            ...(directory !== undefined && { place: directory }),
          },
    )
    if (changed !== undefined) this.#tell(changed)
  }

  async #end(order: Order, end: Pick<Order, 'state' | 'code' | 'message'>): Promise<void> {
    const { book, clock } = this.#parts
    const ended = await book.change(order, (now) =>
      isOver(now) ? undefined : { ...now, ...end, changedMs: clock.nowMs() },
    )
    if (ended !== undefined) this.#tell(ended)
  }

  #tell({ id, device, state, code }: Order): void {
    const what = { id, device, state, isOurs: true, ...(code !== undefined && { code }) }
    this.#parts.events.emit({ kind: 'order', ...what })
  }
}

function endOf(code: string): 'refused' | 'failed' {
  return code === 'ORDER_REFUSED' || code === 'NOT_ENTITLED' ? 'refused' : 'failed'
}

function partsOf({ root, path, patterns, name }: Order): Omit<Asked, 'device'> {
  return { root, path, patterns, name }
}

async function nextState(channel: Channel, signal: AbortSignal): Promise<RestoreState> {
  const frame = await channel.receive(signal)
  if (frame === undefined) throw new CellarError('PEER_GONE', 'the other device ended the stream of an order')
  const decoded = decodeFrame(frame)
  const message = decoded.kind === 'message' ? decoded.message : undefined
  if (message?.type === 'error') throw new CellarError(message.code, message.message)
  if (message?.type !== 'restoreState')
    throw new CellarError('PEER_PROTOCOL', 'a peer sent something else than how an order stands')
  return message
}
