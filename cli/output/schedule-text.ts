/** When a task ran and when it will, as a person reads it. */

import type { ScheduledTask } from '../../node/client.ts'
import { formatAgo, formatTime } from './format.ts'

const WAITS = { battery: 'power from the wall', metered: 'another network' } as const

const ENDS = { done: 'done', partly: 'done in part', failed: 'failed', 'broken-off': 'ended early' } as const

/** What is done: `backup of photos`. */
export function taskText({ name, profile }: ScheduledTask): string {
  return profile === undefined ? name : `${name} of ${profile}`
}

/** How the last run ended, and when: `done 3 hours ago`. */
export function lastRunText(task: ScheduledTask, nowMs: number): string {
  if (task.running) return 'runs now'
  if (task.last_run === undefined || task.last_outcome === undefined) return 'not run yet'
  const said =
    task.message === undefined || task.last_outcome === 'done' ? '' : ` (${firstLine(task.message)})`
  return `${ENDS[task.last_outcome]} ${formatAgo(task.last_run, nowMs)}${said}`
}

/** When it runs next; a node that does not run does nothing by itself. */
export function nextRunText(task: ScheduledTask, nowMs: number): string {
  if (task.due === 'off') return 'off'
  if (task.waits !== undefined) return `waits for ${WAITS[task.waits]}`
  if (task.next_run === undefined) return 'none while the node does not run'
  return Date.parse(task.next_run) <= nowMs ? 'soon' : formatTime(task.next_run)
}

/** All in one line. */
export function scheduleText(task: ScheduledTask, nowMs: number): string {
  return `${taskText(task)}, ${task.due}: ${lastRunText(task, nowMs)}, next run ${nextRunText(task, nowMs)}`
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? ''
}
