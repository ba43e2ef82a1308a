/** Signals that end with others. */

import { setMaxListeners } from 'node:events'

/** A signal that listens to others until it is cleared. */
export interface ClearableSignal extends AbortSignal {
  /** Listens no more: the work under it is over. Idempotent. */
  clear(): void
}

/**
 * A signal that is aborted with the first of several, until it is cleared: whoever makes one clears it when the work
 * under it is over. `AbortSignal.any` needs no clearing, but in Node 20 a signal that lives as long as the node keeps
 * a trace of every one ever made of it (nodejs/node#54614).
 */
export function anyOf(signals: readonly AbortSignal[]): ClearableSignal {
  const end = new AbortController()
  const clear = (): void => {
    for (const signal of signals) signal.removeEventListener('abort', onAbort)
  }
  const onAbort = (): void => {
    clear()
    end.abort(signals.find(({ aborted }) => aborted)?.reason)
  }
  for (const signal of signals) {
    // Any number of pieces of work may go on under one signal: that is no leak, as each of them ends.
    setMaxListeners(0, signal)
    signal.addEventListener('abort', onAbort)
  }
  if (signals.some(({ aborted }) => aborted)) onAbort()
  return Object.assign(end.signal, { clear })
}

/** Does work under a signal that is aborted with the first of several. */
export async function underAnyOf<T>(
  signals: readonly AbortSignal[],
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const signal = anyOf(signals)
  try {
    return await work(signal)
  } finally {
    signal.clear()
  }
}
