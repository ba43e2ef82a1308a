/** Which unit a home gets, where it is written, and how systemd is told: pure. */

import { CellarError, type HomeFacts, type HomePaths } from '../../node/client.ts'
import type { SystemUser } from './host.ts'
import { UNIT_NAME, type UnitOptions } from './unit.ts'

/** What a person asked for, and what is known of the machine. */
export interface ServiceRequest {
  readonly scope: 'user' | 'system'
  /** `--user NAME`. */
  readonly userName: string | undefined
  /** A home was named, by `--home` or `$CELLAR_HOME`. */
  readonly isHomeNamed: boolean
  readonly home: HomePaths
  readonly facts: HomeFacts
  /** Who owns the key of the device; undefined when there is none. */
  readonly ownerUid: number | undefined
  readonly users: readonly SystemUser[]
  /** Of whoever asks. */
  readonly uid: number
  readonly program: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
}

/** Variables by which a home, or the passphrase of its keys, is found. */
const KEPT_VARIABLES = ['XDG_DATA_HOME', 'XDG_CONFIG_HOME', 'CELLAR_PASSPHRASE_FILE']

/**
 * What the unit is made for.
 *
 * @throws {CellarError} `NO_MESH`, `HOME_FORBIDDEN`, `USAGE`, `PASSPHRASE_NEEDED`
 */
export function planUnit(request: ServiceRequest): UnitOptions {
  const { scope, home, facts, env } = request
  if (!facts.isMember) throw new CellarError('NO_MESH', `there is no device in ${home.directory}`)
  const user = userOf(request)
  if (facts.isSealed && (env['CELLAR_PASSPHRASE_FILE'] ?? '') === '') {
    throw new CellarError(
      'PASSPHRASE_NEEDED',
      'the keys are under a passphrase, and a service can ask nobody: set CELLAR_PASSPHRASE_FILE and install again',
    )
  }
  const kept = KEPT_VARIABLES.filter((name) => (env[name] ?? '') !== '' && isWanted(name, request))
  const passphraseFile = kept.includes('CELLAR_PASSPHRASE_FILE') ? [env['CELLAR_PASSPHRASE_FILE'] ?? ''] : []
  return {
    scope,
    user: user.name,
    command: [...request.program, ...(request.isHomeNamed ? ['--home', home.directory] : [])],
    env: Object.fromEntries(kept.map((name) => [name, env[name] ?? ''])),
    writes: [...new Set([home.directory, facts.store, ...facts.writes.map((place) => `-${place}`)])],
    reads: [...request.program, home.config, ...passphraseFile],
    userHome: user.directory,
    isReader: facts.isReader,
    isSocketInTmp: /^\/(?:var\/)?tmp\//.test(home.socket),
  }
}

/** A home that was named is found without the directories of XDG. */
function isWanted(name: string, { isHomeNamed }: ServiceRequest): boolean {
  return !isHomeNamed || !name.startsWith('XDG_')
}

/** Whose the unit is: the owner of the home, whatever else is said. A node run by another could not read its key. */
function userOf({ scope, userName, ownerUid, users, uid, home }: ServiceRequest): SystemUser {
  const owner = users.find((user) => user.uid === ownerUid)
  if (owner === undefined)
    throw new CellarError('HOME_FORBIDDEN', `the owner of ${home.directory} is no user of this machine`)
  if (userName !== undefined && userName !== owner.name) {
    throw new CellarError(
      'HOME_FORBIDDEN',
      `${home.directory} belongs to ${owner.name}, and could not be read by ${userName}`,
    )
  }
  if (scope === 'user' && owner.uid !== uid)
    throw new CellarError('HOME_FORBIDDEN', `${home.directory} belongs to ${owner.name}: run it as that user`)
  if (scope === 'system' && uid !== 0)
    throw new CellarError('USAGE', 'a service of the machine is installed by root: put sudo before it')
  return owner
}

/** Where the unit is written. @param env - of a person, for a unit of theirs */
export function unitPath(
  scope: 'user' | 'system',
  env: Readonly<Record<string, string | undefined>>,
  userHome: string,
): string {
  if (scope === 'system') return `/etc/systemd/system/${UNIT_NAME}`
  const settings = env['XDG_CONFIG_HOME'] ?? ''
  return `${settings === '' ? `${userHome}/.config` : settings}/systemd/user/${UNIT_NAME}`
}

/** The home a unit runs, as it was written; undefined when it names none. */
export function homeInUnit(text: string): string | undefined {
  return /^ExecStart=.*? "?--home"? ("(?:[^"\\]|\\.)*"|\S+) start$/m.exec(text)?.[1]
}

/** What `systemctl show` says. */
export function parseShow(text: string): Readonly<Record<string, string>> {
  const entries = text.split('\n').flatMap((line) => {
    const at = line.indexOf('=')
    return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : []
  })
  return Object.fromEntries(entries)
}
