/** Parameters, events and results of `restore` and `check` (see `api.ts`). Messages are restic's. */

import { Type } from 'typebox'
import { about, tellingMethod, type Of } from './api-schema.ts'
import { ItemError } from './api-backup.ts'
import { SnapshotChoice } from './api-browse.ts'
import { PathFields, PathText } from './api-path.ts'

export const Overwrite = Type.Enum(['always', 'if-changed', 'if-newer', 'never'], {
  title: 'Overwrite',
  description: 'What to do with a file that is there already.',
})
/** What to do with a file that is there already. */
export type Overwrite = Of<typeof Overwrite>

export const RestoreParams = Type.Object(
  {
    ...SnapshotChoice.properties,
    target: about(PathText, 'Absolute directory; made if it is not there.'),
    includes: Type.Array(PathText),
    iincludes: Type.Array(PathText),
    excludes: Type.Array(PathText),
    iexcludes: Type.Array(PathText),
    from: Type.Optional(Type.String({ description: 'Fetch from this device only: name, id or prefix.' })),
    overwrite: Overwrite,
    delete: Type.Boolean({ description: 'Remove what is in the target and not in the snapshot.' }),
    dryRun: Type.Boolean(),
    verify: Type.Boolean({ description: 'Read every file back afterwards.' }),
    verbose: Type.Boolean({ description: 'Send `verbose_status` for each entry.' }),
  },
  {
    title: 'RestoreParams',
    description: 'What is restored, to where, and what is done with files that are there.',
  },
)
/** What is restored, to where, and what is done with files that are there. */
export type RestoreParams = Of<typeof RestoreParams>

export const RestoreCounters = Type.Object(
  {
    total_files: Type.Integer(),
    files_restored: Type.Integer(),
    files_skipped: Type.Integer(),
    files_deleted: Type.Integer(),
    total_bytes: Type.Integer(),
    bytes_restored: Type.Integer(),
    bytes_skipped: Type.Integer(),
  },
  {
    title: 'RestoreCounters',
    description: 'Entries and bytes so far; `files_` counts entries of every type, as in restic.',
  },
)
/** Entries and bytes so far; `files_` counts entries of every type, as in restic. */
export type RestoreCounters = Of<typeof RestoreCounters>

export const RestoreStatus = Type.Object(
  {
    ...Type.Partial(RestoreCounters).properties,
    message_type: Type.Literal('status'),
    seconds_elapsed: Type.Number(),
    percent_done: Type.Number({ description: '0..1.' }),
  },
  { title: 'RestoreStatus', description: 'How far a restore is; about ten times a second.' },
)
/** How far a restore is; about ten times a second. */
export type RestoreStatus = Of<typeof RestoreStatus>

export const RestoreEvent = Type.Union(
  [
    RestoreStatus,
    ItemError,
    Type.Object({
      message_type: Type.Literal('verbose_status'),
      action: Type.Enum(['restored', 'updated', 'unchanged', 'deleted', 'verified']),
      item: Type.String(),
      item_b64: Type.Optional(Type.String()),
      size: Type.Integer(),
    }),
    Type.Object({ message_type: Type.Literal('notice'), message: Type.String() }),
  ],
  { title: 'RestoreEvent', description: 'What a restore tells on the way.' },
)
/** What a restore tells on the way. */
export type RestoreEvent = Of<typeof RestoreEvent>

export const RestoreSummary = Type.Object(
  {
    ...RestoreCounters.properties,
    message_type: Type.Literal('summary'),
    seconds_elapsed: Type.Number(),
    dry_run: Type.Boolean(),
    snapshot_id: Type.String(),
    target: Type.String(),
    files_verified: Type.Optional(
      Type.Integer({ description: 'Files read back and found right; only when `verify` was asked for.' }),
    ),
    errors: Type.Array(
      Type.Object({ ...PathFields.properties, code: Type.String(), message: Type.String() }),
    ),
  },
  {
    title: 'RestoreSummary',
    description:
      'What a restore came to; `errors` lists the first 10,000 entries that could not be restored.',
  },
)
/** What a restore came to; `errors` lists the first 10,000 entries that could not be restored. */
export type RestoreSummary = Of<typeof RestoreSummary>

export const CheckParams = Type.Object(
  {
    readData: Type.Boolean({
      description: 'Read and verify the bytes of every chunk, not only the structure.',
    }),
    subset: Type.Optional(
      Type.String({ description: 'Part of them: `10%`, `n/t` (part n of t) or a size in bytes as text.' }),
    ),
    repair: Type.Boolean({ description: 'Mend what is bad from peers.' }),
    snapshots: Type.Array(Type.String(), { description: 'Ids; empty is all.' }),
  },
  { title: 'CheckParams', description: 'What is checked, and whether it is mended.' },
)
/** What is checked, and whether it is mended. */
export type CheckParams = Of<typeof CheckParams>

export const CheckEvent = Type.Union(
  [
    Type.Object({
      message_type: Type.Literal('status'),
      seconds_elapsed: Type.Number(),
      percent_done: Type.Number(),
      what: Type.String(),
      chunks_done: Type.Integer(),
      total_chunks: Type.Integer(),
      bytes_done: Type.Optional(Type.Integer()),
      total_bytes: Type.Optional(Type.Integer()),
      error_count: Type.Integer(),
    }),
    Type.Object({
      message_type: Type.Literal('error'),
      message: Type.String(),
      code: Type.String(),
      chunk: Type.Optional(Type.String()),
    }),
    Type.Object({ message_type: Type.Literal('mended'), chunk: Type.String(), from: Type.String() }),
    Type.Object({ message_type: Type.Literal('notice'), message: Type.String() }),
  ],
  { title: 'CheckEvent', description: 'What a check tells on the way.' },
)
/** What a check tells on the way. */
export type CheckEvent = Of<typeof CheckEvent>

export const CheckSummary = Type.Object(
  {
    message_type: Type.Literal('summary'),
    num_errors: Type.Integer({ description: 'Problems found, and those of them that were mended.' }),
    num_mended: Type.Integer(),
    chunks_checked: Type.Integer(),
    bytes_read: Type.Integer(),
    snapshots_checked: Type.Integer(),
    broken_packs: Type.Array(Type.String(), {
      description: `As restic's; packs of this store with bad chunks.`,
    }),
    suggest_repair_index: Type.Boolean(),
    suggest_prune: Type.Boolean(),
  },
  { title: 'CheckSummary', description: 'What a check came to.' },
)
/** What a check came to. */
export type CheckSummary = Of<typeof CheckSummary>

/** The methods of this file. */
export const restoreMethods = {
  restore: tellingMethod(
    'Restores a snapshot to a directory. Files that could not be restored are events and `error_count`, never an error of the call.',
    RestoreParams,
    RestoreEvent,
    RestoreSummary,
  ),
  check: tellingMethod(
    'Checks what is stored here, and mends it if asked to.',
    CheckParams,
    CheckEvent,
    CheckSummary,
  ),
}
