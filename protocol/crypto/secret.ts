/** Seals small secrets, such as a vault key for a newcomer, with XChaCha20-Poly1305 (keys.md §4). */

import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { concatBytes } from '../bytes.ts'
import { CellarError } from '../errors.ts'

/** Bytes of the nonce of a sealed secret: long enough to be drawn at random. */
export const SECRET_NONCE_BYTES = 24

/** Key and context of a sealed secret. */
export interface SecretInput {
  /** 32 bytes; borrowed. */
  readonly key: Uint8Array
  /** What it is for, ASCII; a secret opens only under the purpose it was sealed for. */
  readonly purpose: string
  /** Further bytes that must be the same at opening. */
  readonly associated?: Uint8Array
}

/**
 * Seals a secret.
 *
 * @param nonce - 24 bytes drawn at random, never used before under this key; borrowed
 * @param secret - borrowed
 * @returns nonce, encrypted secret and tag, fresh
 */
export function sealSecret(input: SecretInput, nonce: Uint8Array, secret: Uint8Array): Uint8Array {
  if (nonce.byteLength !== SECRET_NONCE_BYTES) throw new RangeError('a nonce has 24 bytes')
  return concatBytes([nonce, xchacha20poly1305(input.key, nonce, associatedOf(input)).encrypt(secret)])
}

/**
 * Opens a sealed secret.
 *
 * @param sealed - as {@link sealSecret} gave it; borrowed
 * @returns the secret, fresh
 * @throws {CellarError} `KEY_INVALID` when key, purpose, associated bytes or any byte of it is not as it was
 */
export function openSecret(input: SecretInput, sealed: Uint8Array): Uint8Array {
  if (sealed.byteLength >= SECRET_NONCE_BYTES + 16) {
    try {
      const nonce = sealed.subarray(0, SECRET_NONCE_BYTES)
      return xchacha20poly1305(input.key, nonce, associatedOf(input)).decrypt(
        sealed.subarray(SECRET_NONCE_BYTES),
      )
    } catch {
      // Told below, in our words: the library's error says no more.
    }
  }
  throw new CellarError('KEY_INVALID', 'a sealed secret does not open with this key', {
    bytes: sealed.byteLength,
  })
}

/** `rootcellar/1/secret/` purpose, a zero byte, then the caller's bytes: no two inputs give the same. */
function associatedOf(input: SecretInput): Uint8Array {
  const label = Buffer.from(`rootcellar/1/secret/${input.purpose}\0`, 'ascii')
  return concatBytes([label, input.associated ?? new Uint8Array(0)])
}
