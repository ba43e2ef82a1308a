/** One try of pairing, without I/O: what each side says next, and what it then knows (pairing.md §3). */

import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { wordlist } from '@scure/bip39/wordlists/english.js'
import {
  CellarError,
  type DeviceId,
  errorCodeFromWire,
  type Random,
  PAIR_PROTOCOL,
} from '../../../protocol/index.ts'
import {
  type CpaceSent,
  type CpaceSide,
  cpaceBegin,
  cpaceKey,
  cpaceScalarBytes,
  cpaceTag,
  isTag,
  lengthValues,
} from './cpace.ts'
import {
  decodeGift,
  decodeName,
  decodeTerms,
  encodeGift,
  encodeName,
  encodeTerms,
  type Gift,
  type Terms,
} from './gift.ts'
import { malformed, type PairingMessage } from './messages.ts'

/** Who tries what with whom. The device ids are those that the connection has proven. */
export interface TryOptions {
  readonly joiner: DeviceId
  readonly inviter: DeviceId
  /** 4 digits. */
  readonly number: string
  /** What the code or token says; borrowed. */
  readonly secret: Uint8Array
  readonly random: Random
}

type Message<T extends PairingMessage['type']> = Extract<PairingMessage, { type: T }>

const nonceBytes = 16

/** What both sides have once the key is agreed on. */
class Sealer {
  readonly checkWords: readonly string[]
  readonly #keys: Readonly<Record<'joiner' | 'inviter', Uint8Array>>
  readonly #counts = { joiner: 0, inviter: 0 }

  /** @param key - 64 bytes of CPace @param session - the nonces of this try */
  constructor(key: Uint8Array, session: Uint8Array) {
    const derive = (label: string, length: number) =>
      hkdf(sha512, key, session, utf8ToBytes(`${PAIR_PROTOCOL} ${label}`), length)
    this.#keys = { joiner: derive('from joiner', 32), inviter: derive('from inviter', 32) }
    const bytes = derive('check words', 6)
    this.checkWords = [0, 2, 4].map((at) => {
      const index = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
      return wordlist[index % wordlist.length] as string
    })
  }

  /** Seals the next payload of a side; each has a nonce of its own by counting. @returns fresh */
  seal(from: 'joiner' | 'inviter', payload: Uint8Array): Uint8Array {
    return chacha20poly1305(this.#keys[from], this.#nonce(from)).encrypt(payload)
  }

  /** @throws {CellarError} `PAIRING_REFUSED` */
  open(from: 'joiner' | 'inviter', sealed: Uint8Array): Uint8Array {
    try {
      return chacha20poly1305(this.#keys[from], this.#nonce(from)).decrypt(sealed)
    } catch (error) {
      throw new CellarError(
        'PAIRING_REFUSED',
        'what the other device sent was changed on the way',
        {},
        { cause: error },
      )
    }
  }

  #nonce(from: 'joiner' | 'inviter'): Uint8Array {
    const nonce = new Uint8Array(12)
    nonce[11] = this.#counts[from]++
    return nonce
  }
}

/** What is the same in all of one try: both devices and the number, so that nobody stands between them. */
function channelOf({ joiner, inviter, number }: TryOptions): Uint8Array {
  return lengthValues(...[PAIR_PROTOCOL, joiner, inviter, number].map(utf8ToBytes))
}

/** The joiner's side. Call its methods in the order they stand; each message is made or taken once. */
export class JoinerTry {
  readonly #options: TryOptions
  readonly #nonce: Uint8Array
  #expected: Uint8Array | undefined
  #sealer: Sealer | undefined

  constructor(options: TryOptions) {
    this.#options = options
    this.#nonce = options.random.bytes(nonceBytes)
  }

  /** Opens the try: the number of the code, and a fresh nonce of 16 bytes. */
  start(): Message<'start'> {
    return { type: 'start', number: this.#options.number, nonce: this.#nonce }
  }

  /** Takes the inviter's share, and shows that the code is known: this is the one guess. */
  prove(message: Message<'share' | 'refuse'>): Message<'proof'> {
    if (message.type === 'refuse') throw refused(message.code)
    const { secret, random, joiner, inviter } = this.#options
    const session = concatBytes(this.#nonce, message.nonce)
    const side = cpaceBegin(
      { secret, channel: channelOf(this.#options), session },
      random.bytes(cpaceScalarBytes),
    )
    const met = side.meet(message.share)
    if (met === undefined) throw malformed()
    const mine: CpaceSent = { share: side.share, data: utf8ToBytes(joiner) }
    const theirs: CpaceSent = { share: message.share, data: utf8ToBytes(inviter) }
    const key = cpaceKey(session, met, mine, theirs)
    this.#expected = cpaceTag(session, key, theirs)
    this.#sealer = new Sealer(key, session)
    return { type: 'proof', share: side.share, tag: cpaceTag(session, key, mine) }
  }

  /** Takes the inviter's proof and its terms. @throws {CellarError} `CODE_WRONG` also when the other did not know it */
  welcome(message: Message<'welcome' | 'refuse'>): {
    readonly terms: Terms
    readonly checkWords: readonly string[]
  } {
    if (message.type === 'refuse') throw refused(message.code)
    const sealer = this.#ready()
    if (this.#expected === undefined || !isTag(this.#expected, message.tag)) {
      throw new CellarError('CODE_WRONG', 'the other device does not know this code')
    }
    this.#expected = undefined
    return { terms: decodeTerms(sealer.open('inviter', message.sealed)), checkWords: sealer.checkWords }
  }

  /** Asks to be admitted under a name, sealed; the check words have been confirmed by then. */
  request(name: string): Message<'request'> {
    return { type: 'request', sealed: this.#ready().seal('joiner', encodeName(name)) }
  }

  /**
   * Takes what a new member is given.
   *
   * @throws {CellarError} the inviter's own code when it refused; `PEER_PROTOCOL`
   */
  gift(message: Message<'gift' | 'refuse'>): Gift {
    if (message.type === 'refuse') {
      throw new CellarError(errorCodeFromWire(message.code), 'the inviting device could not admit this one')
    }
    return decodeGift(this.#ready().open('inviter', message.sealed))
  }

  /** Says that the gift is kept: durable at this side. */
  thanks(): Message<'thanks'> {
    return { type: 'thanks', sealed: this.#ready().seal('joiner', new Uint8Array(0)) }
  }

  #ready(): Sealer {
    if (this.#sealer === undefined) throw new TypeError('pairing steps out of order')
    return this.#sealer
  }
}

/** The inviter's side. Call its methods in the order they stand. */
export class InviterTry {
  readonly #options: TryOptions
  readonly #nonce: Uint8Array
  #session: Uint8Array | undefined
  #side: CpaceSide | undefined
  #tag: Uint8Array | undefined
  #sealer: Sealer | undefined

  constructor(options: TryOptions) {
    this.#options = options
    this.#nonce = options.random.bytes(nonceBytes)
  }

  /** Answers a start with a public share of 32 bytes; one scalar for this try alone (P3.2). */
  share(message: Message<'start'>): Message<'share'> {
    const { secret, random } = this.#options
    this.#session = concatBytes(message.nonce, this.#nonce)
    const input = { secret, channel: channelOf(this.#options), session: this.#session }
    this.#side = cpaceBegin(input, random.bytes(cpaceScalarBytes))
    return { type: 'share', nonce: this.#nonce, share: this.#side.share }
  }

  /**
   * Judges the joiner's one guess. Nothing that depends on the secret has left this side before, nor does if false.
   */
  judge(message: Message<'proof'>): boolean {
    const { joiner, inviter } = this.#options
    const side = this.#side
    const session = this.#session
    if (side === undefined || session === undefined) throw new TypeError('pairing steps out of order')
    this.#side = undefined // one guess a try
    const met = side.meet(message.share)
    if (met === undefined) return false
    const theirs: CpaceSent = { share: message.share, data: utf8ToBytes(joiner) }
    const mine: CpaceSent = { share: side.share, data: utf8ToBytes(inviter) }
    const key = cpaceKey(session, met, theirs, mine)
    if (!isTag(cpaceTag(session, key, theirs), message.tag)) return false
    this.#tag = cpaceTag(session, key, mine)
    this.#sealer = new Sealer(key, session)
    return true
  }

  /** The three words that both sides show. */
  get checkWords(): readonly string[] {
    return this.#ready().checkWords
  }

  /** Shows that the code is known here too, and says the terms, sealed; after {@link judge} said true. */
  welcome(terms: Terms): Message<'welcome'> {
    const sealer = this.#ready()
    return {
      type: 'welcome',
      tag: this.#tag as Uint8Array,
      sealed: sealer.seal('inviter', encodeTerms(terms)),
    }
  }

  /** @returns the joiner's name */
  request(message: Message<'request'>): string {
    return decodeName(this.#ready().open('joiner', message.sealed))
  }

  /** Hands the membership, and the vault key where the role has it, sealed. */
  gift(gift: Gift): Message<'gift'> {
    return { type: 'gift', sealed: this.#ready().seal('inviter', encodeGift(gift)) }
  }

  /** Takes the joiner's word that it has kept the gift. @throws {CellarError} `PEER_PROTOCOL` */
  thanks(message: Message<'thanks'>): void {
    if (this.#ready().open('joiner', message.sealed).byteLength !== 0) throw malformed()
  }

  #ready(): Sealer {
    if (this.#sealer === undefined) throw new TypeError('pairing steps out of order')
    return this.#sealer
  }
}

/** The error for what the inviter says instead of going on; unproven, so only codes of pairing are taken. */
function refused(wire: number): CellarError {
  const code = errorCodeFromWire(wire)
  if (code === 'CODE_WRONG') return new CellarError(code, 'the inviting device says that the code is wrong')
  if (code === 'CODE_EXPIRED')
    return new CellarError(code, 'the code has expired, or was used up by wrong tries')
  return new CellarError('PAIRING_REFUSED', 'the device there has no invitation with this number')
}
