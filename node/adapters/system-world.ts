/** The real clock and the real randomness: the only place of this layer that takes either from the air. */

import { randomBytes } from 'node:crypto'
import type { World } from '../../protocol/index.ts'

/** The world outside: system time, timers, and the system's randomness. */
export const systemWorld: World = {
  clock: {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    sleep: (ms, signal) =>
      new Promise<void>((resolve, reject) => {
        if (signal.aborted) {
          reject(signal.reason as Error)
          return
        }
        const onAbort = () => {
          clearTimeout(timer)
          reject(signal.reason as Error)
        }
        const timer = setTimeout(() => {
          signal.removeEventListener('abort', onAbort)
          resolve()
        }, ms)
        signal.addEventListener('abort', onAbort, { once: true })
      }),
  },
  random: { bytes: (length) => new Uint8Array(randomBytes(length)) },
}
