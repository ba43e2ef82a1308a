/** Opens what a node remembers of orders to restore. */

import type { Clock, Random } from '../../protocol/index.ts'
import type { Catalog } from '../../storage/index.ts'
import type { Settings } from '../config/settings.ts'
import type { Events } from '../events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { OrderBook } from './book.ts'
import { GivenOrders } from './given.ts'
import { TakenOrders } from './taken.ts'

/** What both books stand on. */
export interface OrdersParts {
  readonly ledger: Ledger
  readonly clock: Clock
  readonly random: Random
  readonly events: Events
  readonly settings: Settings
}

/** Reads both books back. @param catalog - a namespace of its own @throws {CellarError} `STORE_DAMAGED` */
export async function openOrders(
  catalog: Catalog,
  { ledger, clock, random, events, settings }: OrdersParts,
): Promise<{ readonly taken: TakenOrders; readonly given: GivenOrders }> {
  const taken = await OrderBook.open(catalog.sub('taken'))
  const given = await OrderBook.open(catalog.sub('given'))
  return {
    taken: new TakenOrders({ book: taken, ledger, clock, events, config: () => settings.current }),
    given: new GivenOrders({ book: given, clock, random, events }),
  }
}
