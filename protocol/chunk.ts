/** Chunks: how a payload is sealed, and what of it everyone can read (chunk.md). */

import { timingSafeEqual } from 'node:crypto'
import { equalBytes, toHex } from './bytes.ts'
import type { VaultKeys } from './crypto/keys.ts'
import { AEAD_TAG_BYTES, nodePrimitives, type Primitives } from './crypto/primitives.ts'
import { CellarError } from './errors.ts'
import { type ChunkId, chunkIdFromBytes, type VaultId } from './ids.ts'
import { chunkBytesMax, chunkLinksMax, payloadBytesMax } from './limits.ts'

/** What a payload holds: cut of a file, bundle of small files, part of a tree, file node, root. */
export type PayloadKind = 'data' | 'bundle' | 'tree' | 'file' | 'root'

/** How the body of a payload is written. */
export type Codec = 'raw' | 'zstd'

/** What is sealed in a chunk. */
export interface Payload {
  readonly kind: PayloadKind
  readonly codec: Codec
  /** Bytes once decompressed, 0 .. 4 MiB; the length of `body` when raw, more than that when compressed. */
  readonly rawBytes: number
  readonly body: Uint8Array
}

/** A payload with the links it refers to by position. */
export interface OpenedChunk extends Payload {
  readonly links: ChunkId[]
}

/** What everyone can read of a chunk, without keys. */
export interface ChunkHeader {
  readonly vault: VaultId
  readonly links: ChunkId[]
}

const MAGIC = Uint8Array.of(0x52, 0x43, 0x63, 0x68) // RCch
const VERSION = 1
/** HMAC-SHA-256 for the synthetic nonce and the key, ChaCha20-Poly1305 for the message. */
const SUITE = 1
const LINK_BYTES = 32
const HEADER_BYTES = 28
const SIV_BYTES = 32
const PREFIX_BYTES = 6
const CHUNK_BYTES_MIN = HEADER_BYTES + SIV_BYTES + PREFIX_BYTES + AEAD_TAG_BYTES
const ZERO_NONCE = new Uint8Array(12)

const KINDS: readonly PayloadKind[] = ['data', 'bundle', 'tree', 'file', 'root']
const CODECS: readonly Codec[] = ['raw', 'zstd']

/**
 * Seals one payload for a vault (chunk.md §3). Equal payload and links give the same chunk on every device.
 *
 * @param payload - its body already compressed or not; borrowed
 * @param links - ids of the chunks the payload refers to, each once, in order; visible to storers
 * @returns the chunk, fresh; its id is the SHA-256 of it
 * @throws {CellarError} `CHUNK_TOO_LARGE` when payload or links are beyond their limits
 */
export function sealChunk(
  keys: VaultKeys,
  payload: Payload,
  links: readonly ChunkId[],
  primitives: Primitives = nodePrimitives,
): Uint8Array {
  const siv = payloadSiv(keys, payload, links, primitives)
  return sealWithSiv(keys, payload, links, siv, allocateFresh, primitives)
}

/**
 * The synthetic nonce of a payload (chunk.md §3): 32 bytes, fresh. It names payload and links together: who has it
 * may hand it to {@link sealWithSiv} and spare the bytes a second pass.
 *
 * @throws {CellarError} `CHUNK_TOO_LARGE` when payload or links are beyond their limits
 */
export function payloadSiv(
  keys: VaultKeys,
  payload: Payload,
  links: readonly ChunkId[],
  primitives: Primitives = nodePrimitives,
): Uint8Array {
  checkPayload(payload, links)
  const header = Buffer.allocUnsafe(HEADER_BYTES + links.length * LINK_BYTES)
  writeHeader(header, keys.vault, links)
  return primitives.hmacSha256(keys.siv, [header, prefixOf(payload), payload.body])
}

/**
 * Seals a payload whose {@link payloadSiv} is known; a wrong one makes a chunk that never opens.
 *
 * @param siv - 32 bytes, of just this payload and these links; borrowed
 * @param allocate - gives the memory for the chunk, of just so many bytes; default fresh
 * @returns the chunk, in that memory
 */
export function sealWithSiv(
  keys: VaultKeys,
  payload: Payload,
  links: readonly ChunkId[],
  siv: Uint8Array,
  allocate: (bytes: number) => Buffer = allocateFresh,
  primitives: Primitives = nodePrimitives,
): Uint8Array {
  checkPayload(payload, links)
  const { body } = payload
  const headerBytes = HEADER_BYTES + links.length * LINK_BYTES
  const chunk = allocate(headerBytes + SIV_BYTES + PREFIX_BYTES + body.byteLength + AEAD_TAG_BYTES)
  writeHeader(chunk, keys.vault, links)
  chunk.set(siv, headerBytes)
  const sealedAt = headerBytes + SIV_BYTES
  const key = primitives.hmacSha256(keys.seal, [siv])
  primitives.aeadSeal(
    { key, nonce: ZERO_NONCE, associated: chunk.subarray(0, sealedAt) },
    [prefixOf(payload), body],
    chunk.subarray(sealedAt),
  )
  return chunk
}

function allocateFresh(bytes: number): Buffer {
  return Buffer.allocUnsafeSlow(bytes)
}

/** What stands before the body in a message (chunk.md §3). */
function prefixOf({ kind, codec, rawBytes }: Payload): Uint8Array {
  const prefix = Buffer.allocUnsafe(PREFIX_BYTES)
  prefix.writeUInt8(KINDS.indexOf(kind) + 1, 0)
  prefix.writeUInt8(CODECS.indexOf(codec), 1)
  prefix.writeUInt32BE(rawBytes, 2)
  return prefix
}

function checkPayload(payload: Payload, links: readonly ChunkId[]): void {
  const { body, rawBytes } = payload
  if (rawBytes > payloadBytesMax || body.byteLength > payloadBytesMax || links.length > chunkLinksMax) {
    throw new CellarError('CHUNK_TOO_LARGE', 'a payload is larger than a chunk may be', {
      bytes: rawBytes,
      links: links.length,
    })
  }
  if (!isCodecRight(payload)) throw new RangeError('the codec of a payload does not fit its lengths')
}

function writeHeader(chunk: Buffer, vault: VaultId, links: readonly ChunkId[]): void {
  chunk.set(MAGIC, 0)
  chunk.writeUInt8(VERSION, 4)
  chunk.writeUInt8(SUITE, 5)
  chunk.writeUInt16BE(0, 6)
  chunk.write(vault, 8, 16, 'hex')
  chunk.writeUInt32BE(links.length, 24)
  let offset = HEADER_BYTES
  for (const link of links) offset += chunk.write(link, offset, LINK_BYTES, 'hex')
  if (offset !== HEADER_BYTES + links.length * LINK_BYTES) throw new RangeError('a link is not a chunk id')
  if (new Set(links).size !== links.length) throw new RangeError('a link is there twice')
}

/**
 * Opens a chunk of this vault (chunk.md §4). Checks everything but the id: see {@link verifyChunk}.
 *
 * @param chunk - borrowed
 * @returns the payload, fresh, and the links
 * @throws {CellarError} `CHUNK_MALFORMED`, `VERSION_UNKNOWN`, `VAULT_UNKNOWN` for a chunk of another vault,
 *   `CHUNK_CORRUPT` when it was not sealed with these keys, byte for byte
 */
export function openChunk(
  keys: VaultKeys,
  chunk: Uint8Array,
  primitives: Primitives = nodePrimitives,
): OpenedChunk {
  const { message, header, siv, links } = decipher(keys, chunk, primitives)
  const expected = primitives.hmacSha256(keys.siv, [header, message])
  if (!timingSafeEqual(expected, siv)) {
    throw new CellarError('CHUNK_CORRUPT', 'a chunk does not open: its content is not what was sealed')
  }
  return { ...readPayload(message), links }
}

/**
 * Opens a chunk whose id has been verified ({@link verifyChunk}) against one that is trusted: from a signed listing, or
 * from a chunk opened before. Then these are the bytes that were sealed, and the synthetic nonce need not be computed
 * again (C4.3): a third of the work.
 *
 * @throws {CellarError} as {@link openChunk}
 */
export function openVerifiedChunk(
  keys: VaultKeys,
  chunk: Uint8Array,
  primitives: Primitives = nodePrimitives,
): OpenedChunk {
  const { message, links } = decipher(keys, chunk, primitives)
  return { ...readPayload(message), links }
}

/** Decrypts a chunk and checks its tag. */
function decipher(keys: VaultKeys, chunk: Uint8Array, primitives: Primitives) {
  const { vault, links } = chunkHeader(chunk)
  if (vault !== keys.vault)
    throw new CellarError('VAULT_UNKNOWN', 'a chunk belongs to another vault', { vault })
  const headerBytes = HEADER_BYTES + links.length * LINK_BYTES
  const sealedAt = headerBytes + SIV_BYTES
  const siv = chunk.subarray(headerBytes, sealedAt)
  const key = primitives.hmacSha256(keys.seal, [siv])
  const message = primitives.aeadOpen(
    { key, nonce: ZERO_NONCE, associated: chunk.subarray(0, sealedAt) },
    chunk.subarray(sealedAt),
  )
  if (message === undefined)
    throw new CellarError('CHUNK_CORRUPT', 'a chunk does not open: it is damaged or forged')
  return { message, header: chunk.subarray(0, headerBytes), siv, links }
}

/** The payload in an opened message; its body is a view. */
function readPayload(message: Uint8Array): Payload {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength)
  const kind = KINDS[view.getUint8(0) - 1]
  const codec = CODECS[view.getUint8(1)]
  if (kind === undefined || codec === undefined) {
    throw new CellarError('VERSION_UNKNOWN', 'a chunk holds a kind or codec that this version does not know')
  }
  const payload = { kind, codec, rawBytes: view.getUint32(2), body: message.subarray(PREFIX_BYTES) }
  if (payload.rawBytes > payloadBytesMax || !isCodecRight(payload)) {
    throw new CellarError('CHUNK_MALFORMED', 'the lengths in a payload do not fit', {
      rawBytes: payload.rawBytes,
    })
  }
  return payload
}

/** Raw is as long as it says; compressed is shorter than what it becomes. */
function isCodecRight({ codec, rawBytes, body }: Payload): boolean {
  return codec === 'raw' ? body.byteLength === rawBytes : body.byteLength < rawBytes
}

/**
 * Reads what is visible of a chunk, strictly (chunk.md §2).
 *
 * @param chunk - the whole chunk; borrowed
 * @throws {CellarError} `CHUNK_MALFORMED`, `VERSION_UNKNOWN`
 */
export function chunkHeader(chunk: Uint8Array): ChunkHeader {
  const bytes = chunk.byteLength
  if (bytes < CHUNK_BYTES_MIN || bytes > chunkBytesMax) throw malformed('its length is out of range', bytes)
  if (!equalBytes(chunk.subarray(0, 4), MAGIC)) throw malformed('it does not begin as a chunk does', bytes)
  const view = new DataView(chunk.buffer, chunk.byteOffset, bytes)
  if (view.getUint8(4) !== VERSION || view.getUint8(5) !== SUITE) {
    throw new CellarError(
      'VERSION_UNKNOWN',
      'a chunk is of a version or suite that this program does not know',
      {
        version: view.getUint8(4),
        suite: view.getUint8(5),
      },
    )
  }
  if (view.getUint16(6) !== 0) throw malformed('a flag is set that has no meaning', bytes)
  const count = view.getUint32(24)
  if (count > chunkLinksMax) throw malformed('it has too many links', bytes)
  const bodyBytes = bytes - CHUNK_BYTES_MIN - count * LINK_BYTES
  if (bodyBytes < 0 || bodyBytes > payloadBytesMax) throw malformed('its length is out of range', bytes)
  const links: ChunkId[] = []
  for (let at = HEADER_BYTES; links.length < count; at += LINK_BYTES)
    links.push(chunkIdFromBytes(chunk.subarray(at, at + LINK_BYTES)))
  if (new Set(links).size !== count) throw malformed('a link is there twice', bytes)
  return { vault: toHex(chunk.subarray(8, 24)) as VaultId, links }
}

function malformed(reason: string, bytes: number): CellarError {
  return new CellarError('CHUNK_MALFORMED', `a chunk is malformed: ${reason}`, { bytes })
}

/** The id of a chunk: the SHA-256 of all of it. */
export function chunkIdOf(chunk: Uint8Array): ChunkId {
  return chunkIdFromBytes(nodePrimitives.sha256([chunk]))
}

/**
 * Checks that bytes are what a chunk id names. Says nothing of their form: see {@link chunkHeader}.
 *
 * @throws {CellarError} `CHUNK_CORRUPT`
 */
export function verifyChunk(id: ChunkId, chunk: Uint8Array): void {
  const found = chunkIdOf(chunk)
  if (found !== id)
    throw new CellarError('CHUNK_CORRUPT', `chunk ${id} is damaged`, { id, bytes: chunk.byteLength })
}
