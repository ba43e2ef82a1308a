/** Walks the records of a pack without the index (pack.md §5). */
import { chunkIdOf, type ChunkId } from '../../protocol/index.ts'
import type { DiskFile } from '../disk.ts'
import { decodeRecordHeader, packHeaderBytes, recordHeaderBytes, recordMagic } from './format.ts'

/** A record, or a stretch of bytes that is none. */
export type ScanItem =
  | {
      readonly kind: 'record'
      readonly id: ChunkId
      /** First byte of the chunk. */
      readonly offset: number
      /** Bytes of the chunk. */
      readonly length: number
      /** The chunk, when data is read: a view that the next item overwrites. */
      readonly bytes?: Uint8Array
      /** Whether the bytes are what the id names; true when data is not read. */
      readonly isGood: boolean
    }
  | { readonly kind: 'damage'; readonly offset: number; readonly length: number }

/** What part of a pack is walked, and how. */
export interface ScanOptions {
  /** Where the first record begins. */
  readonly from?: number
  /** Where to stop; default the end of the file. */
  readonly to?: number
  /** Reads and hashes the chunks. */
  readonly readData: boolean
}

/** Yields the records from first to last; after bytes that are no record it goes on at the next whole header. */
export function* scanRecords(file: DiskFile, options: ScanOptions): Iterable<ScanItem> {
  const to = Math.min(options.to ?? Infinity, file.size())
  const head = Buffer.allocUnsafe(recordHeaderBytes)
  let room = Buffer.alloc(0)
  let at = options.from ?? packHeaderBytes
  while (at < to) {
    const header = headerAt(file, at, to, head)
    if (header === undefined) {
      const next = findHeader(file, at + 1, to)
      yield { kind: 'damage', offset: at, length: next - at }
      at = next
      continue
    }
    const { id, length } = header
    const offset = at + recordHeaderBytes
    at = offset + length
    if (!options.readData) {
      yield { kind: 'record', id, offset, length, isGood: true }
      continue
    }
    if (room.byteLength < length) room = Buffer.allocUnsafe(length)
    const bytes = room.subarray(0, length)
    const isGood = file.read(bytes, offset) === length && chunkIdOf(bytes) === id
    yield { kind: 'record', id, offset, length, bytes, isGood }
  }
}

/** The record header at a place, if it is whole and its chunk ends before `to`. */
function headerAt(file: DiskFile, at: number, to: number, into: Buffer) {
  if (at + recordHeaderBytes > to) return undefined
  if (file.read(into, at) < recordHeaderBytes) return undefined
  const header = decodeRecordHeader(into)
  return header !== undefined && at + recordHeaderBytes + header.length <= to ? header : undefined
}

const WINDOW_BYTES = 256 * 1024

/** Where the next whole header begins, from `from` on; `to` when there is none. */
function findHeader(file: DiskFile, from: number, to: number): number {
  const window = Buffer.allocUnsafe(WINDOW_BYTES)
  const head = Buffer.allocUnsafe(recordHeaderBytes)
  for (let start = from; start < to; start += WINDOW_BYTES - recordMagic.byteLength + 1) {
    const bytes = window.subarray(0, file.read(window, start))
    for (let at = bytes.indexOf(recordMagic); at !== -1; at = bytes.indexOf(recordMagic, at + 1)) {
      if (headerAt(file, start + at, to, head) !== undefined) return start + at
    }
    if (bytes.byteLength < WINDOW_BYTES) break
  }
  return to
}
