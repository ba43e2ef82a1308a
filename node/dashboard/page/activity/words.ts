/** What the screen of activity says. Pure. */

import type { ActivityEntry, Job, ScheduledTask } from '../../../api.ts'
import { bytesText, countText, listText, shareText, spanText } from '../parts/format.ts'

/** What a task or a job is called, as a noun. */
const NAMES: Readonly<Record<string, string>> = {
  backup: 'backup',
  restore: 'restore',
  check: 'check',
  scrub: 'scrub',
  drill: 'restore drill',
  audit: 'asking others for proofs',
  retention: 'applying the rules of retention',
  prune: 'freeing space',
  mend: 'mending',
}

/** The name of a task or job, `backup of photos`. @param of - may be empty */
export function nameText(name: string, of?: string): string {
  const known = NAMES[name] ?? name
  return of === undefined || of === '' ? known : `${known} of ${of}`
}

/** With a capital. */
export function titleText(name: string, of?: string): string {
  const text = nameText(name, of)
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

/** What goes on, in one sentence. */
export function activitySentence(jobs: readonly Job[], isMoving: boolean): string {
  const [first] = jobs
  if (first === undefined) return isMoving ? 'Data is on its way between devices.' : 'Nothing is under way.'
  if (jobs.length === 1) {
    const share = first.percent_done === undefined ? '' : `: ${shareText(first.percent_done)}`
    return `Under way: ${nameText(first.method)}${share}.`
  }
  return `${countText(jobs.length, 'job')} are under way: ${listText(jobs.map(({ method }) => nameText(method)))}.`
}

/** Since when, and about how long it will take still: from the share that is done. */
export function jobText({ started, percent_done }: Job, nowMs: number): string {
  const seconds = Math.max(0, (nowMs - Date.parse(started)) / 1000)
  const since = `for ${spanText(seconds)}`
  // Of a first moment nothing can be foretold.
  if (percent_done === undefined || percent_done < 0.02 || seconds < 5) return since
  if (percent_done >= 1) return `${since}, almost done`
  return `${since}, about ${spanText((seconds * (1 - percent_done)) / percent_done)} left`
}

/** How something ended. */
export interface EndWords {
  readonly words: string
  readonly tone: 'good' | 'warn' | 'bad' | 'plain'
}

const ENDS = {
  done: { words: 'done', tone: 'good' },
  partly: { words: 'done in part', tone: 'warn' },
  failed: { words: 'failed', tone: 'bad' },
  'put-off': { words: 'put off', tone: 'plain' },
  cancelled: { words: 'cancelled', tone: 'plain' },
  'broken-off': { words: 'broken off', tone: 'warn' },
} as const satisfies Readonly<Record<string, EndWords>>

/** How a task ended. */
export function endText(outcome: keyof typeof ENDS): EndWords {
  return ENDS[outcome]
}

/** Figures that say something to people, in the order in which they do; bytes as bytes. */
const FIGURES: readonly (readonly [key: string, words: (value: number) => string])[] = [
  ['files_new', (n) => countText(n, 'new file')],
  ['files_changed', (n) => countText(n, 'changed file')],
  ['data_added_packed', (n) => `${bytesText(n)} stored`],
  ['files_restored', (n) => `${countText(n, 'file')} restored`],
  ['bytes_restored', (n) => bytesText(n)],
  ['files_compared', (n) => `${countText(n, 'file')} compared`],
  ['files_failed', (n) => `${countText(n, 'file')} failed`],
  ['errors', (n) => countText(n, 'error')],
  ['snapshots_released', (n) => countText(n, 'snapshot')],
  ['bytes_freed', (n) => `${bytesText(n)} freed`],
  ['bytes_read', (n) => `${bytesText(n)} read`],
  ['chunks_bad', (n) => `${countText(n, 'chunk')} damaged`],
  ['chunks_mended', (n) => `${String(n)} mended`],
  ['chunks_checked', (n) => `${countText(n, 'chunk')} checked`],
  ['num_errors', (n) => countText(n, 'error')],
  ['snapshots_proven', (n) => `${countText(n, 'copy', 'copies')} proven`],
  ['snapshots_failed', (n) => `${countText(n, 'copy', 'copies')} not proven`],
]
const figuresMax = 3

/** What came of something, in a line: its message, or its figures that are not nothing. */
export function cameOfIt(entry: Extract<ActivityEntry, { kind: 'task' }>): string {
  if (entry.message !== undefined) return entry.message
  const { summary = {} } = entry
  const found = FIGURES.flatMap(([key, words]) => {
    const value = summary[key]
    return typeof value === 'number' && value > 0 ? [words(value)] : []
  })
  return found.slice(0, figuresMax).join(', ')
}

/** Whether a task does anything by itself. */
export function isOn({ due }: ScheduledTask): boolean {
  return due !== 'off'
}
