/** What holds until it ends, and a person should know: problems, silences, profiles that lag (telling.md §4, §8). */

import { type DeviceId, ERRORS, type ErrorCode, type RootId } from '../../protocol/index.ts'
import type { Problem } from '../api.ts'
import type { SilentDevice } from '../api-telling.ts'
import type { ProfileConfig } from '../config/types.ts'
import { spanInWords } from '../deletion/time-span.ts'
import { standingSuspicions } from '../deletion/suspicion.ts'
import { copiesNow } from '../operations/copies.ts'
import { standingProblems } from '../operations/problems.ts'
import type { NodeParts } from '../parts.ts'
import { taskId } from '../schedule/task.ts'
import type { TaskRecord } from './records.ts'
import { silentDevices } from './signs.ts'
import type { Tiding } from './tiding.ts'
import { troubleMatter } from './troubles.ts'

/** Something that holds now; told once, and once when it is over. */
export type Condition = Omit<Tiding, 'state' | 'atMs'> & {
  /** What is said when it is over, one line without a stop. */
  readonly over: string
}

/** A snapshot has so long to reach its devices before anybody is told, milliseconds. */
export const copiesGraceMs = 24 * 3_600_000

/** All that holds now, but for what devices lack: that is told apart. */
export function conditionsOf(parts: NodeParts): Condition[] {
  return [
    ...standingProblems(parts).map((problem) =>
      problemCondition(problem, parts.ledger.nameOf(parts.signer.device)),
    ),
    ...suspicions(parts),
    ...silentDevices(parts).map((silent) => silenceCondition(silent, parts.world.clock.nowMs())),
    ...profileConditions(parts),
  ]
}

function problemCondition({ level, code, message, remedy }: Problem, self: string): Condition {
  return {
    on: 'trouble',
    about: troubleMatter(code as ErrorCode),
    level,
    title: `Trouble on ${self}: ${code}`,
    message: `${sentence(message)}${remedy === undefined ? '' : ` To do: ${remedy}.`}`,
    ...(remedy !== undefined && { remedy }),
    code: code as ErrorCode,
    over: `No more trouble on ${self}: ${code}`,
  }
}

function suspicions(parts: NodeParts): Condition[] {
  const { remedy } = ERRORS.DEVICE_SUSPECT
  return standingSuspicions(parts).map(({ device, message }) => ({
    on: 'trouble',
    about: troubleMatter('DEVICE_SUSPECT', idOf(parts, device)),
    level: 'error',
    title: `Something is wrong with the backups of ${device}`,
    message: `${sentence(message)} No rule forgets its snapshots until you have looked. To do: ${remedy}.`,
    remedy,
    code: 'DEVICE_SUSPECT',
    device,
    over: `The backups of ${device} are trusted again`,
  }))
}

/** Suspicions name devices as people do. */
function idOf(parts: NodeParts, name: string): string {
  const members = [...parts.ledger.membership.members.values()]
  return members.find((member) => member.name === name && member.removedEpoch === undefined)?.device ?? name
}

/** Names the silence of a device. */
export function silenceOf(device: string): string {
  return `silent/${device}`
}

/** Pure. */
export function silenceCondition({ device, name, lacks, since }: SilentDevice, nowMs: number): Condition {
  const span = spanInWords(Math.max(0, nowMs - Date.parse(since)))
  const isGone = lacks === 'sign'
  const title = isGone ? `${name} has been silent for ${span}` : `${name} has made no backup for ${span}`
  const remedy = isGone ? `start rootcellar on ${name}` : `look at cellar status on ${name}`
  return {
    on: 'silent',
    about: isGone ? silenceOf(device) : `${silenceOf(device)}/backup`,
    level: 'warning',
    title,
    message: isGone
      ? `${title}: nothing was heard of it since ${since}. To do: ${remedy}.`
      : `${title}: it is heard of, but its newest snapshot came ${since}. To do: ${remedy}.`,
    remedy,
    device: name,
    over: isGone ? `${name} is back` : `${name} backs up again`,
  }
}

function profileConditions(parts: NodeParts): Condition[] {
  const { clock } = parts.world
  const self = parts.ledger.nameOf(parts.signer.device)
  return parts.settings.current.profiles.flatMap((profile) => {
    const record = parts.telling.records.tasks.get(taskId({ name: 'backup', profile: profile.name }))
    if (record === undefined) return []
    return [
      ...lateCondition(profile, record, self, clock.nowMs()),
      ...fewCopiesCondition(profile, record, copiesOf(parts, record.root), self, clock.nowMs()),
    ]
  })
}

/** A profile without a new snapshot for longer than it should be. Pure. */
export function lateCondition(
  profile: Pick<ProfileConfig, 'name' | 'silentAfterMs'>,
  record: Pick<TaskRecord, 'lastSuccessMs' | 'runs'>,
  self: string,
  nowMs: number,
): Condition[] {
  const { name, silentAfterMs } = profile
  const { lastSuccessMs } = record
  // One that never worked is told of by its failures.
  if (silentAfterMs === undefined || lastSuccessMs === 0 || nowMs - lastSuccessMs < silentAfterMs) return []
  const title = `No backup of "${name}" on ${self} for ${spanInWords(nowMs - lastSuccessMs)}`
  const remedy = `cellar backup --profile ${name}`
  return [
    {
      on: 'silent',
      about: `late/${name}`,
      level: 'warning',
      title,
      message: `${title}. To do: ${remedy}, and look at cellar status.`,
      remedy,
      task: 'backup',
      profile: name,
      over: `"${name}" is backed up again on ${self}`,
    },
  ]
}

/** A profile whose newest snapshot is on too few devices for a day. Pure. */
export function fewCopiesCondition(
  profile: Pick<ProfileConfig, 'name' | 'copies'>,
  record: Pick<TaskRecord, 'copiedMs'>,
  copies: number | undefined,
  self: string,
  nowMs: number,
): Condition[] {
  const { name, copies: wanted } = profile
  if (wanted === undefined || copies === undefined || copies >= wanted || record.copiedMs === 0) return []
  if (nowMs - record.copiedMs < copiesGraceMs) return []
  const title = `"${name}" of ${self} is on too few devices`
  const { remedy } = ERRORS.COPIES_MISSING
  return [
    {
      on: 'trouble',
      about: `copies/${name}`,
      level: 'warning',
      title,
      message: `${title}: on ${String(copies)} of ${String(wanted)}, for more than ${spanInWords(copiesGraceMs)}. To do: ${remedy}.`,
      remedy,
      code: 'COPIES_MISSING',
      task: 'backup',
      profile: name,
      over: `"${name}" of ${self} is on as many devices as it should`,
    },
  ]
}

/** On how many devices a snapshot is; undefined when it is none, or not live any more. */
export function copiesOf(parts: NodeParts, root: string): number | undefined {
  return root === '' || !parts.ledger.isLive(root as RootId)
    ? undefined
    : copiesNow(parts, root as RootId).copies
}

/** Of a device that is silent: whose. */
export function deviceOfSilence(about: string): DeviceId | undefined {
  return /^silent\/([^/]+)$/.exec(about)?.[1] as DeviceId | undefined
}

function sentence(text: string): string {
  const begun = `${text.charAt(0).toUpperCase()}${text.slice(1)}`
  return begun.endsWith('.') ? begun : `${begun}.`
}
