/** Names of things, as branded strings: one cannot be passed where another is meant. */

/** Lower-case hex (64 digits) of the SHA-256 of a stored chunk (chunk.md §1). */
export type ChunkId = string & { readonly __brand: 'ChunkId' }

/** The id of a root chunk: what people see as a snapshot id. */
export type RootId = ChunkId

/** Lower-case hex (64 digits) of the SHA-256 of the founding membership entry (membership.md §2). */
export type MeshId = string & { readonly __brand: 'MeshId' }

/** Lower-case hex (32 digits): names a key domain, derived from its vault key (keys.md §2). */
export type VaultId = string & { readonly __brand: 'VaultId' }

/** A device's libp2p PeerId in its base58 text form (`12D3Koo…`); it carries the Ed25519 public key. */
export type DeviceId = string & { readonly __brand: 'DeviceId' }

/** Lower-case hex (32 digits), drawn at random by its owner: names one upload (wire.md §7). */
export type UploadId = string & { readonly __brand: 'UploadId' }

/** Lower-case hex (32 digits), drawn at random by who asks: names one order to restore (wire.md §8). */
export type OrderId = string & { readonly __brand: 'OrderId' }

const HEX = /^[0-9a-f]+$/

/** Says whether a text is a whole chunk id. */
export function isChunkId(text: string): text is ChunkId {
  return text.length === 64 && HEX.test(text)
}

/**
 * Turns the 32 bytes of a SHA-256 into a chunk id.
 *
 * @param bytes - 32 bytes; borrowed
 * @throws {RangeError} when there are not 32 bytes
 */
export function chunkIdFromBytes(bytes: Uint8Array): ChunkId {
  if (bytes.byteLength !== 32)
    throw new RangeError(`a chunk id has 32 bytes, not ${String(bytes.byteLength)}`)
  return Buffer.from(bytes.buffer, bytes.byteOffset, 32).toString('hex') as ChunkId
}

/** The 32 bytes of a chunk id, fresh. */
export function chunkIdToBytes(id: ChunkId): Uint8Array {
  return Buffer.from(id, 'hex')
}
