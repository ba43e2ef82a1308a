/** What makes chunks of payloads and payloads of chunks, with the keys of the vaults of a mesh (protocol/spec/chunk.md). */

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
  toHex,
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

/** Seals chunks under the newest vault, and opens those of all vaults. Synchronous; one per thread. */
export interface Vault {
  /** Of the newest vault; but labels of sources are always made with the key of the first (keys.md §2). */
  readonly keys: VaultKeys
  /** Of the vaults before, with which what was sealed under them is opened. */
  readonly older: readonly VaultKeys[]
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
export function vaultOf(keys: VaultKeys, zstd: Zstd, older: readonly VaultKeys[] = []): Vault {
  const keysFor = (chunk: Uint8Array) => keysOfChunk(keys, older, chunk)
  return {
    keys,
    older,
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
    open: (chunk) => unpack(openChunk(keysFor(chunk), chunk), zstd),
    openVerified: (chunk) => unpack(openVerifiedChunk(keysFor(chunk), chunk), zstd),
  }
}

/** The keys of the vault that a chunk names in clear (chunk.md §2); those of the newest where it names none of ours. */
function keysOfChunk(keys: VaultKeys, older: readonly VaultKeys[], chunk: Uint8Array): VaultKeys {
  if (older.length === 0) return keys
  const named = toHex(chunk.subarray(8, 24))
  return named === keys.vault ? keys : (older.find(({ vault }) => vault === named) ?? keys)
}

/**
 * Derives the keys of a vault and of those before it.
 *
 * @param vaultKey - of the newest, 32 bytes; borrowed
 * @param before - of the others, the oldest first; borrowed
 */
export function deriveAllKeys(
  vaultKey: Uint8Array,
  before: readonly Uint8Array[] = [],
): Pick<Vault, 'keys' | 'older'> {
  const older = before.map((key) => deriveVaultKeys(key))
  const keys = deriveVaultKeys(vaultKey)
  // keys.md §2: a source keeps its label, or retention would take what comes next for another source.
  return { keys: { ...keys, source: (older[0] ?? keys).source }, older }
}

function unpack({ kind, codec, rawBytes, body, links }: OpenedChunk, zstd: Zstd): OpenedPayload {
  return { kind, raw: codec === 'zstd' ? zstd.decompress(body, rawBytes) : body, links }
}

/**
 * Opens the vault of a key.
 *
 * @param vaultKey - 32 bytes of true randomness; borrowed
 * @param before - keys of the vaults before, the oldest first; borrowed
 */
export async function openVault(vaultKey: Uint8Array, before: readonly Uint8Array[] = []): Promise<Vault> {
  const { keys, older } = deriveAllKeys(vaultKey, before)
  return vaultOf(keys, await loadZstd(), older)
}
