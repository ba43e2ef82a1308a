/** `deviceThin`: who leaves contents to others; how a thin device stands; and what it makes again (spec/thin.md). */

import { CellarError, changeMember, type Capability, memberNow } from '../../protocol/index.ts'
import type { DeviceThin, ThinParams, ThinStatus } from '../api-thin.ts'
import type { NodeParts } from '../parts.ts'
import { remakeChunks } from '../thin/remake.ts'
import { Remaker } from '../thin/remaker.ts'
import { isThin } from '../thin/thin.ts'
import { findDevice } from './devices.ts'
import { needCapability } from './entitled.ts'

/**
 * Says in the membership whether a device is thin: one that leans and is not asked to store. All others must know
 * before it does (R5.3), so it begins once they have said something under that membership.
 *
 * @throws {CellarError} `DEVICE_NOT_FOUND`, `NOT_ENTITLED`; `USAGE` when nobody else stores, or it makes no backups
 */
export async function setThin(parts: NodeParts, params: ThinParams): Promise<DeviceThin> {
  needCapability(parts, 'admit', 'does not change what devices may do')
  const { device, name } = findDevice(parts, params.device)
  const { thin } = params
  const { ledger } = parts
  if (isThin(ledger.membership, device) !== thin) {
    if (thin) checkMayBeThin(parts, params.device)
    const atMs = parts.world.clock.nowMs()
    await ledger.changeMembership((before, signer) => {
      const capabilities = new Set<Capability>(memberNow(before, device)?.capabilities)
      const [given, taken] = thin ? (['lean', 'store'] as const) : (['store', 'lean'] as const)
      capabilities.add(given)
      capabilities.delete(taken)
      return changeMember(before, signer, { device, atMs, capabilities })
    })
  }
  return { device, name, thin, epoch: ledger.membership.epoch }
}

/** What nobody else keeps could never be dropped: the device would be none the thinner, and its copies would not count. */
function checkMayBeThin(parts: NodeParts, text: string): void {
  const { device, name, capabilities } = findDevice(parts, text)
  if (!capabilities.has('backup'))
    throw new CellarError('USAGE', `${name} makes no backups: it has nothing to leave to others`)
  const others = [...parts.ledger.membership.members.values()].filter(
    (member) =>
      member.device !== device && member.removedEpoch === undefined && member.capabilities.has('store'),
  )
  if (others.length === 0)
    throw new CellarError('USAGE', `no other device stores: what ${name} drops would be nowhere`)
}

/** How this device stands; undefined unless it is thin. */
export function thinStatus({ ledger, store, signer }: NodeParts): ThinStatus | undefined {
  if (!isThin(ledger.membership, signer.device)) return undefined
  const own = new Set(ledger.live().flatMap(({ root, owner }) => (owner === signer.device ? [root] : [])))
  const counts = { snapshots: own.size, kept: 0, trees_only: 0, elsewhere: 0 }
  for (const root of own) {
    if (store.isComplete(root) || ledger.leaned().has(root)) counts.kept++
    else if (store.has(root)) counts.trees_only++
    else counts.elsewhere++
  }
  return counts
}

/** What makes missing chunks again, in a node that runs; to be closed before the rest of it. */
export function remakerOf(parts: NodeParts): Remaker {
  const { ledger, store, events, jobs, world } = parts
  return new Remaker({
    ledger,
    store,
    events,
    clock: world.clock,
    isKept: (id, asker) => parts.uploads.own.isKept(id, asker),
    remake: async (roots, wanted, signal) => {
      const { vault } = parts
      if (vault === undefined) return new Set()
      // Nothing of what is made may go before it is known that a snapshot needs it.
      const end = jobs.beginRead()
      try {
        return await remakeChunks({ store, vault }, roots, wanted, signal)
      } finally {
        end()
      }
    },
  })
}
