/** Knows whether this device can take more, so that others look elsewhere (R12, replication.md §7). */

import type { Clock } from '../../protocol/index.ts'
import type { Events } from '../events.ts'

/** Less than this is as good as nothing, bytes: two of the largest chunks. */
const lowBytesMax = 16 * 1024 * 1024
/** Of a small store the fiftieth part is. */
const lowShare = 1 / 50
/** How often the room is looked at, milliseconds. */
export const roomEveryMs = 10_000
/** A disk that says it has room, and took nothing, is tried again after so long, milliseconds. */
export const roomRetryMs = 600_000

/** What is known of the room of a store. */
export interface RoomFacts {
  /** Bytes that it can take, by disk and quota; below zero when either is used up. */
  readonly roomBytes: number
  /** Bytes that it takes up. */
  readonly usedBytes: number
  readonly nowMs: number
}

/** Since when a store is full, and what room there was then. */
export interface Fullness {
  readonly roomBytes: number
  /** Something could not be stored: then the room measured says too much. */
  readonly failedMs: number | undefined
}

/**
 * Whether a store is full now. It is when there is little room, or something could not be stored; it is no more once
 * there is twice as much, and more than when it became full. Pure.
 */
export function fullnessNow(before: Fullness | undefined, facts: RoomFacts): Fullness | undefined {
  const { roomBytes, usedBytes, nowMs } = facts
  const low = Math.min(lowBytesMax, Math.max(0, roomBytes + usedBytes) * lowShare)
  if (before === undefined) return roomBytes <= low ? { roomBytes, failedMs: undefined } : undefined
  const hasGrown = roomBytes >= before.roomBytes + low
  const isOld = before.failedMs !== undefined && nowMs - before.failedMs >= roomRetryMs
  return roomBytes > 2 * low && (hasGrown || isOld) ? undefined : before
}

/** What is asked of a store. */
export interface Roomy {
  /** Bytes that it can take. */
  roomBytes(): number
  /** Its figures. */
  stats(): { readonly packBytes: number }
}

/** Looks after the room of one store; tells as `room` when it changes. */
export class Room {
  readonly #store: Roomy
  readonly #clock: Clock
  readonly #events: Events
  #full: Fullness | undefined

  constructor(store: Roomy, clock: Clock, events: Events) {
    this.#store = store
    this.#clock = clock
    this.#events = events
    this.#full = fullnessNow(undefined, this.#facts())
  }

  /** Whether nothing more can be stored, as far as was seen last. */
  get isFull(): boolean {
    return this.#full !== undefined
  }

  /** Something could not be stored for want of room. */
  failed(): void {
    const { roomBytes, nowMs } = this.#facts()
    this.#set({ roomBytes, failedMs: nowMs })
  }

  /** Looks again. */
  look(): void {
    this.#set(fullnessNow(this.#full, this.#facts()))
  }

  /** Looks again and again until the signal is aborted. */
  async watch(signal: AbortSignal): Promise<void> {
    const isEnded = () => signal.aborted
    while (!isEnded()) {
      await this.#clock.sleep(roomEveryMs, signal).catch(() => undefined) // aborted: the loop sees it
      if (!isEnded()) this.look()
    }
  }

  #set(full: Fullness | undefined): void {
    const hasChanged = (full === undefined) !== (this.#full === undefined)
    this.#full = full
    if (hasChanged) this.#events.emit({ kind: 'room', isFull: this.isFull })
  }

  #facts(): RoomFacts {
    return {
      roomBytes: this.#store.roomBytes(),
      usedBytes: this.#store.stats().packBytes,
      nowMs: this.#clock.monotonicMs(),
    }
  }
}
