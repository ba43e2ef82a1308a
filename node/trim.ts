/** Gives memory back once a node that runs has received or sent chunks for others: jobs do so at their end. */

import { CellarError } from '../protocol/index.ts'
import { trimMemory } from './adapters/memory.ts'
import type { NodeParts } from './parts.ts'

/** After so long, milliseconds; while the work goes on, again and again. */
const trimEveryMs = 20_000

/** Begins to listen; gives back what opening took. @returns ends it */
export function trimAfterWork({ events, world }: Pick<NodeParts, 'events' | 'world'>): () => Promise<void> {
  const end = new AbortController()
  let trimming: Promise<void> | undefined
  const trimSoon = async () => {
    try {
      await world.clock.sleep(trimEveryMs, end.signal)
      trimMemory()
    } catch (error) {
      if (!end.signal.aborted) throw error
    } finally {
      trimming = undefined
    }
  }
  // Opening a large store has read much, too.
  trimming = trimSoon()
  const off = events.on(({ kind }) => {
    if (kind === 'fetching' || kind === 'held' || kind === 'served') trimming ??= trimSoon()
  })
  return async () => {
    off()
    end.abort(new CellarError('ABORTED', 'the node is closing'))
    await trimming
  }
}
