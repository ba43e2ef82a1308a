/** `restoreOn`, `restoreOrders`, `restoreAnswer`: restoring on another device, asked for from here (spec/orders.md). */

import { CellarError, type DeviceId, type OrderPatterns, orderPatternsMax } from '../../protocol/index.ts'
import type { CallContext, RestoreAnswerParams, RestoreOnParams, RestoreOrderInfo } from '../api.ts'
import { nameText } from '../backup/patterns.ts'
import { directoryName } from '../orders/directory-name.ts'
import { isOver, type Order } from '../orders/order.ts'
import { shortId } from '../orders/records.ts'
import type { NodeParts } from '../parts.ts'
import { type PathText, pathBytes } from '../path-text.ts'
import { Selection } from '../restore/selection.ts'
import type { KnownSnapshot } from '../snapshots.ts'
import { findDevice } from './devices.ts'
import { needCapability } from './entitled.ts'
import { resolveSnapshot } from './look.ts'
import { orderInfo } from './order-info.ts'
import { waitFor } from './sources.ts'

/** How long a command waits for the devices that it gave orders, milliseconds. */
const askMsMax = 10_000

/** Asks another device, see `Methods.restoreOn`. */
export async function runRestoreOn(
  parts: NodeParts,
  params: RestoreOnParams,
  context: CallContext<'restoreOn'>,
): Promise<RestoreOrderInfo> {
  const { given } = parts.orders
  needCapability(parts, 'admit', 'asks no other device to restore')
  needCapability(parts, 'read', 'asks no other device to restore')
  const device = targetOf(parts, params.device)
  const patterns = patternsOf(params)
  const { snapshot, path } = await resolveSnapshot(parts, params.snapshot, params.filter, context.signal)
  const { root } = snapshot.live
  const { network } = await parts.connect()
  const isLinked = () => network.connected().includes(device)
  await waitFor(parts, isLinked, context.signal)
  const name = parts.ledger.nameOf(device)
  if (!isLinked()) throw new CellarError('NO_PEER', `${name} cannot be reached: nothing was asked of it`)
  const absolute = absolutePath(path)
  const wish = directoryName(params.name ?? wishOf(parts, snapshot, absolute))
  const order = await given.give({ device, root, path: absolute, patterns, name: wish })
  const tell = (now: Order) => {
    context.onEvent({ message_type: 'order', order: orderInfo(parts, now, false) })
  }
  tell(order)
  const isEnough = (now: Order) => isOver(now) || (!params.wait && now.isSettled)
  return orderInfo(parts, await untilOrder(parts, order, isEnough, tell, context.signal), false)
}

/** All orders that are remembered. A command asks the devices in reach first; a running node follows them anyway. */
export async function listOrders(parts: NodeParts, signal: AbortSignal): Promise<RestoreOrderInfo[]> {
  const { taken, given } = parts.orders
  await taken.expire()
  await hearOfGiven(parts, signal)
  return [
    ...taken.list().map((order) => orderInfo(parts, order, true)),
    ...given.list().map((order) => orderInfo(parts, order, false)),
  ].sort((a, b) => (a.asked_at < b.asked_at ? -1 : 1))
}

/** Accepts, refuses or withdraws, see `Methods.restoreAnswer`. */
export async function answerOrder(
  parts: NodeParts,
  { order: text, answer }: RestoreAnswerParams,
  signal: AbortSignal,
): Promise<RestoreOrderInfo> {
  const { taken, given } = parts.orders
  if (answer === 'withdraw') {
    const order = findOrder(given.list(), text, 'that this device gave')
    if (isOver(order)) throw overAlready(order)
    await hearOfGiven(parts, signal)
    await given.withdraw(order)
    return orderInfo(parts, await untilOrder(parts, order, isOver, () => undefined, signal), false)
  }
  await taken.expire()
  const order = findOrder(taken.list(), text, 'that this device was given')
  if (answer === 'accept' && !taken.isEntitled(order))
    throw new CellarError('NOT_ENTITLED', `${parts.ledger.nameOf(order.device)} may give no orders any more`)
  const now = (await (answer === 'accept' ? taken.accept(order) : taken.refuse(order))) ?? order
  if (now.state !== (answer === 'accept' ? 'accepted' : 'refused')) throw overAlready(now)
  return orderInfo(parts, now, true)
}

function targetOf(parts: NodeParts, text: string): DeviceId {
  const { device, name, capabilities } = findDevice(parts, text)
  if (device === parts.signer.device)
    throw new CellarError('USAGE', `${name} is this device: restore here with a target`)
  if (!capabilities.has('read'))
    throw new CellarError('NOT_ENTITLED', `${name} can read nothing, so it restores nothing`)
  return device
}

/** @throws {CellarError} `USAGE` for a pattern that is malformed, and too many of them */
function patternsOf(params: RestoreOnParams): OrderPatterns {
  const raw = (patterns: readonly PathText[]) => patterns.map((pattern) => pathBytes(pattern))
  const texts = (patterns: readonly PathText[]) => patterns.map((pattern) => nameText(pathBytes(pattern)))
  const { includes, iincludes, excludes, iexcludes } = params
  if (includes.length + iincludes.length + excludes.length + iexcludes.length > orderPatternsMax)
    throw new CellarError('USAGE', `an order has ${String(orderPatternsMax)} patterns at most`)
  const rules = [includes, iincludes, excludes, iexcludes].map(texts)
  const [a = [], b = [], c = [], d = []] = rules
  new Selection({ includes: a, iincludes: b, excludes: c, iexcludes: d })
  return {
    includes: raw(includes),
    iincludes: raw(iincludes),
    excludes: raw(excludes),
    iexcludes: raw(iexcludes),
  }
}

/** W8.1. */
function absolutePath(path: Uint8Array | undefined): Uint8Array {
  if (path === undefined || path.length === 0) return new Uint8Array(0)
  if (path.includes(0)) throw new CellarError('USAGE', 'a path has no zero byte')
  return path[0] === 0x2f ? path : Buffer.concat([Buffer.from('/'), path])
}

/** The last name of the path; of a whole snapshot whose it is, and its day. */
function wishOf({ ledger }: NodeParts, { maker, timeMs }: KnownSnapshot, path: Uint8Array): string {
  const last = Buffer.from(path).toString('utf8').replace(/\/+$/, '').split('/').at(-1) ?? ''
  return last === '' ? `${ledger.nameOf(maker)} ${new Date(timeMs).toISOString().slice(0, 10)}` : last
}

/** Waits until an order that was given stands as wanted. @throws the signal's reason */
async function untilOrder(
  { orders: { given } }: NodeParts,
  order: Order,
  isEnough: (now: Order) => boolean,
  tell: (now: Order) => void,
  signal: AbortSignal,
): Promise<Order> {
  const isIt = (one: Order) => one.id === order.id && one.device === order.device
  const now = given.list().find(isIt) ?? order
  if (isEnough(now)) return now
  return await new Promise((resolve, reject) => {
    const end = () => {
      off()
      signal.removeEventListener('abort', onAbort)
    }
    const onAbort = () => {
      end()
      reject(signal.reason as Error)
    }
    const off = given.onChange((one) => {
      if (!isIt(one)) return
      tell(one)
      if (!isEnough(one)) return
      end()
      resolve(one)
    })
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** A node opened for one command asks those that are in reach how the orders stand that it gave. */
async function hearOfGiven(parts: NodeParts, signal: AbortSignal): Promise<void> {
  const { given } = parts.orders
  if (parts.isRunning || given.list().every(isOver)) return
  const { network } = await parts.connect()
  const { clock } = parts.world
  const open = () => given.list().filter((order) => !isOver(order))
  await waitFor(
    parts,
    () => open().every(({ device }) => network.connected().includes(device)),
    signal,
    askMsMax,
  )
  const endMs = clock.monotonicMs() + askMsMax
  const isHeard = () =>
    open().every((order) => given.isFollowed(order) || !network.connected().includes(order.device))
  while (!isHeard() && clock.monotonicMs() < endMs)
    await given.nextWithin({ clock, ms: Math.max(1, endMs - clock.monotonicMs()), signal })
}

function findOrder(orders: readonly Order[], text: string, what: string): Order {
  const found = orders.filter(({ id }) => id.startsWith(text.toLowerCase()))
  const [order] = found
  if (order === undefined) throw new CellarError('ORDER_NOT_FOUND', `there is no order ${text} ${what}`)
  if (found.length > 1)
    throw new CellarError('USAGE', `${String(found.length)} orders begin with ${text}: give more digits`)
  return order
}

function overAlready({ id, state }: Order): CellarError {
  const short = shortId(id)
  if (state === 'expired')
    return new CellarError('ORDER_EXPIRED', `order ${short} is over: nobody answered it for a day`)
  return new CellarError('USAGE', `order ${short} is ${state} already`)
}
