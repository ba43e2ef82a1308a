/** Asks for the snapshots of the last days, page by page, the newest first. */

import { useEffect, useState } from 'preact/hooks'
import { call } from '../api.ts'
import type { NewsKind } from '../news.ts'
import { useNews } from '../news.ts'
import { countDays, type Days, daysShown, type Made } from './days.ts'

const pageSnapshots = 1000
/** Of a household with more snapshots in these days than this, the oldest are left out. */
const pagesMax = 6
const NEWS: readonly NewsKind[] = ['hello']

/** What each device made; undefined until it is known. */
export function useDays(startOfToday: number, snapshots: number): Days | undefined {
  const [days, setDays] = useState<Days>()
  const news = useNews(NEWS)
  useEffect(() => {
    const end = new AbortController()
    collect(startOfToday, end.signal).then(
      (made) => setDays(countDays(made, startOfToday)),
      () => {
        // What is known stays, and what is not known is not drawn as "none"; who asks for the status says what is wrong.
      },
    )
    return () => {
      end.abort()
    }
  }, [startOfToday, snapshots, news])
  return days
}

async function collect(startOfToday: number, signal: AbortSignal): Promise<Made[]> {
  const oldest = startOfToday - daysShown * 86_400_000
  const made: Made[] = []
  let after: string | undefined
  for (let page = 0; page < pagesMax; page++) {
    const found = await call(
      'snapshots',
      {
        filter: { devices: [], paths: [], tags: [] },
        snapshots: [],
        newestFirst: true,
        limit: pageSnapshots,
        ...(after !== undefined && { after }),
      },
      { signal },
    )
    made.push(...found)
    const last = found.at(-1)
    after = last?.cursor
    if (
      last === undefined ||
      after === undefined ||
      found.length < pageSnapshots ||
      Date.parse(last.time) < oldest
    )
      break
  }
  return made
}
