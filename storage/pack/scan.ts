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
  const head = new Ahead(file)
  let room = Buffer.alloc(0)
  let at = options.from ?? packHeaderBytes
  while (at < to) {
    const header = headerAt(head, at, to)
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

const AHEAD_BYTES = 16 * 1024

/** Reads headers somewhat ahead, so that many small records are not a call each. */
class Ahead {
  readonly #file: DiskFile
  readonly #room = Buffer.allocUnsafe(AHEAD_BYTES)
  #from = 0
  #to = 0

  constructor(file: DiskFile) {
    this.#file = file
  }

  /** The bytes where a record header may be: a view until the next call; fewer at the end of the file. */
  at(position: number): Uint8Array {
    if (position < this.#from || position + recordHeaderBytes > this.#to) {
      this.#from = position
      this.#to = position + this.#file.read(this.#room, position)
    }
    const start = position - this.#from
    return this.#room.subarray(start, Math.min(start + recordHeaderBytes, this.#to - this.#from))
  }
}

/** The record header at a place, if it is whole and its chunk ends before `to`. */
function headerAt(head: Ahead, at: number, to: number) {
  if (at + recordHeaderBytes > to) return undefined
  const header = decodeRecordHeader(head.at(at))
  return header !== undefined && at + recordHeaderBytes + header.length <= to ? header : undefined
}

const WINDOW_BYTES = 256 * 1024

/** Where the next whole header begins, from `from` on; `to` when there is none. */
function findHeader(file: DiskFile, from: number, to: number): number {
  const window = Buffer.allocUnsafe(WINDOW_BYTES)
  const head = new Ahead(file)
  for (let start = from; start < to; start += WINDOW_BYTES - recordMagic.byteLength + 1) {
    const bytes = window.subarray(0, file.read(window, start))
    for (let at = bytes.indexOf(recordMagic); at !== -1; at = bytes.indexOf(recordMagic, at + 1)) {
      if (headerAt(head, start + at, to) !== undefined) return start + at
    }
    if (bytes.byteLength < WINDOW_BYTES) break
  }
  return to
}
