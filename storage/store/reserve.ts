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
  #wasReleased = false

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
    this.#wasReleased = true
    return true
  }

  /**
   * Sets room aside if it is not: a quarter of what is free at most; but what was released is taken back as far as it
   * is still free, or each opening on a full disk would leave less of it. Never fails.
   *
   * @returns whether there is room set aside now
   */
  async restore(): Promise<boolean> {
    const path = join(this.#directory, NAME)
    const free = this.#disk.freeBytes(this.#directory)
    const bytes = Math.min(this.#bytes, this.#wasReleased ? free - BLOCK_BYTES / 4 : Math.floor(free / 4))
    if (this.#disk.size(path) !== undefined) return true
    if (bytes < BLOCK_BYTES / 4) return false
    try {
      const file = this.#disk.open(path, 'create')
      try {
        for (let at = 0; at < bytes; at += BLOCK_BYTES)
          file.write([filling(Math.min(BLOCK_BYTES, bytes - at), at)], at)
        await file.sync()
      } finally {
        file.close()
      }
      return true
    } catch {
      this.#disk.remove(path)
      return false
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
