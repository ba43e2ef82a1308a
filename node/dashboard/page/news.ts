/** What happens in the node, as it happens: one stream for the whole page, open while somebody listens. */

import { useEffect, useState } from 'preact/hooks'
import type { WatchEvent } from '../../api.ts'
import { CallFailed, stream } from './api.ts'

/** Called for each event; `hello` comes again whenever something may have been missed. */
type Listener = (event: WatchEvent) => void

/** After the node did not answer, it is tried again after so long, milliseconds. */
const againMs = 3000

const listeners = new Set<Listener>()
let following: AbortController | undefined

/** Listens. @returns ends it */
export function onNews(listener: Listener): () => void {
  listeners.add(listener)
  if (listeners.size === 1) document.addEventListener('visibilitychange', look)
  look()
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) document.removeEventListener('visibilitychange', look)
    look()
  }
}

/** A browser allows few connections to one place: a page that nobody sees gives its own back. */
function look(): void {
  const isWanted = listeners.size > 0 && document.visibilityState === 'visible'
  if (isWanted && following === undefined) void follow((following = new AbortController()).signal)
  if (!isWanted) {
    following?.abort()
    following = undefined
  }
}

async function follow(signal: AbortSignal): Promise<void> {
  const isOver = (): boolean => signal.aborted
  while (!isOver()) {
    try {
      await stream('watch', {}, tell, { signal })
    } catch (error) {
      // Who shows the status says what is wrong; once the session has ended nothing comes any more.
      if (isOver() || (error instanceof CallFailed && error.code === 'TOKEN_WRONG')) return
    }
    await new Promise((resolve) => {
      window.setTimeout(resolve, againMs)
    })
  }
}

function tell(event: WatchEvent): void {
  for (const listener of [...listeners]) listener(event)
}

/** Kinds of news. */
export type NewsKind = WatchEvent['message_type']

/** What may have been missed counts as everything. */
const ALL: readonly NewsKind[] = ['hello', 'lost']

/**
 * Grows when there is news of one of these kinds, every few seconds at most: who depends on it asks again.
 *
 * @param kinds - always the same array
 */
export function useNews(kinds: readonly NewsKind[], gatherMs = 2000): number {
  const [count, setCount] = useState(0)
  useEffect(() => {
    let timer: number | undefined
    const off = onNews(({ message_type }) => {
      if (!ALL.includes(message_type) && !kinds.includes(message_type)) return
      timer ??= window.setTimeout(() => {
        timer = undefined
        setCount((so) => so + 1)
      }, gatherMs)
    })
    return () => {
      off()
      window.clearTimeout(timer)
    }
  }, [kinds, gatherMs])
  return count
}
