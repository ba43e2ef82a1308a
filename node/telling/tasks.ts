/** What is told of a task that begins or has ended (telling.md §3). Pure. */

import { ERRORS } from '../../protocol/index.ts'
import type { TaskEvent } from '../events.ts'
import { taskId } from '../schedule/task.ts'
import type { Tiding } from './tiding.ts'
import { bytesInWords, countInWords, secondsInWords } from './words.ts'

/** What a task came to, as far as it is told of. */
export type Ended = 'done' | 'partly' | 'failed'

/** Failures that nobody needs to hear of: a person ended it, or mistyped it, and knows. */
const ENDED_BY_PERSON: ReadonlySet<string> = new Set(['ABORTED', 'NODE_STOPPED', 'USAGE'])

/** Names the failure of a task: what it is told by, and what its end ends. */
export function failureOf(task: Pick<TaskEvent, 'name' | 'profile'>): string {
  return `task/${taskId(task)}`
}

/**
 * The tidings of one event, in the order in which they are told.
 *
 * @param device - name of this device
 * @param atMs - milliseconds since 1970
 */
export function taskTidings(event: TaskEvent, device: string, atMs: number): Tiding[] {
  const { outcome } = event
  if (outcome === 'put-off') return []
  if (outcome === 'began')
    return event.name === 'backup'
      ? [{ ...factsOf(event, atMs), on: 'before', ...begins(event, device) }]
      : []
  const ends = { ...factsOf(event, atMs), outcome, ...wordsOf(event, outcome, device) }
  const isBackup = event.name === 'backup'
  const tidings: Tiding[] = []
  if (isBackup) tidings.push({ ...ends, on: 'after' })
  if (isBackup && outcome === 'done') tidings.push({ ...ends, on: 'success' })
  if (outcome === 'done') tidings.push({ ...ends, on: 'failure', state: 'over', ...works(event, device) })
  else if (!ENDED_BY_PERSON.has(event.code ?? '')) tidings.push({ ...ends, on: 'failure' })
  return tidings
}

function factsOf(event: TaskEvent, atMs: number) {
  return {
    about: failureOf(event),
    state: 'news' as const,
    task: event.name,
    atMs,
    ...(event.profile !== undefined && { profile: event.profile }),
    ...(event.summary !== undefined && { figures: event.summary }),
    ...(event.seconds !== undefined && { seconds: event.seconds }),
  }
}

/** How people call a task. */
function nameOf({ name, profile }: TaskEvent): string {
  return profile === undefined ? name : `${name} "${profile}"`
}

function begins(event: TaskEvent, device: string) {
  const text = `${nameOf(event)} begins on ${device}`
  return { level: 'info', outcome: 'began', title: sentence(text), message: `${sentence(text)}.` } as const
}

function works(event: TaskEvent, device: string) {
  const text = sentence(`${nameOf(event)} works again on ${device}`)
  return { level: 'info', title: text, message: `${text}.` } as const
}

function wordsOf(
  event: TaskEvent,
  outcome: Ended,
  device: string,
): Pick<Tiding, 'level' | 'title' | 'message' | 'detail' | 'remedy' | 'code'> {
  const what = sentence(nameOf(event))
  if (outcome === 'done') {
    const title = `${what} is done on ${device}`
    return { level: 'info', title, message: `${title}${figuresInWords(event)}.` }
  }
  if (outcome === 'partly') {
    const title = `${what} left something out on ${device}`
    const why = event.message === undefined ? '' : ` ${sentence(event.message)}`
    return {
      level: 'warning',
      title,
      message: `${title}${figuresInWords(event)}.${ended(why)}`,
      ...(event.code !== undefined && { code: event.code, remedy: ERRORS[event.code].remedy }),
    }
  }
  const title = `${what} failed on ${device}`
  const { code } = event
  return {
    level: 'error',
    title,
    message: code === undefined ? `${title}.` : `${title}: ${code}. To do: ${ERRORS[code].remedy}.`,
    ...(event.message !== undefined && { detail: event.message }),
    ...(code !== undefined && { code, remedy: ERRORS[code].remedy }),
  }
}

function ended(text: string): string {
  return text === '' || text.endsWith('.') ? text : `${text}.`
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`
}

/** `: 1234 files, 5.0 MiB new, on 2 of 3 devices, in 42 s`; empty where nothing is known. */
function figuresInWords({ summary, seconds }: TaskEvent): string {
  const number = (name: string) => {
    const value = summary?.[name]
    return typeof value === 'number' ? value : undefined
  }
  const files = number('total_files_processed')
  const added = number('data_added')
  const copies = number('copies')
  const wanted = number('copies_wanted')
  const said = [
    ...(files === undefined ? [] : [countInWords(files, 'file')]),
    ...(added === undefined ? [] : [`${bytesInWords(added)} new`]),
    ...(copies === undefined || wanted === undefined
      ? []
      : [`on ${String(copies)} of ${countInWords(wanted, 'device')}`]),
    ...(seconds === undefined ? [] : [`in ${secondsInWords(seconds)}`]),
  ]
  return said.length === 0 ? '' : `: ${said.join(', ')}`
}
