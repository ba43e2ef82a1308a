/** The keys of a vault and of a device, and what is made with them (keys.md §2, §3). */

import { type KeyObject, sign, verify } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { base58 } from '@scure/base'
import { concatBytes, equalBytes, fromHex, toHex } from '../bytes.ts'
import { CellarError } from '../errors.ts'
import type { DeviceId, VaultId } from '../ids.ts'
import { nodePrimitives, type Primitives, signingKey, verifyingKey } from './primitives.ts'

/** The keys of one vault, 32 bytes each. A plain object: it may be sent to a worker thread of this process. */
export interface VaultKeys {
  /** Names the vault, openly. */
  readonly vault: VaultId
  /** Makes the synthetic nonce of a chunk from its content. */
  readonly siv: Uint8Array
  /** Makes the key of one chunk from its synthetic nonce. */
  readonly seal: Uint8Array
  /** Makes the gear table that cuts files. */
  readonly gear: Uint8Array
  /** Makes the opaque label of a source in a listing. */
  readonly source: Uint8Array
}

/** Bytes of a vault key, of each key made from it, and of an Ed25519 seed. */
export const KEY_BYTES = 32

/**
 * Derives the keys of a vault (keys.md §2).
 *
 * @param vaultKey - 32 bytes of true randomness; borrowed
 */
export function deriveVaultKeys(vaultKey: Uint8Array, primitives: Primitives = nodePrimitives): VaultKeys {
  const derive = (label: string, length = KEY_BYTES): Uint8Array =>
    deriveVaultSecret(vaultKey, label, length, primitives)
  return {
    vault: toHex(derive('id', 16)) as VaultId,
    siv: derive('siv'),
    seal: derive('seal'),
    gear: derive('gear'),
    source: derive('source'),
  }
}

/**
 * One derivation from a vault key (keys.md §2).
 *
 * @param vaultKey - 32 bytes; borrowed
 * @param label - which one, ASCII
 * @returns `length` bytes, fresh
 */
export function deriveVaultSecret(
  vaultKey: Uint8Array,
  label: string,
  length: number = KEY_BYTES,
  primitives: Primitives = nodePrimitives,
): Uint8Array {
  if (vaultKey.byteLength !== KEY_BYTES) throw new RangeError('a vault key has 32 bytes')
  return primitives.hkdfSha256({
    key: vaultKey,
    salt: new Uint8Array(0),
    info: Buffer.from(`rootcellar/1/vault/${label}`, 'ascii'),
    length,
  })
}

/** Signs as one device. The seed stays inside. */
export interface Signer {
  readonly device: DeviceId
  /** The Ed25519 signature of a message (64 bytes, fresh); the caller puts a domain label in front of what it signs. */
  sign(message: Uint8Array): Uint8Array
}

/**
 * Makes the signer of an Ed25519 seed.
 *
 * @param seed - 32 bytes; copied
 */
export function signerFromSeed(seed: Uint8Array): Signer {
  const key = signingKey(seed)
  return {
    device: deviceIdFromPublicKey(nodePrimitives.ed25519PublicKey(seed)),
    sign: (message) => sign(null, message, key),
  }
}

/** Says whether `signature` is the device's for `message` (keys.md §3). False for a device id that is none. */
export function verifySignature(device: DeviceId, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.byteLength !== 64) return false
  const key = keyOf(device)
  return key !== undefined && verify(null, message, key, signature)
}

/** Keys parsed of late: a mesh has few devices, and checking a point costs more than a look-up. */
const KNOWN_KEYS = new Map<DeviceId, KeyObject>()
const KNOWN_KEYS_MAX = 1024

function keyOf(device: DeviceId): KeyObject | undefined {
  const known = KNOWN_KEYS.get(device)
  if (known !== undefined) return known
  const raw = readDeviceId(device)
  if (raw === undefined) return undefined
  const key = verifyingKey(raw)
  if (KNOWN_KEYS.size >= KNOWN_KEYS_MAX) KNOWN_KEYS.clear()
  KNOWN_KEYS.set(device, key)
  return key
}

/** Identity multihash (code 0, 36 bytes) of a libp2p public key message (type 1 = Ed25519, 32 bytes of key). */
const PEER_ID_HEAD = fromHex('002408011220')

/**
 * The id of the device with this public key: its libp2p PeerId in base58.
 *
 * @param publicKey - 32 bytes; borrowed
 */
export function deviceIdFromPublicKey(publicKey: Uint8Array): DeviceId {
  if (publicKey.byteLength !== KEY_BYTES) throw new RangeError('a public key has 32 bytes')
  return base58.encode(concatBytes([PEER_ID_HEAD, publicKey])) as DeviceId
}

/**
 * The Ed25519 public key (32 bytes, fresh) that a device id carries.
 *
 * @throws {CellarError} `FORMAT_INVALID` for a text that is no device id, or whose key is not a good point
 */
export function publicKeyOfDevice(device: DeviceId): Uint8Array {
  const key = readDeviceId(device)
  if (key === undefined) throw new CellarError('FORMAT_INVALID', 'this is not the id of a device')
  return key
}

/** Says whether a text is the id of a device: base58, an Ed25519 key, in the one canonical form. */
export function isDeviceId(text: string): text is DeviceId {
  return readDeviceId(text) !== undefined
}

/** The key in a device id, or undefined. K3.1, K3.2: one text for one key, and no key of small order. */
function readDeviceId(text: string): Uint8Array | undefined {
  if (text.length < 50 || text.length > 54) return undefined
  let bytes: Uint8Array
  try {
    bytes = base58.decode(text)
  } catch {
    return undefined
  }
  if (bytes.byteLength !== PEER_ID_HEAD.byteLength + KEY_BYTES) return undefined
  if (!equalBytes(bytes.subarray(0, PEER_ID_HEAD.byteLength), PEER_ID_HEAD)) return undefined
  const key = bytes.slice(PEER_ID_HEAD.byteLength)
  return isGoodPoint(key) ? key : undefined
}

/**
 * Whether 32 bytes are the canonical form of a point that is not of small order (anybody could sign for such a one).
 */
function isGoodPoint(key: Uint8Array): boolean {
  try {
    return !ed25519.Point.fromBytes(key, false).isSmallOrder()
  } catch {
    return false
  }
}
