/** Which link to use and when to call again: decisions without I/O (mesh.md §2). */

import type { DeviceId } from '../../protocol/index.ts'
import { isLoopback } from './addresses.ts'

/** A link, as far as choosing needs it. */
export interface LinkFacts {
  /** Who called: the smaller device id's call is the one to keep. */
  readonly caller: DeviceId
  /** Running time at which it was greeted; any unit. */
  readonly sinceMs: number
}

/**
 * The link to keep of several to one device. Both ends choose alike: the call of the smaller id; of equal ones
 * the newest, because an older one is what a lost connection leaves.
 */
export function chooseLink<T extends LinkFacts>(links: readonly T[]): T | undefined {
  let best: T | undefined
  for (const link of links) {
    if (best === undefined || isBetter(link, best)) best = link
  }
  return best
}

function isBetter(link: LinkFacts, than: LinkFacts): boolean {
  if (link.caller !== than.caller) return link.caller < than.caller
  return link.sinceMs > than.sinceMs
}

/** Calling a device again and again: how often it failed, and when the next try is due. */
export interface CallState {
  readonly failures: number
  readonly dueMs: number
}

/** Waits between calls to a device that does not answer. */
export const callDelays = { firstMs: 1000, mostMs: 300_000, factor: 2, retreatMs: 400 } as const

/** A device to be called now. */
export function freshCall(nowMs: number): CallState {
  return { failures: 0, dueMs: nowMs }
}

/**
 * After a call that failed: twice as long as the last time, at most five minutes, and up to a quarter more so that
 * devices that lost each other together do not call together.
 *
 * @param chance - 0 .. 1
 */
export function callFailed(state: CallState, nowMs: number, chance: number): CallState {
  const wait = Math.min(
    callDelays.mostMs,
    callDelays.firstMs * callDelays.factor ** Math.min(state.failures, 30),
  )
  return { failures: state.failures + 1, dueMs: nowMs + wait * (1 + chance / 4) }
}

/** A link that lasted so long was a good one. */
const steadyMs = 30_000

/**
 * After a link was lost: as after one failed call. If it had only just come about, the failures before count on, so
 * that two that cannot stay together do not try once a second for ever.
 *
 * @param lastedMs - how long it stood
 */
export function linkLost(state: CallState, nowMs: number, lastedMs: number, chance: number): CallState {
  return callFailed(lastedMs >= steadyMs ? freshCall(nowMs) : state, nowMs, chance)
}

/** What was heard, by whom. */
export interface Heard {
  readonly own: DeviceId
  readonly other: DeviceId
  /** Whether it was at an address not known before. */
  readonly isNew: boolean
  readonly nowMs: number
}

/**
 * After hearing of a device: at a new address, call at once; the larger id holds back a little, so that mostly one
 * of the two calls. At a known address half the wait is saved at most: it is heard of every few seconds.
 */
export function callHeard(state: CallState, { own, other, isNew, nowMs }: Heard): CallState {
  const soonMs = nowMs + (own < other ? 0 : callDelays.retreatMs)
  if (isNew) return { failures: 0, dueMs: soonMs }
  const waitMs =
    state.failures === 0 ? 0 : callDelays.firstMs * callDelays.factor ** Math.min(state.failures - 1, 30)
  return {
    failures: state.failures,
    dueMs: Math.min(state.dueMs, soonMs + Math.min(waitMs, callDelays.mostMs) / 2),
  }
}

/**
 * The order to try addresses in: those of the local machine last, since they came from the other host.
 *
 * @param own - this device's addresses: never called
 */
export function sortAddresses(addresses: readonly string[], own: ReadonlySet<string>): string[] {
  const others = addresses.filter((address) => !own.has(address))
  return [...others.filter((address) => !isLoopback(address)), ...others.filter(isLoopback)]
}
