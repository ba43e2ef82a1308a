/** The recovery phrase: 24 words on paper, from which the key of a paper device is made (keys.md §6). */

import { sha256 } from '@noble/hashes/sha2.js'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { CellarError } from '../errors.ts'
import { KEY_BYTES } from './keys.ts'
import { nodePrimitives } from './primitives.ts'

/** Words of a phrase: 256 bits drawn, and 8 that check them. */
export const phraseWords = 24

/** Bits that a word stands for. */
const wordBits = 11

/**
 * The words of what was drawn (BIP-39, English).
 *
 * @param entropy - 32 bytes of true randomness; borrowed
 */
export function wordsOfEntropy(entropy: Uint8Array): string[] {
  if (entropy.byteLength !== KEY_BYTES) throw new RangeError('a phrase is drawn from 32 bytes')
  const bits = [...entropy, checkByte(entropy)].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return Array.from({ length: phraseWords }, (_, at) => {
    const index = Number.parseInt(bits.slice(at * wordBits, (at + 1) * wordBits), 2)
    return wordlist[index] as string
  })
}

/**
 * Reads a phrase as typed: any case, any separators, numbers before the words; a word may be shortened as long as only
 * one begins so (four letters always do).
 *
 * @returns what was drawn, 32 bytes, fresh
 * @throws {CellarError} `PHRASE_WRONG`; it names places, never words
 */
export function entropyOfPhrase(typed: string): Uint8Array {
  const words = splitPhrase(typed)
  const indexes = words.map(indexOfWord)
  if (words.length !== phraseWords)
    throw wrong(
      `it has ${String(words.length)} ${words.length === 1 ? 'word' : 'words'}, not ${String(phraseWords)}`,
    )
  const entropy = entropyOfIndexes(indexes)
  if (entropy === undefined) throw wrong(`one of the words is not the right one${hintsFor(indexes)}`)
  return entropy
}

/** The words in what a person typed, in lower case; figures and dots before them are left out. */
export function splitPhrase(typed: string): string[] {
  return typed
    .normalize('NFKD')
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((part) => part !== '')
}

/** The word that is meant by what was typed of it, or undefined when there is none, or several. */
export function wordMeant(typed: string): string | undefined {
  if (wordlist.includes(typed)) return typed
  const begun = typed.length < 3 ? [] : wordlist.filter((word) => word.startsWith(typed))
  return begun.length === 1 ? begun[0] : undefined
}

/**
 * The seed of the paper device's Ed25519 key (keys.md §6).
 *
 * @param entropy - 32 bytes, as `entropyOfPhrase` gives them; borrowed
 * @returns 32 bytes, fresh
 */
export function paperSeed(entropy: Uint8Array): Uint8Array {
  return nodePrimitives.hkdfSha256({
    key: entropy,
    salt: new Uint8Array(0),
    info: Buffer.from('rootcellar/1/paper/device', 'ascii'),
    length: KEY_BYTES,
  })
}

function indexOfWord(typed: string, at: number): number {
  const word = wordMeant(typed)
  if (word === undefined) throw wrong(`word ${String(at + 1)} is not on the list`)
  return wordlist.indexOf(word)
}

function entropyOfIndexes(indexes: readonly number[]): Uint8Array | undefined {
  const bits = indexes.map((index) => index.toString(2).padStart(wordBits, '0')).join('')
  const bytes = Uint8Array.from(bits.match(/.{8}/g) ?? [], (byte) => Number.parseInt(byte, 2))
  const entropy = bytes.slice(0, KEY_BYTES)
  return bytes[KEY_BYTES] === checkByte(entropy) ? entropy : undefined
}

function checkByte(entropy: Uint8Array): number {
  return sha256(entropy)[0] as number
}

/** Most places that a hint names: with more of them it would be none. */
const hintsMax = 4

/**
 * Which word may be the wrong one: those that another word, one letter away, would make right, and neighbours that may
 * have changed places. A phrase has eight bits to check it, so this is a guess, and said as one.
 */
function hintsFor(indexes: readonly number[]): string {
  const places: string[] = []
  for (let at = 0; at + 1 < indexes.length; at++) {
    const swapped = [...indexes]
    swapped[at] = indexes[at + 1] as number
    swapped[at + 1] = indexes[at] as number
    if (swapped[at] !== indexes[at] && entropyOfIndexes(swapped) !== undefined)
      places.push(`words ${String(at + 1)} and ${String(at + 2)} in the other order`)
  }
  for (const [at, index] of indexes.entries()) {
    const word = wordlist[index] as string
    const isLikely = wordlist.some((other, otherIndex) => {
      if (!isOneLetterAway(word, other)) return false
      return entropyOfIndexes(indexes.with(at, otherIndex)) !== undefined
    })
    if (isLikely) places.push(`word ${String(at + 1)}`)
  }
  return places.length === 0 || places.length > hintsMax ? '' : `; look at ${places.join(', ')}`
}

/** One letter put in, left out or changed. */
function isOneLetterAway(a: string, b: string): boolean {
  if (a === b || Math.abs(a.length - b.length) > 1) return false
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  let end = 0
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++
  return a.length - start - end <= 1 && b.length - start - end <= 1
}

function wrong(what: string): CellarError {
  return new CellarError('PHRASE_WRONG', `this is not a recovery phrase: ${what}`)
}
