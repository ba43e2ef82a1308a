/** Proofs of possession: what only one who has a chunk's bytes now can compute (wire.md §6). */

import type { DeviceId } from '../ids.ts'
import { nodePrimitives } from '../crypto/primitives.ts'
import { keyOfDevice } from '../statement.ts'

const LABEL = Buffer.from('rootcellar/1/proof\0', 'ascii')

/** Bytes of a nonce. */
export const PROOF_NONCE_BYTES = 32

/** Stands for a chunk that the answering side cannot supply. */
export const NO_PROOF: Uint8Array = new Uint8Array(32)

/**
 * The proof that a device has a chunk: HMAC-SHA-256 under the nonce. The nonce comes before the chunk, so nothing
 * computed earlier helps; the device stands in it, so nobody can have another holder answer in its place.
 *
 * @param nonce - 32 bytes, of the question
 * @param prover - the device that answers
 * @param chunk - borrowed
 * @returns 32 bytes, fresh
 */
export function proofOf(nonce: Uint8Array, prover: DeviceId, chunk: Uint8Array): Uint8Array {
  return nodePrimitives.hmacSha256(nonce, [LABEL, keyOfDevice(prover), chunk])
}
