/** The one bus of a node: what its parts tell one another, and a person. */

import {
  CellarError,
  type Clock,
  type ChunkId,
  type DeviceId,
  type ErrorCode,
  type OrderId,
  type OrderState,
  type RootId,
} from '../protocol/index.ts'
import type { TaskFigures, TaskOutcome } from './schedule/task.ts'
import { anyOf } from './signals.ts'

/** What may happen. */
export type NodeEvent =
  /** A listing or the membership is newer than before. */
  | { readonly kind: 'view' }
  /** A backup session was opened or closed, or another long use of the store began or ended. */
  | { readonly kind: 'session' }
  /** Other settings are in force (config/settings.ts). */
  | { readonly kind: 'settings' }
  /** The store of this device has become full, or has room again. */
  | { readonly kind: 'room'; readonly isFull: boolean }
  | { readonly kind: 'peer'; readonly device: DeviceId; readonly state: 'up' | 'down' }
  /** A peer's heads have been compared with ours for the first time on this link: it knows of us, and we of it. */
  | { readonly kind: 'contact'; readonly device: DeviceId }
  /** A peer has been sent a chunk. */
  | { readonly kind: 'served'; readonly device: DeviceId; readonly bytes: number }
  /** A peer has sent a chunk of its upload (spec/upload.md). */
  | { readonly kind: 'deposited'; readonly device: DeviceId; readonly bytes: number }
  /** Chunks of this device's upload are durable at a peer. */
  | { readonly kind: 'uploaded'; readonly device: DeviceId; readonly chunks: number; readonly bytes: number }
  /** An upload that is kept here has got its root, or has ended. */
  | { readonly kind: 'upload'; readonly device: DeviceId }
  | { readonly kind: 'fetching'; readonly root: RootId; readonly bytes: number; readonly open: number }
  /** A root came to be held here. */
  | { readonly kind: 'held'; readonly root: RootId; readonly bytes: number }
  | { readonly kind: 'bad-chunk'; readonly id: ChunkId }
  /** A device finds chunks of a snapshot of this device nowhere (spec/thin.md §5). */
  | { readonly kind: 'missing'; readonly device: DeviceId; readonly ids: readonly ChunkId[] }
  /** A chunk that was bad here is good again. */
  | { readonly kind: 'mended'; readonly id: ChunkId; readonly from: 'peer' | 'source' }
  /** A part of the store was read again (spec/watching.md §1). */
  | { readonly kind: 'scrubbed'; readonly bytes: number; readonly bad: number; readonly isRoundDone: boolean }
  /** A device was asked to prove that it has a root; nothing is told when nothing was learned. */
  | {
      readonly kind: 'audited'
      readonly device: DeviceId
      readonly root: RootId
      readonly outcome: 'proven' | 'failed'
    }
  /** A sample was restored from others. */
  | {
      readonly kind: 'drilled'
      readonly root: RootId
      readonly files: number
      readonly bytes: number
      readonly failed: number
    }
  /** An order to restore has come to another state (spec/orders.md): one that this device gave, or one that it took. */
  | {
      readonly kind: 'order'
      readonly id: OrderId
      /** The other device. */
      readonly device: DeviceId
      readonly state: OrderState
      readonly isOurs: boolean
      readonly code?: ErrorCode
    }
  /** An order that is under way is further than before. */
  | { readonly kind: 'order-progress' }
  /** Something that goes on by itself was begun, or has ended (begun.ts). */
  | { readonly kind: 'begun' }
  /** A task of the schedule, or a backup by hand, begins or has ended (schedule/task.ts). */
  | TaskEvent
  /** The history of this device has an entry that is new, or has changed (activity/keep.ts). */
  | { readonly kind: 'history' }
  /** A long method has ended (jobs.ts); one that a task ran too. */
  | JobEvent
  | {
      readonly kind: 'trouble'
      readonly code: ErrorCode
      readonly message: string
      readonly device?: DeviceId
    }

/** A task of the schedule, or a backup by hand, begins or has ended. */
export interface TaskEvent {
  readonly kind: 'task'
  /** What is done: `backup`, `check`, `scrub`, `drill`, `retention`. */
  readonly name: string
  /** The profile of a backup; absent when paths were given by hand. */
  readonly profile?: string
  /** `put-off` is told once for each time that it was due. */
  readonly outcome: TaskOutcome
  /** One sentence for a person; there with `partly`, `failed` and `put-off`. */
  readonly message?: string
  /** There with `failed`; `PUT_OFF` with `put-off`. */
  readonly code?: ErrorCode
  /** Figures, once it has ended; of a backup those of its summary. */
  readonly summary?: TaskFigures
  /** How long it took, once it has ended. */
  readonly seconds?: number
  /** There with `began`: the task waits for what a listener hands it, such as a hook before a backup. Never rejects. */
  readonly waitFor?: (work: Promise<unknown>) => void
}

/** A long method has ended; trial runs are not told. */
export interface JobEvent {
  readonly kind: 'job'
  readonly method: string
  /** `cancelled`: by a person, by its caller, or as the node closes. */
  readonly outcome: 'done' | 'failed' | 'cancelled'
  /** There with `failed`. */
  readonly message?: string
  readonly code?: ErrorCode
  readonly summary?: TaskFigures
  /** When it began, milliseconds since 1970. */
  readonly startedMs: number
}

/** Tells listeners what happens, in order, at once. */
export class Events {
  readonly #listeners = new Set<(event: NodeEvent) => void>()

  /** Tells all listeners. */
  emit(event: NodeEvent): void {
    for (const listener of [...this.#listeners]) listener(event)
  }

  /** Calls back for each event. @returns ends it */
  on(listener: (event: NodeEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  /**
   * Resolves at the next event that fits.
   *
   * @throws the signal's reason when it is aborted first
   */
  next(fits: (event: NodeEvent) => boolean, signal: AbortSignal): Promise<NodeEvent> {
    return new Promise((resolve, reject) => {
      const end = () => {
        off()
        signal.removeEventListener('abort', onAbort)
      }
      const onAbort = () => {
        end()
        reject(signal.reason as Error)
      }
      const off = this.on((event) => {
        if (!fits(event)) return
        end()
        resolve(event)
      })
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true })
    })
  }

  /**
   * Resolves at the next event that fits, or when so many milliseconds have gone by.
   *
   * @throws the signal's reason when it is aborted first
   */
  async nextWithin(fits: (event: NodeEvent) => boolean, limit: TimeLimit): Promise<void> {
    const { clock, ms, signal } = limit
    const end = new AbortController()
    const either = anyOf([signal, end.signal])
    try {
      await Promise.race([this.next(fits, either), clock.sleep(ms, either)])
    } finally {
      end.abort(new CellarError('ABORTED', 'the wait is over'))
      either.clear()
    }
  }
}

/** How long to wait for an event, by which clock. */
export interface TimeLimit {
  readonly clock: Clock
  readonly ms: number
  readonly signal: AbortSignal
}
