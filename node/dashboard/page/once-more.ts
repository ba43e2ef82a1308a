/** Asking for something that changes while it is asked for. */

/**
 * Has a question asked once at a time: whoever wants it while it is being asked has it asked once more, for all, as
 * the answer under way may be older than the wish.
 *
 * @returns asks; resolves when no wish is open
 */
export function onceMore(ask: () => Promise<void>): () => Promise<void> {
  let isAsking = false
  let isWanted = false
  return async () => {
    isWanted = true
    if (isAsking) return
    isAsking = true
    try {
      while (isWanted) {
        isWanted = false
        await ask()
      }
    } finally {
      isAsking = false
    }
  }
}
