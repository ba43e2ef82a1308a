/** Tells the bus that a task begins, and what it came to: whether the schedule runs it or a person does. */

import { type Clock, isCellarError } from '../../protocol/index.ts'
import type { Events } from '../events.ts'
import type { End } from './plan.ts'
import type { Task, TaskResult } from './task.ts'

/** What names a task. */
export type TaskName = Pick<Task, 'name' | 'profile'>

/** Its name on the bus, and in what is remembered. */
export function nameOf({ name, profile }: TaskName): TaskName {
  return profile === undefined ? { name } : { name, profile }
}

/**
 * Runs something as a task.
 *
 * @param resultOf - what it came to, of what it gives
 * @param signal - ends the waiting for what listeners want done before; `work` has to see to itself
 * @throws what `work` throws, after it was told as `failed`; `ABORTED` says that nothing is wrong
 */
export async function tellTask<T>(
  to: { readonly events: Events; readonly clock: Clock },
  task: TaskName,
  work: () => Promise<T>,
  resultOf: (value: T) => TaskResult,
  signal: AbortSignal,
): Promise<T> {
  const { events, clock } = to
  const startMs = clock.monotonicMs()
  const named = { kind: 'task', ...nameOf(task) } as const
  const seconds = () => (clock.monotonicMs() - startMs) / 1000
  const before: Promise<unknown>[] = []
  events.emit({ ...named, outcome: 'began', waitFor: (done) => void before.push(done) })
  let value: T
  try {
    if (before.length > 0) await unlessAborted(Promise.all(before), signal)
    value = await work()
  } catch (error) {
    const { message, code } = failureOf(error)
    events.emit({ ...named, outcome: 'failed', message, code, seconds: seconds() })
    throw error
  }
  const { outcome, message, summary } = resultOf(value)
  events.emit({
    ...named,
    outcome,
    ...(message !== undefined && { message }),
    ...(summary !== undefined && { summary }),
    seconds: seconds(),
  })
  return value
}

/** Waits for work, but no longer than until the signal is given. @throws its reason */
async function unlessAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  let onAbort: () => void = () => undefined
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(signal.reason as Error)
    }
  })
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** How an error is told and remembered. */
export function failureOf(error: unknown) {
  if (isCellarError(error)) return { outcome: 'failed', message: error.message, code: error.code } as const
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { outcome: 'failed', message, code: 'INTERNAL' } as const satisfies End
}
