/**
 * What the settings of a device say, as the rest of the program reads them: complete, every default filled in, times in
 * milliseconds, sizes in bytes, paths absolute (spec/config.md). How each is called and explained: `tables.ts`.
 */

import type { RetentionRules } from '../../protocol/index.ts'
import type { RetentionSettings } from '../deletion/retention-settings.ts'
import type { TrustedAskers } from '../orders/order.ts'
import type { HookMoment } from './moments.ts'

export { HOOK_MOMENTS, type HookMoment } from './moments.ts'

/** The settings of one device. */
export interface Config {
  /** Where to listen: `HOST:PORT` or a multiaddr; port 0 takes a free one. */
  readonly listen: readonly string[]
  /** Whether peers are looked for, and found, by multicast DNS. */
  readonly mdns: boolean
  /** Addresses of peers that multicast does not reach: `HOST:PORT` or a multiaddr. */
  readonly peers: readonly string[]
  /** Directory of the chunk store, when it is not below the home. */
  readonly store: string | undefined
  /** Most bytes of own chunks that wait here for other devices; undefined: as many as there are. */
  readonly staging: number | undefined
  /** Kibibytes a second for chunks sent to peers; undefined: as fast as it goes. */
  readonly limitUpload: number | undefined
  /** Kibibytes a second for chunks received from peers. */
  readonly limitDownload: number | undefined
  /** Other limits by the time of day; the first that fits counts. */
  readonly limits: readonly LimitRule[]
  /** For how long this node keeps what was forgotten, by its own running time (R9), milliseconds. */
  readonly holdWindowMs: number
  /** What this node saw first less long ago is kept, whatever a rule of retention wants; milliseconds. */
  readonly floorAgeMs: number
  /** So many of the newest held snapshots of each source are kept, whatever a rule of retention wants. */
  readonly floorNewest: number
  /** A member not heard of for so long is told of as silent; milliseconds; undefined: never. */
  readonly silentAfterMs: number | undefined
  /** Other times for some of them, by name. */
  readonly silence: readonly SilenceRule[]
  /** Where orders of other devices are restored; absolute, or from `~`; undefined: none are taken. */
  readonly restores: string | undefined
  /** Whose orders are accepted without asking: devices by name or id, or all that may give any. */
  readonly restoresFrom: TrustedAskers
  /** What goes to the log. */
  readonly logLevel: LogLevel
  /** A file that always says how the node is, for programs that watch files; undefined: none. */
  readonly statusFile: string | undefined
  /** What this node forgets by itself; undefined: nothing. */
  readonly retention: RetentionSettings | undefined
  /** What the node does by itself, and when. */
  readonly schedule: ScheduleConfig
  readonly scrub: ScrubConfig
  readonly drill: DrillConfig
  /** What is backed up, in the order of the file. */
  readonly profiles: readonly ProfileConfig[]
  /** Who is told, in the order of the file. */
  readonly hooks: readonly HookConfig[]
  /** Undefined: no mail is sent. */
  readonly email: EmailConfig | undefined
  readonly metrics: MetricsConfig
  readonly dashboard: DashboardConfig
}

/** How long one device may be silent. */
export interface SilenceRule {
  /** Its name. */
  readonly device: string
  /** Milliseconds; undefined: for ever. */
  readonly afterMs: number | undefined
}

/** As pino knows them, the gravest first. */
export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
/** How much goes to the log. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Days of the week as `days` names them; the index is that of `Date.getDay()`. */
export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
/** One day of the week. */
export type Weekday = (typeof WEEKDAYS)[number]

/** Another limit, for some time of the day, by the local clock. */
export interface LimitRule {
  /** Minutes since midnight, 0 .. 1439: the first that is in it. */
  readonly fromMinute: number
  /** 0 .. 1440: the first that is not; not after `fromMinute`: it goes on past midnight. */
  readonly toMinute: number
  /** On which days it begins. */
  readonly days: readonly Weekday[]
  /** Kibibytes a second; `none`: as fast as it goes; undefined: what holds without the rule. */
  readonly upload: number | 'none' | undefined
  /** The same for what is received. */
  readonly download: number | 'none' | undefined
}

/**
 * When something is due: `hourly`, `daily`, `weekly`, `monthly`, `yearly`, `off`, or five fields as cron has them
 * (minute, hour, day of the month, month, day of the week), by the local clock (schedule/calendar.ts).
 */
export type CalendarText = string

/** When the node looks after itself. */
export interface ScheduleConfig {
  /** `cellar check`, of structure. */
  readonly check: CalendarText
  /** Reading what is stored, see {@link ScrubConfig}. */
  readonly scrub: CalendarText
  /** Restoring a sample, see {@link DrillConfig}. */
  readonly drill: CalendarText
  /** Applying `[retention]`; undefined: as often as its `every` says. */
  readonly retention: CalendarText | undefined
}

/** How much of the store a scrub reads. */
export interface ScrubConfig {
  /** Of the store, for each day since the last one: 0.1 .. 100. */
  readonly percentPerDay: number
  /** Kibibytes a second; undefined: as fast as it goes. */
  readonly limit: number | undefined
}

/** How much a drill restores. */
export interface DrillConfig {
  /** At most so many files, 1 or more. */
  readonly files: number
  /** At most so many bytes. */
  readonly bytes: number
}

/** What is backed up together, when, and how. */
export interface ProfileConfig {
  readonly name: string
  /** The profile whose settings hold where this one says nothing. */
  readonly inherits: string | undefined
  /** Absolute paths. None of these and no `stdinFromCommand`: only others inherit from it, it cannot be backed up. */
  readonly sources: readonly string[]
  /** Files that name further paths: with wildcards, as they stand, ended by NUL. */
  readonly filesFrom: readonly string[]
  readonly filesFromVerbatim: readonly string[]
  readonly filesFromRaw: readonly string[]
  /** Patterns as those of `cellar backup`. */
  readonly exclude: readonly string[]
  readonly iexclude: readonly string[]
  /** Files of patterns. */
  readonly excludeFile: readonly string[]
  readonly iexcludeFile: readonly string[]
  /** Leave out directories with a valid CACHEDIR.TAG. */
  readonly excludeCaches: boolean
  /** `NAME` or `NAME:HEADER`: leave out directories that hold such a file. */
  readonly excludeIfPresent: readonly string[]
  /** Leave out larger files, bytes. */
  readonly excludeLargerThan: number | undefined
  readonly oneFileSystem: boolean
  /** A command and its arguments: what it writes is backed up as one file, if it succeeds. */
  readonly stdinFromCommand: readonly string[] | undefined
  /** How that file is called. */
  readonly stdinFilename: string
  readonly tags: readonly string[]
  readonly skipIfUnchanged: boolean
  /** Wait until the snapshot is on so many devices, or on as many as the goal wants. */
  readonly wait: 'goal' | number | undefined
  /** When a running node backs it up by itself. */
  readonly schedule: CalendarText
  /** It begins up to so much later, so that not all devices do at once; milliseconds. */
  readonly jitterMs: number
  /** False: put off while the machine runs on battery. */
  readonly onBattery: boolean
  /** False: put off while the network is metered. */
  readonly onMetered: boolean
  /** `low`: other programs go first. */
  readonly priority: 'low' | 'normal'
  /** Names of hooks that are told of it, besides those that name it themselves. */
  readonly hooks: readonly string[]
  /** Told of when the newest snapshot is on fewer devices; undefined: not looked at. */
  readonly copies: number | undefined
  /** Told of when there has been no snapshot for so long; milliseconds; undefined: never. */
  readonly silentAfterMs: number | undefined
  /** What this device keeps of its own snapshots of these sources; undefined: what `[retention]` says. */
  readonly retention: RetentionRules | undefined
}

/** Something that is run or asked when something happens: a command, or an address of the web. */
export interface HookConfig {
  readonly name: string
  readonly on: readonly HookMoment[]
  /** Only of these profiles; empty: of all, and of what belongs to none. */
  readonly profiles: readonly string[]
  /** Program and arguments, run without a shell; exactly one of this and `url` is there. */
  readonly command: readonly string[] | undefined
  /** http or https; with its secrets. */
  readonly url: string | undefined
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Names as written, values with their secrets. */
  readonly headers: Readonly<Record<string, string>>
  /** Template of what is sent; undefined: all that is known, as JSON. */
  readonly body: string | undefined
  /** Milliseconds, 1 s .. 1 h. */
  readonly timeoutMs: number
}

/** Through whom mail is sent. */
export interface EmailConfig {
  /** `smtp://` or `smtps://`, user and port where they are needed. */
  readonly smtp: string
  readonly from: string
  /** At least one. */
  readonly to: readonly string[]
  readonly on: readonly HookMoment[]
  /** Only of these profiles; empty: of all, and of what belongs to none. */
  readonly profiles: readonly string[]
  /** A file whose first line is the password. */
  readonly passwordFile: string | undefined
  /** A command whose first line of output is the password; at most one of the two is there. */
  readonly passwordCommand: readonly string[] | undefined
}

/** Where figures go. */
export interface MetricsConfig {
  /** `HOST:PORT` of an endpoint for Prometheus; undefined: none. */
  readonly listen: string | undefined
  /** A file for the collector of text files of the Node Exporter, written anew each time. */
  readonly textFile: string | undefined
  /** Address of a push gateway. */
  readonly push: string | undefined
  /** How often file and gateway are brought up to date; milliseconds. */
  readonly everyMs: number
}

/** The page in the browser. */
export interface DashboardConfig {
  /** `HOST:PORT` on the loopback; undefined: it is off. */
  readonly listen: string | undefined
}
