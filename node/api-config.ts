/** Results of the methods about settings (see `api.ts`). */

import { Type } from 'typebox'
import { method, Nothing, type Of } from './api-schema.ts'

export const ConfigInForce = Type.Object(
  {
    message_type: Type.Literal('config'),
    path: Type.String({ description: 'Of the file.' }),
    settings: Type.Record(Type.String(), Type.Unknown(), {
      description:
        'Tables as the file has them, defaults and variables put in; what is not set is not there.',
    }),
  },
  { title: 'ConfigInForce', description: 'What is in force in a node, secrets left out.' },
)
/** What is in force in a node, secrets left out. */
export type ConfigInForce = Of<typeof ConfigInForce>

export const ConfigReloaded = Type.Object(
  {
    message_type: Type.Literal('config_reloaded'),
    path: Type.String(),
    changed: Type.Array(Type.String(), {
      description: 'Settings of the top that have changed and are in force now.',
    }),
    needs_restart: Type.Array(Type.String(), {
      description:
        'Settings that have changed in the file, and wait until the node is started again; `dashboard.listen` too.',
    }),
  },
  { title: 'ConfigReloaded', description: 'What reading the settings again came to.' },
)
/** What reading the settings again came to. */
export type ConfigReloaded = Of<typeof ConfigReloaded>

export const ProfileInfo = Type.Object(
  {
    name: Type.String(),
    inherits: Type.Optional(Type.String()),
    has_sources: Type.Boolean({ description: 'False: it is only there to be inherited from.' }),
    sources: Type.Array(Type.String(), { description: 'Absolute paths.' }),
    files_from: Type.Array(Type.String(), { description: 'Files that name more of them.' }),
    stdin_from_command: Type.Optional(
      Type.Array(Type.String(), { description: 'A command whose output is backed up, with its arguments.' }),
    ),
    tags: Type.Array(Type.String()),
    schedule: Type.String({ description: 'A word, a cron expression, or `off`.' }),
    retention: Type.Optional(
      Type.String({
        description: 'What this device keeps of it, where it has rules of its own: `7 daily, 4 weekly`.',
      }),
    ),
  },
  { title: 'ProfileInfo', description: 'One profile of the settings, with what it inherits.' },
)
/** One profile of the settings, with what it inherits. */
export type ProfileInfo = Of<typeof ProfileInfo>

/** The methods of this file. */
export const configMethods = {
  configShow: method('The settings that are in force, without secrets.', Nothing, ConfigInForce),
  configReload: method(
    'Reads the settings again. `CONFIG_INVALID`: all stays as it was; `NODE_NOT_RUNNING`.',
    Nothing,
    ConfigReloaded,
  ),
  profiles: method(
    'The profiles of the settings, in the order of the file.',
    Nothing,
    Type.Array(ProfileInfo),
  ),
}
