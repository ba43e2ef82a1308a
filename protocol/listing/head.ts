/** The head of a listing: signed, numbered, chained (listing.md §2). */

import { fromHex, toHex } from '../bytes.ts'
import { decodeCbor, encodeCbor } from '../cbor.ts'
import type { Signer } from '../crypto/keys.ts'
import { CellarError } from '../errors.ts'
import { Fields } from '../fields.ts'
import type { MeshId } from '../ids.ts'
import { headBytesMax, listingSeqMax, membershipEntriesMax } from '../limits.ts'
import {
  deviceFromKey,
  isSignedBy,
  keyOfDevice,
  sha256Hex,
  signStatement,
  statementContent,
} from '../statement.ts'
import type { ListingHash, ListingHead, SignedHead } from './types.ts'

const VERSION = 1
const WORDS = { what: 'the head of a listing', code: 'LISTING_INVALID' } as const

/**
 * Signs a head.
 *
 * @throws {RangeError} when the signer is not the device of the head
 */
export function signHead(head: ListingHead, signer: Signer): SignedHead {
  if (signer.device !== head.device) throw new RangeError('a device signs its own listings only')
  const content = encodeCbor([
    VERSION,
    fromHex(head.mesh),
    keyOfDevice(head.device),
    head.incarnation,
    head.seq,
    head.prev === undefined ? null : fromHex(head.prev),
    head.epoch,
    head.atMs,
    fromHex(head.forgetsDigest),
    fromHex(head.bodyHash),
  ])
  const bytes = signStatement('listing', content, signer)
  return { head, hash: sha256Hex(content) as ListingHash, bytes }
}

/**
 * Reads a head and verifies that its device signed it.
 *
 * @param bytes - content, then 64 bytes of signature; kept, not copied
 * @throws {CellarError} `LISTING_INVALID`; `VERSION_UNKNOWN` for a later format
 */
export function openHead(bytes: Uint8Array): SignedHead {
  const content = statementContent(bytes)
  const fields = new Fields(decodeCbor(content, { ...WORDS, bytesMax: headBytesMax, depthMax: 1 }), WORDS)
  if (fields.uint() !== VERSION) throw new CellarError('VERSION_UNKNOWN', 'a listing of a later format')
  const head: ListingHead = {
    mesh: toHex(fields.bytes(32)) as MeshId,
    device: deviceFromKey(fields.bytes(32)),
    incarnation: fields.int(1, membershipEntriesMax),
    seq: fields.int(1, listingSeqMax),
    prev: fields.skipNull() ? undefined : (toHex(fields.bytes(32)) as ListingHash),
    epoch: fields.uint(membershipEntriesMax),
    atMs: fields.uint(),
    forgetsDigest: toHex(fields.bytes(32)),
    bodyHash: toHex(fields.bytes(32)),
  }
  fields.end()
  // L2.3: only the first listing of a chain has none before it.
  if ((head.seq === 1) !== (head.prev === undefined))
    fields.fail('the first listing, and no other, has none before it')
  if (!isSignedBy('listing', bytes, head.device)) fields.fail('its device did not sign it')
  return { head, hash: sha256Hex(content) as ListingHash, bytes }
}
