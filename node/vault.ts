/** What makes chunks of payloads and payloads of chunks, with the keys of one vault (protocol/spec/chunk.md). */

import {
  type ChunkId,
  chunkIdOf,
  deriveVaultKeys,
  type OpenedChunk,
  openChunk,
  openVerifiedChunk,
  type PayloadKind,
  payloadSiv,
  sealWithSiv,
  type VaultKeys,
} from '../protocol/index.ts'
import { loadZstd, type Zstd } from './adapters/zstd.ts'

/** A chunk ready to store. */
export interface SealedChunk {
  readonly id: ChunkId
  /** Alone in its buffer, so that it may be transferred to another thread; else in the memory that the caller gave. */
  readonly bytes: Uint8Array
}

/** What was in a chunk, decompressed. */
export interface OpenedPayload {
  readonly kind: PayloadKind
  /** 0 .. 4 MiB; may be a view of a larger buffer, kept by nobody else. */
  readonly raw: Uint8Array
  readonly links: readonly ChunkId[]
}

/** What makes sealing cheaper. */
export interface SealHints {
  /** From `nameOf`, of the same kind and bytes; only without links. */
  readonly name?: Uint8Array
  /** Gives the memory for the chunk, of just so many bytes. @defaultValue fresh */
  readonly allocate?: (bytes: number) => Buffer
}

/** Seals and opens the chunks of one vault. Synchronous; one per thread. */
export interface Vault {
  readonly keys: VaultKeys
  /**
   * Compresses, unless that saves less than 5 % (of a large payload: at none of three places), and seals.
   *
   * @param raw - 0 .. 4 MiB; borrowed
   * @param links - what the payload refers to by position, each once
   * @param hints - what the caller has already
   * @throws {CellarError} `CHUNK_TOO_LARGE`
   */
  seal(kind: PayloadKind, raw: Uint8Array, links: readonly ChunkId[], hints?: SealHints): SealedChunk
  /**
   * Names raw content without links: the synthetic nonce it has if it is sealed uncompressed, 32 bytes, fresh. Given to
   * `seal`, content that does not compress need not be hashed again for it.
   */
  nameOf(kind: PayloadKind, raw: Uint8Array): Uint8Array
  /**
   * Opens and decompresses, never to more than 4 MiB. Does not check the id.
   *
   * @param chunk - borrowed
   * @throws {CellarError} `CHUNK_MALFORMED`, `CHUNK_CORRUPT`, `VERSION_UNKNOWN`, `VAULT_UNKNOWN`; `FORMAT_INVALID`
   *   when the compressed part is not of its announced size
   */
  open(chunk: Uint8Array): OpenedPayload
  /** As `open`, for a chunk whose id was verified against a trusted one; a third of the work less. */
  openVerified(chunk: Uint8Array): OpenedPayload
}

/** Below this many bytes compressing is not tried: a frame's head costs what it saves. */
const COMPRESS_BYTES_MIN = 64

/** From this size on a payload is sounded first: most that does not compress at three places does not anywhere. */
const SOUND_BYTES_MIN = 256 * 1024
/** Bytes at each of the three places. */
const SOUND_BYTES = 16 * 1024

/**
 * Whether a large payload is worth compressing, by its beginning, middle and end. A function of the content alone, so
 * that all devices decide alike.
 */
function looksCompressible(raw: Uint8Array, zstd: Zstd): boolean {
  if (raw.length < SOUND_BYTES_MIN) return true
  const middle = (raw.length >>> 1) - (SOUND_BYTES >>> 1)
  return [0, middle, raw.length - SOUND_BYTES].some((start) => {
    const compressed = zstd.compress(raw.subarray(start, start + SOUND_BYTES))
    return isWorthIt(SOUND_BYTES, compressed.length)
  })
}

/** Compressing must save a twentieth: bytes / 20. */
function isWorthIt(rawBytes: number, compressedBytes: number): boolean {
  return compressedBytes < rawBytes && compressedBytes <= rawBytes - Math.ceil(rawBytes / 20)
}

/** Makes the vault of derived keys, in whatever thread. */
export function vaultOf(keys: VaultKeys, zstd: Zstd): Vault {
  return {
    keys,
    nameOf: (kind, raw) => payloadSiv(keys, { kind, codec: 'raw', rawBytes: raw.length, body: raw }, []),
    seal(kind, raw, links, { name, allocate } = {}) {
      const isTried = raw.length >= COMPRESS_BYTES_MIN && looksCompressible(raw, zstd)
      const compressed = isTried ? zstd.compress(raw) : raw
      const isSmaller = isWorthIt(raw.length, compressed.length)
      const codec = isSmaller ? 'zstd' : 'raw'
      const payload = { kind, codec, rawBytes: raw.length, body: isSmaller ? compressed : raw } as const
      const siv =
        name !== undefined && !isSmaller && links.length === 0 ? name : payloadSiv(keys, payload, links)
      const bytes = sealWithSiv(keys, payload, links, siv, allocate)
      return { id: chunkIdOf(bytes), bytes }
    },
    open: (chunk) => unpack(openChunk(keys, chunk), zstd),
    openVerified: (chunk) => unpack(openVerifiedChunk(keys, chunk), zstd),
  }
}

function unpack({ kind, codec, rawBytes, body, links }: OpenedChunk, zstd: Zstd): OpenedPayload {
  return { kind, raw: codec === 'zstd' ? zstd.decompress(body, rawBytes) : body, links }
}

/**
 * Opens the vault of a key.
 *
 * @param vaultKey - 32 bytes of true randomness; borrowed
 */
export async function openVault(vaultKey: Uint8Array): Promise<Vault> {
  return vaultOf(deriveVaultKeys(vaultKey), await loadZstd())
}
