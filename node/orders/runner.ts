/** Does the orders that were accepted, one after the other, each in a directory of its own (spec/orders.md §3). */

import {
  CellarError,
  type Clock,
  type ErrorCode,
  isCellarError,
  type OrderProgress,
} from '../../protocol/index.ts'
import type { Events } from '../events.ts'
import { type MadeDirectory, nextExpiryMs, NO_PROGRESS, type Order } from './order.ts'
import type { OrderEnd, TakenOrders } from './taken.ts'
import { underAnyOf } from '../signals.ts'

/** What became of a restore. */
export interface Restored {
  readonly progress: OrderProgress
}

/** What doing orders stands on. */
export interface RunnerParts {
  readonly taken: TakenOrders
  readonly clock: Clock
  readonly events: Events
  /** Makes a directory that was not there. @throws {CellarError} `TARGET_UNSAFE`, `TARGET_FULL`, `ORDER_REFUSED` */
  readonly make: (wish: string) => MadeDirectory
  /** Whether a directory that was made is still the same. */
  readonly isStillThere: (directory: MadeDirectory) => boolean
  /** Restores what an order names into a directory of its own; what is whole there already stays. */
  readonly restore: (
    order: Order,
    directory: MadeDirectory,
    on: { readonly signal: AbortSignal; readonly onProgress: (progress: OrderProgress) => void },
  ) => Promise<Restored>
}

/** How often its asker is told how far an order is, milliseconds. */
const tellEveryMs = 1000
/** Before the end of an order that could not be written down is tried again, milliseconds. */
const againMs = 30_000

/** Does orders until the signal is aborted; one under way is gone on with after the next start (Z2.3). */
export async function runOrders(parts: RunnerParts, signal: AbortSignal): Promise<void> {
  const { taken, clock, events } = parts
  let isDue = true
  const isNews = () => isDue
  const off = events.on(({ kind }) => {
    if (kind === 'order') isDue = true
  })
  const isEnded = () => signal.aborted
  try {
    while (!isEnded()) {
      isDue = false
      try {
        await taken.expire()
        const next = taken.list().find(({ state }) => state === 'running' || state === 'accepted')
        if (next !== undefined) {
          await doOrder(parts, next, signal)
          continue
        }
      } catch (error) {
        if (isEnded()) return
        if (!isCellarError(error)) throw error
        events.emit({ kind: 'trouble', code: error.code, message: error.message })
        await clock.sleep(againMs, signal).catch(() => undefined) // aborted: the loop sees it
        continue
      }
      if (isNews()) continue
      const ms = nextExpiryMs(taken.list(), clock.nowMs()) ?? 3_600_000
      await events
        .nextWithin(({ kind }) => kind === 'order', { clock, ms, signal })
        .catch((error: unknown) => {
          if (!isEnded()) throw error
        })
    }
  } finally {
    off()
  }
}

async function doOrder(parts: RunnerParts, order: Order, signal: AbortSignal): Promise<void> {
  const { taken } = parts
  if (!taken.isEntitled(order)) {
    const message = 'who asked for it may do so no more'
    await taken.end(order, 'refused', { code: 'NOT_ENTITLED', message })
    return
  }
  const stop = new AbortController()
  const off = taken.onChange((now) => {
    const isIt = now.id === order.id && now.device === order.device
    if (isIt && (now.state === 'refused' || now.state === 'withdrawn'))
      stop.abort(new CellarError('ABORTED', 'the order was taken back'))
  })
  try {
    const restore = (either: AbortSignal) => tryRestore(parts, order, either)
    const end = await underAnyOf([signal, stop.signal], restore)
    if (signal.aborted) return // it stays under way, for the next start
    await writeEnd(parts, order, end, signal)
  } finally {
    off()
  }
}

type Ended = OrderEnd & { readonly state: 'done' | 'failed' | 'refused' }

async function tryRestore(parts: RunnerParts, order: Order, signal: AbortSignal): Promise<Ended> {
  try {
    const { directory } = order
    // Begun before: gone on with where it is, unless something else has taken its place.
    const isOurs = directory !== undefined && parts.isStillThere(directory)
    const into = isOurs ? directory : parts.make(order.name)
    const begun = await parts.taken.begin(order, into)
    if (begun?.state !== 'running') return { state: 'failed', code: 'ABORTED' }
    const onProgress = throttled(parts, order)
    const { progress } = await parts.restore(begun, into, { signal, onProgress })
    if (progress.errors === 0) return { state: 'done', progress }
    const { errors } = progress
    const message = `${errors === 1 ? 'one entry' : `${String(errors)} entries`} could not be restored`
    return { state: 'done', progress, code: 'RESTORE_INCOMPLETE', message }
  } catch (error) {
    // Its person ended it where jobs are shown.
    if (isCellarError(error, 'ABORTED')) return { state: 'refused' }
    return { state: 'failed', ...failureOf(error) }
  }
}

/** A fault of our own ends the order, not the node. */
function failureOf(error: unknown): { readonly code: ErrorCode; readonly message: string } {
  if (isCellarError(error)) return { code: error.code, message: error.message }
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) }
}

/** Nothing is restored twice because the disk of the home is full: only writing down is tried again. */
async function writeEnd(
  { taken, clock, events }: RunnerParts,
  order: Order,
  { state, ...end }: Ended,
  signal: AbortSignal,
): Promise<void> {
  const isEnded = () => signal.aborted
  while (!isEnded()) {
    try {
      await taken.end(order, state, end)
      return
    } catch (error) {
      if (!isCellarError(error)) throw error
      events.emit({ kind: 'trouble', code: error.code, message: error.message })
      await clock.sleep(againMs, signal).catch(() => undefined) // aborted: the loop sees it
    }
  }
}

function throttled({ taken, clock }: RunnerParts, order: Order): (progress: OrderProgress) => void {
  let toldMs = -Infinity
  taken.note(order, NO_PROGRESS)
  return (progress) => {
    const nowMs = clock.monotonicMs()
    if (nowMs - toldMs < tellEveryMs) return
    toldMs = nowMs
    taken.note(order, progress)
  }
}
