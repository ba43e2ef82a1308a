/**
 * Gives memory back in a node that runs: whatever it did, what is left of it is garbage, room in heaps, and pages of
 * the index, which the system's own cleaners leave lying while nothing is done.
 */

import { CellarError, type Clock } from '../protocol/index.ts'

/** Between two looks, milliseconds. */
export const lookEveryMs = 20_000
/** So much more than was left the last time is given back, bytes: less is not worth the time that it takes. */
export const grownBytesMin = 16 * 1024 * 1024

/** What is looked at, and what is done about it. */
export interface TrimParts {
  readonly clock: Clock
  /** Bytes that the process has resident. */
  readonly residentBytes: () => number
  /** Gives back what is free. */
  readonly trim: () => void
}

/** Looks again and again. @returns ends it */
export function keepTrimmed({ clock, residentBytes, trim }: TrimParts): () => Promise<void> {
  const end = new AbortController()
  let leftBytes = 0
  const look = async () => {
    for (;;) {
      await clock.sleep(lookEveryMs, end.signal)
      if (residentBytes() < leftBytes + grownBytesMin) continue
      trim()
      leftBytes = residentBytes()
    }
  }
  const looking = look().catch((error: unknown) => {
    if (!end.signal.aborted) throw error
  })
  return async () => {
    end.abort(new CellarError('ABORTED', 'the node is closing'))
    await looking
  }
}
