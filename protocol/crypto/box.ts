/** Boxes: a small secret sealed to one device, by its public key alone (keys.md §5). */

import { ed25519, x25519 } from '@noble/curves/ed25519.js'
import { concatBytes } from '../bytes.ts'
import { CellarError } from '../errors.ts'
import type { DeviceId } from '../ids.ts'
import { keyOfDevice } from '../statement.ts'
import { KEY_BYTES } from './keys.ts'
import { nodePrimitives } from './primitives.ts'
import { openSecret, sealSecret, type SecretInput } from './secret.ts'

/** What a box is for: it opens for nothing else. */
export type BoxContext = Pick<SecretInput, 'purpose' | 'associated'>

/** One who seals: a key pair drawn for a few boxes, and thrown away. */
export interface BoxSealer {
  /** X25519 public key, 32 bytes, that goes with the boxes. */
  readonly ephemeral: Uint8Array
  /**
   * Seals for one device.
   *
   * @param nonce - 24 bytes drawn at random
   * @returns as `sealSecret`, fresh
   */
  seal(to: DeviceId, context: BoxContext, nonce: Uint8Array, secret: Uint8Array): Uint8Array
}

/**
 * Begins sealing.
 *
 * @param random - 32 bytes fit for keys, used once; borrowed
 */
export function beginBoxes(random: Uint8Array): BoxSealer {
  if (random.byteLength !== KEY_BYTES) throw new RangeError('a key for boxes is drawn from 32 bytes')
  const own = Uint8Array.from(random)
  const ephemeral = x25519.getPublicKey(own)
  return {
    ephemeral,
    seal(to, context, nonce, secret) {
      const shared = x25519.getSharedSecret(own, ed25519.utils.toMontgomery(keyOfDevice(to)))
      return sealSecret({ ...context, key: boxKey(shared, ephemeral, to) }, nonce, secret)
    },
  }
}

/**
 * Opens a box.
 *
 * @param seed - of the device's Ed25519 key, 32 bytes; borrowed
 * @param ephemeral - what came with the boxes, 32 bytes
 * @returns the secret, fresh
 * @throws {CellarError} `KEY_INVALID` when it was not sealed for this device, with this context
 */
export function openBox(
  seed: Uint8Array,
  to: DeviceId,
  { ephemeral, sealed }: { readonly ephemeral: Uint8Array; readonly sealed: Uint8Array },
  context: BoxContext,
): Uint8Array {
  return openSecret({ ...context, key: boxKey(sharedWith(seed, ephemeral), ephemeral, to) }, sealed)
}

function sharedWith(seed: Uint8Array, ephemeral: Uint8Array): Uint8Array {
  try {
    return x25519.getSharedSecret(ed25519.utils.toMontgomerySecret(seed), ephemeral)
  } catch {
    // RFC 7748 §6.1: a point of small order gives nothing that is secret. The library's error says no more.
    throw new CellarError('KEY_INVALID', 'a sealed secret comes with a key of small order')
  }
}

/** Bound to both keys: who changes either gets another key. */
function boxKey(shared: Uint8Array, ephemeral: Uint8Array, to: DeviceId): Uint8Array {
  return nodePrimitives.hkdfSha256({
    key: shared,
    salt: new Uint8Array(0),
    info: concatBytes([Buffer.from('rootcellar/1/box\0', 'ascii'), ephemeral, keyOfDevice(to)]),
    length: KEY_BYTES,
  })
}
