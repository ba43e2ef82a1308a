/** What on the first screen wants somebody to do something, the gravest first. Pure. */

import type { Problem, Status } from '../../../api.ts'

/** Where a matter is looked after: a screen, and the word of the link. */
export interface Way {
  readonly path: readonly string[]
  readonly query?: Readonly<Record<string, string>>
  readonly words: string
}

/** One matter, with what to do about it. */
export interface Matter {
  readonly key: string
  readonly tone: 'bad' | 'warn'
  readonly text: string
  /** What to do, in words. */
  readonly todo?: string | undefined
  readonly way?: Way | undefined
  /** A profile whose backup would settle it. */
  readonly backup?: string | undefined
}

const WAYS: Readonly<Record<string, Way>> = {
  STORE_FULL: { path: ['trash'], words: 'See what can be freed' },
  CHUNK_CORRUPT: { path: ['health'], words: 'Look at the health' },
  DRILL_FAILED: { path: ['health'], words: 'Look at the drills' },
  MEMBERSHIP_FORK: { path: ['devices'], words: 'Look at the devices' },
  PEER_GONE: { path: ['devices'], words: 'Look at the devices' },
  COPIES_MISSING: { path: ['copies'], words: 'See who lacks what' },
  HOOK_FAILED: { path: ['activity'], words: 'See what happened' },
}

/** What of the status wants somebody. */
export function attention(status: Status): Matter[] {
  const suspicions = status.suspicions.map(
    (one): Matter => ({
      key: `suspicion-${one.device}`,
      tone: 'bad',
      text: `${firstOf(one.message.replace(`${one.device}: `, ''))} Nothing of ${one.device} is forgotten meanwhile.`,
      todo: `look at its newest snapshots; when all is well: cellar devices trust ${one.device}`,
      way: { path: ['snapshots'], query: { device: one.device }, words: 'See its snapshots' },
    }),
  )
  const problems = status.problems.map((problem, index) => matterOf(problem, index, status))
  const waiting = status.waiting
    .filter(({ snapshots, full }) => snapshots > 0 && full === true)
    .map(
      (one): Matter => ({
        key: `full-${one.device}`,
        tone: 'warn',
        text: `${one.name} has no room for ${String(one.snapshots)} ${one.snapshots === 1 ? 'snapshot' : 'snapshots'}.`,
        todo: `free space on ${one.name}, raise its quota, or add a device`,
        way: { path: ['copies'], words: 'See who lacks what' },
      }),
    )
  return [...suspicions, ...problems, ...waiting].sort((one, other) => rank(one) - rank(other))
}

function matterOf({ level, code, message, remedy }: Problem, index: number, status: Status): Matter {
  return {
    key: `problem-${code}-${String(index)}`,
    tone: level === 'error' ? 'bad' : 'warn',
    text: message,
    todo: remedy,
    way: WAYS[code],
    backup: code === 'BACKUP_LATE' ? profileIn(message, status) : undefined,
  }
}

/** Whose backup is late; where it does not say so, the only one there is. */
function profileIn(message: string, status: Status): string | undefined {
  const profiles = backupProfiles(status)
  return profiles.find((name) => message.includes(name)) ?? (profiles.length === 1 ? profiles[0] : undefined)
}

/** Profiles that this device backs up by its schedule. */
export function backupProfiles(status: Status): string[] {
  return status.schedule.flatMap(({ name, profile }) =>
    name === 'backup' && profile !== undefined ? [profile] : [],
  )
}

/** Many reasons in one message: the first, and how many more. */
function firstOf(message: string): string {
  const [first = '', ...more] = message.split('; ')
  return more.length === 0 ? `${first}.` : `${first}, and ${String(more.length)} more such signs.`
}

function rank({ tone }: Matter): number {
  return tone === 'bad' ? 0 : 1
}
