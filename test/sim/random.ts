/** All chance of a simulation, from one seed: streams that do not disturb one another. */

/** Draws numbers; equal seeds and names, equal numbers. */
export class Chance {
  #a: number
  #b: number
  #c: number
  #d: number

  /** @param seed - a text: of the run, then of the stream within it */
  constructor(seed: string) {
    // FNV-1a spreads the text, sfc32 goes on from there.
    let hash = 0x811c9dc5
    for (let at = 0; at < seed.length; at++) hash = Math.imul(hash ^ seed.charCodeAt(at), 0x01000193)
    this.#a = hash | 0
    this.#b = Math.imul(hash, 0x9e3779b1) | 0
    this.#c = (hash ^ 0x5bd1e995) | 0
    this.#d = 1
    for (let at = 0; at < 12; at++) this.word()
  }

  /** 32 random bits, not negative. */
  word(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#d) | 0
    this.#d = (this.#d + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** A number from 0 up to, not including, 1. */
  share(): number {
    return this.word() / 2 ** 32
  }

  /** A whole number from 0 up to, not including, `below`. */
  below(below: number): number {
    return Math.floor(this.share() * below)
  }

  /** Whether something of this probability happens. */
  may(probability: number): boolean {
    return this.share() < probability
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** One of a list by weight; undefined when no weight is above 0. */
  weigh<T>(list: readonly T[], weightOf: (one: T) => number): T | undefined {
    const weights = list.map((one) => Math.max(0, weightOf(one)))
    let left = this.share() * weights.reduce((sum, weight) => sum + weight, 0)
    let last: T | undefined
    for (const [at, weight] of weights.entries()) {
      if (weight === 0) continue
      last = list[at]
      left -= weight
      if (left < 0) break
    }
    return last
  }

  /** A copy in random order. */
  shuffle<T>(list: readonly T[]): T[] {
    const left = [...list]
    for (let at = left.length - 1; at > 0; at--) {
      const other = this.below(at + 1)
      const kept = left[at] as T
      left[at] = left[other] as T
      left[other] = kept
    }
    return left
  }

  /** `length` bytes, fresh. */
  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at++) bytes[at] = this.word() & 0xff
    return bytes
  }
}
