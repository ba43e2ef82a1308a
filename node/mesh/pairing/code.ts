/** Codes and tokens of an invitation: making them, and reading what a person types (pairing.md §2). Pure. */

import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { base58 } from '@scure/base'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import { decode, encode } from 'cborg'
import {
  addressBytesMax,
  addressesPerDeviceMax,
  CellarError,
  type DeviceId,
} from '../../../protocol/index.ts'

/** Words in a code: 44 bits, of which an attacker gets three guesses. */
export const codeWords = 4
/** Random bytes to draw for a code: two for the number, two for each word. */
export const codeRandomBytes = 2 + 2 * codeWords
/** Random bytes to draw for a token: two for the number, sixteen for the secret. */
export const tokenRandomBytes = 18

const tokenPrefix = 'rc1-'
const tokenCharsMax = 8192
const checkBytes = 4
const fingerprintBytes = 16

/** An invitation as its invited device knows it. */
export interface Secret {
  readonly kind: 'code' | 'token'
  /** 4 digits: finds the invitation, and is no secret. */
  readonly number: string
  /** What the key exchange is fed with. */
  readonly secret: Uint8Array
  /** As shown and typed. */
  readonly text: string
  /** Of a token: whose it is, so that only that device is tried. */
  readonly fingerprint?: Uint8Array
  /** Of a token: where the inviter was when it was made. */
  readonly addresses?: readonly string[]
}

/** A fresh code, `4271-maple-otter-lantern-copper`. @param random - `codeRandomBytes`; borrowed */
export function makeCode(random: Uint8Array): Secret {
  const words: string[] = []
  // 2048 words divide 65,536 evenly: each is as likely as the others.
  for (let i = 1; i <= codeWords; i += 1)
    words.push(wordlist[number16(random, i) % wordlist.length] as string)
  return codeOf(makeNumber(random), words)
}

/**
 * A fresh token for a device without a keyboard, `rc1-…`.
 *
 * @param random - `tokenRandomBytes`; borrowed
 * @param inviter - who makes it
 * @param addresses - where the inviter can be called; at most 16
 */
export function makeToken(random: Uint8Array, inviter: DeviceId, addresses: readonly string[]): Secret {
  const number = makeNumber(random)
  const secret = random.slice(2, tokenRandomBytes)
  const fingerprint = fingerprintOf(inviter)
  const told = addresses.filter((one) => one.length <= addressBytesMax).slice(0, addressesPerDeviceMax)
  const body = encode([1, Number(number), secret, fingerprint, told])
  const text =
    tokenPrefix + base58.encode(Uint8Array.from([...body, ...sha256(body).subarray(0, checkBytes)]))
  return { kind: 'token', number, secret, text, fingerprint, addresses: told }
}

/** 16 bytes that stand for a device in a token, fresh. */
export function fingerprintOf(device: DeviceId): Uint8Array {
  return sha256(utf8ToBytes(`rootcellar/token-inviter/1 ${device}`)).slice(0, fingerprintBytes)
}

/**
 * Reads a code or a token as typed: any case, any separators, words shortened as long as only one begins so
 * (four letters always do).
 *
 * @throws {CellarError} `CODE_WRONG`, when it cannot be one; it names the place, never the words
 */
export function readSecret(typed: string): Secret {
  const text = typed.trim()
  return text.toLowerCase().startsWith(tokenPrefix) ? readToken(text) : readCode(text)
}

/** The words that may be meant by what is typed so far of one; for completion. */
export function completeWord(typed: string): string[] {
  const start = typed.toLowerCase()
  return wordlist.includes(start) ? [start] : wordlist.filter((word) => word.startsWith(start))
}

function readCode(text: string): Secret {
  const parts = text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((part) => part !== '')
  const [number = '', ...typed] = parts
  if (!/^\d{4}$/.test(number)) throw wrong('a code begins with a number of four digits')
  if (typed.length !== codeWords) throw wrong(`a code has ${String(codeWords)} words after its number`)
  const words = typed.map((part, i) => {
    const [word, ...others] = completeWord(part)
    if (word === undefined) throw wrong(`word ${String(i + 1)} is not on the list`)
    if (others.length > 0) throw wrong(`word ${String(i + 1)} is too short to be sure`)
    return word
  })
  return codeOf(number, words)
}

function readToken(text: string): Secret {
  if (text.length > tokenCharsMax) throw wrong('the token is too long')
  try {
    const bytes = base58.decode(text.slice(tokenPrefix.length).replace(/\s+/g, ''))
    const body = bytes.slice(0, -checkBytes)
    if (Buffer.compare(sha256(body).subarray(0, checkBytes), bytes.slice(-checkBytes)) !== 0)
      throw wrong('typing error')
    const fields: unknown = decode(body)
    if (!Array.isArray(fields) || fields.length !== 5 || fields[0] !== 1) throw wrong('form')
    const [, number, secret, fingerprint, addresses] = fields as unknown[]
    if (typeof number !== 'number' || number < 0 || number > 9999 || !Number.isInteger(number))
      throw wrong('number')
    if (!(secret instanceof Uint8Array) || secret.byteLength !== 16) throw wrong('secret')
    if (!(fingerprint instanceof Uint8Array) || fingerprint.byteLength !== fingerprintBytes)
      throw wrong('fingerprint')
    if (!isAddresses(addresses)) throw wrong('addresses')
    return { kind: 'token', number: pad(number), secret, text, fingerprint, addresses }
  } catch (error) {
    throw new CellarError('CODE_WRONG', 'this is not a whole token', {}, { cause: error })
  }
}

function isAddresses(value: unknown): value is string[] {
  if (!Array.isArray(value) || value.length > addressesPerDeviceMax) return false
  return value.every((one) => typeof one === 'string' && one.length <= addressBytesMax)
}

function codeOf(number: string, words: readonly string[]): Secret {
  return { kind: 'code', number, secret: utf8ToBytes(words.join(' ')), text: [number, ...words].join('-') }
}

/** 0000 .. 9999; not quite even, which does not matter: it is no secret. */
function makeNumber(random: Uint8Array): string {
  return pad(number16(random, 0) % 10_000)
}

function pad(number: number): string {
  return String(number).padStart(4, '0')
}

function number16(random: Uint8Array, index: number): number {
  return ((random[2 * index] ?? 0) << 8) | (random[2 * index + 1] ?? 0)
}

function wrong(what: string): CellarError {
  return new CellarError('CODE_WRONG', `the code cannot be right: ${what}`)
}
