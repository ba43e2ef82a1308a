/**
 * Looks that a person set going here: they go on when another screen is shown, and end when they are done or the page
 * is closed.
 */

import type { CheckSummary, DrillSummary, ScrubSummary } from '../../../api.ts'
import { isAborted, stream } from '../api.ts'
import { refresh } from '../live.ts'
import { bytesText, countText } from '../parts/format.ts'
import { say } from '../parts/toast.tsx'
import { Store } from '../store.ts'

/** What can be set going. */
export type RunName = 'scrub' | 'drill' | 'check'

/** What goes on, by name. */
export interface Running {
  /** 0..1; undefined: nothing is known yet. */
  readonly share: number | undefined
  readonly cancel: () => void
}

/** What goes on now. */
export const runs = new Store<Readonly<Partial<Record<RunName, Running>>>>({})

interface Told {
  readonly message_type: string
  readonly percent_done?: number
}

type Start = (
  onEvent: (event: Told) => void,
  signal: AbortSignal,
) => Promise<{ text: string; isBad: boolean }>

const STARTS: Readonly<Record<RunName, Start>> = {
  scrub: async (onEvent, signal) => scrubbed(await stream('scrub', { percent: 100 }, onEvent, { signal })),
  drill: async (onEvent, signal) => drilled(await stream('drill', {}, onEvent, { signal })),
  check: async (onEvent, signal) =>
    checked(await stream('check', { readData: false, repair: false, snapshots: [] }, onEvent, { signal })),
}

/** Begins, unless it goes on already. Never rejects. */
export async function begin(name: RunName): Promise<void> {
  if (runs.value[name] !== undefined) return
  const end = new AbortController()
  const show = (share: number | undefined): void => {
    runs.set({ ...runs.value, [name]: { share, cancel: () => end.abort() } })
  }
  show(undefined)
  try {
    const onEvent = (event: Told): void => {
      if (event.message_type === 'status') show(event.percent_done)
    }
    const { text, isBad } = await STARTS[name](onEvent, end.signal)
    say(text, isBad ? 'bad' : 'good')
  } catch (error) {
    if (!isAborted(error)) say((error as Error).message, 'bad')
  } finally {
    const { [name]: _, ...others } = runs.value
    runs.set(others)
    void refresh()
  }
}

function scrubbed({ bytes_read, chunks_bad, chunks_mended, chunks_left }: ScrubSummary) {
  const text =
    chunks_bad === 0
      ? `${bytesText(bytes_read)} read: all good.`
      : `${bytesText(bytes_read)} read: ${countText(chunks_bad, 'chunk')} damaged, ${String(chunks_mended)} mended.`
  return { text, isBad: chunks_left > 0 }
}

function drilled({ files_restored, files_failed, from }: DrillSummary) {
  const text =
    files_failed === 0
      ? `${countText(files_restored, 'file')} restored from ${from.join(', ')}.`
      : `${countText(files_failed, 'file')} could not be restored from ${from.join(', ')}.`
  return { text, isBad: files_failed > 0 }
}

function checked({ num_errors, snapshots_checked }: CheckSummary) {
  const text =
    num_errors === 0
      ? `${countText(snapshots_checked, 'snapshot')} checked: whole.`
      : `${countText(num_errors, 'error')} found: cellar check --repair.`
  return { text, isBad: num_errors > 0 }
}
