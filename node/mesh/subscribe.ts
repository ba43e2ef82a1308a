/** Lists of listeners. */

/** Adds a listener. @returns takes it away again; more than once does no harm */
export function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}
