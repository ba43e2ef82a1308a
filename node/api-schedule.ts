/** Parameters, events and result of what a node does by itself at times (see `api.ts`). */

import { Type } from 'typebox'
import { about, method, Nothing, tellingMethod, type Of } from './api-schema.ts'
import { BackupEvent, BackupParams, BackupSummary } from './api-backup.ts'

export const ScheduledTask = Type.Object(
  {
    name: Type.String({ description: 'What is done: `backup`, `check`, `scrub`, `drill`, `retention`.' }),
    profile: Type.Optional(Type.String({ description: 'The profile, of a backup.' })),
    due: Type.String({ description: 'As the settings say it: a word, a cron expression, or `off`.' }),
    next_run: Type.Optional(
      Type.String({
        description:
          'Absent when it is off, and while no node runs here. In the past: it is overdue, and waits for what `waits` says.',
      }),
    ),
    last_run: Type.Optional(Type.String()),
    last_outcome: Type.Optional(Type.Enum(['done', 'partly', 'failed', 'broken-off'])),
    last_success: Type.Optional(Type.String({ description: 'When it last came to its end well.' })),
    message: Type.Optional(Type.String({ description: 'Of the last run, if there is something to say.' })),
    code: Type.Optional(Type.String()),
    seconds: Type.Optional(Type.Number({ description: 'Seconds the last run took.' })),
    running: Type.Boolean({ description: 'Runs now.' }),
    waits: Type.Optional(
      Type.Enum(['battery', 'metered'], {
        description: 'Why it is put off at this moment: `battery`, `metered`.',
      }),
    ),
  },
  {
    title: 'ScheduledTask',
    description: 'One task of the node, when it ran and when it will. Times are RFC 3339 in UTC.',
  },
)
/** One task of the node, when it ran and when it will. Times are RFC 3339 in UTC. */
export type ScheduledTask = Of<typeof ScheduledTask>

export const ProfileBackupParams = Type.Object(
  {
    profile: Type.String({ description: 'Name of a profile.' }),
    force: Type.Boolean({
      description: 'Also on battery or on a metered network, whatever the profile says.',
    }),
    instead: Type.Partial(Type.Omit(BackupParams, ['stdin']), {
      description: 'In the place of what the profile says.',
    }),
  },
  {
    title: 'ProfileBackupParams',
    description: 'A backup as a profile of the settings says: what its schedule runs.',
  },
)
/** A backup as a profile of the settings says: what its schedule runs. */
export type ProfileBackupParams = Of<typeof ProfileBackupParams>

export const ProfileBackupEvent = about(BackupEvent, 'What `backupProfile` tells on the way.')
/** What `backupProfile` tells on the way. */
export type ProfileBackupEvent = Of<typeof ProfileBackupEvent>

export const ProfileBackupSummary = about(BackupSummary, 'What `backupProfile` came to.')
/** What `backupProfile` came to. */
export type ProfileBackupSummary = Of<typeof ProfileBackupSummary>

/** The methods of this file. */
export const scheduleMethods = {
  backupProfile: tellingMethod(
    'The same as the settings say it, which is what the schedule runs. `CONFIG_INVALID` when there is no such profile or it names nothing to back up, `PUT_OFF` on battery or a metered network when the profile says so.',
    ProfileBackupParams,
    ProfileBackupEvent,
    ProfileBackupSummary,
  ),
  schedule: method(
    'What this node does by itself: when it did, and when it will.',
    Nothing,
    Type.Array(ScheduledTask),
  ),
}
