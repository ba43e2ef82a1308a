/** Chunks that wait to be sent, in the order in which they lie in the packs: 36 bytes each. */

import { type ChunkId, chunkIdFromBytes } from '../../protocol/index.ts'
import type { StagedChunk } from '../backup/staging.ts'

const ENTRY_BYTES = 36
/** Entries in one piece of memory. */
const BLOCK_ENTRIES = 1024

/** A queue of chunks; what does not fit is left to whoever looks through the store again. */
export class StagedList {
  readonly #entriesMax: number
  readonly #blocks: Buffer[] = []
  /** First entry of the first block that was not taken. */
  #first = 0
  /** Entries in the last block. */
  #last = BLOCK_ENTRIES
  length = 0

  /** @param entriesMax - so many are remembered */
  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  /** Appends a chunk. @returns false when there is no room for it */
  add({ id, length }: StagedChunk): boolean {
    if (this.length >= this.#entriesMax) return false
    if (this.#last === BLOCK_ENTRIES) {
      this.#blocks.push(Buffer.allocUnsafeSlow(BLOCK_ENTRIES * ENTRY_BYTES))
      this.#last = 0
    }
    const block = this.#blocks.at(-1) as Buffer
    const at = this.#last++ * ENTRY_BYTES
    block.write(id, at, 32, 'hex')
    block.writeUInt32BE(length, at + 32)
    this.length++
    return true
  }

  /** Takes the first few: at most so many, of so many bytes together, but one at least if there is one. */
  take(countMax: number, bytesMax: number): StagedChunk[] {
    const taken: StagedChunk[] = []
    let bytes = 0
    while (this.length > 0 && taken.length < countMax) {
      const chunk = this.#peek()
      if (taken.length > 0 && bytes + chunk.length > bytesMax) break
      taken.push(chunk)
      bytes += chunk.length
      this.#drop()
    }
    return taken
  }

  #peek(): StagedChunk {
    const at = this.#first * ENTRY_BYTES
    const block = this.#blocks[0] as Buffer
    const id: ChunkId = chunkIdFromBytes(block.subarray(at, at + 32))
    return { id, length: block.readUInt32BE(at + 32) }
  }

  #drop(): void {
    this.length--
    this.#first++
    if (this.#first < BLOCK_ENTRIES && this.length > 0) return
    this.#blocks.shift()
    this.#first = 0
    if (this.#blocks.length === 0) this.#last = BLOCK_ENTRIES
  }
}
