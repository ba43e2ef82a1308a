/** The orders that others gave this device: who may, what waits for its person, and what was answered. */

import {
  CellarError,
  type Clock,
  type DeviceId,
  type ErrorCode,
  memberNow,
  type OrderId,
  type OrderProgress,
  type OrderState,
  ordersWaitingMax,
  type RestoreOrder,
} from '../../protocol/index.ts'
import type { Config } from '../config/types.ts'
import type { Events } from '../events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { Serial } from '../serial.ts'
import type { OrderBook, OrderListener } from './book.ts'
import {
  hasExpired,
  isAcceptedAtOnce,
  isOlder,
  isOver,
  type MadeDirectory,
  mayAsk,
  type Order,
  orderAgeMsMax,
  orderOf,
  ordersMax,
} from './order.ts'

/** What taking orders stands on. */
export interface TakenParts {
  readonly book: OrderBook
  readonly ledger: Pick<Ledger, 'membership' | 'self' | 'device'>
  readonly clock: Clock
  readonly events: Events
  /** The settings of this moment. */
  readonly config: () => Pick<Config, 'restores' | 'restoresFrom'>
}

/** How an order ended, besides its state. */
export interface OrderEnd {
  readonly progress?: OrderProgress
  readonly code?: ErrorCode
  readonly message?: string
}

/** Keeps the orders that were taken. */
export class TakenOrders {
  readonly #parts: TakenParts
  readonly #serial = new Serial()

  constructor(parts: TakenParts) {
    this.#parts = parts
  }

  /** All that are remembered, the oldest first. */
  list(): readonly Order[] {
    return this.#parts.book.list()
  }

  /**
   * Takes an order, or finds that it was taken before; durable once it resolves (W8.3, W8.4).
   *
   * @throws {CellarError} `NOT_ENTITLED`, `ORDER_REFUSED`, `PEER_BUSY`, `STORE_FULL`
   */
  async take(device: DeviceId, message: RestoreOrder): Promise<Order> {
    return await this.#serial.run(async () => {
      const { book, clock, config } = this.#parts
      this.#needMayAsk(device)
      await this.expire()
      const known = book.get(device, message.order)
      if (known !== undefined) return known
      if (config().restores === undefined)
        throw new CellarError('ORDER_REFUSED', 'this device takes no orders to restore')
      this.#needRoom()
      const nowMs = clock.nowMs()
      const isSettled = this.#isAcceptedAtOnce(device, nowMs)
      const order: Order = {
        ...orderOf(message, device, nowMs),
        isSettled,
        state: isSettled ? 'accepted' : 'waiting',
      }
      await book.add(order, nowMs)
      this.#tell(order)
      return order
    })
  }

  /** An order of a device. @throws {CellarError} `NOT_ENTITLED`, `ORDER_NOT_FOUND` (W8.5) */
  async find(device: DeviceId, id: OrderId): Promise<Order> {
    this.#needMayAsk(device)
    await this.expire()
    const order = this.#parts.book.get(device, id)
    if (order === undefined) throw new CellarError('ORDER_NOT_FOUND', 'there is no such order of this device')
    return order
  }

  /** Whether an order may still be gone about (Z1.3): who gave it may have been removed since. */
  isEntitled({ device }: Order): boolean {
    const { ledger } = this.#parts
    return mayAsk(memberNow(ledger.membership, device)) && ledger.self.capabilities.has('read')
  }

  /** This device's person says yes: it is restored when its turn comes. */
  async accept(order: Order): Promise<Order | undefined> {
    await this.expire()
    return await this.#move(order, ['waiting'], 'accepted')
  }

  /** This device's person says no, or has seen enough. */
  async refuse(order: Order): Promise<Order | undefined> {
    return await this.#move(order, ['waiting', 'accepted', 'running'], 'refused')
  }

  /** Its asker takes it back. */
  async withdraw(order: Order): Promise<Order | undefined> {
    return await this.#move(order, ['waiting', 'accepted', 'running'], 'withdrawn')
  }

  /** It is being restored into a directory, which is durably known before anything is written there (Z2.3). */
  async begin(order: Order, directory: MadeDirectory): Promise<Order | undefined> {
    return await this.#move(order, ['accepted', 'running'], 'running', { directory })
  }

  /** It has ended; one that was refused or withdrawn meanwhile stays so. */
  async end(order: Order, state: 'done' | 'failed' | 'refused', end: OrderEnd = {}): Promise<void> {
    await this.#move(order, ['accepted', 'running'], state, end)
  }

  /** Notes how far it is, for whoever follows it. */
  note(order: Order, progress: OrderProgress): void {
    this.#parts.book.note(order, progress)
    this.#parts.events.emit({ kind: 'order-progress' })
  }

  /** Ends what nobody has answered for a day (Z1.4). */
  async expire(): Promise<void> {
    const { book, clock } = this.#parts
    for (const order of book.list())
      if (hasExpired(order, clock.nowMs())) await this.#move(order, ['waiting'], 'expired')
  }

  /** Calls back for each change, how far it is too. @returns ends it */
  onChange(listener: OrderListener): () => void {
    return this.#parts.book.onChange(listener)
  }

  #needMayAsk(device: DeviceId): void {
    const { ledger } = this.#parts
    if (!mayAsk(memberNow(ledger.membership, device)))
      throw new CellarError('NOT_ENTITLED', 'only a device that admits others, and reads, gives orders')
    if (!ledger.self.capabilities.has('read'))
      throw new CellarError('NOT_ENTITLED', 'this device can read nothing, so it restores nothing')
  }

  #needRoom(): void {
    const orders = this.list()
    const open = orders.filter((order) => !isOver(order)).length
    if (open >= ordersWaitingMax)
      throw new CellarError('PEER_BUSY', `${String(open)} orders wait here already`)
    if (orders.length >= ordersMax)
      throw new CellarError('PEER_BUSY', 'more orders came here today than are remembered')
  }

  #isAcceptedAtOnce(device: DeviceId, nowMs: number): boolean {
    const asker = memberNow(this.#parts.ledger.membership, device)
    const today = this.list().filter(
      ({ isSettled, askedMs }) => isSettled && !isOlder(askedMs, orderAgeMsMax, nowMs),
    )
    return asker !== undefined && isAcceptedAtOnce(this.#parts.config().restoresFrom, asker, today.length)
  }

  /** @returns the order as it is then, moved or not */
  async #move(
    order: Order,
    from: readonly OrderState[],
    state: OrderState,
    more: Partial<Order> = {},
  ): Promise<Order | undefined> {
    const { book, clock } = this.#parts
    const found = { isRight: false }
    const moved = await book.change(order, (now) => {
      found.isRight = from.includes(now.state)
      return found.isRight ? { ...now, ...more, state, changedMs: clock.nowMs() } : undefined
    })
    if (found.isRight && moved !== undefined) this.#tell(moved)
    return moved
  }

  #tell({ id, device, state, code }: Order): void {
    const what = { id, device, state, isOurs: false, ...(code !== undefined && { code }) }
    this.#parts.events.emit({ kind: 'order', ...what })
  }
}
