/** What was begun on this page or another: it belongs to the node, goes on when the page is closed, and is seen again. */

import type { BegunJob, JobBeginParams } from '../../api.ts'
import { endedText } from './begun-words.ts'
import { call, CallFailed } from './api.ts'
import { refresh } from './live.ts'
import { onNews } from './news.ts'
import { onceMore } from './once-more.ts'
import { say } from './parts/toast.tsx'
import { Store } from './store.ts'

/** All that go on, and the last that ended; the oldest first. */
export const begun = new Store<readonly BegunJob[]>([])

const look = onceMore(async () => {
  try {
    const jobs = await call('jobsBegun', {})
    tellEnds(begun.value, jobs)
    begun.set(jobs)
  } catch (error) {
    // Who shows the status says that the node is gone; once it is back there is `hello`.
    if (!(error instanceof CallFailed)) throw error
  }
})

/** Begins to follow them; once, when the page begins. */
export function startBegun(): void {
  onNews(({ message_type: kind }) => {
    // How far jobs are is told every second: of interest while one of these goes on.
    const isOpen = kind === 'jobs' && begun.value.some(goesOn)
    if (isOpen || kind === 'begun' || kind === 'hello' || kind === 'lost') void look()
  })
}

/** Begins something. @throws {CallFailed} */
export async function begin(params: JobBeginParams): Promise<void> {
  await call('jobBegin', params)
  await look()
  void refresh()
}

/** Ends something early. */
export async function stop({ id }: { readonly id: string }): Promise<void> {
  await call('jobCancel', { id })
}

/** Whether it is not over. */
export function goesOn({ ended }: Pick<BegunJob, 'ended'>): boolean {
  return ended === undefined
}

function tellEnds(before: readonly BegunJob[], now: readonly BegunJob[]): void {
  const open = new Set(before.filter(goesOn).map(({ id }) => id))
  for (const job of now) {
    const text = open.has(job.id) && !goesOn(job) ? endedText(job) : undefined
    if (text !== undefined) say(text.words, text.isBad ? 'bad' : 'good')
  }
}
