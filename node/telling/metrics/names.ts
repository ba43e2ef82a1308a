/** Every metric of a node: its name, what it counts, and in which unit (docs/monitoring.md). */

import type { MetricKind } from './exposition.ts'

const gauge = (help: string): MetricKind => ({ type: 'gauge', help })
const counter = (help: string): MetricKind => ({ type: 'counter', help })

/** The table; docs, alert rules and dashboard name nothing else. */
export const METRICS = {
  rootcellar_info: gauge('Version, device and role of this node; always 1.'),
  rootcellar_running: gauge('1 where a node runs on, 0 where a command told of itself.'),
  rootcellar_start_time_seconds: gauge('When the node was started, seconds since 1970.'),
  rootcellar_safe: gauge('1 when cellar status says that all is safe, by its verdict; else 0.'),
  rootcellar_problems: gauge('Problems that cellar status names now.'),

  rootcellar_snapshots: gauge('Live snapshots of the mesh by how far their copies are.'),
  rootcellar_snapshots_unreplicated: gauge('Live snapshots on fewer devices than the goal wants.'),
  rootcellar_unreplicated_bytes: gauge('Bytes stored here that only such snapshots need.'),
  rootcellar_snapshot_copies: gauge('Live snapshots by the number of devices that hold them.'),
  rootcellar_last_snapshot_copies: gauge('Devices that hold the newest snapshot of this device.'),
  rootcellar_last_snapshot_copies_wanted: gauge('Devices that should hold it.'),
  rootcellar_last_snapshot_timestamp_seconds: gauge('Time of the newest snapshot of this device.'),

  rootcellar_profile_last_success_timestamp_seconds: gauge(
    'When a profile was last backed up whole; 0: never.',
  ),
  rootcellar_profile_silent_after_seconds: gauge('After how long without that the profile counts as silent.'),
  rootcellar_profile_copies: gauge('Devices that hold the last snapshot of a profile.'),
  rootcellar_profile_copies_wanted: gauge('Devices that should, as the profile says.'),
  rootcellar_task_runs_total: counter('Runs of a task by outcome: done, partly, failed, put-off.'),
  rootcellar_task_last_run_timestamp_seconds: gauge('When a task last ended.'),
  rootcellar_task_last_success_timestamp_seconds: gauge('When a task last ended well; 0: never.'),
  rootcellar_task_last_failed: gauge('1 when the last run of a task failed or left something out.'),
  rootcellar_task_duration_seconds: gauge('How long the last run of a task took.'),

  rootcellar_store_bytes: gauge('Bytes of the pack files of this device.'),
  rootcellar_store_free_bytes: gauge('Bytes free on the disk of the store.'),
  rootcellar_store_quota_bytes: gauge('Bytes that the store may take.'),
  rootcellar_store_chunks: gauge('Chunks stored here.'),
  rootcellar_store_damaged_chunks: gauge('Chunks that are damaged here now and not mended yet.'),
  rootcellar_trash_snapshots: gauge('Forgotten snapshots that can be brought back.'),
  rootcellar_reclaim_waiting_bytes: gauge('Bytes stored here that only forgotten snapshots need.'),
  rootcellar_reclaim_waiting: gauge(
    'Reasons for which forgotten snapshots wait for their space to be freed.',
  ),
  rootcellar_suspicions: gauge('Devices for which retention is stopped (R14).'),

  rootcellar_device_connected: gauge('1 when a device is linked with this one.'),
  rootcellar_device_last_seen_timestamp_seconds: gauge('Last sign of life of a device, as known here.'),
  rootcellar_device_silent: gauge('1 when a device is silent for longer than it should be.'),
  rootcellar_device_silent_after_seconds: gauge('After how long a device counts as silent.'),
  rootcellar_device_last_backup_timestamp_seconds: gauge('Time of the newest snapshot that a device made.'),
  rootcellar_device_snapshots_held: gauge('Live snapshots that a device holds.'),
  rootcellar_device_snapshots_waiting: gauge('Live snapshots that a device has yet to receive.'),
  rootcellar_device_full: gauge('1 when such a device has no room for them.'),

  rootcellar_scrub_bytes_total: counter('Bytes of the store read again by scrubbing.'),
  rootcellar_scrub_errors_total: counter('Chunks found damaged or gone by scrubbing.'),
  rootcellar_scrub_mended_total: counter('Chunks of these that are good again.'),
  rootcellar_scrub_last_round_timestamp_seconds: gauge('When every pack had been read once more; 0: never.'),
  rootcellar_audit_proofs_total: counter('Proofs of possession asked of others, by outcome.'),
  rootcellar_audit_doubted_snapshots: gauge('Snapshots that a device says it holds and could not prove.'),
  rootcellar_drill_last_passed_timestamp_seconds: gauge('When a restore drill last passed; 0: never.'),
  rootcellar_drill_failed: gauge('1 when the last restore drill failed.'),

  rootcellar_hook_told_total: counter('What a hook, or the mail, was told and took.'),
  rootcellar_hook_failures_total: counter('Tries of a hook, or the mail, that failed.'),
  rootcellar_hook_last_success_timestamp_seconds: gauge('When a hook last worked; 0: never.'),
  rootcellar_hook_failing: gauge('1 when the last try of a hook failed.'),
  rootcellar_told_total: counter('Things told since the node was started.'),
  rootcellar_held_back_total: counter('Things not told since then, as they had been told before.'),

  process_resident_memory_bytes: gauge('Resident memory of the node.'),
  process_cpu_seconds_total: counter('Seconds of processor time that the node used.'),
} as const satisfies Readonly<Record<string, MetricKind>>

/** Name of a metric. */
export type MetricName = keyof typeof METRICS
