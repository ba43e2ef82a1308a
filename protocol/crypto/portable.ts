/** The primitives in plain TypeScript, by the noble family: where node:crypto is missing, and as a second opinion. */

import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes } from '../bytes.ts'
import type { Parts, Primitives } from './primitives.ts'

/** The primitives of @noble/hashes, @noble/ciphers and @noble/curves. */
export const portablePrimitives: Primitives = {
  sha256(parts) {
    const hash = sha256.create()
    for (const part of parts) hash.update(part)
    return hash.digest()
  },

  hmacSha256(key, parts) {
    const mac = hmac.create(sha256, key)
    for (const part of parts) mac.update(part)
    return mac.digest()
  },

  hkdfSha256({ key, salt, info, length }) {
    return hkdf(sha256, key, salt, info, length)
  },

  aeadSeal({ key, nonce, associated }, parts, out) {
    out.set(chacha20poly1305(key, nonce, associated).encrypt(oneOf(parts)))
  },

  aeadOpen({ key, nonce, associated }, sealed) {
    if (sealed.byteLength < 16) return undefined
    try {
      return chacha20poly1305(key, nonce, associated).decrypt(sealed)
    } catch {
      return undefined
    }
  },

  ed25519PublicKey(seed) {
    return ed25519.getPublicKey(seed)
  },

  ed25519Sign(seed, message) {
    return ed25519.sign(message, seed)
  },

  ed25519Verify(publicKey, message, signature) {
    if (publicKey.byteLength !== 32 || signature.byteLength !== 64) return false
    return verifyWithoutCofactor(publicKey, message, signature)
  },
}

function oneOf(parts: Parts): Uint8Array {
  const [first] = parts
  return parts.length === 1 && first !== undefined ? first : concatBytes(parts)
}

/**
 * RFC 8032 §5.1.7 with the equation [S]B = R + [k]A, compared as bytes. The library's own check multiplies by the
 * cofactor, so that a signer could make signatures that one device accepts and another refuses.
 */
function verifyWithoutCofactor(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const { Point } = ed25519
  const { Fn } = Point
  const r = signature.subarray(0, 32)
  const s = littleEndian(signature.subarray(32))
  if (s >= Fn.ORDER) return false
  let key: InstanceType<typeof Point>
  try {
    key = Point.fromBytes(publicKey)
  } catch {
    return false
  }
  const k = Fn.create(littleEndian(sha512(concatBytes([r, publicKey, message]))))
  const expected = Point.BASE.multiplyUnsafe(s).add(key.negate().multiplyUnsafe(k))
  return equalBytes(expected.toBytes(), r)
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`)
}
