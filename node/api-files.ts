/** Parameters, events and results of what begins with a file rather than a snapshot, page by page (see `api.ts`). */

import { Type } from 'typebox'
import { about, method, tellingMethod, type Of } from './api-schema.ts'
import { NodeInfo, SnapshotChoice, SnapshotFilter, SnapshotInfo } from './api-browse.ts'
import { PathFields, PathText } from './api-path.ts'

const Limit = Type.Integer({ minimum: 1, maximum: 1000, description: 'So many at most.' })
const After = Type.Optional(
  Type.String({
    maxLength: 131_072,
    description: 'The `next` of the page before; the rest must be the same.',
  }),
)
const Next = Type.Optional(Type.String({ description: 'For `after`: there is more.' }))

export const BrowseParams = Type.Object(
  {
    ...SnapshotChoice.properties,
    path: about(
      PathText,
      'What is looked at; `/` is the top. What stands behind the colon of `snapshot` goes before it.',
    ),
    after: After,
    limit: Limit,
  },
  {
    title: 'BrowseParams',
    description: 'Which directory of which snapshot is looked at, and from where on.',
  },
)
/** Which directory of which snapshot is looked at, and from where on. */
export type BrowseParams = Of<typeof BrowseParams>

export const BrowsePage = Type.Object(
  {
    snapshot: SnapshotInfo,
    ...PathFields.properties,
    entry: Type.Optional(about(NodeInfo, 'What the path names; absent for the top.')),
    entries: Type.Array(NodeInfo, {
      description: 'What is directly in it, by the bytes of the names; nothing in what is no directory.',
    }),
    next: Next,
  },
  { title: 'BrowsePage', description: 'A page of one directory.' },
)
/** A page of one directory. */
export type BrowsePage = Of<typeof BrowsePage>

export const VersionsParams = Type.Object(
  { path: PathText, filter: SnapshotFilter, after: After, limit: Limit },
  { title: 'VersionsParams', description: 'Whose versions are asked for, and in which snapshots.' },
)
/** Whose versions are asked for, and in which snapshots. */
export type VersionsParams = Of<typeof VersionsParams>

export const FileVersion = Type.Object(
  {
    ...Type.Omit(NodeInfo, ['message_type', 'struct_type']).properties,
    snapshot: Type.String({ description: 'The newest snapshot that has it.' }),
    snapshots: Type.Array(Type.String(), { description: 'All that have it, newest first; at most 100.' }),
    snapshot_count: Type.Integer({ description: 'How many have it.' }),
    first_seen: Type.String({ description: 'Times of the oldest and of the newest snapshot that has it.' }),
    last_seen: Type.String(),
    devices: Type.Array(Type.String(), { description: 'Names of the devices that made those snapshots.' }),
  },
  {
    title: 'FileVersion',
    description:
      'One state of what a path names. Equal are: files by content, size and time of modification; directories by all below.',
  },
)
/** One state of what a path names. Equal are: files by content, size and time; directories by all below. */
export type FileVersion = Of<typeof FileVersion>

export const VersionsPage = Type.Object(
  {
    ...PathFields.properties,
    versions: Type.Array(FileVersion, { description: 'By the newest snapshot that has each, newest first.' }),
    next: Next,
    version_count: Type.Integer({ description: 'On all pages.' }),
    snapshot_count: Type.Integer({ description: 'Snapshots that were looked at.' }),
    absent_count: Type.Integer({ description: 'Those that should have it, by their paths, and have not.' }),
    unreachable_count: Type.Integer({ description: 'Those that are not here, nor on a device in reach.' }),
    left_out_count: Type.Integer({ description: 'Older ones, beyond the newest 10,000: not looked at.' }),
  },
  { title: 'VersionsPage', description: 'A page of the versions of one path.' },
)
/** A page of the versions of one path. */
export type VersionsPage = Of<typeof VersionsPage>

export const SearchParams = Type.Object(
  {
    text: Type.String({
      minLength: 1,
      maxLength: 1024,
      description:
        'Part of a name, upper and lower case alike; with `/`, of the path up to the name. With `*`, `?` or `[`: a pattern for all of the name, or path.',
    }),
    snapshot: Type.Optional(about(PathText, 'As elsewhere, with `:PATH`; left out: all snapshots that fit.')),
    filter: SnapshotFilter,
    below: Type.Optional(about(PathText, 'Only what is below this directory.')),
    after: After,
    limit: Limit,
  },
  { title: 'SearchParams', description: 'What is looked for, and where.' },
)
/** What is looked for, and where. */
export type SearchParams = Of<typeof SearchParams>

export const SearchEvent = Type.Union(
  [
    Type.Object({
      ...Type.Omit(NodeInfo, ['message_type', 'struct_type']).properties,
      message_type: Type.Literal('hit'),
      snapshot: Type.String({ description: 'The newest snapshot of its device and paths that has it.' }),
      snapshot_time: Type.String(),
      device_name: Type.String(),
      is_gone: Type.Boolean({ description: 'A newer snapshot of that device and these paths lacks it.' }),
    }),
    Type.Object({
      message_type: Type.Literal('status'),
      entries: Type.Integer({ description: 'Looked at so far.' }),
      snapshots: Type.Integer(),
      total_snapshots: Type.Integer(),
    }),
    Type.Object({
      message_type: Type.Literal('notice'),
      snapshot: Type.String(),
      message: Type.String({ description: 'Why this snapshot could not be read.' }),
    }),
  ],
  { title: 'SearchEvent', description: 'What a search tells on the way.' },
)
/** What a search tells on the way. */
export type SearchEvent = Of<typeof SearchEvent>

export const SearchResult = Type.Object(
  {
    hits: Type.Integer({ description: 'On this page.' }),
    next: Next,
    entries: Type.Integer({ description: 'Looked at for this page.' }),
    snapshots: Type.Integer({
      description: 'Done with, of all that fit; those that could not be read count.',
    }),
    total_snapshots: Type.Integer(),
    unreachable_count: Type.Integer({
      description: 'Of those done with on this page, those that could not be read.',
    }),
  },
  { title: 'SearchResult', description: 'What a page of a search came to.' },
)
/** What a page of a search came to. */
export type SearchResult = Of<typeof SearchResult>

/** The methods of this file. */
export const fileMethods = {
  browse: method(
    'One directory of a snapshot, page by page. `SNAPSHOT_NOT_FOUND`, `PATH_NOT_FOUND`, `NO_PEER`.',
    BrowseParams,
    BrowsePage,
  ),
  versions: method(
    'The distinct versions of one path in all snapshots, the newest first. Only what is here or on a device in reach is read; nobody is waited for.',
    VersionsParams,
    VersionsPage,
  ),
  search: tellingMethod(
    'Looks for names: what is there in the newest snapshot of each device and paths first, then what only older ones have. Each path is told once for each of them. Nobody is waited for.',
    SearchParams,
    SearchEvent,
    SearchResult,
  ),
}
