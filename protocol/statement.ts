/** Signed statements: content, then its signature under a domain label (listing.md §2, membership.md §2). */

import { hash } from 'node:crypto'
import { concatBytes, toHex } from './bytes.ts'
import { type Signer, verifySignature } from './crypto/keys.ts'
import { deviceIdFromPublicKey, publicKeyOfDevice } from './crypto/keys.ts'
import type { DeviceId } from './ids.ts'

/** What a statement is about; a signature of one kind is none of the other. */
export type StatementKind = 'listing' | 'membership'

/** Bytes of an Ed25519 signature, at the end of a statement. */
export const SIGNATURE_BYTES = 64

const LABELS: Readonly<Record<StatementKind, Uint8Array>> = {
  listing: Buffer.from('rootcellar/1/listing\0', 'ascii'),
  membership: Buffer.from('rootcellar/1/membership\0', 'ascii'),
}

/** Signs `content` (borrowed): content || signature, fresh. */
export function signStatement(kind: StatementKind, content: Uint8Array, signer: Signer): Uint8Array {
  return concatBytes([content, signer.sign(concatBytes([LABELS[kind], content]))])
}

/** The content of a statement as a view into `bytes`; empty when there is room for the signature only. */
export function statementContent(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, Math.max(0, bytes.byteLength - SIGNATURE_BYTES))
}

/** Says whether `device` signed this statement. */
export function isSignedBy(kind: StatementKind, bytes: Uint8Array, device: DeviceId): boolean {
  if (bytes.byteLength <= SIGNATURE_BYTES) return false
  const content = statementContent(bytes)
  return verifySignature(device, concatBytes([LABELS[kind], content]), bytes.subarray(content.byteLength))
}

/**
 * Hex SHA-256 of some bytes. Statements are named by that of their content, so a second signature makes no second
 * name.
 */
export function sha256Hex(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex')
}

/** Base58 is slow and the devices of a mesh are few: both directions are remembered. */
const IDS = new Map<string, DeviceId>()
const KEYS = new Map<DeviceId, Uint8Array>()
const REMEMBERED_MAX = 4096

/** The device whose public key (32 bytes, borrowed) stands in a statement. */
export function deviceFromKey(key: Uint8Array): DeviceId {
  const hex = toHex(key)
  const known = IDS.get(hex)
  if (known !== undefined) return known
  const device = deviceIdFromPublicKey(key)
  if (IDS.size >= REMEMBERED_MAX) IDS.clear()
  IDS.set(hex, device)
  return device
}

/** The public key of a device (32 bytes, shared: do not change it), as statements carry it. */
export function keyOfDevice(device: DeviceId): Uint8Array {
  const known = KEYS.get(device)
  if (known !== undefined) return known
  const key = publicKeyOfDevice(device)
  if (KEYS.size >= REMEMBERED_MAX) KEYS.clear()
  KEYS.set(device, key)
  return key
}
