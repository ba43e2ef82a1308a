/** `devices`, `deviceRemove`, `deviceRename`: who belongs to the mesh, and how they stand. */

import {
  CellarError,
  changeMember,
  type Cut,
  copyLane,
  type DeviceId,
  holdsOf,
  isPaper,
  type Member,
  memberNow,
  removeMember,
} from '../../protocol/index.ts'
import type { DeviceInfo, DeviceRemoved, DeviceRenamed, RoleName } from '../api.ts'
import { withNewVault } from '../keys/vault-change.ts'
import { withoutLoopback } from '../mesh/addresses.ts'
import type { NodeParts } from '../parts.ts'
import { EVERY, type KnownSnapshot } from '../snapshots.ts'
import { needCapability } from './entitled.ts'
import { keeperOf } from './recovery.ts'

/** All machines that ever were members, in the order of their admission. */
export function listDevices(parts: NodeParts): DeviceInfo[] {
  const known = parts.snapshots.list(EVERY)
  const roots = new Set(known.map(({ live }) => live.root))
  const members = [...parts.ledger.membership.members.values()]
    .filter((member) => !isPaper(member)) // nothing is expected of a key on paper: `recovery` tells of it
    .sort((a, b) => a.admittedEpoch - b.admittedEpoch)
  return members.map((member) => describe(parts, member, known, roots))
}

function describe(
  parts: NodeParts,
  member: Member,
  known: readonly KnownSnapshot[],
  roots: ReadonlySet<string>,
): DeviceInfo {
  const { ledger, signer, store } = parts
  const { device } = member
  const self = device === signer.device
  const network = parts.connected()?.network
  const isConnected = self || network?.connected().includes(device) === true
  const head = ledger.headOf(device)
  const nowMs = parts.world.clock.nowMs()
  const seenMs = isConnected ? nowMs : head?.head.atMs
  const lane = copyLane(ledger.view, ledger.membership, device)
  const held = self ? store.holds() : [...(lane === undefined ? [] : holdsOf(lane.body))]
  const made = known.filter(({ maker }) => maker === device)
  const lastMs = made.at(-1)?.timeMs ?? 0
  return {
    id: device,
    name: member.name,
    role: member.role as RoleName,
    capabilities: [...member.capabilities],
    self,
    connected: isConnected,
    ...(seenMs !== undefined && { last_seen: new Date(seenMs).toISOString() }),
    ...(member.removedEpoch !== undefined && { removed: true }),
    ...(self && { bytes_used: store.stats().packBytes }),
    ...(member.quotaBytes !== undefined && { quota_bytes: member.quotaBytes }),
    snapshots_held: held.filter((root) => roots.has(root)).length,
    snapshots_total: roots.size,
    snapshots_own: new Set(made.map(({ live }) => live.root)).size,
    ...(lastMs > 0 && { last_backup: new Date(lastMs).toISOString() }),
    addresses: [
      ...withoutLoopback(self ? (network?.addresses() ?? []) : (network?.addressesOf(device) ?? [])),
    ],
  }
}

/** Finds a device by name, id, or the beginning of its id. @throws {CellarError} `DEVICE_NOT_FOUND` */
export function findDevice(parts: NodeParts, text: string): Member {
  const members = [...parts.ledger.membership.members.values()].filter(
    (member) => member.removedEpoch === undefined,
  )
  const exact = members.find((member) => member.name === text || member.device === text)
  const begun = text.length < 8 ? [] : members.filter((member) => member.device.startsWith(text))
  const found = exact ?? (begun.length === 1 ? begun[0] : undefined)
  if (found === undefined) {
    const names = members.map((member) => member.name).join(', ')
    throw new CellarError('DEVICE_NOT_FOUND', `there is no device "${text}" here; there are ${names}`, {
      device: text,
    })
  }
  return found
}

/**
 * Removes a device for good (R8). What it backed up stays (R2). When it read, the vault key is changed in the same
 * step: no crash comes between. @throws {CellarError} `NOT_ENTITLED`, `DEVICE_NOT_FOUND`
 */
export async function removeDevice(
  parts: NodeParts,
  params: { readonly device: string },
): Promise<DeviceRemoved> {
  needCapability(parts, 'admit', 'removes no devices')
  const { device, name, capabilities } = findDevice(parts, params.device)
  if (device === parts.signer.device)
    throw new CellarError('USAGE', 'a device does not remove itself: do it on another keeper')
  const atMs = parts.world.clock.nowMs()
  const cut = cutOf(parts, device)
  const hadKey = capabilities.has('read')
  await parts.ring.update(parts.ledger.membership)
  let isChanged = false
  const membership = await parts.ledger.changeMembership((before, signer) => {
    const without = removeMember(before, signer, { device, atMs, ...(cut && { cut }) })
    const changed = hadKey ? withNewVault(without, signer, keeperOf(parts), atMs) : undefined
    isChanged = changed !== undefined
    return changed ?? without
  })
  await parts.ring.update(membership)
  return { device, name, epoch: membership.epoch, ...(hadKey && { vault_changed: isChanged }) }
}

/**
 * Gives a device another name. @throws {CellarError} `NOT_ENTITLED`, `DEVICE_NOT_FOUND`, `USAGE` for a name that is
 * taken
 */
export async function renameDevice(
  parts: NodeParts,
  params: { readonly device: string; readonly name: string },
): Promise<DeviceRenamed> {
  needCapability(parts, 'admit', 'renames no devices')
  const { device, name: oldName } = findDevice(parts, params.device)
  const atMs = parts.world.clock.nowMs()
  await parts.ledger.changeMembership((before, signer) => {
    const other = [...before.members.values()].find((member) => member.name === params.name)
    if (other !== undefined && other.removedEpoch === undefined && other.device !== device)
      throw new CellarError('USAGE', `there is a ${params.name} already; choose another name`)
    return changeMember(before, signer, { device, atMs, name: params.name })
  })
  const name = memberNow(parts.ledger.membership, device)?.name ?? params.name
  return { device, name, old_name: oldName }
}

/**
 * The newest listing of a device known here: what it signs later under an old epoch counts no more (membership.md
 * §4).
 */
function cutOf(parts: NodeParts, device: DeviceId): Cut | undefined {
  const head = parts.ledger.headOf(device)
  return head === undefined ? undefined : { seq: head.head.seq, hash: head.hash }
}
