/** Notes the signs of life of the other devices, and says which of them are silent (telling.md §8). */

import { type DeviceId, machinesOf, type Member, memberNow } from '../../protocol/index.ts'
import type { SilentDevice } from '../api-telling.ts'
import type { NodeParts } from '../parts.ts'
import { EVERY } from '../snapshots.ts'
import type { SignRecord } from './records.ts'
import { lackOf } from './silence.ts'

/** What this room stands on. */
export type SignParts = Pick<
  NodeParts,
  'ledger' | 'snapshots' | 'settings' | 'world' | 'telling' | 'connected' | 'signer'
>

/** How long a device may be silent; undefined: for ever. */
export function silentAfterMs(parts: Pick<SignParts, 'settings'>, name: string): number | undefined {
  const { silence, silentAfterMs: standard } = parts.settings.current
  const own = silence.find((one) => one.device === name)
  return own === undefined ? standard : own.afterMs
}

/** The devices that are expected to be heard of: other members that are machines. */
function others({ ledger, signer }: SignParts): Member[] {
  return machinesOf(ledger.membership).filter(({ device }) => device !== signer.device)
}

/** Notes what is new: called when there is news, and before silences are looked for. */
export function noteSigns(parts: SignParts): void {
  const { ledger, telling } = parts
  const linked = new Set<DeviceId>(parts.connected()?.network.connected() ?? [])
  const { signs } = telling.records
  for (const member of others(parts)) {
    const { device, incarnation } = member
    const before = signs.get(device)
    const seq = ledger.headOf(device)?.head.seq ?? 0
    const isNew = before === undefined || before.incarnation !== incarnation || seq > before.seq
    // While it is linked, once in a while is enough: a restart knows it to within minutes.
    const isStale = before !== undefined && ledger.runningMs - before.runningMs >= linkedNoteMs
    if (isNew || (linked.has(device) && isStale)) noteSign(parts, member)
  }
  for (const [device] of signs.entries())
    if (memberNow(ledger.membership, device as DeviceId) === undefined) signs.delete(device)
}

/** A device that is linked is noted so often, milliseconds; and when the link begins or ends. */
const linkedNoteMs = 60_000

/** Notes a sign of life of this moment: a link has begun or ended. */
export function noteLink(parts: SignParts, device: DeviceId): void {
  const member = others(parts).find((one) => one.device === device)
  if (member !== undefined) noteSign(parts, member)
}

function noteSign({ ledger, telling, world }: SignParts, { device, incarnation }: Member): void {
  const { signs } = telling.records
  const before = signs.get(device)
  signs.set(device, {
    incarnation,
    seq: ledger.headOf(device)?.head.seq ?? 0,
    wallMs: world.clock.nowMs(),
    runningMs: ledger.runningMs,
    backRunningMs: before?.incarnation === incarnation ? before.backRunningMs : 0,
  })
}

/** The other devices that are silent now. */
export function silentDevices(parts: SignParts): SilentDevice[] {
  return others(parts).flatMap((member) => {
    const afterMs = silentAfterMs(parts, member.name)
    const sign = parts.telling.records.signs.get(member.device)
    // Never noted: it was admitted just now.
    if (afterMs === undefined || sign === undefined) return []
    const backup = newestBackup(parts, member)
    const lacks = lackOf({
      sinceSignMs: sinceSignMs(parts, member.device, sign),
      sinceBackupMs: backup?.sinceMs,
      sinceBackMs: sign.backRunningMs === 0 ? undefined : parts.ledger.runningMs - sign.backRunningMs,
      afterMs,
    })
    if (lacks === undefined) return []
    const sinceMs = lacks === 'sign' ? sign.wallMs : (backup?.wallMs ?? sign.wallMs)
    return [{ device: member.device, name: member.name, lacks, since: new Date(sinceMs).toISOString() }]
  })
}

/** A device is back from its silence: it has its time again. */
export function noteBack(parts: SignParts, device: string): void {
  const { signs } = parts.telling.records
  const sign: SignRecord | undefined = signs.get(device)
  if (sign !== undefined) signs.set(device, { ...sign, backRunningMs: parts.ledger.runningMs })
}

/** Milliseconds of running time without a sign; 0 while it is linked. */
function sinceSignMs(parts: SignParts, device: DeviceId, { runningMs }: SignRecord): number {
  if (parts.connected()?.network.connected().includes(device) === true) return 0
  return Math.max(0, parts.ledger.runningMs - runningMs)
}

/** When the newest snapshot of a device came to be known here. */
function newestBackup(
  parts: SignParts,
  { device, capabilities }: Member,
): { readonly sinceMs: number; readonly wallMs: number } | undefined {
  if (!capabilities.has('backup')) return undefined
  const { ledger } = parts
  const made = parts.snapshots.list(EVERY).filter(({ maker }) => maker === device)
  const known = made.map(({ live: { root } }) => ({
    sinceMs: ledger.seenForMs(root),
    wallMs: ledger.firstSeenMs(root),
  }))
  return known.reduce<(typeof known)[number] | undefined>(
    (newest, one) => (newest === undefined || one.sinceMs < newest.sinceMs ? one : newest),
    undefined,
  )
}
