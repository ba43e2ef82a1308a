/** Work with a limit of time, by the clock handed in. */

import { CellarError, type Clock } from '../../protocol/index.ts'
import { underAnyOf } from '../signals.ts'

/**
 * Does work whose signal is aborted after a time.
 *
 * @throws {CellarError} `PEER_GONE`, by way of the signal, when the time is over
 */
export async function limitTime<T>(
  clock: Clock,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  const over = new AbortController()
  const done = new AbortController()
  clock.sleep(ms, done.signal).then(
    () => {
      over.abort(new CellarError('PEER_GONE', 'the other device took too long'))
    },
    () => undefined,
  )
  try {
    return await underAnyOf(outer === undefined ? [over.signal] : [outer, over.signal], work)
  } finally {
    done.abort(new Error('done'))
  }
}

/** The promise, or the signal's reason if that comes first; the work itself goes on, for others who wait for it. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  let onAbort!: () => void
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
