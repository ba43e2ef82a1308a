/** Chance from a seed: the same seed gives the same bytes on every machine. */

import { createCipheriv, createHash } from 'node:crypto'

const blockBytes = 64 * 1024
const zeros = Buffer.alloc(blockBytes)

/** A stream of numbers and bytes that only its seed decides. */
export interface Seeded {
  /** A whole number of 0 .. `limit` - 1; `limit` at most 2^32. */
  below(limit: number): number
  /** `length` bytes that do not compress, fresh. */
  bytes(length: number): Buffer
  /** One of the items, each as likely. */
  pick<T>(items: readonly T[]): T
}

/** Opens the stream of a seed: the AES-256-CTR key stream under its SHA-256. */
export function seeded(seed: string | number): Seeded {
  const key = createHash('sha256').update(`rootcellar test data ${seed}`).digest()
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  let block = Buffer.alloc(0)
  let used = 0

  const word = (): number => {
    if (used + 4 > block.length) {
      block = cipher.update(zeros)
      used = 0
    }
    used += 4
    return block.readUInt32LE(used - 4)
  }
  const below = (limit: number): number => Math.floor((word() / 2 ** 32) * limit)
  return {
    below,
    bytes: (length) => cipher.update(Buffer.alloc(length)),
    pick: (items) => items[below(items.length)]!,
  }
}

const vocabularySize = 6000

/** Writes text that compresses about as well as prose or source code does. */
export interface Writer {
  /** `length` bytes of ASCII words and lines, fresh. */
  text(length: number): Buffer
}

/** Opens a writer with a vocabulary of its own; frequent words are short and come often. */
export function writer(chance: Seeded): Writer {
  const letters = 'etaoinshrdlucmfwypvbgkqjxz'
  const words = Array.from({ length: vocabularySize }, (_, rank) => {
    const length = 2 + Math.floor(Math.log2(rank + 1) / 2) + chance.below(3)
    const word = Array.from({ length }, () => letters[Math.min(chance.below(26), chance.below(26))]!).join('')
    return Buffer.from(`${word} `)
  })
  return {
    text(length) {
      const bytes = Buffer.allocUnsafe(length)
      let at = 0
      let column = 0
      while (at < length) {
        // The product of two draws favours low ranks, roughly as words are used.
        const word = words[Math.floor((chance.below(vocabularySize) * chance.below(1000)) / 1000)]!
        at += word.copy(bytes, at)
        column += word.length
        if (column > 90) {
          bytes[at - 1] = 0x0a
          column = 0
        }
      }
      return bytes
    },
  }
}
