/** Which chunks a walk has come upon, in little memory: a snapshot may have a million. */

import type { ChunkId } from '../../protocol/index.ts'

/** Hex digits of an id that are remembered: 52 bits, which a number holds exactly. */
const digits = 13
const slotsMin = 1024

/**
 * A set of ids of which only the first 52 bits are kept, 8 to 16 bytes for each: of a million ids two are taken for one
 * once in ten thousand times. For sums and estimates, not for what decides about a chunk.
 */
export class SeenIds {
  /** 0: free. Open addressing, at most half full. */
  #slots = new Float64Array(slotsMin)
  #count = 0

  /** @returns false when it was there already */
  add(id: ChunkId): boolean {
    // 0 says that a slot is free.
    const key = Number.parseInt(id.slice(0, digits), 16) || 1
    if (!put(this.#slots, key)) return false
    if (++this.#count * 2 > this.#slots.length) this.#grow()
    return true
  }

  #grow(): void {
    const before = this.#slots
    this.#slots = new Float64Array(before.length * 2)
    for (const key of before) if (key !== 0) put(this.#slots, key)
  }
}

/** @param slots - a power of two of them; at least one is free */
function put(slots: Float64Array, key: number): boolean {
  const last = slots.length - 1
  let at = key % (last + 1)
  for (; slots[at] !== 0; at = (at + 1) & last) if (slots[at] === key) return false
  slots[at] = key
  return true
}
