/** The values of all metrics, from what the node knows. Pure. */

import type { Status } from '../../api.ts'
import type { ProfileConfig } from '../../config/types.ts'
import { statusSentence } from '../../status-sentence.ts'
import { type HookRecord, OUTCOMES, type TaskRecord } from '../records.ts'
import type { Labels, Sample } from './exposition.ts'
import type { MetricName } from './names.ts'

/** What the values are made of. */
export interface MetricFacts {
  readonly status: Status
  readonly hooks: readonly (readonly [name: string, record: HookRecord])[]
  /** By `taskId`. */
  readonly tasks: readonly (readonly [id: string, record: TaskRecord])[]
  readonly profiles: readonly Pick<ProfileConfig, 'name' | 'silentAfterMs' | 'copies'>[]
  /** Devices that hold the last snapshot of a profile; absent: unknown. */
  readonly profileCopies: ReadonlyMap<string, number>
  /** How long each device may be silent, seconds; absent: for ever. */
  readonly silentAfterSeconds: ReadonlyMap<string, number>
  /** Live snapshots by the number of devices that hold them. */
  readonly snapshotsByCopies: ReadonlyMap<number, number>
  readonly unreplicatedBytes: number
  readonly reclaimWaitingBytes: number
  readonly damagedChunks: number
  readonly told: number
  readonly heldBack: number
  readonly process: { readonly residentBytes: number; readonly cpuSeconds: number }
}

/** Samples by metric. */
export type Samples = Partial<Record<MetricName, Sample[]>>

/** The values of all metrics that have one. */
export function samplesOf(facts: MetricFacts): Samples {
  const samples: Samples = {}
  const add: Add = (name, value, labels = {}) => {
    const number = typeof value === 'boolean' ? Number(value) : value
    if (number !== undefined) (samples[name] ??= []).push({ labels, value: number })
  }
  addNode(add, facts)
  addSnapshots(add, facts)
  addStore(add, facts)
  addTasks(add, facts)
  for (const device of facts.status.devices) if (device.removed !== true) addDevice(add, facts, device)
  addWatching(add, facts)
  addTelling(add, facts)
  return samples
}

type Add = (name: MetricName, value: number | boolean | undefined, labels?: Labels) => void

function addNode(add: Add, { status, process }: MetricFacts): void {
  const { version, device, mesh } = status
  add('rootcellar_info', 1, { version, device: device.name, role: device.role, mesh: mesh.short_id })
  add('rootcellar_running', status.running)
  add('rootcellar_start_time_seconds', seconds(status.started))
  const { verdict } = statusSentence(status)
  add('rootcellar_safe', verdict === 'safe', { verdict })
  for (const level of ['warning', 'error'] as const) {
    const count = status.problems.filter((problem) => problem.level === level).length
    add('rootcellar_problems', count, { level })
  }
  add('process_resident_memory_bytes', process.residentBytes)
  add('process_cpu_seconds_total', process.cpuSeconds)
}

function addSnapshots(add: Add, { status, snapshotsByCopies, unreplicatedBytes }: MetricFacts): void {
  const { total, complete, partial, only_on_owner, nowhere } = status.snapshots
  for (const [state, count] of Object.entries({ complete, partial, only_on_owner, nowhere }))
    add('rootcellar_snapshots', count, { state })
  add('rootcellar_snapshots_unreplicated', total - complete)
  add('rootcellar_unreplicated_bytes', unreplicatedBytes)
  for (const [copies, count] of [...snapshotsByCopies].sort(([a], [b]) => a - b))
    add('rootcellar_snapshot_copies', count, { copies: String(copies) })
  const last = status.last_backup
  if (last === undefined) return
  add('rootcellar_last_snapshot_copies', last.copies)
  add('rootcellar_last_snapshot_copies_wanted', last.copies_wanted)
  add('rootcellar_last_snapshot_timestamp_seconds', seconds(last.time))
}

function addStore(add: Add, { status, damagedChunks, reclaimWaitingBytes }: MetricFacts): void {
  const { store, trash } = status
  add('rootcellar_store_bytes', store.bytes_used)
  add('rootcellar_store_free_bytes', store.bytes_free)
  add('rootcellar_store_quota_bytes', store.quota_bytes)
  add('rootcellar_store_chunks', store.chunks)
  add('rootcellar_store_damaged_chunks', damagedChunks)
  add('rootcellar_trash_snapshots', trash.snapshots)
  add('rootcellar_reclaim_waiting_bytes', reclaimWaitingBytes)
  const kinds = new Map<string, number>()
  for (const { kind } of trash.waiting) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  for (const [kind, count] of kinds) add('rootcellar_reclaim_waiting', count, { kind })
  add('rootcellar_suspicions', status.suspicions.length)
}

function addTasks(add: Add, { tasks, profiles, profileCopies }: MetricFacts): void {
  const records = new Map(tasks)
  for (const { name, silentAfterMs, copies } of profiles) {
    const labels = { profile: name }
    const lastMs = records.get(`backup/${name}`)?.lastSuccessMs ?? 0
    add('rootcellar_profile_last_success_timestamp_seconds', lastMs / 1000, labels)
    add('rootcellar_profile_silent_after_seconds', silentAfterMs && silentAfterMs / 1000, labels)
    add('rootcellar_profile_copies', profileCopies.get(name), labels)
    add('rootcellar_profile_copies_wanted', copies, labels)
  }
  for (const [id, record] of tasks) {
    const [task = '', ...rest] = id.split('/')
    const labels = { task, profile: rest.join('/') }
    for (const outcome of OUTCOMES)
      add('rootcellar_task_runs_total', record.runs[outcome], { ...labels, outcome })
    if (record.lastMs === 0) continue
    add('rootcellar_task_last_run_timestamp_seconds', record.lastMs / 1000, labels)
    add('rootcellar_task_last_success_timestamp_seconds', record.lastSuccessMs / 1000, labels)
    add('rootcellar_task_last_failed', record.lastOutcome !== 'done', labels)
    add('rootcellar_task_duration_seconds', record.seconds, labels)
  }
}

function addDevice(add: Add, facts: MetricFacts, device: Status['devices'][number]): void {
  const { status, silentAfterSeconds } = facts
  const labels = { device: device.name }
  add('rootcellar_device_snapshots_held', device.snapshots_held, labels)
  if (device.last_backup !== undefined)
    add('rootcellar_device_last_backup_timestamp_seconds', seconds(device.last_backup), labels)
  const waiting = status.waiting.find((one) => one.device === device.id)
  add('rootcellar_device_snapshots_waiting', waiting?.snapshots ?? 0, labels)
  add('rootcellar_device_full', waiting?.full === true, labels)
  if (device.self) return
  add('rootcellar_device_connected', device.connected, labels)
  if (device.last_seen !== undefined)
    add('rootcellar_device_last_seen_timestamp_seconds', seconds(device.last_seen), labels)
  add(
    'rootcellar_device_silent',
    status.telling.silent.some((one) => one.device === device.id),
    labels,
  )
  add('rootcellar_device_silent_after_seconds', silentAfterSeconds.get(device.id), labels)
}

function addWatching(add: Add, { status: { watching } }: MetricFacts): void {
  const { scrub, audit, drill } = watching
  add('rootcellar_scrub_bytes_total', scrub.bytes_read)
  add('rootcellar_scrub_errors_total', scrub.chunks_bad)
  add('rootcellar_scrub_mended_total', scrub.chunks_mended)
  add('rootcellar_scrub_last_round_timestamp_seconds', seconds(scrub.last_round))
  add('rootcellar_audit_proofs_total', audit.proven, { outcome: 'proven' })
  add('rootcellar_audit_proofs_total', audit.failed, { outcome: 'failed' })
  for (const { name, snapshots } of audit.doubted)
    add('rootcellar_audit_doubted_snapshots', snapshots, { device: name })
  if (drill === undefined) return
  add('rootcellar_drill_last_passed_timestamp_seconds', seconds(drill.last_passed))
  add('rootcellar_drill_failed', drill.outcome === 'failed')
}

function addTelling(add: Add, { hooks, told, heldBack }: MetricFacts): void {
  for (const [hook, record] of hooks) {
    add('rootcellar_hook_told_total', record.told, { hook })
    add('rootcellar_hook_failures_total', record.failures, { hook })
    add('rootcellar_hook_last_success_timestamp_seconds', record.lastSuccessMs / 1000, { hook })
    add('rootcellar_hook_failing', record.lastFailureMs > record.lastSuccessMs, { hook })
  }
  add('rootcellar_told_total', told)
  add('rootcellar_held_back_total', heldBack)
}

/** Seconds since 1970; 0: never. */
function seconds(time: string | undefined): number {
  return time === undefined ? 0 : Date.parse(time) / 1000
}
