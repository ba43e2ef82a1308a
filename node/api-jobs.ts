/** Parameters, events and results of long methods that go on by themselves (see `api.ts`, spec/activity.md §5). */

import { Type, type TSchema } from 'typebox'
import { about, method, Nothing, type Of } from './api-schema.ts'
import { BackupStatus, BackupSummary } from './api-backup.ts'
import { CheckParams, CheckSummary, RestoreParams, RestoreStatus, RestoreSummary } from './api-restore.ts'
import { ProfileBackupParams } from './api-schedule.ts'
import { DrillParams, DrillSummary, ScrubParams, ScrubSummary } from './api-watching.ts'

/** Long enough for a path that a person reads. */
const titleMax = 1024

export const JobBeginParams = Type.Object(
  {
    title: Type.String({ maxLength: titleMax, description: 'For people: shown as it is while it goes on.' }),
    backupProfile: Type.Optional(ProfileBackupParams),
    restore: Type.Optional(RestoreParams),
    check: Type.Optional(CheckParams),
    scrub: Type.Optional(ScrubParams),
    drill: Type.Optional(DrillParams),
  },
  { title: 'JobBeginParams', description: 'What is begun: one method, by its name, with its parameters.' },
)
/** What is begun: one method, by its name, with its parameters. */
export type JobBeginParams = Of<typeof JobBeginParams>

const begun = <const Name extends string, Summary extends TSchema>(name: Name, summary: Summary) =>
  Type.Object({
    id: Type.String({ description: 'For `jobCancel`; good until the node ends.' }),
    method: Type.Literal(name),
    title: Type.String(),
    started: Type.String(),
    ended: Type.Optional(Type.String({ description: 'Absent while it goes on.' })),
    percent_done: Type.Optional(Type.Number()),
    status: Type.Optional(
      Type.Union([RestoreStatus, BackupStatus], {
        description: 'How far a restore or a backup is, as it said last.',
      }),
    ),
    problems: Type.Array(Type.String(), { description: 'What went wrong on the way; the first 20.' }),
    problem_count: Type.Integer(),
    summary: Type.Optional(summary),
    error: Type.Optional(
      Type.Object(
        { code: Type.String(), message: Type.String() },
        { description: 'Why it did not come to its end; `ABORTED`: somebody cancelled it.' },
      ),
    ),
  })

export const BegunJob = Type.Union(
  [
    begun('backupProfile', Type.Omit(BackupSummary, ['unread'])),
    begun('restore', Type.Omit(RestoreSummary, ['errors'])),
    begun('check', CheckSummary),
    begun('scrub', ScrubSummary),
    begun('drill', DrillSummary),
  ],
  { title: 'BegunJob', description: 'A long method that goes on by itself, or went on, and how it stands.' },
)
/** A long method that goes on by itself, or went on, and how it stands. */
export type BegunJob = Of<typeof BegunJob>

export const JobBegun = Type.Object(
  { id: Type.String() },
  { title: 'JobBegun', description: 'Which job was begun.' },
)
/** Which job was begun. */
export type JobBegun = Of<typeof JobBegun>

/** The methods of this file. */
export const jobMethods = {
  jobBegin: method(
    'Begins a long method, which goes on when its caller goes away. `NODE_BUSY`, `NODE_NOT_RUNNING`.',
    JobBeginParams,
    JobBegun,
  ),
  jobsBegun: method(
    'What `jobBegin` began: all that goes on, and the last that have ended since the node was started.',
    Nothing,
    Type.Array(about(BegunJob, 'The oldest first.')),
  ),
}
