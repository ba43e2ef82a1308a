/** A file that only takes up room, so that there is some when the disk is full (disk-layout.md §5). */
import { join } from 'node:path'
import type { Disk } from '../disk.ts'

const BLOCK_BYTES = 1024 * 1024
const NAME = 'reserve'

/** Room set aside on the disk. */
export class Reserve {
  readonly #disk: Disk
  readonly #directory: string
  readonly #bytes: number

  /** @param bytes - how much is set aside; 0: nothing ever */
  constructor(disk: Disk, directory: string, bytes: number) {
    this.#disk = disk
    this.#directory = directory
    this.#bytes = bytes
  }

  /** Gives the room back to the disk. @returns false when there was none */
  release(): boolean {
    const path = join(this.#directory, NAME)
    if ((this.#disk.size(path) ?? 0) === 0) return false
    this.#disk.remove(path)
    return true
  }

  /** Sets room aside if it is not, as far as the disk has four times as much to give. Never fails. */
  async restore(): Promise<void> {
    const path = join(this.#directory, NAME)
    const bytes = Math.min(this.#bytes, Math.floor(this.#disk.freeBytes(this.#directory) / 4))
    if (bytes < BLOCK_BYTES / 4 || this.#disk.size(path) !== undefined) return
    try {
      const file = this.#disk.open(path, 'create')
      try {
        for (let at = 0; at < bytes; at += BLOCK_BYTES)
          file.write([filling(Math.min(BLOCK_BYTES, bytes - at), at)], at)
        await file.sync()
      } finally {
        file.close()
      }
    } catch {
      this.#disk.remove(path)
    }
  }
}

/** Bytes that no file system can make smaller. */
function filling(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4))
  let state = (seed ^ 0x9e3779b9) >>> 0
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[at] = state
  }
  return new Uint8Array(words.buffer, 0, length)
}
