/**
 * The primitives everything is built from (keys.md §1), as one interface with two implementations
 * that are held to the same vectors: {@link nodePrimitives} for speed, `portablePrimitives` for everywhere else.
 */

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  hkdfSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'

/** Bytes in several pieces, read one after the other as if they were one; borrowed. */
export type Parts = readonly Uint8Array[]

/** What HKDF is given (RFC 5869). */
export interface HkdfInput {
  /** Input keying material, any length. */
  readonly key: Uint8Array
  /** May be empty. */
  readonly salt: Uint8Array
  /** Separates the uses of one key. */
  readonly info: Uint8Array
  /** Bytes wanted, 1 .. 8160. */
  readonly length: number
}

/** What ChaCha20-Poly1305 is given beside the message (RFC 8439 §2.8). */
export interface AeadInput {
  /** 32 bytes. */
  readonly key: Uint8Array
  /** 12 bytes; never twice for two messages under one key. */
  readonly nonce: Uint8Array
  /** Authenticated and not encrypted. */
  readonly associated: Uint8Array
}

/** The primitives. Every argument is borrowed, every result fresh. All are synchronous. */
export interface Primitives {
  /** SHA-256 of the parts (FIPS 180-4): 32 bytes. */
  sha256(parts: Parts): Uint8Array
  /** HMAC-SHA-256 of the parts (RFC 2104): 32 bytes. */
  hmacSha256(key: Uint8Array, parts: Parts): Uint8Array
  /** HKDF-SHA-256 (RFC 5869): `input.length` bytes. */
  hkdfSha256(input: HkdfInput): Uint8Array
  /** ChaCha20-Poly1305: writes the encrypted parts and the 16 bytes of tag to `out`, which fits them exactly. */
  aeadSeal(input: AeadInput, parts: Parts, out: Uint8Array): void
  /** ChaCha20-Poly1305: the message of `sealed` (message and tag), or undefined when the tag is not right. */
  aeadOpen(input: AeadInput, sealed: Uint8Array): Uint8Array | undefined
  /** The public key (32 bytes) of an Ed25519 seed of 32 bytes. */
  ed25519PublicKey(seed: Uint8Array): Uint8Array
  /** The Ed25519 signature (64 bytes, RFC 8032 §5.1.6) by a seed of 32 bytes. */
  ed25519Sign(seed: Uint8Array, message: Uint8Array): Uint8Array
  /** Whether a signature is right by the equation without cofactor (RFC 8032 §5.1.7), S below the group order. */
  ed25519Verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}

/** Bytes of a Poly1305 tag. */
export const AEAD_TAG_BYTES = 16

/** Asked for by the types, used by other modes only. */
const ANY_LENGTH = { plaintextLength: 0 }

/** The heads that turn raw Ed25519 keys into the forms node:crypto reads (RFC 8410 §4, §7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex')

/** The primitives of node:crypto. */
export const nodePrimitives: Primitives = {
  sha256(parts) {
    const hash = createHash('sha256')
    for (const part of parts) hash.update(part)
    return hash.digest()
  },

  hmacSha256(key, parts) {
    const hmac = createHmac('sha256', key)
    for (const part of parts) hmac.update(part)
    return hmac.digest()
  },

  hkdfSha256({ key, salt, info, length }) {
    return new Uint8Array(hkdfSync('sha256', key, salt, info, length))
  },

  aeadSeal({ key, nonce, associated }, parts, out) {
    const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: AEAD_TAG_BYTES })
    cipher.setAAD(associated, ANY_LENGTH)
    let offset = 0
    for (const part of parts) {
      out.set(cipher.update(part), offset)
      offset += part.byteLength
    }
    cipher.final()
    if (offset + AEAD_TAG_BYTES !== out.byteLength)
      throw new RangeError('the output does not fit the message and its tag')
    out.set(cipher.getAuthTag(), offset)
  },

  aeadOpen({ key, nonce, associated }, sealed) {
    const end = sealed.byteLength - AEAD_TAG_BYTES
    if (end < 0) return undefined
    const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: AEAD_TAG_BYTES })
    decipher.setAAD(associated, ANY_LENGTH)
    decipher.setAuthTag(sealed.subarray(end))
    const message = decipher.update(sealed.subarray(0, end))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    return message
  },

  ed25519PublicKey(seed) {
    const { x } = createPublicKey(signingKey(seed)).export({ format: 'jwk' })
    return Buffer.from(x as string, 'base64url')
  },

  ed25519Sign(seed, message) {
    return sign(null, message, signingKey(seed))
  },

  ed25519Verify(publicKey, message, signature) {
    if (publicKey.byteLength !== 32 || signature.byteLength !== 64) return false
    return verify(null, message, verifyingKey(publicKey), signature)
  },
}

/**
 * The key object of an Ed25519 seed.
 *
 * @param seed - 32 bytes; copied
 */
export function signingKey(seed: Uint8Array): KeyObject {
  if (seed.byteLength !== 32) throw new RangeError('a seed has 32 bytes')
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' })
}

/**
 * The key object of an Ed25519 public key.
 *
 * @param publicKey - 32 bytes; copied
 */
export function verifyingKey(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_HEAD, publicKey]), format: 'der', type: 'spki' })
}
