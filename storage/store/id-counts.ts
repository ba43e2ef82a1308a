/** How often ids were come upon, in little memory: for checking the references of a store of millions of chunks. */
import type { ChunkId } from '../../protocol/index.ts'

/** Hex digits of an id that are looked at: 52 bits, which a number holds exactly. */
const DIGITS = 13

/**
 * Counts by the first 52 bits of an id, in 12 bytes for each slot. Of a million ids two share a count once in ten
 * thousand times: what does not come out right is counted again by whole ids.
 */
export class IdCounts {
  /** 0: free. Open addressing, at most three quarters full. */
  #keys: Float64Array
  #counts: Uint32Array
  #used = 0

  /** @param expected - different ids: with more of them there is a moment in which it takes three times as much */
  constructor(expected: number) {
    const slots = 2 ** Math.ceil(Math.log2(expected * 1.4 + 2))
    this.#keys = new Float64Array(slots)
    this.#counts = new Uint32Array(slots)
  }

  /** Bytes that it takes now. */
  get bytes(): number {
    return this.#keys.byteLength + this.#counts.byteLength
  }

  /** Counts an id. */
  add(id: ChunkId, by = 1): void {
    this.#add(keyOf(id), by)
  }

  /** How often an id was counted. */
  get(id: ChunkId): number {
    return this.#counts[this.#find(keyOf(id))] ?? 0
  }

  #add(key: number, by: number): void {
    const at = this.#find(key)
    this.#counts[at] = (this.#counts[at] ?? 0) + by
    if (this.#keys[at] !== 0) return
    this.#keys[at] = key
    if (++this.#used > this.#keys.length * 0.75) this.#grow()
  }

  #grow(): void {
    const keys = this.#keys
    const counts = this.#counts
    this.#keys = new Float64Array(2 * keys.length)
    this.#counts = new Uint32Array(2 * keys.length)
    this.#used = 0
    for (const [at, key] of keys.entries()) if (key !== 0) this.#add(key, counts[at] ?? 0)
  }

  #find(key: number): number {
    const last = this.#keys.length - 1
    // By the low bits: the high ones are often those by which ids were chosen.
    let at = key % (last + 1)
    while (this.#keys[at] !== 0 && this.#keys[at] !== key) at = (at + 1) & last
    return at
  }
}

function keyOf(id: ChunkId): number {
  // 0 says that a slot is free.
  return Number.parseInt(id.slice(0, DIGITS), 16) || 1
}
