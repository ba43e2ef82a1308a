/** Reads chunks at places that `ChunkStore.locate` gave, in whichever thread runs it. */
import { closeSync, openSync, readSync } from 'node:fs'
import { CellarError, verifyChunk, type ChunkId } from '../../protocol/index.ts'
import type { ChunkPlace } from '../chunk-store.ts'
import { decodeRecordHeader, recordHeaderBytes } from './format.ts'

/** Reads chunks from packs without the index; keeps the last few files open. */
export interface PlaceReader extends Disposable {
  /**
   * The chunk at a place, its hash checked.
   *
   * @returns fresh bytes, or undefined when the chunk is no longer there: locate it again
   * @throws {CellarError} `CHUNK_CORRUPT` (context: id) when it is there and damaged
   */
  read(place: ChunkPlace, id: ChunkId): Uint8Array | undefined
  /** Closes the files; it may be used again. */
  close(): void
}

const FILES_MAX = 16

class FilePlaceReader implements PlaceReader {
  readonly #files = new Map<string, number>()

  read(place: ChunkPlace, id: ChunkId): Uint8Array | undefined {
    const fd = this.#open(place.path)
    if (fd === undefined) return undefined
    const record = Buffer.allocUnsafeSlow(recordHeaderBytes + place.length)
    const found = readWhole(fd, record, place.offset - recordHeaderBytes)
    const header = decodeRecordHeader(record.subarray(0, found))
    if (header === undefined || header.id !== id || header.length !== place.length) {
      this.#forget(place.path)
      return undefined
    }
    if (found < record.byteLength) {
      throw new CellarError('CHUNK_CORRUPT', `chunk ${id} is cut off in pack ${String(place.pack)}`, { id })
    }
    const chunk = record.subarray(recordHeaderBytes)
    verifyChunk(id, chunk)
    return chunk
  }

  #open(path: string): number | undefined {
    let fd = this.#files.get(path)
    if (fd === undefined) {
      try {
        fd = openSync(path, 'r')
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    }
    this.#files.delete(path)
    this.#files.set(path, fd) // the newest last
    const [oldest] = this.#files.keys()
    if (this.#files.size > FILES_MAX && oldest !== undefined) this.#forget(oldest)
    return fd
  }

  #forget(path: string): void {
    const fd = this.#files.get(path)
    this.#files.delete(path)
    if (fd !== undefined) closeSync(fd)
  }

  close(): void {
    for (const path of [...this.#files.keys()]) this.#forget(path)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

function readWhole(fd: number, into: Uint8Array, position: number): number {
  let done = 0
  while (done < into.byteLength) {
    const bytes = readSync(fd, into, done, into.byteLength - done, position + done)
    if (bytes === 0) break
    done += bytes
  }
  return done
}

/** A reader of places, with no files open yet. */
export function placeReader(): PlaceReader {
  return new FilePlaceReader()
}
