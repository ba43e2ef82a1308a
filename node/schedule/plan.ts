/** When a task is due, from what is remembered of it: pure (spec/schedule.md §3). */

import type { Calendar } from './calendar.ts'

/** A run that failed is tried again after this, milliseconds. */
export const againAfterMs = 3_600_000
/** So many runs in a row may fail or break off before the next regular time is waited for. */
export const attemptsMax = 4

/** What is remembered of a task; times in milliseconds since 1970. */
export interface TaskRecord {
  /** Times of the calendar up to here are done with: when the last run began, or when the task was first seen. */
  readonly sinceMs: number
  /** When the last run began. */
  readonly beganMs?: number
  /** When it ended; absent while it goes on, and when it broke off. */
  readonly endedMs?: number
  readonly outcome?: 'done' | 'partly' | 'failed'
  /** When a run last came to its end, even if something was left out. */
  readonly successMs?: number
  /** Runs in a row, the last one among them, that failed or broke off; 0 after one that did not. */
  readonly attempts: number
  readonly message?: string
  readonly code?: string
}

/** When a task is to run. */
export interface Times {
  readonly calendar: Calendar
  /** How much later at most, milliseconds. */
  readonly jitterMs: number
  /** Which share of that on this device, 0 .. 1. */
  readonly share: number
}

/** Its run has begun and has not ended, though it runs no more: the node was stopped, or broke down. */
export function isBrokenOff(record: TaskRecord): boolean {
  return record.beganMs !== undefined && record.endedMs === undefined
}

/** The regular time that is next, with its jitter; however many were missed, there is one. */
export function regularMs({ sinceMs }: TaskRecord, { calendar, jitterMs, share }: Times): number | undefined {
  const atMs = calendar.after(sinceMs)
  if (atMs === undefined) return undefined
  const nextMs = calendar.after(atMs)
  // Later than half way to the next time, a run could be taken for that of the next.
  const roomMs = nextMs === undefined ? jitterMs : (nextMs - atMs) / 2
  return atMs + Math.floor(share * Math.min(jitterMs, roomMs))
}

/** When a task is due next, in the past if it is overdue; undefined: never. The task does not run. */
export function dueMs(record: TaskRecord, times: Times): number | undefined {
  const regular = regularMs(record, times)
  const again = againMs(record)
  if (regular === undefined || again === undefined) return regular
  return Math.min(regular, again)
}

function againMs(record: TaskRecord): number | undefined {
  if (record.attempts === 0 || record.attempts >= attemptsMax) return undefined
  if (isBrokenOff(record)) return record.beganMs
  return record.outcome === 'failed' && record.endedMs !== undefined
    ? record.endedMs + againAfterMs
    : undefined
}

/** What is remembered while a run goes on. @param isRegular - a regular time has come; else it is tried again */
export function begun(record: TaskRecord, nowMs: number, isRegular: boolean): TaskRecord {
  return {
    sinceMs: nowMs,
    beganMs: nowMs,
    ...(record.successMs !== undefined && { successMs: record.successMs }),
    attempts: isRegular ? 1 : record.attempts + 1,
  }
}

/** How a run ended. */
export interface End {
  readonly outcome: 'done' | 'partly' | 'failed'
  readonly message?: string
  readonly code?: string
}

/** What is remembered once a run has ended. */
export function ended(record: TaskRecord, nowMs: number, end: End): TaskRecord {
  const isWell = end.outcome !== 'failed'
  return {
    ...record,
    endedMs: nowMs,
    outcome: end.outcome,
    ...(isWell && { successMs: nowMs }),
    attempts: isWell ? 0 : record.attempts,
    ...(end.message !== undefined && { message: end.message }),
    ...(end.code !== undefined && { code: end.code }),
  }
}

/** What is remembered of a run that a person cancelled: it is not tried again before its next regular time. */
export function cancelled(record: TaskRecord, nowMs: number, end: End): TaskRecord {
  return { ...ended(record, nowMs, end), attempts: 0 }
}

/** What is remembered of a run that the node ended as it was stopped: it is no failure, and is due again. */
export function stopped(record: TaskRecord): TaskRecord {
  return { ...record, attempts: Math.max(1, record.attempts - 1) }
}

/** A clock that was wrong and is set back must not put a task off until the time it had shown. */
export function notAhead(record: TaskRecord, nowMs: number): TaskRecord {
  return record.sinceMs <= nowMs ? record : { ...record, sinceMs: nowMs }
}

/** A share of the jitter, 0 <= share < 1: always the same for one task on one device, and spread over devices. */
export function shareOf(device: string, id: string): number {
  // FNV-1a of 32 bits, with the last steps of MurmurHash: similar texts shall not lie together.
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(`${device}/${id}`)) hash = Math.imul(hash ^ byte, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}
