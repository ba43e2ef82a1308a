/**
 * The text of a systemd unit that runs a node: pure (docs/running.md says why each line is there).
 *
 * What a node may do follows from what it is for. A storer holds no key, makes no backups and restores nothing: it is
 * shut into its own directories. A device that reads must see the files of its person as they are, owners and all, and
 * write them back where it is told to: it gets no private /tmp, no user namespace, and may set the bits of a mode.
 */

/** What a unit is made for. */
export interface UnitOptions {
  /** `user`: of one person's systemd; `system`: of the machine's. */
  readonly scope: 'user' | 'system'
  /** Under whose name a unit of the machine runs. */
  readonly user: string
  /** Program and arguments, absolute; without `start`. */
  readonly command: readonly string[]
  /** Variables that say where the home is, where they were set. */
  readonly env: Readonly<Record<string, string>>
  /** Directories the node writes: home, store, settings. */
  readonly writes: readonly string[]
  /** Files that the node must be able to read though they lie in somebody's home: program, settings. */
  readonly reads: readonly string[]
  /** Home of the user, where restored files go. */
  readonly userHome: string
  /** It holds a key: it backs up and restores. */
  readonly isReader: boolean
  /** Its control socket lies in the common /tmp. */
  readonly isSocketInTmp: boolean
}

/** Name of the unit. */
export const UNIT_NAME = 'rootcellar.service'

/** Begins the unit, so that what a person wrote is told from what was written for them. */
export const UNIT_MARK = '# Written by cellar service install; changes go into: systemctl edit'

/** Where files are put back, besides the person's own; what is not there does not matter. */
const RESTORE_PLACES = ['/tmp', '/var/tmp', '-/mnt', '-/media', '-/run/media', '-/srv']

/** What root needs to read everything, and to put it back as it was. */
const ROOT_CAPABILITIES = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_MKNOD',
  'CAP_SETFCAP',
]

/** The unit. @throws {RangeError} for a path with a control character */
export function unitText(options: UnitOptions): string {
  const isSystem = options.scope === 'system'
  const sections = [
    section('Unit', [
      ['Description', 'Rootcellar, backups among the devices of a household'],
      ...(isSystem
        ? ([
            ['Wants', 'network-online.target'],
            ['After', 'network-online.target'],
            ['RequiresMountsFor', needed(options).map(path).join(' ')],
          ] as const)
        : []),
    ]),
    section('Service', [...running(options), ...confined(options), ...(isSystem ? shutIn(options) : [])]),
    section('Install', [['WantedBy', isSystem ? 'multi-user.target' : 'default.target']]),
  ]
  return `${UNIT_MARK}${isSystem ? '' : ' --user'} ${UNIT_NAME}\n\n${sections.join('\n')}`
}

/** Without these it cannot run; what has a `-` before it may come later. */
function needed({ writes }: UnitOptions): readonly string[] {
  return writes.filter((place) => !place.startsWith('-'))
}

type Line = readonly [key: string, value: string]

function section(name: string, lines: readonly Line[]): string {
  return `[${name}]\n${lines.map(([key, value]) => `${key}=${value}\n`).join('')}`
}

/** How it begins and ends. Exit status 2 and 10 say that a person has something to do first: trying again is no use. */
function running({ scope, user, command, env }: UnitOptions): Line[] {
  return [
    ['Type', 'exec'],
    ['ExecStart', [...command, 'start'].map(word).join(' ')],
    ['ExecReload', '/bin/kill -HUP $MAINPID'],
    ...Object.entries(env).map(([name, value]): Line => ['Environment', path(`${name}=${value}`)]),
    ...(scope === 'system' ? [['User', user] as const] : []),
    ['Restart', 'on-failure'],
    ['RestartSec', '10'],
    ['RestartPreventExitStatus', '2 10'],
    ['TimeoutStopSec', '30'],
    ['CPUWeight', '50'],
    ['IOWeight', '50'],
  ]
}

/** What needs no name space, and so costs a backup nothing of what it sees. */
function confined({ isReader }: UnitOptions): Line[] {
  return [
    ['NoNewPrivileges', 'yes'],
    ['LockPersonality', 'yes'],
    ['RestrictRealtime', 'yes'],
    ['RestrictNamespaces', 'yes'],
    ['RestrictAddressFamilies', 'AF_UNIX AF_INET AF_INET6 AF_NETLINK'],
    ['SystemCallArchitectures', 'native'],
    ['SystemCallFilter', '@system-service'],
    ['SystemCallErrorNumber', 'EPERM'],
    // Restored files may have such bits; and what a person restores is made with the bits of a person.
    ...(isReader
      ? []
      : ([
          ['RestrictSUIDSGID', 'yes'],
          ['UMask', '0077'],
        ] as const)),
  ]
}

/** What the systemd of the machine can do without hiding the owners of files. */
function shutIn(options: UnitOptions): Line[] {
  const { isReader, user } = options
  const isRoot = user === 'root'
  return [
    ['CapabilityBoundingSet', isReader && isRoot ? ROOT_CAPABILITIES.join(' ') : ''],
    ['AmbientCapabilities', ''],
    ['ProtectSystem', 'strict'],
    ['ProtectHome', protectHome(options)],
    ['ReadWritePaths', writable(options).map(path).join(' ')],
    ...(isReader ? [] : ([['PrivateUsers', 'yes']] as const)),
    ...(isReader || options.isSocketInTmp ? [] : ([['PrivateTmp', 'yes']] as const)),
    ...(isReader && isRoot ? [] : ([['PrivateDevices', 'yes']] as const)),
    ['DevicePolicy', 'closed'],
    ['ProtectClock', 'yes'],
    ['ProtectControlGroups', 'yes'],
    ['ProtectHostname', 'yes'],
    ['ProtectKernelLogs', 'yes'],
    ['ProtectKernelModules', 'yes'],
    ['ProtectKernelTunables', 'yes'],
    ['ProtectProc', isReader && isRoot ? 'default' : 'invisible'],
    ['RemoveIPC', 'yes'],
  ]
}

/** Homes are hidden from who has no business there, unless it lives in one itself. */
function protectHome(options: UnitOptions): string {
  if (options.isReader) return 'no'
  const isInHome = (place: string) => /^\/(?:home|root|run\/user)(?:\/|$)/.test(place)
  return [...options.writes, ...options.reads].some(isInHome) ? 'read-only' : 'yes'
}

function writable({ isReader, writes, userHome }: UnitOptions): readonly string[] {
  if (!isReader) return [...new Set(writes)]
  return [...new Set([...writes, userHome, '-/home', ...RESTORE_PLACES])]
}

/** A path, or a setting of a variable, in quotes where it needs them. `%` begins a specifier everywhere. */
function path(text: string): string {
  if (/[\u0000-\u001f\u007f]/.test(text)) throw new RangeError(`a unit cannot name ${JSON.stringify(text)}`)
  const escaped = text.replaceAll('%', '%%')
  return /[\s"'\\;]/.test(text) ? `"${escaped.replace(/["\\]/g, '\\$&')}"` : escaped
}

/** A word of a command, where `$` begins a variable too. */
function word(text: string): string {
  return path(text).replaceAll('$', '$$$$')
}
