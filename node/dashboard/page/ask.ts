/** Hooks that ask the node: for what a screen shows, and for what a button does. */

import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import type { MethodName, ParamsOf, ResultOf } from '../../api.ts'
import { call, isAborted } from './api.ts'
import { refresh, useLive } from './live.ts'
import { say } from './parts/toast.tsx'

/** An answer, or what stands in its place. */
export interface Asked<T> {
  /** The last answer, also while the next is asked for. */
  readonly value: T | undefined
  /** Why there is no fresh one. */
  readonly error: Error | undefined
  readonly isAsking: boolean
  /** Asks again. */
  readonly again: () => void
}

/**
 * Asks a method, again when its parameters change, and when something may have changed in the node.
 *
 * @param params - undefined: nothing is asked yet
 * @param options - `live: false` asks only when parameters change; `news` (of `useNews`), also when that grows
 */
export function useAsk<M extends MethodName>(
  method: M,
  params: ParamsOf<M> | undefined,
  options: { readonly live?: boolean; readonly news?: number } = {},
): Asked<ResultOf<M>> {
  const { round } = useLive()
  const [state, setState] = useState<{ value?: ResultOf<M>; error?: Error | undefined; isAsking: boolean }>({
    isAsking: params !== undefined,
  })
  const [asked, setAsked] = useState(0)
  const key = params === undefined ? undefined : JSON.stringify(params)
  const lastKey = useRef(key)
  useEffect(() => {
    if (key === undefined) return
    const end = new AbortController()
    // Other parameters: what is shown is of something else.
    const isOther = lastKey.current !== key
    lastKey.current = key
    setState((old) => (isOther ? { isAsking: true } : { ...old, isAsking: true }))
    call(method, JSON.parse(key) as ParamsOf<M>, { signal: end.signal }).then(
      (value) => {
        setState({ value, isAsking: false })
      },
      (error: unknown) => {
        if (!isAborted(error)) setState((old) => ({ ...old, error: error as Error, isAsking: false }))
      },
    )
    return () => {
      end.abort()
    }
  }, [method, key, asked, options.live === false ? 0 : round, options.news])
  const again = useCallback(() => {
    setAsked((count) => count + 1)
  }, [])
  return { value: state.value, error: state.error, isAsking: state.isAsking, again }
}

/** Something that a person sets going. */
export interface Doing {
  readonly isBusy: boolean
  readonly run: () => void
}

/**
 * What a button does: runs it once at a time, says how it failed, and asks for the status afterwards.
 *
 * @param work - where it gives a text, that is said as done
 */
export function useDo(work: () => Promise<unknown>): Doing {
  const [isBusy, setBusy] = useState(false)
  const run = (): void => {
    if (isBusy) return
    setBusy(true)
    work()
      .then(
        (done) => {
          if (typeof done === 'string') say(done)
        },
        (error: unknown) => {
          if (!isAborted(error)) say((error as Error).message, 'bad')
        },
      )
      .finally(() => {
        setBusy(false)
        void refresh()
      })
  }
  return { isBusy, run }
}
