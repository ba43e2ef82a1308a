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

export const SettingInForce = Type.Object(
  {
    key: Type.String({ description: 'As people write it: `profile.photos.exclude`.' }),
    path: Type.Array(Type.String(), {
      description: 'Its keys from the top; in a list of tables the place of one, from 0.',
    }),
    value: Type.Optional(
      Type.Unknown({ description: 'As the file would have it, without secrets; absent: it is not set.' }),
    ),
    origin: Type.Optional(
      Type.String({
        description:
          '`line 3`, `default`, `inherited`, the name of a variable, or that the file says otherwise by now.',
      }),
    ),
    about: Type.String({ description: 'What it does, for a person.' }),
    changeable: Type.Boolean({ description: '`configChange` takes it.' }),
    schema: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'Of what can be changed: what it may be, as JSON schema.',
      }),
    ),
    default: Type.Optional(Type.Unknown({ description: 'What holds where the file says nothing.' })),
  },
  {
    title: 'SettingInForce',
    description: 'One setting, where it comes from, and whether it may be changed.',
  },
)
/** One setting, where it comes from, and whether it may be changed. */
export type SettingInForce = Of<typeof SettingInForce>

export const SettingsInForce = Type.Object(
  {
    path: Type.String({ description: 'Of the file.' }),
    settings: Type.Array(SettingInForce),
    problem: Type.Optional(
      Type.String({ description: 'What is wrong with the file by now; it is then not in force.' }),
    ),
  },
  { title: 'SettingsInForce', description: 'What is in force in a node, setting by setting.' },
)
/** What is in force in a node, setting by setting. */
export type SettingsInForce = Of<typeof SettingsInForce>

export const ConfigChangeParams = Type.Object(
  {
    changes: Type.Array(
      Type.Object({
        path: Type.Array(Type.String(), { minItems: 1, maxItems: 4, description: 'Keys from the top.' }),
        value: Type.Optional(
          Type.Unknown({
            description:
              'As the file would have it, but that nothing stands for a variable; absent: not set any more.',
          }),
        ),
      }),
      { minItems: 1, maxItems: 100 },
    ),
  },
  { title: 'ConfigChangeParams', description: 'Settings and what they shall be; all of them or none.' },
)
/** Settings and what they shall be; all of them or none. */
export type ConfigChangeParams = Of<typeof ConfigChangeParams>

export const ConfigChanged = Type.Object(
  {
    message_type: Type.Literal('config_changed'),
    path: Type.String(),
    written: Type.Boolean({ description: 'False: the file said so already.' }),
    changed: Type.Array(Type.String(), {
      description: 'Settings of the top that have changed and are in force now; empty where no node runs.',
    }),
    needs_restart: Type.Array(Type.String(), {
      description: 'Settings that somebody changed in the file, and that wait for a restart.',
    }),
  },
  { title: 'ConfigChanged', description: 'What changing settings came to.' },
)
/** What changing settings came to. */
export type ConfigChanged = Of<typeof ConfigChanged>

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
  settings: method(
    'What is in force, setting by setting, with where each comes from and what may be changed.',
    Nothing,
    SettingsInForce,
  ),
  configChange: method(
    'Changes harmless settings in the file, leaves all else in it as it is, and puts them in force. `USAGE` for any other setting; `CONFIG_INVALID`: all stays as it was.',
    ConfigChangeParams,
    ConfigChanged,
  ),
  profiles: method(
    'The profiles of the settings, in the order of the file.',
    Nothing,
    Type.Array(ProfileInfo),
  ),
}
