/** What a node does by itself, at times given by a calendar: the shape of one such task (spec/schedule.md §1). */

/** Figures of one run, flat, fit for a template, a metric or a line of the log; names are restic's where it has them. */
export type TaskFigures = Readonly<Record<string, string | number | boolean>>

/** What a run came to, when it did not fail. */
export interface TaskResult {
  /** `partly`: done, but something was left out that a person should see to, such as files that could not be read. */
  readonly outcome: 'done' | 'partly'
  /** One sentence for a person; needed for `partly`. Never the name of a file, never a key. */
  readonly message?: string
  readonly summary?: TaskFigures
}

/** Under which conditions a task runs; what is not met puts it off until it is. */
export interface TaskConditions {
  /** May run while the machine runs on its battery. */
  readonly onBattery: boolean
  /** May run while the network costs by volume. */
  readonly onMetered: boolean
}

/** Something that a node does by itself. */
export interface Task {
  /** What is done, such as `backup` or `scrub`: of one name only one runs at a time. */
  readonly name: string
  /** Tells tasks of one name apart, such as backups by their profile. */
  readonly profile?: string
  /** Calendar expression: a word (`hourly`, `daily`, `weekly`, `monthly`, `yearly`), cron with five or six fields, or `off`. */
  readonly due: string
  /** Starts up to so many milliseconds late, always the same on one device, so that devices do not all start at once. */
  readonly jitterMs: number
  /** Undefined: it runs whatever the battery and the network. */
  readonly conditions?: TaskConditions
  /**
   * Does it once. Must end soon, by rejecting, after the signal is given: then it counts as not done, and is due again
   * at the next start. Any other rejection is told as a failure, and tried again later.
   */
  run(signal: AbortSignal): Promise<TaskResult>
}

/** How a task ends, or that it begins: what the bus tells (`events.ts`). */
export type TaskOutcome = 'began' | 'done' | 'partly' | 'failed' | 'put-off'

/** The name under which a task is remembered and shown: `scrub`, `backup/photos`. */
export function taskId(task: { readonly name: string; readonly profile?: string }): string {
  return task.profile === undefined ? task.name : `${task.name}/${task.profile}`
}
