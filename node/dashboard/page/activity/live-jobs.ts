/** What is under way at this moment, from the stream of news: jobs, and bytes that move. */

import { useEffect, useState } from 'preact/hooks'
import type { Job } from '../../../api.ts'
import { onNews } from '../news.ts'
import { Moving } from './moving.ts'

/** What moves between this device and another. */
export interface Traffic {
  readonly device: string
  readonly name: string
  /** Bytes a second. */
  readonly sent: number
  readonly received: number
}

/** What is under way. */
export interface UnderWay {
  /** Undefined: not told yet. */
  readonly jobs: readonly Job[] | undefined
  readonly traffic: readonly Traffic[]
  readonly fetching: readonly { readonly id: string; readonly bytes: number; readonly open: number }[]
}

const lookMs = 1000

/** Follows it while it is drawn. */
export function useUnderWay(): UnderWay {
  const [state, setState] = useState<UnderWay>({ jobs: undefined, traffic: [], fetching: [] })
  useEffect(() => {
    const moving = new Moving()
    const show = (): void => {
      const { traffic, fetching } = moving.at(Date.now())
      setState(({ jobs, ...old }) =>
        traffic.length + fetching.length + old.traffic.length + old.fetching.length === 0
          ? { jobs, ...old }
          : { jobs, traffic, fetching },
      )
    }
    const off = onNews((event) => {
      if (event.message_type === 'jobs') setState((old) => ({ ...old, jobs: event.jobs }))
      else moving.take(event, Date.now())
    })
    const timer = window.setInterval(show, lookMs)
    return () => {
      off()
      window.clearInterval(timer)
    }
  }, [])
  return state
}
