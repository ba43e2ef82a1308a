/** What the screen of devices says. Pure. */

import type { DeviceInfo, DeviceLoss, PruneResult, RoleName, WaitingReclaim } from '../../../api.ts'
import { bytesText, countText, listText, numberText } from '../parts/format.ts'

/** What a role may do, for somebody who chooses one. */
export interface RoleWords {
  readonly role: RoleName
  /** For which kind of machine. */
  readonly fits: string
  readonly may: string
  readonly mayNot: string
}

/** The roles, in the order in which they are offered. */
export const ROLES: readonly RoleWords[] = [
  {
    role: 'writer',
    fits: 'A laptop that is carried around.',
    may: 'Backs itself up, reads all backups, keeps copies for the others.',
    mayNot: 'Forgets nothing: malware on it cannot push old backups out.',
  },
  {
    role: 'keeper',
    fits: 'Your main computer.',
    may: 'All a writer does; also forgets snapshots, pairs and removes devices.',
    mayNot: 'Nothing is kept from it: whoever has it has everything.',
  },
  {
    role: 'storer',
    fits: 'A box in the cupboard.',
    may: 'Keeps copies for the others.',
    mayNot: 'Has no key: it can read neither a name nor a byte of what it keeps.',
  },
]

/** What is so, in one sentence; and whether that wants somebody. */
export function devicesSentence(devices: readonly DeviceInfo[]): { sentence: string; isAlone: boolean } {
  const members = devices.filter(({ removed }) => removed !== true)
  if (members.length < 2)
    return { sentence: 'This device is alone: its backups are on no other.', isAlone: true }
  const away = members.filter(({ connected }) => !connected)
  const all = countText(members.length, 'device')
  if (away.length === 0)
    return {
      sentence: `${members.length === 2 ? 'Both devices' : `All ${all}`} are connected.`,
      isAlone: false,
    }
  const others = members.length - 1
  if (away.length === others)
    return { sentence: `${all} belong to this mesh; no other is connected now.`, isAlone: false }
  const names = away.length > 3 ? countText(away.length, 'device') : listText(away.map(({ name }) => name))
  return {
    sentence: `${all} belong to this mesh; ${names} ${away.length === 1 ? 'is' : 'are'} not connected.`,
    isAlone: false,
  }
}

/** A role as people say it, with what is special about this device. */
export function roleText({ role, capabilities }: DeviceInfo): string {
  const extras = [
    capabilities.includes('lean') && !capabilities.includes('store') ? 'thin' : undefined,
    role === 'storer' && capabilities.includes('forget') ? 'may forget' : undefined,
  ].filter((it) => it !== undefined)
  return [role, ...extras].join(', ')
}

/** Whether this very device may pair, rename and remove others. */
export function mayAdmit(devices: readonly DeviceInfo[]): boolean {
  return devices.some(({ self, capabilities }) => self && capabilities.includes('admit'))
}

/** A multiaddr as people write it: `192.168.1.20:4517`; what has another form is given back. */
export function addressText(address: string): string {
  const [, kind, host, port] =
    /^\/(ip4|ip6|dns4|dns6|dns)\/([^/]+)\/tcp\/(\d+)(?:\/p2p\/\w+)?$/.exec(address) ?? []
  if (host === undefined || port === undefined) return address
  return kind === 'ip6' ? `[${host}]:${port}` : `${host}:${port}`
}

/** What to type on the other device. @param at - `HOST:PORT`, for where multicast does not reach */
export function joinCommand(code: string, at?: string): string {
  return at === undefined ? `cellar join ${code}` : `cellar join ${code} --at ${at}`
}

/** Time left, to the minute: `15 min`; undefined when it is over. */
export function minutesLeft(expires: string, nowMs: number): string | undefined {
  const minutes = (Date.parse(expires) - nowMs) / 60_000
  if (!(minutes > 0)) return undefined
  if (minutes < 1) return 'less than a minute'
  return minutes < 90 ? `${String(Math.round(minutes))} min` : countText(Math.round(minutes / 60), 'hour')
}

/** One thing that removing a device means; grave ones want to be agreed to. */
export interface Consequence {
  readonly tone: 'plain' | 'warn' | 'bad'
  readonly text: string
}

/**
 * What removing a device means.
 *
 * @param loss - what its loss would mean for copies; absent when that is not known
 * @param pruned - what waits to be reclaimed here, of a `prune` that changes nothing
 */
export function consequences(
  device: DeviceInfo,
  loss: DeviceLoss | undefined,
  pruned: PruneResult,
): readonly Consequence[] {
  return [
    ...copiesLost(device, loss),
    ...keysLeft(device, loss),
    ownBackups(device),
    waitingBytes(device, pruned),
    {
      tone: 'plain',
      text: `What ${device.name} stores stays on its disk. It comes back only as a new device, with a new code.`,
    },
  ]
}

/** Whether a person should say once more that this is meant. */
export function isGrave(all: readonly Consequence[]): boolean {
  return all.some(({ tone }) => tone === 'bad')
}

function copiesLost({ name }: DeviceInfo, loss: DeviceLoss | undefined): Consequence[] {
  if (loss === undefined) return []
  if (loss.lost === 0 && loss.one_left === 0 && loss.too_few === 0)
    return [{ tone: 'plain', text: `Every snapshot stays on as many other devices as it should be on.` }]
  const bytes = loss.lost_bytes === undefined ? '' : ` (about ${bytesText(loss.lost_bytes)})`
  const all: Consequence[] = []
  if (loss.lost > 0)
    all.push({
      tone: 'bad',
      text:
        `${countText(loss.lost, 'snapshot')}${bytes} ${loss.lost === 1 ? 'is' : 'are'} on no other device: ` +
        `the mesh loses ${loss.lost === 1 ? 'it' : 'them'}. Connect ${name} first and wait until others have copied.`,
    })
  if (loss.one_left > 0)
    all.push({
      tone: 'warn',
      text: `Of ${countText(loss.one_left, 'snapshot')} only one copy is left.`,
    })
  if (loss.too_few > 0)
    all.push({
      tone: 'warn',
      text: `${countText(loss.too_few, 'snapshot')} ${loss.too_few === 1 ? 'is' : 'are'} then on fewer devices than you want.`,
    })
  return all
}

function keysLeft({ capabilities, name }: DeviceInfo, loss: DeviceLoss | undefined): Consequence[] {
  if (!capabilities.includes('read')) return []
  const lastReader: Consequence[] =
    loss?.readers_left === 0
      ? [{ tone: 'bad', text: 'No other device can read: only the recovery phrase opens the backups then.' }]
      : []
  return [
    ...lastReader,
    {
      tone: 'plain',
      text: `${name} can read what there is so far; what is backed up from now on is sealed under a new key.`,
    },
  ]
}

function ownBackups({ snapshots_own: own, name }: DeviceInfo): Consequence {
  if (own === 0) return { tone: 'plain', text: `${name} has made no snapshots.` }
  const [what, it] =
    own === 1 ? ['Its own snapshot stays', 'it'] : [`Its own ${numberText(own)} snapshots stay`, 'them']
  return { tone: 'plain', text: `${what}, and can be restored, until somebody forgets ${it}.` }
}

/** What waits here until the device is heard of, and ends waiting when it is no member any more. */
function waitingBytes({ name, id }: DeviceInfo, { waiting }: PruneResult): Consequence {
  const isFor = ({ block }: WaitingReclaim): boolean => block.device === name || block.device === id
  const its = waiting.filter(isFor)
  const snapshots = new Set(its.flatMap(({ snapshot_ids }) => snapshot_ids)).size
  if (snapshots === 0)
    return { tone: 'plain', text: `No space here waits for ${name}: removing it frees nothing.` }
  const [bytes, free] = [sum(its, ({ bytes }) => bytes), sum(its, (it) => it.bytes_if_removed ?? 0)]
  const waits = `${bytesText(bytes)} of ${countText(snapshots, 'forgotten snapshot')} ${snapshots === 1 ? 'waits' : 'wait'} here for ${name}`
  return {
    tone: 'plain',
    text:
      free === 0
        ? `${waits}, and for more than that: removing it alone frees nothing.`
        : `${waits}: ${bytesText(free)} can be freed as soon as it is removed.`,
  }
}

function sum<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((total, one) => total + of(one), 0)
}

/** Reads a size that somebody typed: `500 GiB`, `500G`, `1.5 TB`; units of 1024. @returns undefined when it is none */
export function sizeBytes(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim()) ?? []
  if (number === undefined) return undefined
  const power = ['', 'k', 'm', 'g', 't'].indexOf(unit.toLowerCase())
  return Math.round(Number(number) * 1024 ** power)
}
