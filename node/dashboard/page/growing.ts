/** Lists that come page by page: shown as far as somebody asked for them, and asked anew when there is news. */

import { useEffect, useRef, useState } from 'preact/hooks'
import { isAborted } from './api.ts'

/** One page, and where the next begins. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly next: string | undefined
}

/** Asks for a page. @param from - undefined: the first. @param limit - 1 .. 1000 */
export type AskPage<Item> = (
  from: string | undefined,
  limit: number,
  signal: AbortSignal,
) => Promise<Page<Item>>

/** What there is of a list. */
export interface Paged<Item> {
  /** Undefined: nothing was answered yet. */
  readonly items: readonly Item[] | undefined
  readonly hasMore: boolean
  readonly isAsking: boolean
  readonly error: Error | undefined
  readonly more: () => void
  readonly again: () => void
}

/** A node gives no more at once. */
const limitMax = 1000

interface State<Item> {
  readonly key: string
  readonly items?: readonly Item[]
  readonly next?: string | undefined
  readonly error?: Error
  readonly isAsking: boolean
}

/**
 * A list that grows by pages.
 *
 * @param key - of what is asked for: another key, another list
 * @param news - when it changes, what is shown is asked for again, to 1,000 of it
 */
export function useGrowing<Item>(
  key: string,
  news: number,
  pageItems: number,
  ask: AskPage<Item>,
): Paged<Item> {
  const [state, setState] = useState<State<Item>>({ key, isAsking: true })
  const [asked, setAsked] = useState(0)
  const end = useRef(new AbortController())
  // What is drawn with another key than that of the answer is of something else.
  const shown: State<Item> = state.key === key ? state : { key, isAsking: true }
  const run = (from: string | undefined, limit: number, before: readonly Item[]): void => {
    end.current.abort()
    end.current = new AbortController()
    const { signal } = end.current
    setState((old) => (old.key === key ? { ...old, isAsking: true } : { key, isAsking: true }))
    ask(from, limit, signal).then(
      ({ items, next }) => {
        if (!signal.aborted) setState({ key, items: [...before, ...items], next, isAsking: false })
      },
      (error: unknown) => {
        if (!isAborted(error)) setState((old) => ({ ...old, key, error: error as Error, isAsking: false }))
      },
    )
  }
  useEffect(() => {
    run(undefined, Math.min(limitMax, Math.max(pageItems, shown.items?.length ?? 0)), [])
    return () => {
      end.current.abort()
    }
  }, [key, news, asked])
  return {
    items: shown.items,
    hasMore: shown.next !== undefined,
    isAsking: shown.isAsking,
    error: shown.error,
    more: () => {
      if (shown.next !== undefined && !shown.isAsking) run(shown.next, pageItems, shown.items ?? [])
    },
    again: () => {
      setAsked((count) => count + 1)
    },
  }
}
