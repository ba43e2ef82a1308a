/**
 * Runs the tasks of a node when they are due (spec/schedule.md): one of a name at a time, what was missed once, what is
 * hindered later. Remembers durably what ran, so that a restart neither forgets nor repeats.
 */

import { CellarError, type Clock, isCellarError } from '../../protocol/index.ts'
import type { Catalog } from '../../storage/index.ts'
import type { Events } from '../events.ts'
import { type Calendar, parseCalendar } from './calendar.ts'
import {
  begun,
  cancelled,
  dueMs,
  ended,
  isBrokenOff,
  notAhead,
  regularMs,
  shareOf,
  stopped,
  type TaskRecord,
  type Times,
} from './plan.ts'
import { TaskRecords } from './records.ts'
import { type Hindrance, HINDRANCES, hindranceOf, type Surroundings } from './surroundings.ts'
import { type Task, taskId, type TaskResult } from './task.ts'
import { failureOf, nameOf, type TaskName, tellTask } from './tell-task.ts'

/** Clocks are looked at again so often, milliseconds: machines sleep, and what hinders a task ends. */
export const lookEveryMs = 60_000
/** What was missed waits so long after a start or a sleep, milliseconds: disks and networks are busy then. */
export const settleMs = 60_000

/** What a schedule stands on. */
export interface SchedulerParts {
  readonly clock: Clock
  readonly events: Events
  /** Of its own. */
  readonly catalog: Catalog
  /** This device: its jitter is drawn from its id. */
  readonly device: string
  readonly surroundings: Surroundings
  /** IANA name. @defaultValue the machine's own */
  readonly timeZone?: string
}

/** A task as it stands; times in milliseconds since 1970. */
export interface TaskState {
  readonly task: Task
  readonly record: TaskRecord | undefined
  readonly isRunning: boolean
  /** Absent when it is off, and while the schedule is not followed. */
  readonly nextMs?: number
  readonly hindrance?: Hindrance
}

interface Entry {
  readonly task: Task
  readonly times: Times
  record: TaskRecord
  /** The record is in the catalog, or it was tried. */
  isNoted: boolean
  /** The time for which it was told that it is put off. */
  putOffMs: number | undefined
  hindrance: Hindrance | undefined
}

/** Follows the calendar of its tasks until it is closed. */
export class Scheduler {
  readonly #parts: SchedulerParts
  readonly #records: TaskRecords
  readonly #end = new AbortController()
  /** What runs now, by name. */
  readonly #running = new Map<string, { readonly id: string; readonly work: Promise<void> }>()
  readonly #byHand = new Map<string, number>()
  #entries: Entry[] = []
  #wake = new AbortController()
  #loop: Promise<void> | undefined
  /** What was due before is missed, and waits for the time beside it. */
  #awakeMs = 0
  #settledMs = 0
  #lookedMs = 0

  constructor(parts: SchedulerParts) {
    this.#parts = parts
    this.#records = new TaskRecords(parts.catalog)
  }

  /**
   * Says what there is to do from now on. What runs goes on; what is new is due at its next time.
   *
   * @throws {CellarError} `CONFIG_INVALID` when a calendar expression cannot be understood; then nothing is changed
   */
  set(tasks: readonly Task[]): void {
    const nowMs = this.#parts.clock.nowMs()
    const before = new Map(this.#entries.map((entry) => [taskId(entry.task), entry]))
    this.#entries = tasks.map((task) => {
      const id = taskId(task)
      const times = this.#timesOf(task)
      // What was never on has nothing to catch up with once it is.
      const known = before.get(id)?.task.due === 'off' ? undefined : before.get(id)?.record
      const noted = this.#records.get(id)
      const record = known ?? noted ?? { sinceMs: nowMs, attempts: 0 }
      const { putOffMs } = before.get(id) ?? {}
      return { task, times, record, isNoted: noted !== undefined, putOffMs, hindrance: undefined }
    })
    this.#wakeUp()
  }

  /** Begins to follow the calendar; once. */
  start(): void {
    this.#loop ??= this.#follow()
  }

  /** Ends what runs, and waits for it. Idempotent. */
  async close(): Promise<void> {
    this.#end.abort(new CellarError('ABORTED', 'the node is closing'))
    this.#wake.abort(this.#end.signal.reason)
    await this.#loop
    await Promise.all([...this.#running.values()].map(({ work }) => work))
  }

  /** How tasks stand, also where no calendar is followed. */
  describe(tasks: readonly Task[]): TaskState[] {
    const entries = new Map(this.#entries.map((entry) => [taskId(entry.task), entry]))
    return tasks.map((task) => {
      const id = taskId(task)
      const entry = entries.get(id)
      const record = entry?.record ?? this.#records.get(id)
      const isRunning = this.#running.get(task.name)?.id === id || this.#byHand.has(id)
      const nextMs =
        entry === undefined || this.#loop === undefined
          ? undefined
          : isRunning
            ? regularMs(entry.record, entry.times)
            : dueMs(entry.record, entry.times)
      return {
        task,
        record,
        isRunning,
        ...(nextMs !== undefined && { nextMs }),
        ...(entry?.hindrance !== undefined && { hindrance: entry.hindrance }),
      }
    })
  }

  /** What stands in the way of a task now; undefined: nothing. */
  async hindrance({ conditions }: Pick<Task, 'conditions'>): Promise<Hindrance | undefined> {
    return await hindranceOf(conditions, this.#parts.surroundings)
  }

  /**
   * Runs, for a person, what the schedule runs at other times: it is told and remembered in the same way, and the
   * schedule does not begin it meanwhile. Ended early, it counts as not begun.
   *
   * @throws what `work` throws
   */
  async runByHand<T>(
    task: TaskName,
    work: () => Promise<T>,
    resultOf: (value: T) => TaskResult,
    signal: AbortSignal,
  ): Promise<T> {
    const id = taskId(task)
    this.#byHand.set(id, (this.#byHand.get(id) ?? 0) + 1)
    try {
      return await this.#run(task, true, work, resultOf, signal)
    } finally {
      const others = (this.#byHand.get(id) ?? 1) - 1
      if (others > 0) this.#byHand.set(id, others)
      else this.#byHand.delete(id)
      this.#wakeUp()
    }
  }

  #timesOf(task: Task): Times {
    const calendar: Calendar | undefined = parseCalendar(task.due, this.#parts.timeZone)
    const id = taskId(task)
    if (calendar === undefined)
      throw new CellarError('CONFIG_INVALID', `the schedule of ${id} cannot be understood: ${task.due}`)
    return {
      calendar: remembering(calendar),
      jitterMs: task.jitterMs,
      share: shareOf(this.#parts.device, id),
    }
  }

  #wakeUp(): void {
    if (this.#end.signal.aborted) return
    this.#wake.abort(new CellarError('ABORTED', 'there is news'))
  }

  async #follow(): Promise<void> {
    const { clock } = this.#parts
    for (;;) {
      this.#wake = new AbortController()
      if (this.#end.signal.aborted) return
      const waitMs = await this.#look().catch((error: unknown) => {
        // A bug of ours must neither end the node nor go unheard.
        const { code, message } = failureOf(error)
        this.#parts.events.emit({ kind: 'trouble', code, message: `schedule: ${message}` })
        return lookEveryMs
      })
      await clock.sleep(waitMs, this.#wake.signal).catch(() => undefined) // woken: the loop sees why
    }
  }

  /** Begins what is due. @returns until when nothing else can be, milliseconds */
  async #look(): Promise<number> {
    const nowMs = this.#parts.clock.nowMs()
    if (this.#lookedMs === 0 || Math.abs(nowMs - this.#lookedMs) > 2 * lookEveryMs) {
      this.#awakeMs = nowMs
      this.#settledMs = nowMs + settleMs
    }
    this.#lookedMs = nowMs
    let nextMs = nowMs + lookEveryMs
    for (const { entry, atMs } of await this.#inOrder(nowMs)) {
      // Settings may have changed, or the node may be closing, since the last task was looked at.
      if (this.#end.signal.aborted || !this.#entries.includes(entry)) continue
      const startMs = atMs < this.#awakeMs ? this.#settledTime(entry) : atMs
      if (startMs > nowMs) {
        nextMs = Math.min(nextMs, startMs)
        continue
      }
      if (this.#isBusy(entry.task)) continue
      if (await this.#isHindered(entry, atMs)) continue
      if (!this.#isBusy(entry.task)) this.#begin(entry)
    }
    return Math.max(1, nextMs - nowMs)
  }

  /** When what was missed may begin: a time of its own that comes before is kept. */
  #settledTime({ times }: Entry): number {
    const nextMs = regularMs({ sinceMs: this.#awakeMs, attempts: 0 }, times)
    return nextMs === undefined ? this.#settledMs : Math.min(nextMs, this.#settledMs)
  }

  /** What will be due, that which has waited longest first. */
  async #inOrder(nowMs: number): Promise<{ readonly entry: Entry; readonly atMs: number }[]> {
    const found: { readonly entry: Entry; readonly atMs: number }[] = []
    for (const entry of this.#entries) {
      if (entry.task.due === 'off') continue
      const id = taskId(entry.task)
      const record = notAhead(entry.record, nowMs)
      const isNew = record !== entry.record || !entry.isNoted
      entry.record = record
      entry.isNoted = true
      // From when on times count must outlive a restart: else a device that is never long awake would never begin.
      if (isNew) await this.#note(id, record)
      const atMs = dueMs(record, entry.times)
      if (atMs !== undefined) found.push({ entry, atMs })
    }
    return found.sort((a, b) => a.atMs - b.atMs)
  }

  #isBusy(task: Task): boolean {
    return this.#running.has(task.name) || this.#byHand.has(taskId(task))
  }

  /** Says whether it has to wait, and tells so once for each time that it is due. */
  async #isHindered(entry: Entry, atMs: number): Promise<boolean> {
    const { task } = entry
    entry.hindrance = await this.hindrance(task)
    if (entry.hindrance === undefined) return false
    if (entry.putOffMs !== atMs) {
      entry.putOffMs = atMs
      const message = `put off: ${HINDRANCES[entry.hindrance]}`
      this.#parts.events.emit({ kind: 'task', ...nameOf(task), outcome: 'put-off', message, code: 'PUT_OFF' })
    }
    return true
  }

  #begin({ task, record, times }: Entry): void {
    const regular = regularMs(record, times)
    const isRegular = regular !== undefined && regular <= this.#parts.clock.nowMs()
    const { signal } = this.#end
    const work = this.#run(
      task,
      isRegular,
      () => task.run(signal),
      (result) => result,
      signal,
    )
      .then(
        () => undefined,
        () => undefined, // it was told and is remembered
      )
      .finally(() => {
        this.#running.delete(task.name)
        this.#wakeUp()
      })
    this.#running.set(task.name, { id: taskId(task), work })
  }

  async #run<T>(
    task: TaskName,
    isRegular: boolean,
    work: () => Promise<T>,
    resultOf: (value: T) => TaskResult,
    signal: AbortSignal,
  ): Promise<T> {
    const { clock } = this.#parts
    const id = taskId(task)
    const before = this.#records.get(id) ?? { sinceMs: clock.nowMs(), attempts: 0 }
    const record = begun(before, clock.nowMs(), isRegular)
    await this.#note(id, record)
    try {
      const value = await tellTask(this.#parts, task, work, resultOf, signal)
      const { outcome, message } = resultOf(value)
      await this.#note(
        id,
        ended(record, clock.nowMs(), { outcome, ...(message !== undefined && { message }) }),
      )
      return value
    } catch (error) {
      const isOurs = signal === this.#end.signal
      const note = isCellarError(error, 'ABORTED') ? cancelled : ended
      if (!signal.aborted) await this.#note(id, note(record, clock.nowMs(), failureOf(error)))
      else await this.#note(id, isOurs ? stopped(record) : before)
      throw error
    }
  }

  /** A disk that is full must not end the schedule: what could not be noted is told, and holds until a restart. */
  async #note(id: string, record: TaskRecord): Promise<void> {
    for (const entry of this.#entries) if (taskId(entry.task) === id) entry.record = record
    try {
      await this.#records.put(id, record)
    } catch (error) {
      if (!isCellarError(error)) throw error
      this.#parts.events.emit({ kind: 'trouble', code: error.code, message: `schedule: ${error.message}` })
    }
  }
}

/** A calendar is asked the same again every minute, and works long for an answer. */
function remembering(calendar: Calendar): Calendar {
  const known = new Map<number, number | undefined>()
  return {
    after: (ms) => {
      if (!known.has(ms)) {
        // One task asks for two times: when it is next, and the one after that.
        if (known.size >= 2) known.clear()
        known.set(ms, calendar.after(ms))
      }
      return known.get(ms)
    },
  }
}

/** Says of a task that it began and never came to its end; it does not run. */
export function hasBrokenOff({ record, isRunning }: TaskState): boolean {
  return record !== undefined && !isRunning && isBrokenOff(record)
}
