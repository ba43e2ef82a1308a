/**
 * Appends records to a lent pack, in whichever thread runs it; the format of `format.ts`, the same as the store
 * writes.
 */
import { closeSync, fdatasync, ftruncateSync, openSync, statfsSync, writevSync } from 'node:fs'
import { promisify } from 'node:util'
import { CellarError, type ChunkId } from '../../protocol/index.ts'
import type { LoanRecord, PackLoan } from '../chunk-store.ts'
import { isDiskFull } from '../disk.ts'
import { encodeRecordHeader, recordHeaderBytes } from './format.ts'

const syncData = promisify(fdatasync)

/**
 * Writes chunks into a pack that a store has lent (`ChunkStore.lend`). Appending is a sync call: for worker threads.
 */
export interface PackAppender extends Disposable {
  /** Says whether the pack is long enough: close it and ask for another. */
  readonly isFull: boolean
  /**
   * Appends a chunk. The caller has made its id from these very bytes.
   *
   * @param bytes - the whole chunk; borrowed for the call
   * @param links - the links in its header
   * @returns what `adopt` is to be told, once `sync` is done
   * @throws {CellarError} `STORE_FULL`; the file is then as before
   */
  append(id: ChunkId, bytes: Uint8Array, links: readonly ChunkId[]): LoanRecord
  /**
   * Makes all that was appended until now durable; the thread may do other work meanwhile. @throws {CellarError}
   * `STORE_FULL`
   */
  sync(): Promise<void>
  /** Syncs nothing; closes the file. Idempotent. Afterwards the loan is given back. */
  close(): void
}

const SPACE_CHECK_BYTES = 1024 * 1024

class FileAppender implements PackAppender {
  readonly #bytesMax: number
  readonly #headroomBytes: number
  readonly #path: string
  #untilSpaceCheck = 0
  #descriptor: number | undefined
  #end: number
  #synced: number

  constructor(loan: PackLoan) {
    this.#bytesMax = loan.bytesMax
    this.#headroomBytes = loan.headroomBytes
    this.#path = loan.path
    this.#end = loan.offset
    this.#synced = loan.offset
    this.#descriptor = openSync(loan.path, 'r+')
  }

  get #fd(): number {
    if (this.#descriptor === undefined) throw new TypeError('the appender is closed')
    return this.#descriptor
  }

  get isFull(): boolean {
    return this.#end >= this.#bytesMax
  }

  append(id: ChunkId, bytes: Uint8Array, links: readonly ChunkId[]): LoanRecord {
    this.#checkSpace(recordHeaderBytes + bytes.byteLength)
    try {
      this.#write([encodeRecordHeader(id, bytes.byteLength), bytes])
    } catch (error) {
      ftruncateSync(this.#fd, this.#end)
      if (!isDiskFull(error)) throw error
      throw new CellarError('STORE_FULL', `the disk of ${this.#path} is full`, {}, { cause: error })
    }
    const offset = this.#end + recordHeaderBytes
    this.#end = offset + bytes.byteLength
    return { id, offset, length: bytes.byteLength, links }
  }

  /** Asks the disk now and then; between, what is left can only be less by what others write. */
  #checkSpace(length: number): void {
    this.#untilSpaceCheck -= length
    if (this.#untilSpaceCheck > 0) return
    const { bavail, bsize } = statfsSync(this.#path)
    const left = bavail * bsize - this.#headroomBytes - length
    if (left < 0) throw new CellarError('STORE_FULL', `the disk of ${this.#path} is full`)
    this.#untilSpaceCheck = Math.min(SPACE_CHECK_BYTES, left)
  }

  #write(parts: Uint8Array[]): void {
    let at = this.#end
    while (parts.length > 0) {
      let bytes = writevSync(this.#fd, parts, at)
      at += bytes
      while (parts[0] !== undefined && bytes >= parts[0].byteLength) bytes -= parts.shift()?.byteLength ?? 0
      if (parts[0] !== undefined && bytes > 0) parts[0] = parts[0].subarray(bytes)
    }
  }

  async sync(): Promise<void> {
    const end = this.#end
    if (this.#synced === end) return
    try {
      await syncData(this.#fd)
    } catch (error) {
      if (!isDiskFull(error)) throw error
      throw new CellarError('STORE_FULL', `the disk of ${this.#path} is full`, {}, { cause: error })
    }
    this.#synced = Math.max(this.#synced, end)
  }

  close(): void {
    if (this.#descriptor === undefined) return
    const descriptor = this.#descriptor
    this.#descriptor = undefined
    closeSync(descriptor)
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** Opens a lent pack for appending. */
export function openAppender(loan: PackLoan): PackAppender {
  return new FileAppender(loan)
}
