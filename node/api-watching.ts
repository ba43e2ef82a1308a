/** Parameters, events and results of looking after what is stored, here and at the others (see `api.ts`). */

import { Type } from 'typebox'
import { about, tellingMethod, type Of } from './api-schema.ts'
import { PathText } from './api-path.ts'

export const ScrubParams = Type.Object(
  {
    percent: Type.Number({
      minimum: 0.1,
      maximum: 100,
      description: 'Of the bytes of all packs, 0.1 .. 100: beginning where the last one ended.',
    }),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, description: 'KiB a second; left out: as fast as it goes.' }),
    ),
  },
  { title: 'ScrubParams', description: 'How much a scrub reads.' },
)
/** How much a scrub reads. */
export type ScrubParams = Of<typeof ScrubParams>

export const ScrubEvent = Type.Union(
  [
    Type.Object({
      message_type: Type.Literal('status'),
      seconds_elapsed: Type.Number(),
      percent_done: Type.Number({ description: 'Of what this scrub shall read.' }),
      bytes_done: Type.Integer(),
      total_bytes: Type.Integer(),
      error_count: Type.Integer(),
    }),
    Type.Object({
      message_type: Type.Literal('error'),
      message: Type.String(),
      code: Type.String(),
      chunk: Type.Optional(Type.String({ description: 'A chunk id.' })),
    }),
    Type.Object({ message_type: Type.Literal('mended'), chunk: Type.String(), from: Type.String() }),
  ],
  { title: 'ScrubEvent', description: 'On the way of a scrub.' },
)
/** On the way of a scrub. */
export type ScrubEvent = Of<typeof ScrubEvent>

export const ScrubSummary = Type.Object(
  {
    message_type: Type.Literal('summary'),
    packs_read: Type.Integer(),
    chunks_read: Type.Integer(),
    bytes_read: Type.Integer(),
    chunks_bad: Type.Integer({ description: 'Chunks that were damaged or gone.' }),
    chunks_mended: Type.Integer({
      description:
        'Of these, those that are good again; in a running node the others are seen to as soon as it can be done.',
    }),
    chunks_left: Type.Integer({
      description: 'Chunks that are damaged now, whether this scrub found them or they were known before.',
    }),
    round_done: Type.Boolean({ description: 'With this one, every pack has been read once more.' }),
  },
  { title: 'ScrubSummary', description: 'What a scrub came to.' },
)
/** What a scrub came to. */
export type ScrubSummary = Of<typeof ScrubSummary>

export const DrillParams = Type.Object(
  {
    snapshot: Type.Optional(
      about(PathText, 'Id, its beginning, or `latest`; left out: one that others hold, drawn at random.'),
    ),
    from: Type.Optional(
      Type.String({
        description: 'The device to restore from; left out: whichever of the holders is in reach.',
      }),
    ),
    files: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'At most so many files, 1 or more; left out: what the settings say.',
      }),
    ),
    bytes: Type.Optional(
      Type.Integer({ minimum: 1, description: 'At most so many bytes; left out: what the settings say.' }),
    ),
  },
  { title: 'DrillParams', description: 'What a drill tries.' },
)
/** What a drill tries. */
export type DrillParams = Of<typeof DrillParams>

export const DrillEvent = Type.Union(
  [
    Type.Object({
      message_type: Type.Literal('status'),
      seconds_elapsed: Type.Number(),
      percent_done: Type.Number(),
      files_done: Type.Integer(),
      total_files: Type.Integer(),
      bytes_done: Type.Integer(),
      total_bytes: Type.Integer(),
      error_count: Type.Integer(),
    }),
    Type.Object({
      message_type: Type.Literal('error'),
      message: Type.String(),
      code: Type.String(),
      item: Type.Optional(Type.String()),
      item_b64: Type.Optional(Type.String()),
    }),
  ],
  { title: 'DrillEvent', description: 'On the way of a drill.' },
)
/** On the way of a drill. */
export type DrillEvent = Of<typeof DrillEvent>

export const DrillSummary = Type.Object(
  {
    message_type: Type.Literal('summary'),
    snapshot_id: Type.String(),
    from: Type.Array(Type.String(), { description: 'Names of the devices that were read from.' }),
    files_restored: Type.Integer(),
    bytes_restored: Type.Integer(),
    files_compared: Type.Integer({
      description:
        'Of these, files that are unchanged here, and were compared byte by byte with what came back.',
    }),
    files_failed: Type.Integer({
      description:
        'Files that did not come back as they were backed up; 1 where not even the directories could be read.',
    }),
    seconds_elapsed: Type.Number(),
  },
  { title: 'DrillSummary', description: 'What a drill came to.' },
)
/** What a drill came to. */
export type DrillSummary = Of<typeof DrillSummary>

export const AuditSummary = Type.Object(
  {
    message_type: Type.Literal('summary'),
    devices_asked: Type.Integer(),
    snapshots_proven: Type.Integer(),
    snapshots_failed: Type.Integer(),
    snapshots_put_off: Type.Integer({
      description:
        'Nothing could be learned: the device went away, was busy, or there was nothing here to compare with.',
    }),
  },
  { title: 'AuditSummary', description: 'What asking the others for proofs came to.' },
)
/** What asking the others for proofs came to. */
export type AuditSummary = Of<typeof AuditSummary>

export const WatchingStatus = Type.Object(
  {
    scrub: Type.Object({
      last_run: Type.Optional(Type.String()),
      last_round: Type.Optional(Type.String({ description: 'When every pack had been read once more.' })),
      round_started: Type.Optional(
        Type.String({
          description: 'When the round under way began, and how much of the packs it has read, 0 .. 1.',
        }),
      ),
      round_percent: Type.Number(),
      bytes_read: Type.Integer({ description: 'Since this device keeps count.' }),
      chunks_bad: Type.Integer(),
      chunks_mended: Type.Integer(),
    }),
    bad_chunks: Type.Integer({ description: 'Chunks that are damaged now, and not mended yet.' }),
    audit: Type.Object({
      last_run: Type.Optional(Type.String()),
      proven: Type.Integer(),
      failed: Type.Integer(),
      doubted: Type.Array(
        Type.Object({ device: Type.String(), name: Type.String(), snapshots: Type.Integer() }),
        { description: 'Snapshots that a device says it holds and could not prove: they count as no copy.' },
      ),
    }),
    drill: Type.Optional(
      Type.Object({
        last_run: Type.String(),
        outcome: Type.Enum(['passed', 'failed']),
        snapshot_id: Type.String(),
        from: Type.Array(Type.String()),
        files_restored: Type.Integer(),
        bytes_restored: Type.Integer(),
        files_compared: Type.Integer(),
        files_failed: Type.Integer(),
        last_passed: Type.Optional(Type.String({ description: 'When one last passed.' })),
      }),
    ),
  },
  {
    title: 'WatchingStatus',
    description:
      'How often something was looked at, and what came of it; of this device, since it keeps count.',
  },
)
/** How often something was looked at, and what came of it; of this device, since it keeps count. */
export type WatchingStatus = Of<typeof WatchingStatus>

/** The methods of this file. */
export const watchingMethods = {
  scrub: tellingMethod(
    'Reads what is stored from where the last scrub stopped, and mends what is bad from peers or from the sources.',
    ScrubParams,
    ScrubEvent,
    ScrubSummary,
  ),
  drill: tellingMethod(
    'Restores a sample from another device. What did not come back is events and `files_failed`. `NO_PEER`.',
    DrillParams,
    DrillEvent,
    DrillSummary,
  ),
}
