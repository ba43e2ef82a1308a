/** Parameters, events and results of what looks inside snapshots (see `api.ts`). Messages are restic's. */

import { Type } from 'typebox'
import { about, method, tellingMethod, type Of } from './api-schema.ts'
import { PathText } from './api-path.ts'

export const SnapshotFilter = Type.Object(
  {
    devices: Type.Array(Type.String(), { description: 'Names, ids or prefixes of ids; any of them.' }),
    paths: Type.Array(PathText, { description: 'Absolute paths; the snapshot has all of them.' }),
    tags: Type.Array(Type.Array(Type.String()), {
      description: "Any of the lists, all tags of that list; `['']` is untagged.",
    }),
  },
  {
    title: 'SnapshotFilter',
    description: 'Which snapshots are meant; everything given must hold. Empty lists say nothing.',
  },
)
/** Which snapshots are meant; everything given must hold. Empty lists say nothing. */
export type SnapshotFilter = Of<typeof SnapshotFilter>

export const SnapshotChoice = Type.Object(
  { snapshot: PathText, filter: about(SnapshotFilter, 'Applies to `latest`.') },
  {
    title: 'SnapshotChoice',
    description: 'One snapshot: an id prefix or `latest`, with `:PATH` behind it where a path makes sense.',
  },
)
/** One snapshot: an id prefix or `latest`, with `:PATH` behind it where a path makes sense. */
export type SnapshotChoice = Of<typeof SnapshotChoice>

export const SnapshotsParams = Type.Object(
  {
    filter: SnapshotFilter,
    snapshots: Type.Array(Type.String(), { description: 'Ids or `latest`; empty is all.' }),
    latest: Type.Optional(
      Type.Integer({ minimum: 1, description: 'Only so many newest of each device and set of paths, 1..' }),
    ),
    newestFirst: Type.Optional(Type.Boolean()),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1000,
        description:
          'Only so many, in the order asked for. Each has a `cursor` then, and nobody is waited for who could tell more.',
      }),
    ),
    after: Type.Optional(
      Type.String({ maxLength: 256, description: 'Only what comes behind the one with this `cursor`.' }),
    ),
  },
  { title: 'SnapshotsParams', description: 'Which snapshots are listed.' },
)
/** Which snapshots are listed. */
export type SnapshotsParams = Of<typeof SnapshotsParams>

export const SnapshotInfo = Type.Object(
  {
    id: Type.String(),
    short_id: Type.String(),
    time: Type.String(),
    parent: Type.Optional(Type.String()),
    tree: Type.Optional(Type.String()),
    paths: Type.Array(Type.String()),
    paths_b64: Type.Optional(
      Type.Array(Type.String(), { description: 'Beside `paths`, only when one of them is not UTF-8.' }),
    ),
    hostname: Type.String(),
    username: Type.String(),
    uid: Type.Optional(Type.Integer()),
    gid: Type.Optional(Type.Integer()),
    excludes: Type.Optional(Type.Array(Type.String())),
    tags: Type.Optional(Type.Array(Type.String())),
    program_version: Type.String(),
    summary: Type.Optional(
      Type.Object({
        files_new: Type.Integer(),
        files_changed: Type.Integer(),
        files_unmodified: Type.Integer(),
        data_added: Type.Integer(),
        data_added_packed: Type.Integer(),
        total_files_processed: Type.Integer(),
        total_bytes_processed: Type.Integer(),
      }),
    ),
    unread_count: Type.Optional(Type.Integer({ description: 'Sources that could not be read.' })),
    device: Type.String({ description: 'Who made it.' }),
    device_name: Type.String(),
    copies: Type.Integer({ description: 'Devices that hold it, their names, and how many should.' }),
    copies_wanted: Type.Integer(),
    holders: Type.Array(Type.String()),
    here: Type.Boolean({ description: 'Its chunks are all on this device.' }),
    pinned_by: Type.Optional(
      Type.Array(Type.String(), { description: 'Names of devices that pinned it; in `snapshots` only.' }),
    ),
    cursor: Type.Optional(Type.String({ description: 'For `after`; only with a `limit`.' })),
  },
  {
    title: 'SnapshotInfo',
    description:
      'One live snapshot, as this device knows it; details only where its root chunk could be read. Times RFC 3339.',
  },
)
/** One live snapshot, as this device knows it; details only where its root chunk could be read. Times RFC 3339. */
export type SnapshotInfo = Of<typeof SnapshotInfo>

export const LsParams = Type.Object(
  {
    ...SnapshotChoice.properties,
    paths: Type.Array(PathText, {
      description: 'Only these and what is directly in them; empty: all of the snapshot, or of its `:PATH`.',
    }),
    recursive: Type.Boolean(),
  },
  { title: 'LsParams' },
)
/** See the schema. */
export type LsParams = Of<typeof LsParams>

export const NodeInfo = Type.Object(
  {
    message_type: Type.Literal('node'),
    struct_type: Type.Literal('node', { description: "As restic's older name of `message_type`." }),
    name: Type.String(),
    type: Type.Enum(['file', 'dir', 'symlink', 'fifo', 'chardev', 'dev', 'socket']),
    path: Type.String(),
    path_b64: Type.Optional(Type.String()),
    uid: Type.Integer(),
    gid: Type.Integer(),
    user: Type.Optional(Type.String()),
    group: Type.Optional(Type.String()),
    size: Type.Optional(Type.Integer()),
    mode: Type.Integer({
      description: `As the system's st_mode of Go, as restic gives it: permission bits in the low nine.`,
    }),
    permissions: Type.String({ description: '`-rw-r--r--`.' }),
    mtime: Type.String(),
    atime: Type.Optional(Type.String()),
    ctime: Type.String(),
    inode: Type.Optional(Type.Integer()),
    linktarget: Type.Optional(Type.String()),
    linktarget_b64: Type.Optional(Type.String()),
  },
  { title: 'NodeInfo', description: 'One entry of a snapshot.' },
)
/** One entry of a snapshot. */
export type NodeInfo = Of<typeof NodeInfo>

export const LsEvent = Type.Union(
  [
    Type.Object({
      ...SnapshotInfo.properties,
      message_type: Type.Literal('snapshot'),
      struct_type: Type.Literal('snapshot'),
    }),
    NodeInfo,
  ],
  { title: 'LsEvent', description: 'The snapshot first, then its entries in the order of their paths.' },
)
/** The snapshot first, then its entries in the order of their paths. */
export type LsEvent = Of<typeof LsEvent>

export const LsResult = Type.Object(
  { nodes: Type.Integer() },
  { title: 'LsResult', description: 'How many entries were told.' },
)
/** How many entries were told. */
export type LsResult = Of<typeof LsResult>

export const FindParams = Type.Object(
  {
    patterns: Type.Array(PathText, { description: 'Names or paths with wildcards.' }),
    ignoreCase: Type.Boolean(),
    filter: SnapshotFilter,
    snapshots: Type.Array(Type.String()),
    oldest: Type.Optional(Type.String({ description: 'RFC 3339; by the time of modification.' })),
    newest: Type.Optional(Type.String()),
    type: Type.Optional(Type.Enum(['file', 'dir', 'symlink'])),
  },
  { title: 'FindParams', description: 'What is looked for, and where.' },
)
/** What is looked for, and where. */
export type FindParams = Of<typeof FindParams>

export const FindHits = Type.Object(
  {
    hits: Type.Integer(),
    snapshot: Type.String(),
    snapshot_time: Type.String(),
    device_name: Type.String(),
    matches: Type.Array(Type.Omit(NodeInfo, ['message_type', 'struct_type', 'name'])),
  },
  {
    title: 'FindHits',
    description: 'What one snapshot has of what is looked for; snapshots without any are left out.',
  },
)
/** What one snapshot has of what is looked for; snapshots without any are left out. */
export type FindHits = Of<typeof FindHits>

export const DiffParams = Type.Object(
  {
    from: about(PathText, 'Each with an optional `:PATH`.'),
    to: PathText,
    filter: SnapshotFilter,
    metadata: Type.Boolean({ description: 'Report changes of metadata alone too (`U`).' }),
  },
  { title: 'DiffParams', description: 'The two snapshots, or directories of them, that are compared.' },
)
/** The two snapshots, or directories of them, that are compared. */
export type DiffParams = Of<typeof DiffParams>

export const DiffEvent = Type.Object(
  {
    message_type: Type.Literal('change'),
    path: Type.String(),
    path_b64: Type.Optional(Type.String()),
    modifier: Type.String({
      description:
        '`+` added, `-` removed, `M` content, `T` type, `U` metadata, `?` content differs though nothing else does.',
    }),
  },
  { title: 'DiffEvent', description: 'One path that differs.' },
)
/** One path that differs. */
export type DiffEvent = Of<typeof DiffEvent>

export const DiffCounts = Type.Object(
  {
    files: Type.Integer(),
    dirs: Type.Integer(),
    others: Type.Integer(),
    data_blobs: Type.Integer(),
    tree_blobs: Type.Integer(),
    bytes: Type.Integer(),
  },
  {
    title: 'DiffCounts',
    description: 'What one side has and the other has not: entries, chunks, and bytes of the chunks.',
  },
)
/** What one side has and the other has not: entries, chunks, and bytes of the chunks. */
export type DiffCounts = Of<typeof DiffCounts>

export const DiffStatistics = Type.Object(
  {
    message_type: Type.Literal('statistics'),
    source_snapshot: Type.String(),
    target_snapshot: Type.String(),
    changed_files: Type.Integer(),
    added: DiffCounts,
    removed: DiffCounts,
  },
  { title: 'DiffStatistics', description: 'What a comparison came to.' },
)
/** What a comparison came to. */
export type DiffStatistics = Of<typeof DiffStatistics>

export const DumpParams = Type.Object(
  {
    ...SnapshotChoice.properties,
    path: about(PathText, 'The file to write; a directory goes out as an archive.'),
    archive: Type.Literal('tar'),
  },
  { title: 'DumpParams' },
)
/** See the schema. */
export type DumpParams = Of<typeof DumpParams>

export const DumpEvent = Type.Object(
  { message_type: Type.Literal('notice'), message: Type.String() },
  { title: 'DumpEvent', description: 'Something that an archive cannot carry as it is.' },
)
/** Something that an archive cannot carry as it is. */
export type DumpEvent = Of<typeof DumpEvent>

export const DumpResult = Type.Object(
  { bytes: Type.Integer() },
  { title: 'DumpResult', description: 'How many bytes went out.' },
)
/** How many bytes went out. */
export type DumpResult = Of<typeof DumpResult>

export const StatsParams = Type.Object(
  {
    filter: SnapshotFilter,
    snapshots: Type.Array(Type.String()),
    mode: Type.Enum(['restore-size', 'files-by-contents', 'raw-data']),
  },
  {
    title: 'StatsParams',
    description:
      'Which snapshots are counted, and what: restored files, distinct contents, or chunks as stored.',
  },
)
/** Which snapshots are counted, and what: restored files, distinct contents, or chunks as stored. */
export type StatsParams = Of<typeof StatsParams>

export const Stats = Type.Object(
  {
    total_size: Type.Integer(),
    total_file_count: Type.Optional(Type.Integer()),
    total_blob_count: Type.Optional(Type.Integer()),
    snapshots_count: Type.Integer(),
    total_uncompressed_size: Type.Optional(Type.Integer()),
    compression_ratio: Type.Optional(Type.Number()),
    compression_progress: Type.Optional(Type.Number()),
    compression_space_saving: Type.Optional(Type.Number()),
  },
  {
    title: 'Stats',
    description: 'What snapshots take, in bytes; which fields there are depends on the mode, as in restic.',
  },
)
/** What snapshots take, in bytes; which fields there are depends on the mode, as in restic. */
export type Stats = Of<typeof Stats>

/** The methods of this file. */
export const browseMethods = {
  snapshots: method(
    'The live snapshots that this device knows, the oldest first unless asked otherwise.',
    SnapshotsParams,
    Type.Array(SnapshotInfo),
  ),
  ls: tellingMethod(
    'What is in a snapshot, entry by entry. `SNAPSHOT_NOT_FOUND`, `SNAPSHOT_AMBIGUOUS`, `PATH_NOT_FOUND`.',
    LsParams,
    LsEvent,
    LsResult,
  ),
  find: method('Looks for names in snapshots.', FindParams, Type.Array(FindHits)),
  diff: tellingMethod(
    'Compares two snapshots, or directories of them. `SNAPSHOT_NOT_FOUND`, `PATH_NOT_FOUND`.',
    DiffParams,
    DiffEvent,
    DiffStatistics,
  ),
  dump: tellingMethod(
    'Gives the content of a file as bytes; of a directory, those of a tar archive. `PATH_NOT_FOUND`.',
    DumpParams,
    DumpEvent,
    DumpResult,
  ),
  stats: method('Counts what snapshots take.', StatsParams, Stats),
}
