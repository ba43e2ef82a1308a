/** Orders to restore on another device: what one is, and what may become of it; pure (spec/orders.md). */

import {
  type DeviceId,
  type ErrorCode,
  isOrderOver,
  type Member,
  type OrderId,
  type OrderPatterns,
  type OrderProgress,
  type OrderState,
  type RestoreOrder,
  type RestoreState,
  type RootId,
} from '../../protocol/index.ts'

/** A directory that was made for an order: known again after a restart, whatever has taken its place. */
export interface MadeDirectory {
  /** Absolute. */
  readonly path: string
  readonly dev: bigint
  readonly ino: bigint
}

/** An order, as the device that gave it or the one that took it remembers it. */
export interface Order {
  readonly id: OrderId
  /** The other device: who asked, or who was asked. */
  readonly device: DeviceId
  readonly root: RootId
  /** Raw; empty: all of the snapshot. */
  readonly path: Uint8Array
  readonly patterns: OrderPatterns
  /** What the asker would like the directory to be called; may be empty. */
  readonly name: string
  /** When it was given, or came here; milliseconds since 1970. */
  readonly askedMs: number
  /** When its state changed last; milliseconds since 1970. */
  readonly changedMs: number
  readonly state: OrderState
  readonly progress: OrderProgress
  /** Why it failed, and what that says to the person of this device. */
  readonly code?: ErrorCode
  readonly message?: string
  /** Where it is restored to; of an order that was taken. */
  readonly directory?: MadeDirectory
  /** What the other device calls that directory; of an order that was given. */
  readonly place?: string
  /** Of one that was taken: the settings accepted it. Of one that was given: the other device has it. */
  readonly isSettled: boolean
}

/** Nobody answers for so long, and an order is over: milliseconds. */
export const orderAgeMsMax = 24 * 3_600_000
/** So many orders are accepted by the settings in that time; more wait for a person. */
export const atOnceMax = 16
/** What is over is remembered for so long, milliseconds. */
export const overAgeMsMax = 30 * 24 * 3_600_000
/** So many that are over and older than {@link orderAgeMsMax} are remembered. */
export const overMax = 64
/** Orders remembered in all; more are not taken. */
export const ordersMax = 128

/** Nothing done yet. */
export const NO_PROGRESS: OrderProgress = { files: 0, filesTotal: 0, bytes: 0, bytesTotal: 0, errors: 0 }

/** Says whether an order has ended. */
export function isOver({ state }: Pick<Order, 'state'>): boolean {
  return isOrderOver(state)
}

/** Says whether so much time has gone by, either way: a clock that was set back must not make an order live longer. */
export function isOlder(sinceMs: number, ageMs: number, nowMs: number): boolean {
  return Math.abs(nowMs - sinceMs) >= ageMs
}

/** Says whether nobody has answered in time. */
export function hasExpired({ state, askedMs }: Order, nowMs: number): boolean {
  return state === 'waiting' && isOlder(askedMs, orderAgeMsMax, nowMs)
}

/** In how many milliseconds the next of these orders expires; undefined when none waits. */
export function nextExpiryMs(orders: readonly Order[], nowMs: number): number | undefined {
  const waits = orders
    .filter(({ state }) => state === 'waiting')
    .map(({ askedMs }) => Math.max(1, Math.min(orderAgeMsMax, askedMs + orderAgeMsMax - nowMs)))
  return waits.length === 0 ? undefined : Math.min(...waits)
}

/** The orders that need not be remembered any more, the oldest first. */
export function forgettable(orders: readonly Order[], nowMs: number): readonly Order[] {
  const over = orders.filter(isOver).sort((a, b) => a.changedMs - b.changedMs)
  const surplus = over.length - overMax
  return over.filter(
    ({ changedMs, askedMs }, at) =>
      isOlder(changedMs, overAgeMsMax, nowMs) || (at < surplus && isOlder(askedMs, orderAgeMsMax, nowMs)),
  )
}

/** What a message asks for, as an order that waits. */
export function orderOf(message: Omit<RestoreOrder, 'type'>, device: DeviceId, nowMs: number): Order {
  const { order: id, root, path, patterns, name } = message
  const state = 'waiting'
  return {
    ...{ id, device, root, path, patterns, name, state },
    askedMs: nowMs,
    changedMs: nowMs,
    progress: NO_PROGRESS,
    isSettled: false,
  }
}

/** What its asker is told of an order that was taken. */
export function stateOf({ state, progress, code, directory }: Order): RestoreState {
  const name = directory?.path.slice(directory.path.lastIndexOf('/') + 1)
  return {
    type: 'restoreState',
    state,
    progress,
    ...(code !== undefined && { code }),
    ...(name !== undefined && { directory: name }),
  }
}

/** W8.3: who may have something restored elsewhere. */
export function mayAsk(member: Member | undefined): member is Member {
  return (
    member !== undefined &&
    member.removedEpoch === undefined &&
    member.capabilities.has('admit') &&
    member.capabilities.has('read')
  )
}

/** Whose orders are accepted at once: of devices by name or id, or of all that may give any. */
export type TrustedAskers = 'keepers' | readonly string[]

/** Says whether the settings accept the orders of a device, so many of which they have accepted today. */
export function isAcceptedAtOnce(trusted: TrustedAskers, asker: Member, acceptedToday: number): boolean {
  if (acceptedToday >= atOnceMax) return false
  return trusted === 'keepers' || trusted.includes(asker.name) || trusted.includes(asker.device)
}
