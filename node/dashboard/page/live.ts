/** What the whole page knows at every moment: the node's status, kept fresh, and whether the node answers at all. */

import type { Status, WatchEvent } from '../../api.ts'
import { call, CallFailed, isAborted, NODE_GONE, whenSignedOut } from './api.ts'
import { onNews } from './news.ts'
import { onceMore } from './once-more.ts'
import { Store, useStore } from './store.ts'

/** How the page stands with its node. */
export interface Live {
  /** `asking`: not answered yet; `gone`: it answered before; `out`: the session has ended. */
  readonly link: 'asking' | 'here' | 'gone' | 'out'
  /** The last that was heard. */
  readonly status?: Status | undefined
  /** Grows whenever something may have changed: who shows more than the status asks again (`useAsk`). */
  readonly round: number
}

/** Without any news the status is asked for all the same: time alone changes some of it. */
const pollMs = 20_000
/** News come in swarms: so long they gather. */
const gatherMs = 700
/** How far something is says the same again and again; who wants it to the second listens to the news. */
const gatherProgressMs = 5000
const PROGRESS: ReadonlySet<string> = new Set(['jobs', 'traffic', 'fetching', 'orders', 'begun'])
/** A node that went away is looked for more often. */
const lookMs = 3000

const live = new Store<Live>({ link: 'asking', round: 0 })

/** Begins to keep the status fresh; once, when the page begins. */
export function startLive(): void {
  whenSignedOut(() => {
    live.set({ ...live.value, link: 'out' })
  })
  const look = (): void => {
    if (document.visibilityState === 'visible' && live.value.link !== 'out') void refresh()
  }
  let lastMs = 0
  window.setInterval(() => {
    const isDue = Date.now() - lastMs >= pollMs || live.value.link === 'gone'
    if (!isDue) return
    lastMs = Date.now()
    look()
  }, lookMs)
  document.addEventListener('visibilitychange', look)
  let gathering: number | undefined
  let isGatheringLong = false
  onNews((event) => {
    const isLong = PROGRESS.has(event.message_type) && !hasOtherJobs(event)
    if (gathering !== undefined && (isLong || !isGatheringLong)) return
    window.clearTimeout(gathering)
    isGatheringLong = isLong
    gathering = window.setTimeout(
      () => {
        gathering = undefined
        look()
      },
      isLong ? gatherProgressMs : gatherMs,
    )
  })
  look()
}

/** Whether a job has begun or ended since the status was asked for. */
function hasOtherJobs(event: WatchEvent): boolean {
  if (event.message_type !== 'jobs') return false
  const idsOf = (jobs: Status['jobs']): string => jobs.map(({ id }) => id).join(' ')
  return idsOf(event.jobs) !== idsOf(live.value.status?.jobs ?? [])
}

/** How the page stands with its node, and the status. */
export function useLive(): Live {
  return useStore(live)
}

/** Asks for the status now: after something was changed here. Whoever uses `useAsk` asks again too. */
export const refresh = onceMore(async () => {
  try {
    const status = await call('status', {})
    live.set({ link: 'here', status, round: live.value.round + 1 })
  } catch (error) {
    if (isAborted(error) || live.value.link === 'out') return
    const isGone = error instanceof CallFailed && (error.code === NODE_GONE || error.code === 'NODE_STOPPED')
    if (!isGone) throw error
    live.set({ ...live.value, link: 'gone' })
  }
})
