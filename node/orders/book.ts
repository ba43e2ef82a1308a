/** The orders that a device remembers, durably; one book for those it took, one for those it gave. */

import type { DeviceId, OrderId, OrderProgress } from '../../protocol/index.ts'
import type { Catalog } from '../../storage/index.ts'
import { Serial } from '../serial.ts'
import { forgettable, type Order } from './order.ts'
import { decodeOrder, encodeOrder } from './records.ts'

/** Told of an order that is new, or has changed. */
export type OrderListener = (order: Order) => void

/** Orders by who the other device is, and their id. */
export class OrderBook {
  readonly #catalog: Catalog
  readonly #orders = new Map<string, Order>()
  readonly #serial = new Serial()
  readonly #listeners = new Set<OrderListener>()

  private constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  /** Reads them back. @param catalog - a namespace of its own @throws {CellarError} `STORE_DAMAGED` */
  static async open(catalog: Catalog): Promise<OrderBook> {
    const book = new OrderBook(catalog)
    for await (const [key, value] of catalog.iterate()) book.#orders.set(key, decodeOrder(value))
    return book
  }

  /** All of them, the oldest first. */
  list(): readonly Order[] {
    return [...this.#orders.values()].sort((a, b) => a.askedMs - b.askedMs || (a.id < b.id ? -1 : 1))
  }

  /** One order; undefined when it is not known, or of another device. */
  get(device: DeviceId, id: OrderId): Order | undefined {
    return this.#orders.get(keyOf({ device, id }))
  }

  /** Adds an order; durable once it resolves. What need not be remembered any more goes. */
  async add(order: Order, nowMs: number): Promise<void> {
    await this.#serial.run(async () => {
      const old = forgettable(this.list(), nowMs)
      const gone = old.map((one) => ({ type: 'del', key: keyOf(one) }) as const)
      const put = { type: 'put', key: keyOf(order), value: encodeOrder(order) } as const
      await this.#catalog.batch([...gone, put], { durable: true })
      for (const { key } of gone) this.#orders.delete(key)
      this.#set(order)
    })
  }

  /**
   * Changes an order; durable once it resolves.
   *
   * @param step - what it is from now on, by what it is now; undefined: it stays as it is
   * @returns the order as it is then; undefined when it is not known
   */
  async change(
    { device, id }: Pick<Order, 'device' | 'id'>,
    step: (now: Order) => Order | undefined,
  ): Promise<Order | undefined> {
    return await this.#serial.run(async () => {
      const now = this.get(device, id)
      const next = now === undefined ? undefined : step(now)
      if (next === undefined) return now
      await this.#catalog.batch([{ type: 'put', key: keyOf(next), value: encodeOrder(next) }], {
        durable: true,
      })
      this.#set(next)
      return next
    })
  }

  /** Takes an order out of the book. */
  async remove(order: Pick<Order, 'device' | 'id'>): Promise<void> {
    await this.#serial.run(async () => {
      await this.#catalog.batch([{ type: 'del', key: keyOf(order) }], { durable: true })
      this.#orders.delete(keyOf(order))
    })
  }

  /** Notes how far an order is, in memory: it is told, and begun anew after a crash. */
  note({ device, id }: Pick<Order, 'device' | 'id'>, progress: OrderProgress): void {
    const order = this.get(device, id)
    if (order !== undefined) this.#set({ ...order, progress })
  }

  /** Calls back for each order that is new or has changed. @returns ends it */
  onChange(listener: OrderListener): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /** Waits until nothing is being written. */
  async idle(): Promise<void> {
    await this.#serial.idle()
  }

  #set(order: Order): void {
    this.#orders.set(keyOf(order), order)
    for (const listener of [...this.#listeners]) listener(order)
  }
}

function keyOf({ device, id }: Pick<Order, 'device' | 'id'>): string {
  return `${device}/${id}`
}
