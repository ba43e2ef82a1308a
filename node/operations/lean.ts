/** `deviceLean`, `deviceTrust`: who may lean on the copies of others, and whose announcements are in order again. */

import { changeMember } from '../../protocol/index.ts'
import type { DeviceLeans, DeviceTrusted } from '../api.ts'
import { trustDevice } from '../deletion/suspicion.ts'
import type { NodeParts } from '../parts.ts'
import { findDevice } from './devices.ts'
import { needCapability } from './entitled.ts'

/**
 * Says in the membership whether a device may lean (R5): all others must know before it does, since from then on
 * reclaiming waits for it.
 *
 * @throws {CellarError} `DEVICE_NOT_FOUND`, `NOT_ENTITLED`, `MEMBERSHIP_INVALID`
 */
export async function setLeaning(
  parts: NodeParts,
  params: { readonly device: string; readonly leans: boolean },
): Promise<DeviceLeans> {
  needCapability(parts, 'admit', 'does not change what devices may do')
  const { device, name, capabilities } = findDevice(parts, params.device)
  const { leans } = params
  if (capabilities.has('lean') !== leans) {
    const atMs = parts.world.clock.nowMs()
    await parts.ledger.changeMembership((before, signer) => {
      const now = new Set(before.members.get(device)?.capabilities ?? capabilities)
      if (leans) now.add('lean')
      else now.delete('lean')
      return changeMember(before, signer, { device, atMs, capabilities: now })
    })
  }
  return { device, name, leans, epoch: parts.ledger.membership.epoch }
}

/** A person has looked at what a device announced (R14). @throws {CellarError} `DEVICE_NOT_FOUND` */
export async function endSuspicion(
  parts: NodeParts,
  params: { readonly device: string },
): Promise<DeviceTrusted> {
  const { device, name } = findDevice(parts, params.device)
  const suspicion = await trustDevice(parts, device)
  return { device, name, ...(suspicion !== undefined && { suspicion }) }
}
