/** What the twin of the store knows of one chunk. */
import type { ChunkId } from '../protocol/index.ts'

/** A chunk in memory. */
export interface Kept {
  readonly bytes: Uint8Array
  readonly links: readonly ChunkId[]
  isDurable: boolean
  isComplete: boolean
  isBad: boolean
  /** A commit does not complete it. */
  readonly isLoose: boolean
  /** Something complete or a hold refers to it, or has. */
  wasNeeded: boolean
}
