/** Answers of a node, as the table of methods has them. */

import type {
  BackupSummary,
  DeviceInfo,
  NodeInfo,
  RestoreSummary,
  SnapshotInfo,
  Status,
} from '../../../node/client.ts'

export const SUMMARY: BackupSummary = {
  message_type: 'summary',
  dry_run: false,
  files_new: 2,
  files_changed: 0,
  files_unmodified: 0,
  dirs_new: 1,
  dirs_changed: 0,
  dirs_unmodified: 0,
  data_blobs: 2,
  tree_blobs: 2,
  data_added: 1038,
  data_added_packed: 741,
  total_files_processed: 2,
  total_bytes_processed: 6,
  backup_start: '2026-03-01T12:00:00Z',
  backup_end: '2026-03-01T12:00:01Z',
  total_duration: 1,
  snapshot_id: '9958b48b'.padEnd(64, '0'),
  copies: 1,
  copies_wanted: 3,
  unread: [],
}

export const RESTORED: RestoreSummary = {
  message_type: 'summary',
  seconds_elapsed: 2,
  dry_run: false,
  snapshot_id: SUMMARY.snapshot_id ?? '',
  target: '/tmp/out',
  total_files: 3,
  files_restored: 3,
  files_skipped: 0,
  files_deleted: 0,
  total_bytes: 6,
  bytes_restored: 6,
  bytes_skipped: 0,
  errors: [],
}

export const SNAPSHOT: SnapshotInfo = {
  id: SUMMARY.snapshot_id ?? '',
  short_id: '9958b48b',
  time: '2026-03-01T11:00:00.123456789Z',
  paths: ['/home/ann'],
  hostname: 'laptop',
  username: 'ann',
  tags: ['daily'],
  program_version: 'rootcellar 0.1.0',
  device: '12D3KooWlaptop',
  device_name: 'laptop',
  copies: 2,
  copies_wanted: 3,
  holders: ['laptop', 'desktop'],
  here: true,
}

export const NODE: NodeInfo = {
  message_type: 'node',
  struct_type: 'node',
  name: 'a',
  type: 'file',
  path: '/home/ann/a',
  uid: 1000,
  gid: 1000,
  size: 3,
  mode: 420,
  permissions: '-rw-r--r--',
  mtime: '2026-03-01T11:00:00Z',
  ctime: '2026-03-01T11:00:00Z',
}

export const LAPTOP: DeviceInfo = {
  id: '12D3KooWlaptop',
  name: 'laptop',
  role: 'writer',
  capabilities: ['backup', 'read', 'store'],
  self: true,
  connected: false,
  bytes_used: 5 * 1024 * 1024,
  snapshots_held: 2,
  snapshots_total: 3,
  snapshots_own: 2,
  addresses: ['192.168.1.9:4517'],
}

export const PI: DeviceInfo = {
  id: '12D3KooWpi',
  name: 'pi',
  role: 'storer',
  capabilities: ['store'],
  self: false,
  connected: false,
  last_seen: '2026-02-26T12:00:00Z',
  snapshots_held: 1,
  snapshots_total: 3,
  snapshots_own: 0,
  addresses: [],
}

export const STATUS: Status = {
  version: '0.1.0',
  device: { id: LAPTOP.id, name: 'laptop', role: 'writer' },
  mesh: { id: 'ab'.repeat(32), short_id: 'abababab', devices: 2, copies_goal: 'all' },
  running: true,
  pid: 42,
  started: '2026-03-01T10:00:00Z',
  addresses: ['192.168.1.9:4517'],
  snapshots: { total: 3, complete: 3, partial: 0, only_on_owner: 0, nowhere: 0 },
  own_snapshots: { total: 2, complete: 2, partial: 0, only_on_owner: 0, nowhere: 0 },
  devices: [LAPTOP, PI],
  waiting: [],
  store: { path: '/s', bytes_used: 1024, chunks: 3 },
  trash: { snapshots: 0, waiting: [] },
  suspicions: [],
  jobs: [],
  problems: [],
}
