/** Asks for pages one after the other, as a list comes to its end. */

import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { isAborted } from '../api.ts'

/** What has come so far. */
export interface Paged<P> {
  /** In order; none while the first is asked for. */
  readonly pages: readonly P[]
  readonly error: Error | undefined
  readonly isAsking: boolean
  readonly hasMore: boolean
  /** Asks for the next page, unless one is asked for, or there is none. */
  readonly more: () => void
}

/**
 * Asks for the first page, and begins anew when the question changes.
 *
 * @param key - names the question; undefined: nothing is asked
 * @param ask - gives the page behind `after`
 * @param nextOf - where the next one begins
 */
export function usePages<P>(
  key: string | undefined,
  ask: (after: string | undefined, signal: AbortSignal) => Promise<P>,
  nextOf: (page: P) => string | undefined,
): Paged<P> {
  const [state, setState] = useState<{
    key?: string | undefined
    pages: readonly P[]
    error?: Error | undefined
    isAsking: boolean
  }>({
    pages: [],
    isAsking: key !== undefined,
  })
  const end = useRef<AbortController | undefined>(undefined)
  const asking = useRef(false)
  const load = (after: string | undefined): void => {
    const { signal } = (end.current ??= new AbortController())
    asking.current = true
    setState((old) => ({ ...(after === undefined ? { pages: [] } : old), key, isAsking: true }))
    ask(after, signal)
      .then(
        (page) => {
          setState((old) => ({
            key,
            pages: after === undefined ? [page] : [...old.pages, page],
            isAsking: false,
          }))
        },
        (error: unknown) => {
          if (!isAborted(error)) setState((old) => ({ ...old, error: error as Error, isAsking: false }))
        },
      )
      .finally(() => {
        if (!signal.aborted) asking.current = false
      })
  }
  useEffect(() => {
    if (key === undefined) return
    load(undefined)
    return () => {
      end.current?.abort()
      end.current = undefined
      asking.current = false
    }
  }, [key])
  const pages = state.key === key ? state.pages : []
  const last = pages.at(-1)
  const next = last === undefined ? undefined : nextOf(last)
  const more = useCallback(() => {
    if (!asking.current && (next !== undefined || state.error !== undefined)) load(next)
  }, [next, state.error, key])
  return {
    pages,
    error: state.key === key ? state.error : undefined,
    isAsking: state.isAsking,
    hasMore: next !== undefined,
    more,
  }
}
