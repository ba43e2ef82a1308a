/** Parameters, events and result of `backup` (see `api.ts`). Messages are restic's. */

import { Type } from 'typebox'
import { tellingMethod, type Of } from './api-schema.ts'
import { PathFields, PathText } from './api-path.ts'

export const BackupParams = Type.Object(
  {
    paths: Type.Array(PathText, {
      description: 'Absolute, without `.` and `..`; empty when `stdin` is given.',
    }),
    excludes: Type.Array(PathText, {
      description: "Patterns as restic's; files of patterns are already read, `$VAR` already expanded.",
    }),
    iexcludes: Type.Array(PathText, { description: 'The same, without regard to case.' }),
    excludeCaches: Type.Boolean({ description: 'Leave out directories with a valid CACHEDIR.TAG.' }),
    excludeIfPresent: Type.Array(PathText, {
      description: '`NAME` or `NAME:HEADER`: leave out directories that hold such a file.',
    }),
    excludeLargerThan: Type.Optional(
      Type.Integer({ minimum: 0, description: 'Leave out larger files, bytes.' }),
    ),
    oneFileSystem: Type.Boolean(),
    stdin: Type.Optional(
      Type.Object(
        { name: PathText },
        {
          description:
            'Back up `input` as one file of this name (a bare name, put at the top of the snapshot).',
        },
      ),
    ),
    tags: Type.Array(Type.String()),
    time: Type.Optional(Type.String({ description: 'RFC 3339 with offset; else now.' })),
    dryRun: Type.Boolean(),
    skipIfUnchanged: Type.Boolean(),
    wait: Type.Optional(
      Type.Union([Type.Literal('goal'), Type.Integer({ minimum: 1 })], {
        description: 'Wait until the snapshot is on so many devices, or on as many as the goal wants.',
      }),
    ),
    priority: Type.Optional(
      Type.Enum(['low', 'normal'], { description: '`low`: other programs go before its threads.' }),
    ),
    verbose: Type.Boolean({ description: 'Send `verbose_status` for each entry, and `excluded_item`.' }),
  },
  {
    title: 'BackupParams',
    description: 'What is backed up, what is left out, and how the snapshot is marked.',
  },
)
/** What is backed up, what is left out, and how the snapshot is marked. */
export type BackupParams = Of<typeof BackupParams>

export const BackupStatus = Type.Object(
  {
    message_type: Type.Literal('status'),
    seconds_elapsed: Type.Number(),
    seconds_remaining: Type.Optional(Type.Number()),
    percent_done: Type.Number({ description: '0..1; absent or 0 while the scan goes on.' }),
    total_files: Type.Optional(Type.Integer()),
    files_done: Type.Optional(Type.Integer()),
    total_bytes: Type.Optional(Type.Integer()),
    bytes_done: Type.Optional(Type.Integer()),
    error_count: Type.Optional(Type.Integer()),
    current_files: Type.Optional(Type.Array(Type.String())),
  },
  { title: 'BackupStatus', description: 'How far a backup is; at most ten times a second.' },
)
/** How far a backup is; at most ten times a second. */
export type BackupStatus = Of<typeof BackupStatus>

export const BackupVerbose = Type.Object(
  {
    message_type: Type.Literal('verbose_status'),
    action: Type.Enum(['new', 'unchanged', 'modified', 'scan_finished']),
    item: Type.String({ description: 'The path, readable; `item_b64` beside it where it is not UTF-8.' }),
    item_b64: Type.Optional(Type.String()),
    duration: Type.Optional(Type.Number()),
    data_size: Type.Optional(Type.Integer()),
    data_size_in_repo: Type.Optional(Type.Integer()),
    metadata_size: Type.Optional(Type.Integer()),
    metadata_size_in_repo: Type.Optional(Type.Integer()),
    total_files: Type.Optional(Type.Integer()),
  },
  {
    title: 'BackupVerbose',
    description: 'What became of one entry; only with `verbose`. Sizes in bytes, `duration` in seconds.',
  },
)
/** What became of one entry; only with `verbose`. Sizes in bytes, `duration` in seconds. */
export type BackupVerbose = Of<typeof BackupVerbose>

export const ItemError = Type.Object(
  {
    message_type: Type.Literal('error'),
    error: Type.Object({ message: Type.String() }),
    during: Type.String(),
    item: Type.String(),
    item_b64: Type.Optional(Type.String()),
    code: Type.String(),
  },
  { title: 'ItemError', description: 'Something could not be read or restored; the work goes on.' },
)
/** Something could not be read or restored; the work goes on. */
export type ItemError = Of<typeof ItemError>

export const BackupEvent = Type.Union(
  [
    BackupStatus,
    BackupVerbose,
    ItemError,
    Type.Object({
      message_type: Type.Literal('excluded_item'),
      item: Type.String(),
      item_b64: Type.Optional(Type.String()),
    }),
    Type.Object({ message_type: Type.Literal('saved'), snapshot_id: Type.String() }),
    Type.Object({
      message_type: Type.Literal('copies'),
      snapshot_id: Type.String(),
      copies: Type.Integer(),
      copies_wanted: Type.Integer(),
      devices: Type.Array(Type.String()),
    }),
    Type.Object({ message_type: Type.Literal('notice'), message: Type.String() }),
  ],
  { title: 'BackupEvent', description: 'What a backup tells on the way.' },
)
/** What a backup tells on the way. */
export type BackupEvent = Of<typeof BackupEvent>

export const Unread = Type.Object(
  { ...PathFields.properties, code: Type.String(), message: Type.String() },
  { title: 'Unread', description: 'One source that could not be read.' },
)
/** One source that could not be read. */
export type Unread = Of<typeof Unread>

export const BackupSummary = Type.Object(
  {
    message_type: Type.Literal('summary'),
    dry_run: Type.Boolean(),
    files_new: Type.Integer(),
    files_changed: Type.Integer(),
    files_unmodified: Type.Integer(),
    dirs_new: Type.Integer(),
    dirs_changed: Type.Integer(),
    dirs_unmodified: Type.Integer(),
    data_blobs: Type.Integer(),
    tree_blobs: Type.Integer(),
    data_added: Type.Integer({ description: 'New bytes before, and after compression and sealing.' }),
    data_added_packed: Type.Integer(),
    total_files_processed: Type.Integer(),
    total_bytes_processed: Type.Integer(),
    backup_start: Type.String(),
    backup_end: Type.String(),
    total_duration: Type.Number({ description: 'Seconds.' }),
    snapshot_id: Type.Optional(
      Type.String({
        description: 'Absent in a dry run, and when nothing changed and `skipIfUnchanged` was asked for.',
      }),
    ),
    copies: Type.Integer({ description: 'Devices that hold it now, and that should.' }),
    copies_wanted: Type.Integer(),
    waited: Type.Optional(
      Type.Object(
        { wanted: Type.Integer(), reached: Type.Boolean(), full: Type.Optional(Type.Array(Type.String())) },
        {
          description:
            'What `wait` asked for, in devices, was reached; absent when it was not asked. `full`: names of the devices in reach, where none of them had room.',
        },
      ),
    ),
    unread: Type.Array(Unread),
  },
  {
    title: 'BackupSummary',
    description: 'What a backup came to; counts of entries and chunks, sizes in bytes.',
  },
)
/** What a backup came to; counts of entries and chunks, sizes in bytes. */
export type BackupSummary = Of<typeof BackupSummary>

/** The methods of this file. */
export const backupMethods = {
  backup: tellingMethod(
    'Makes a snapshot. With `stdin`, content comes as input. Aborted: nothing is published, chunks already stored are used again.',
    BackupParams,
    BackupEvent,
    BackupSummary,
  ),
}
