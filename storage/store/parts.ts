/** What the operations of a store share. */
import { CellarError, chunkHeader, verifyChunk, type ChunkId } from '../../protocol/index.ts'
import type { ChunkIndex } from '../index/chunk-index.ts'
import type { ChunkRecord } from '../index/record.ts'
import { decodeRecordHeader, recordHeaderBytes } from '../pack/format.ts'
import type { PackFiles } from '../pack/pack-files.ts'
import type { Turnstile } from '../turnstile.ts'
import type { HoldsFile } from './holds-file.ts'
import type { Reserve } from './reserve.ts'
import type { Staging } from './staging.ts'

/** The parts of an open store. */
export interface StoreParts {
  readonly index: ChunkIndex
  readonly packs: PackFiles
  readonly staging: Staging
  readonly holdsFile: HoldsFile
  readonly reserve: Reserve
  /** Whatever changes the index goes through it. */
  readonly turnstile: Turnstile
  readonly isReadOnly: boolean
}

/** Where the bytes of a chunk are. */
export interface Whereabouts {
  readonly pack: number
  readonly offset: number
  readonly length: number
}

/** Where a good chunk is, committed or not; undefined when it is not here or known to be bad. */
export function findChunk(parts: StoreParts, id: ChunkId): Whereabouts | undefined {
  const staged = parts.staging.get(id)
  if (staged !== undefined) return staged
  const record = parts.index.get(id)
  return record === undefined || record.isBad ? undefined : record
}

/**
 * Reads a chunk.
 *
 * @param isHashed - computes the hash; else only the record header is compared
 * @returns fresh bytes
 * @throws {CellarError} `CHUNK_NOT_FOUND`, `CHUNK_CORRUPT`
 */
export function readChunk(parts: StoreParts, id: ChunkId, isHashed: boolean): Uint8Array {
  const place = findChunk(parts, id)
  if (place === undefined) throw absent(parts, id)
  const record = Buffer.allocUnsafeSlow(recordHeaderBytes + place.length)
  const found = parts.packs.read(place.pack, place.offset - recordHeaderBytes, record)
  const header = decodeRecordHeader(record.subarray(0, found))
  if (found < record.byteLength || header?.id !== id || header.length !== place.length)
    throw damaged(id, place.pack)
  const chunk = record.subarray(recordHeaderBytes)
  if (isHashed) verifyChunk(id, chunk)
  return chunk
}

/**
 * The links of a chunk, its bytes hash-checked: for what is decided by them.
 *
 * @throws {CellarError} `CHUNK_NOT_FOUND`, `CHUNK_CORRUPT`
 */
export function checkedLinks(parts: StoreParts, id: ChunkId): readonly ChunkId[] {
  const staged = parts.staging.get(id)
  if (staged !== undefined) return staged.links
  return parts.index.get(id)?.linkCount === 0 ? [] : chunkHeader(readChunk(parts, id, true)).links
}

const LINKS_AT = 28
const LINK_BYTES = 32
let scratch = Buffer.alloc(0)

/**
 * The links of a chunk, read from its header only and not hash-checked: for looking around.
 *
 * @throws {CellarError} `CHUNK_NOT_FOUND`, `CHUNK_CORRUPT`
 */
export function peekLinks(parts: StoreParts, id: ChunkId): readonly ChunkId[] {
  const staged = parts.staging.get(id)
  if (staged !== undefined) return staged.links
  const record = parts.index.get(id)
  if (record === undefined || record.isBad) throw absent(parts, id)
  if (record.linkCount === 0) return []
  if (scratch.byteLength < record.length) scratch = Buffer.alloc(record.length)
  // chunkHeader asks for a whole chunk and looks at its length and header: the rest of the room is never read.
  const chunk = scratch.subarray(0, record.length)
  const headBytes = Math.min(record.length, LINKS_AT + record.linkCount * LINK_BYTES)
  if (parts.packs.read(record.pack, record.offset, chunk.subarray(0, headBytes)) < headBytes)
    throw damaged(id, record.pack)
  try {
    return chunkHeader(chunk).links
  } catch (error) {
    throw damaged(id, record.pack, error)
  }
}

function absent(parts: StoreParts, id: ChunkId): CellarError {
  const record: ChunkRecord | undefined = parts.index.get(id)
  if (record?.isBad === true)
    return new CellarError('CHUNK_CORRUPT', `chunk ${id} is damaged and set aside`, { id })
  return new CellarError('CHUNK_NOT_FOUND', `chunk ${id} is not in the store`, { id })
}

function damaged(id: ChunkId, pack: number, cause?: unknown): CellarError {
  const options = cause === undefined ? undefined : { cause }
  return new CellarError(
    'CHUNK_CORRUPT',
    `chunk ${id} is damaged in pack ${String(pack)}`,
    { id, pack },
    options,
  )
}
