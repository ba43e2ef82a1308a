/** Parameters, events and results about what goes on, what went on, and how it grows (see `api.ts`). */

import { Type } from 'typebox'
import { about, method, Nothing, tellingMethod, type Of } from './api-schema.ts'
import { Job } from './api-mesh.ts'

const Figures = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
  description: 'Figures of one run, flat; names are those of its summary.',
})

const of = <const Kind extends string>(kind: Kind) => ({ message_type: Type.Literal(kind) })
const device = { device: Type.String(), name: Type.String({ description: 'What people call the device.' }) }

export const WatchEvent = Type.Union(
  [
    Type.Object({ ...of('hello'), ...device, version: Type.String(), started: Type.String() }),
    Type.Object({
      ...of('lost'),
      events: Type.Integer({ minimum: 1, description: 'Left out, as they were not read: ask anew for all.' }),
    }),
    Type.Object({
      ...of('changed'),
      what: Type.Enum(['view', 'settings'], {
        description: 'Listings or membership; settings. At most once a second each.',
      }),
    }),
    Type.Object({
      ...of('jobs'),
      jobs: Type.Array(Job, { description: 'All of them: when one begins or ends, else once a second.' }),
    }),
    Type.Object({
      ...of('traffic'),
      ...device,
      sent: Type.Integer({ description: 'Bytes of chunks since the last time, to the device and from it.' }),
      received: Type.Integer(),
    }),
    Type.Object({
      ...of('fetching'),
      snapshot_id: Type.String(),
      bytes: Type.Integer({ description: 'Fetched so far.' }),
      open: Type.Integer({ description: 'Chunks that are known to be missing; more may turn out to be.' }),
    }),
    Type.Object({ ...of('held'), snapshot_id: Type.String(), bytes: Type.Integer() }),
    Type.Object({ ...of('peer'), ...device, connected: Type.Boolean() }),
    Type.Object({ ...of('room'), full: Type.Boolean() }),
    Type.Object({ ...of('damaged'), chunk: Type.String() }),
    Type.Object({ ...of('mended'), chunk: Type.String(), from: Type.Enum(['peer', 'source']) }),
    Type.Object({ ...of('missing'), ...device, chunks: Type.Integer() }),
    Type.Object({
      ...of('scrubbed'),
      bytes: Type.Integer(),
      bad: Type.Integer(),
      round_done: Type.Boolean(),
    }),
    Type.Object({
      ...of('audited'),
      ...device,
      snapshot_id: Type.String(),
      outcome: Type.Enum(['proven', 'failed']),
    }),
    Type.Object({
      ...of('drilled'),
      snapshot_id: Type.String(),
      files: Type.Integer(),
      bytes: Type.Integer(),
      failed: Type.Integer(),
    }),
    Type.Object({
      ...of('task'),
      task: Type.String(),
      profile: Type.Optional(Type.String()),
      outcome: Type.Enum(['began', 'done', 'partly', 'failed', 'put-off']),
      message: Type.Optional(Type.String()),
    }),
    Type.Object({
      ...of('trouble'),
      code: Type.String(),
      message: Type.String(),
      device: Type.Optional(Type.String()),
      name: Type.Optional(Type.String()),
    }),
    Type.Object(of('history'), { description: 'There is a new entry of `activity`, or one has changed.' }),
    Type.Object(of('orders'), {
      description: 'An order of `restoreOrders` is new, stands otherwise, or is further than before.',
    }),
    Type.Object(of('begun'), { description: 'One of `jobsBegun` was begun, or has ended.' }),
  ],
  { title: 'WatchEvent', description: 'What happens on this device, as it happens.' },
)
/** What happens on this device, as it happens. */
export type WatchEvent = Of<typeof WatchEvent>

export const ActivityParams = Type.Object(
  {
    before: Type.Optional(Type.String({ description: 'The `next` of an answer: what came before it.' })),
    limit: Type.Integer({ minimum: 1, maximum: 1000 }),
    only: Type.Optional(Type.Enum(['task', 'trouble'], { description: 'Left out: both.' })),
  },
  { title: 'ActivityParams', description: 'Which part of the history.' },
)
/** Which part of the history. */
export type ActivityParams = Of<typeof ActivityParams>

const Ended = Type.Object(
  {
    kind: Type.Literal('task'),
    id: Type.String(),
    time: Type.String({ description: 'When it ended, or was put off.' }),
    task: Type.String({
      description: '`backup`, `check`, `scrub`, `drill`, `audit`, `retention`, `restore`, …',
    }),
    profile: Type.Optional(Type.String()),
    outcome: Type.Enum(['done', 'partly', 'failed', 'put-off', 'cancelled']),
    seconds: Type.Optional(Type.Number({ description: 'How long it took.' })),
    message: Type.Optional(Type.String()),
    code: Type.Optional(Type.String()),
    summary: Type.Optional(Figures),
  },
  { title: 'ActivityEnded', description: 'Something this device did has ended.' },
)

const Trouble = Type.Object(
  {
    kind: Type.Literal('trouble'),
    id: Type.String(),
    time: Type.String({ description: 'When it first happened.' }),
    code: Type.String(),
    message: Type.String(),
    remedy: Type.Optional(Type.String()),
    device: Type.Optional(Type.String()),
    name: Type.Optional(Type.String({ description: 'What people called the device then.' })),
    times: Type.Integer({ minimum: 1, description: 'How often, within an hour of one another.' }),
    last_time: Type.String(),
  },
  { title: 'ActivityTrouble', description: 'Something went wrong that was told to nobody at a command.' },
)

export const ActivityEntry = Type.Union([Ended, Trouble], {
  title: 'ActivityEntry',
  description: 'One entry of the history.',
})
/** One entry of the history. */
export type ActivityEntry = Of<typeof ActivityEntry>

export const ActivityPage = Type.Object(
  {
    entries: Type.Array(ActivityEntry, { description: 'The newest first.' }),
    next: Type.Optional(Type.String({ description: 'There may be older ones: give it as `before`.' })),
    entries_max: Type.Integer({ description: 'So many are kept; older ones are gone.' }),
  },
  { title: 'ActivityPage', description: 'A part of the history.' },
)
/** A part of the history. */
export type ActivityPage = Of<typeof ActivityPage>

export const GrowthParams = Type.Object(
  { from: Type.Optional(Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}$', description: 'A day, in UTC.' })) },
  { title: 'GrowthParams', description: 'From which day on.' },
)
/** From which day on. */
export type GrowthParams = Of<typeof GrowthParams>

export const GrowthSample = Type.Object(
  {
    day: Type.String({ description: '`2026-11-23`, in UTC.' }),
    time: Type.String({ description: 'When it was last looked at on that day.' }),
    bytes_used: Type.Integer({ description: 'That the store takes.' }),
    chunks: Type.Integer(),
    snapshots: Type.Integer({ description: 'Live ones of the whole mesh, and those this device holds.' }),
    snapshots_held: Type.Integer(),
    bytes_free: Type.Optional(Type.Integer({ description: 'On the disk of the store.' })),
  },
  { title: 'GrowthSample', description: 'How large the store was on one day.' },
)
/** How large the store was on one day. */
export type GrowthSample = Of<typeof GrowthSample>

export const Growth = Type.Object(
  {
    samples: Type.Array(GrowthSample, {
      description: 'The oldest first; of days without a node there is none.',
    }),
  },
  { title: 'Growth', description: 'How the store of this device grew: three years at most.' },
)
/** How the store of this device grew: three years at most. */
export type Growth = Of<typeof Growth>

export const CopiesParams = Type.Object(
  {
    device: Type.Optional(
      Type.String({ description: 'Only snapshots that would have too few copies without it. Id or name.' }),
    ),
    incomplete: Type.Boolean({ description: 'Only snapshots that lack copies now.' }),
    after: Type.Optional(Type.String({ description: 'The `next` of an answer.' })),
    limit: Type.Integer({ minimum: 0, maximum: 1000, description: 'Of the snapshots; 0: devices only.' }),
  },
  { title: 'CopiesParams', description: 'Of which snapshots.' },
)
/** Of which snapshots. */
export type CopiesParams = Of<typeof CopiesParams>

export const DeviceLoss = Type.Object(
  {
    ...device,
    self: Type.Boolean(),
    connected: Type.Boolean(),
    last_seen: Type.Optional(Type.String()),
    holds: Type.Integer({ description: 'Live snapshots that it has, and is trusted to have.' }),
    lost: Type.Integer({ description: 'Snapshots that are on no other device: they would be gone.' }),
    one_left: Type.Integer({ description: 'Snapshots that one other device would be the only one to have.' }),
    too_few: Type.Integer({
      description:
        'Snapshots that would be on other devices, and on fewer than the goal wants; where all are wanted, than there are others.',
    }),
    lost_bytes: Type.Optional(
      Type.Integer({ description: 'What the backups of those lost added when made; absent when not known.' }),
    ),
    readers_left: Type.Integer({
      description: 'Other devices that hold the key: without any, only paper reads.',
    }),
    waits_for: Type.Integer({ description: 'Snapshots that it should have, and has not yet.' }),
    missing_bytes: Type.Optional(
      Type.Integer({ description: 'About what it still has to receive; absent when not known.' }),
    ),
  },
  { title: 'DeviceLoss', description: 'What it would mean if one device were gone at this moment.' },
)
/** What it would mean if one device were gone at this moment. */
export type DeviceLoss = Of<typeof DeviceLoss>

export const SnapshotCopies = Type.Object(
  {
    id: Type.String(),
    short_id: Type.String(),
    time: Type.String(),
    device_name: Type.String({ description: 'Whose it is.' }),
    paths: Type.Array(Type.String()),
    holders: Type.Array(Type.String(), { description: 'Names; of those in doubt none.' }),
    doubted: Type.Array(Type.String(), { description: 'Say they hold it, and could not prove it.' }),
    missing: Type.Array(Type.String(), { description: 'Should hold it, and do not yet.' }),
    copies: Type.Integer(),
    copies_wanted: Type.Integer(),
    bytes: Type.Optional(
      Type.Integer({ description: 'What its backup added to the store when it was made.' }),
    ),
    missing_bytes: Type.Optional(
      Type.Integer({ description: 'About what all that miss it have to receive for it.' }),
    ),
  },
  { title: 'SnapshotCopies', description: 'Who has one snapshot.' },
)
/** Who has one snapshot. */
export type SnapshotCopies = Of<typeof SnapshotCopies>

export const CopiesView = Type.Object(
  {
    devices: Type.Array(DeviceLoss, { description: 'Those whose loss would be the worst first.' }),
    snapshots: Type.Array(SnapshotCopies, { description: 'The newest first.' }),
    total: Type.Integer({ description: 'Snapshots that fit, on all pages.' }),
    next: Type.Optional(Type.String({ description: 'There are more: give it as `after`.' })),
    paper: Type.Boolean({ description: 'There is a recovery phrase, and it opens what is backed up now.' }),
  },
  { title: 'CopiesView', description: 'Who has what, and what the loss of each device would mean.' },
)
/** Who has what, and what the loss of each device would mean. */
export type CopiesView = Of<typeof CopiesView>

export const JobCancelled = Type.Object(
  { id: Type.String(), method: Type.Optional(Type.String({ description: 'Absent: it had ended already.' })) },
  { title: 'JobCancelled', description: 'Which job is being ended.' },
)
/** Which job is being ended. */
export type JobCancelled = Of<typeof JobCancelled>

/** The methods of this file. */
export const activityMethods = {
  watch: tellingMethod(
    'Tells what happens, from now until the call is aborted. `NODE_NOT_RUNNING` when the node was opened for one command.',
    Nothing,
    WatchEvent,
    about(Nothing, 'It never comes to an end by itself.'),
  ),
  activity: method(
    'What this device did, and what went wrong, the newest first.',
    ActivityParams,
    ActivityPage,
  ),
  growth: method('How large the store was, day by day.', GrowthParams, Growth),
  copies: method(
    'Who has which snapshot, and what the loss of each device would mean. `DEVICE_NOT_FOUND`.',
    CopiesParams,
    CopiesView,
  ),
  jobCancel: method(
    'Ends a job of `status` early; who asked for it gets `ABORTED`. A task is due again at its next time.',
    Type.Object({ id: Type.String({ description: 'Of a `Job`.' }) }),
    JobCancelled,
  ),
}
