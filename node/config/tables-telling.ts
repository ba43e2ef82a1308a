/** The tables of settings for who is told of what happens: `[[hook]]`, `[email]`, `[metrics]`. */

import { CONFIG_DEFAULT } from './defaults.ts'
import { type Fields, tableOf } from './table.ts'
import { templateText } from './telling.ts'
import { type EmailConfig, HOOK_MOMENTS, type HookConfig, type MetricsConfig } from './types.ts'
import {
  command,
  headers,
  hostPort,
  listOf,
  mailServer,
  oneOf,
  orNone,
  path,
  span,
  text,
  webAddress,
} from './values.ts'

const secondMs = 1000
const hourMs = 3_600_000

const NO_PROFILES = { key: 'profiles', type: listOf(text), without: [] }

const hookFields: Fields<HookConfig> = {
  name: {
    key: 'name',
    type: text,
    about: 'How it is called, here and in messages.',
    without: '',
    isRequired: true,
  },
  on: {
    key: 'on',
    type: listOf(oneOf(HOOK_MOMENTS), 1),
    about:
      'When: `before` and `after` a backup, after its `success` or `failure`, when a device or a profile is `silent`, at other `trouble`.',
    without: ['failure', 'silent', 'trouble'],
  },
  profiles: {
    ...NO_PROFILES,
    about: 'Only for these profiles; without it for all, and for what belongs to none.',
  },
  command: {
    key: 'command',
    type: orNone(command),
    about: 'A program and its arguments, run without a shell. A hook has this or `url`.',
    without: undefined,
    example: ['notify-send', 'Backup', '{{message}}'],
  },
  url: {
    key: 'url',
    type: orNone(webAddress),
    about: 'An address that is asked.',
    without: undefined,
    example: 'https://discord.com/api/webhooks/ID/TOKEN',
  },
  method: { key: 'method', type: oneOf(['POST', 'GET', 'PUT']), about: 'How it is asked.', without: 'POST' },
  headers: { key: 'headers', type: headers, about: 'What the question carries besides.', without: {} },
  body: {
    key: 'body',
    type: orNone(templateText),
    about: 'Template of what is sent. Without it all that is known, as JSON.',
    without: undefined,
    example: '{"content": "{{message}}"}',
  },
  timeoutMs: {
    key: 'timeout',
    type: span(secondMs, hourMs),
    about: 'How long it may take.',
    without: 30 * secondMs,
  },
}

const emailFields: Fields<EmailConfig> = {
  smtp: {
    key: 'smtp',
    type: mailServer,
    about: 'Through which server. The password is best in a file of its own.',
    without: '',
    isRequired: true,
  },
  from: {
    key: 'from',
    type: text,
    about: 'Sender.',
    without: '',
    isRequired: true,
    example: 'cellar@example.org',
  },
  to: {
    key: 'to',
    type: listOf(text, 1),
    about: 'Receivers.',
    without: [],
    isRequired: true,
    example: ['ann@example.org'],
  },
  on: {
    key: 'on',
    type: listOf(oneOf(HOOK_MOMENTS), 1),
    about: 'When mail is sent; see `hook.on`.',
    without: ['failure', 'silent', 'trouble'],
  },
  profiles: {
    ...NO_PROFILES,
    about: 'Only for these profiles; without it for all, and for what belongs to none.',
  },
  passwordFile: {
    key: 'password_file',
    type: orNone(path),
    about: 'A file whose first line is the password.',
    without: undefined,
    example: '~/.config/rootcellar/smtp-password',
  },
  passwordCommand: {
    key: 'password_command',
    type: orNone(command),
    about: 'A command whose first line of output is the password.',
    without: undefined,
    example: ['pass', 'show', 'smtp'],
  },
}

const metricsFields: Fields<MetricsConfig> = {
  listen: {
    key: 'listen',
    type: orNone(hostPort),
    about: 'Where Prometheus asks for figures. There are no names of files among them, but names of devices.',
    without: CONFIG_DEFAULT.metrics.listen,
    example: '127.0.0.1:9517',
  },
  textFile: {
    key: 'text_file',
    type: orNone(path),
    about: 'A file of figures for the Node Exporter; its name must end in `.prom`.',
    without: CONFIG_DEFAULT.metrics.textFile,
    example: '/var/lib/node_exporter/rootcellar.prom',
  },
  push: {
    key: 'push',
    type: orNone(webAddress),
    about: 'A push gateway.',
    without: CONFIG_DEFAULT.metrics.push,
    example: 'http://gateway:9091/metrics/job/rootcellar',
  },
  everyMs: {
    key: 'every',
    type: span(10 * secondMs, 24 * hourMs),
    about: 'How often file and gateway are brought up to date.',
    without: CONFIG_DEFAULT.metrics.everyMs,
  },
}

/** `[[hook]]`. */
export const hookTable = tableOf<HookConfig>('[[hook]]', hookFields)
/** `[email]`. */
export const emailTable = tableOf<EmailConfig>('[email]', emailFields)
/** `[metrics]`. */
export const metricsTable = tableOf<MetricsConfig>('[metrics]', metricsFields)
