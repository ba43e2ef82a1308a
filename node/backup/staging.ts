/** Room for what a backup stores here, where it is bounded (spec/upload.md §4): asked before anything is stored. */

import type { ChunkId } from '../../protocol/index.ts'

/** A chunk of content that the store has accepted. */
export interface StagedChunk {
  readonly id: ChunkId
  /** Bytes of the chunk. */
  readonly length: number
}

/** Lets a backup store no more than there is room for, while others take what is stored. */
export interface Staging {
  /** The longest that a pack may become which is lent to a thread, bytes. */
  readonly packBytes: number
  /**
   * Sets room aside; resolves once there is some.
   *
   * @param bytes - at most `packBytes`, or one chunk
   * @returns gives it back: what was stored in it has been told by then; idempotent
   * @throws {CellarError} `NO_PEER`, `STORE_FULL` when nobody takes what is stored here
   */
  reserve(bytes: number): Promise<() => void>
  /** Content that is stored now; trees are not told. */
  staged(chunks: readonly StagedChunk[]): void
}
