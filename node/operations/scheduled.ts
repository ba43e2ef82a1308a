/** What a node does by itself, as its settings say it, and how that stands (spec/schedule.md). */

import type { BackupSummary, CallContext, CheckSummary, MethodName, ScheduledTask } from '../api.ts'
import type { Config } from '../config/types.ts'
import type { NodeParts } from '../parts.ts'
import { hasBrokenOff, type TaskState } from '../schedule/scheduler.ts'
import type { Task, TaskResult } from '../schedule/task.ts'
import { runCheck } from './check.ts'
import { backUpProfile } from './profile-backup.ts'
import { retainAll, roundsIn } from './retain.ts'
import { resultOfBackup } from './tell-backup.ts'
import { auditTask, drillTask, scrubTask } from '../watching/tasks.ts'

/** Of what a node does for itself: a few minutes hurt nobody, and devices do not all begin at once. */
const upkeepJitterMs = 30 * 60_000

/** The tasks that the settings ask for. */
export function tasksOf(parts: NodeParts, config: Config = parts.settings.current): Task[] {
  const backups = config.profiles.flatMap((profile) => backupTask(parts, profile.name, config))
  const drill = drillTask(parts, config)
  const watching = [
    scrubTask(parts, config),
    auditTask(parts, config),
    ...(drill === undefined ? [] : [drill]),
  ]
  return [...backups, ...upkeep(parts, config), ...watching]
}

/** How they stand. */
export function listSchedule(parts: NodeParts): ScheduledTask[] {
  return parts.scheduler.describe(tasksOf(parts)).map(stateOf)
}

/** Follows the settings: from now on, and whenever they change. @returns ends it, and what runs */
export function followSchedule(parts: NodeParts): () => Promise<void> {
  const { scheduler, settings } = parts
  scheduler.set(tasksOf(parts))
  const off = settings.onChange((config) => {
    scheduler.set(tasksOf(parts, config))
  })
  scheduler.start()
  return async () => {
    off()
    await scheduler.close()
  }
}

/** Profiles that only others inherit from, and devices that make no backups, have none. */
function backupTask(parts: NodeParts, name: string, config: Config): Task[] {
  const profile = config.profiles.find((one) => one.name === name)
  if (profile === undefined || !parts.ledger.self.capabilities.has('backup')) return []
  const lists = [profile.sources, profile.filesFrom, profile.filesFromVerbatim, profile.filesFromRaw]
  if (profile.stdinFromCommand === undefined && lists.every((list) => list.length === 0)) return []
  return [
    {
      name: 'backup',
      profile: name,
      due: profile.schedule,
      jitterMs: profile.jitterMs,
      conditions: profile,
      run: async (signal) => resultOfBackup(await backUp(parts, name, signal)),
    },
  ]
}

/** What was read when the task was set may have changed since in all but its time. */
async function backUp(parts: NodeParts, name: string, signal: AbortSignal): Promise<BackupSummary> {
  const profile = parts.settings.current.profiles.find((one) => one.name === name)
  if (profile === undefined) throw new TypeError(`the profile ${name} is gone`)
  return await backUpProfile(parts, profile, {}, contextOf<'backup'>(signal))
}

function upkeep(parts: NodeParts, config: Config): Task[] {
  const { schedule } = config
  const check: Task = {
    name: 'check',
    due: schedule.check,
    jitterMs: upkeepJitterMs,
    run: async (signal) => {
      const params = { readData: false, repair: false, snapshots: [] }
      return resultOfCheck(await runCheck(parts, params, contextOf<'check'>(signal)))
    },
  }
  if (schedule.retention === undefined || roundsIn(config) === undefined) return [check]
  const applied: Task = {
    name: 'retention',
    due: schedule.retention,
    jitterMs: 0,
    run: async (signal) => {
      await retainAll(parts, signal)
      return { outcome: 'done' }
    },
  }
  return [check, applied]
}

/** Damage is something that a person should see to. */
function resultOfCheck(found: CheckSummary): TaskResult {
  const { num_errors, num_mended, chunks_checked, snapshots_checked, bytes_read } = found
  const summary = { num_errors, num_mended, chunks_checked, snapshots_checked, bytes_read }
  if (num_errors === num_mended) return { outcome: 'done', summary }
  const message = `the check found ${num_errors === 1 ? 'an error' : `${String(num_errors)} errors`}: cellar check --repair`
  return { outcome: 'partly', message, summary }
}

/** Nobody listens to what a method of the schedule tells on the way. */
function contextOf<M extends MethodName>(signal: AbortSignal): CallContext<M> {
  return { signal, onEvent: () => undefined, input: nothing(), output: () => Promise.resolve() }
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // a task has no input
}

function stateOf(state: TaskState): ScheduledTask {
  const { task, record, isRunning, nextMs, hindrance } = state
  const { name, profile, due } = task
  const { beganMs, endedMs, successMs, outcome, message, code } = record ?? {}
  const lastOutcome = hasBrokenOff(state) ? 'broken-off' : outcome
  const time = (ms: number) => new Date(ms).toISOString()
  return {
    name,
    ...(profile !== undefined && { profile }),
    due,
    ...(nextMs !== undefined && { next_run: time(nextMs) }),
    ...(beganMs !== undefined && { last_run: time(beganMs) }),
    ...(lastOutcome !== undefined && { last_outcome: lastOutcome }),
    ...(successMs !== undefined && { last_success: time(successMs) }),
    ...(message !== undefined && { message }),
    ...(code !== undefined && { code }),
    ...(beganMs !== undefined && endedMs !== undefined && { seconds: (endedMs - beganMs) / 1000 }),
    running: isRunning,
    ...(hindrance !== undefined && { waits: hindrance }),
  }
}
