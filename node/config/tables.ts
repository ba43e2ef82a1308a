/**
 * The settings: how each is called in the file, what it may be, what holds without it, and what it does. Here and in
 * the tables below (`tables-upkeep.ts`, `tables-telling.ts`, `profiles.ts`, `retention.ts`) is the one place where they
 * are declared: the parser, the JSON schema and the reference in docs/config.md are made of it.
 */

import { CONFIG_DEFAULT } from './defaults.ts'
import { profilesType } from './profiles.ts'
import { retentionType } from './retention.ts'
import { type Fields, tableOf, tablesOf } from './table.ts'
import { emailTable, hookTable, metricsTable } from './tables-telling.ts'
import { drillTable, limitTable, scheduleTable, scrubTable } from './tables-upkeep.ts'
import { silences } from './telling.ts'
import { type Config, type DashboardConfig, LOG_LEVELS } from './types.ts'
import {
  flag,
  hostPort,
  listOf,
  namesOrAll,
  oneOf,
  orNone,
  path,
  pathAsWritten,
  rate,
  size,
  span,
  text,
  whole,
} from './values.ts'

const hourMs = 3_600_000

/** `[dashboard]`. */
export const dashboardFields: Fields<DashboardConfig> = {
  listen: {
    key: 'listen',
    type: orNone(hostPort),
    about: 'Where the page and its interface are, on the loopback only; `"none"`: nowhere.',
    without: CONFIG_DEFAULT.dashboard.listen,
    needsRestart: true,
  },
}

/** All settings of a device. */
export const rootFields: Fields<Config> = {
  listen: {
    key: 'listen',
    type: listOf(text),
    about: 'Where the node listens: `HOST:PORT` or multiaddrs. Port 0 takes a free one.',
    without: CONFIG_DEFAULT.listen,
    needsRestart: true,
  },
  mdns: {
    key: 'mdns',
    type: flag,
    about: 'Whether other devices are found by multicast DNS, and find this one.',
    without: CONFIG_DEFAULT.mdns,
    needsRestart: true,
  },
  peers: {
    key: 'peers',
    type: listOf(text),
    about: 'Devices that multicast does not reach: `HOST:PORT` or multiaddrs.',
    without: CONFIG_DEFAULT.peers,
    example: ['desktop.home.arpa:4517'],
  },
  store: {
    key: 'store',
    type: orNone(path),
    about: 'Directory of the chunk store. Without it: below the home.',
    without: CONFIG_DEFAULT.store,
    needsRestart: true,
    example: '/mnt/big/rootcellar',
  },
  staging: {
    key: 'staging',
    type: orNone(size),
    about: 'Most that may wait here for other devices, on a thin device. Without it: as much as there is.',
    without: CONFIG_DEFAULT.staging,
  },
  limitUpload: {
    key: 'limit_upload',
    type: orNone(rate),
    about: 'Send chunks at most so many KiB a second.',
    without: CONFIG_DEFAULT.limitUpload,
    example: 2000,
  },
  limitDownload: {
    key: 'limit_download',
    type: orNone(rate),
    about: 'Receive chunks at most so many KiB a second.',
    without: CONFIG_DEFAULT.limitDownload,
    example: 8000,
  },
  limits: {
    key: 'limits',
    type: listOf(limitTable),
    about: 'Other limits by time of day, by the local clock; the first that fits counts.',
    without: CONFIG_DEFAULT.limits,
  },
  holdWindowMs: {
    key: 'hold_window',
    type: span(),
    about: 'How long this device keeps what was forgotten, by the time its node runs.',
    without: CONFIG_DEFAULT.holdWindowMs,
  },
  floorAgeMs: {
    key: 'floor_age',
    type: span(),
    about: 'What came here less long ago is kept, whatever a rule says.',
    without: CONFIG_DEFAULT.floorAgeMs,
  },
  floorNewest: {
    key: 'floor_newest',
    type: whole(0),
    about: 'So many of the newest snapshots of each source are kept, whatever a rule says.',
    without: CONFIG_DEFAULT.floorNewest,
  },
  silentAfterMs: {
    key: 'silent_after',
    type: orNone(span(hourMs), 'never'),
    about: 'A device not heard of for so long is told of as silent.',
    without: CONFIG_DEFAULT.silentAfterMs,
  },
  silence: {
    key: 'silence',
    type: silences,
    about: 'Other times for some devices, by name; `"never"`: not told of.',
    without: CONFIG_DEFAULT.silence,
  },
  restores: {
    key: 'restores',
    type: orNone(pathAsWritten),
    about:
      'Where another device may have something restored here, each time in a new directory; `"none"`: nowhere.',
    without: CONFIG_DEFAULT.restores,
  },
  restoresFrom: {
    key: 'restores_from',
    type: namesOrAll('keepers'),
    about: 'Devices, by name or id, that need not wait for a yes here; `"keepers"`: all that may ask.',
    without: CONFIG_DEFAULT.restoresFrom,
    example: ['desktop'],
  },
  logLevel: {
    key: 'log_level',
    type: oneOf(LOG_LEVELS),
    about: 'How much goes to the log.',
    without: CONFIG_DEFAULT.logLevel,
    example: 'info',
  },
  statusFile: {
    key: 'status_file',
    type: orNone(path),
    about: 'A file of JSON that always says how the node is.',
    without: CONFIG_DEFAULT.statusFile,
    example: '/run/rootcellar/status.json',
  },
  retention: {
    key: 'retention',
    type: retentionType,
    about: 'What this device forgets by itself, of its own and of others. Without it: nothing.',
    without: undefined,
  },
  schedule: {
    key: 'schedule',
    type: scheduleTable,
    about: 'When the node looks after itself.',
    without: CONFIG_DEFAULT.schedule,
  },
  scrub: {
    key: 'scrub',
    type: scrubTable,
    about: 'How the store is read to find rot.',
    without: CONFIG_DEFAULT.scrub,
  },
  drill: {
    key: 'drill',
    type: drillTable,
    about: 'How restoring is tried.',
    without: CONFIG_DEFAULT.drill,
  },
  profiles: {
    key: 'profile',
    type: profilesType,
    about: 'What is backed up together, when and how.',
    without: CONFIG_DEFAULT.profiles,
  },
  hooks: {
    key: 'hook',
    type: tablesOf(hookTable, '[[hook]]'),
    about: 'Who is told, and what is run, when something happens.',
    without: CONFIG_DEFAULT.hooks,
  },
  email: {
    key: 'email',
    type: emailTable,
    about: 'Mail.',
    without: undefined,
  },
  metrics: {
    key: 'metrics',
    type: metricsTable,
    about: 'Figures for Prometheus.',
    without: CONFIG_DEFAULT.metrics,
  },
  dashboard: {
    key: 'dashboard',
    type: tableOf<DashboardConfig>('[dashboard]', dashboardFields),
    about: 'The page in the browser.',
    without: CONFIG_DEFAULT.dashboard,
  },
}
