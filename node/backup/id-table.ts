/** Millions of chunk ids in little memory: their bytes end to end in one buffer, found by hashing. */

import type { ChunkId } from '../../protocol/index.ts'

const ID_BYTES = 32
/** Places at first; a power of two, as all sizes. */
const PLACES_MIN = 1024

/** A set of ids that only grows: 43 to 86 bytes each, where a `Set` of their texts takes 200. */
export class IdTable {
  /** Ids in the order of {@link #places}; a place that is not used is all zero, and so is no id's. */
  #bytes = Buffer.alloc(PLACES_MIN * ID_BYTES)
  #places = PLACES_MIN
  #size = 0
  readonly #one = Buffer.alloc(ID_BYTES)

  /** How many ids are in it. */
  get size(): number {
    return this.#size
  }

  /** Says whether an id is in it. */
  has(id: ChunkId): boolean {
    if (this.#size === 0) return false
    this.#one.write(id, 'hex')
    return this.#isAt(this.#find(this.#one))
  }

  /** Takes an id in. @returns false when it was in already */
  add(id: ChunkId): boolean {
    if (this.#size * 4 >= this.#places * 3) this.#grow()
    this.#one.write(id, 'hex')
    return this.#put(this.#one)
  }

  #put(id: Buffer): boolean {
    const at = this.#find(id)
    if (this.#isAt(at)) return false
    id.copy(this.#bytes, at)
    this.#size++
    return true
  }

  /** Where an id is, or would be: ids are hashes, so their first bytes are as good as any hash of them. */
  #find(id: Buffer): number {
    const mask = this.#places - 1
    for (let place = id.readUInt32LE(0) & mask; ; place = (place + 1) & mask) {
      const at = place * ID_BYTES
      if (!this.#isAt(at) || this.#bytes.compare(id, 0, ID_BYTES, at, at + ID_BYTES) === 0) return at
    }
  }

  /** Whether a place is used: of 2^64 hashes one begins with eight zero bytes. */
  #isAt(at: number): boolean {
    return this.#bytes.readUInt32LE(at) !== 0 || this.#bytes.readUInt32LE(at + 4) !== 0
  }

  #grow(): void {
    const before = this.#bytes
    this.#places *= 2
    this.#bytes = Buffer.alloc(this.#places * ID_BYTES)
    this.#size = 0
    for (let at = 0; at < before.length; at += ID_BYTES) {
      if (before.readUInt32LE(at) !== 0 || before.readUInt32LE(at + 4) !== 0)
        this.#put(before.subarray(at, at + ID_BYTES))
    }
  }
}
