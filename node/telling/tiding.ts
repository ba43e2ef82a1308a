/** One thing that a person, or a program of theirs, is told: what it says, and what fills in a template (telling.md §2). */

import type { ErrorCode } from '../../protocol/index.ts'
import type { HookMoment } from '../config/types.ts'
import type { TaskFigures } from '../schedule/task.ts'

/** How grave it is. */
export type Level = 'info' | 'warning' | 'error'

/** One thing to tell. */
export interface Tiding {
  readonly on: HookMoment
  /** Names the matter: equal for what is the same thing again, and for its end. */
  readonly about: string
  /** `over`: what was told before has ended. */
  readonly state: 'news' | 'over'
  readonly level: Level
  /** One line without a stop at its end. */
  readonly title: string
  /** A sentence or more. Never the name of a file: it may go to a stranger's server. */
  readonly message: string
  /** The words of an error, which may name files of this device: for one's own mail and programs. */
  readonly detail?: string
  /** What a person can do. */
  readonly remedy?: string
  readonly code?: ErrorCode
  /** `backup`, `scrub`, … */
  readonly task?: string
  readonly profile?: string
  readonly outcome?: 'began' | 'done' | 'partly' | 'failed'
  /** Name of the device it is about, when it is another one. */
  readonly device?: string
  readonly figures?: TaskFigures
  /** How long it took. */
  readonly seconds?: number
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** How often it happened since it was last told, besides this time. */
  readonly again?: number
}

/** Who tells. */
export interface Teller {
  /** Name of this device. */
  readonly device: string
  readonly deviceId: string
  /** Beginning of the id of the mesh. */
  readonly mesh: string
}

/** What a template may name, and what it is; the order is that of the documents. */
export const FIELDS = {
  event: 'before, after, success, failure, silent or trouble',
  state: 'news, or over when something told before has ended',
  level: 'info, warning or error',
  priority: '2 (info), 4 (warning) or 5 (error), as ntfy counts',
  title: 'one line',
  message: 'a sentence or more, never with the name of a file',
  detail: 'the words of the error, which may name files',
  remedy: 'what to do',
  code: 'code of the error',
  task: 'backup, check, scrub, drill or retention',
  profile: 'name of the profile',
  outcome: 'began, done, partly or failed',
  exit_status: '0 done, 3 partly, 1 failed',
  device: 'name of this device',
  device_id: 'its id',
  mesh: 'beginning of the id of the mesh',
  other: 'name of the device it is about',
  time: 'RFC 3339, UTC',
  seconds: 'how long it took',
  again: 'how often it happened since it was last told',
  snapshot_id: 'of the snapshot made',
  total_files_processed: 'files in it',
  total_bytes_processed: 'their bytes',
  files_new: 'files that are new',
  files_changed: 'files that have changed',
  data_added: 'new bytes',
  data_added_packed: 'new bytes as they are stored',
  copies: 'devices that hold the snapshot',
  copies_wanted: 'devices that should',
} as const satisfies Readonly<Record<string, string>>

/** Name of a field. */
export type FieldName = keyof typeof FIELDS

/** Values for a template; what is not known is empty. */
export type FieldValues = Readonly<Record<FieldName, string>>

const PRIORITIES = { info: '2', warning: '4', error: '5' } as const
const EXIT_STATUS = { began: '', done: '0', partly: '3', failed: '1' } as const

/** Characters of one value, at most: what comes from other devices must not fill a message. */
const valueCharsMax = 1500

/** What a tiding fills in. Pure. */
export function fieldsOf(tiding: Tiding, teller: Teller): FieldValues {
  const figure = (name: string) => tiding.figures?.[name]
  const values: Record<FieldName, string | number | boolean | undefined> = {
    event: tiding.on,
    state: tiding.state,
    level: tiding.level,
    priority: PRIORITIES[tiding.level],
    title: tiding.title,
    message: tiding.message,
    detail: tiding.detail,
    remedy: tiding.remedy,
    code: tiding.code,
    task: tiding.task,
    profile: tiding.profile,
    outcome: tiding.outcome,
    exit_status: tiding.outcome && EXIT_STATUS[tiding.outcome],
    device: teller.device,
    device_id: teller.deviceId,
    mesh: teller.mesh,
    other: tiding.device,
    time: new Date(tiding.atMs).toISOString(),
    seconds: tiding.seconds === undefined ? undefined : Math.round(tiding.seconds * 10) / 10,
    again: tiding.again,
    snapshot_id: figure('snapshot_id'),
    total_files_processed: figure('total_files_processed'),
    total_bytes_processed: figure('total_bytes_processed'),
    files_new: figure('files_new'),
    files_changed: figure('files_changed'),
    data_added: figure('data_added'),
    data_added_packed: figure('data_added_packed'),
    copies: figure('copies'),
    copies_wanted: figure('copies_wanted'),
  }
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      value === undefined ? '' : String(value).slice(0, valueCharsMax),
    ]),
  ) as FieldValues
}

/** All that is known but `detail`, as one JSON object: what is sent where no body is given. */
export function fieldsJson(fields: FieldValues): string {
  return JSON.stringify(
    Object.fromEntries(Object.entries(fields).filter(([name, value]) => value !== '' && name !== 'detail')),
  )
}
