/** Asks the others in reach to prove what they say they hold (spec/watching.md §3, replication.md §6). */

import { type DeviceId, holdersOf, type RootId } from '../../protocol/index.ts'
import type { AuditSummary } from '../api.ts'
import type { NodeParts } from '../parts.ts'
import { chooseAudits } from './plan.ts'

/** Roots asked of one device at a time, besides those in doubt: some tens of MiB that it has to read. */
const rootsEach = 4

/** Asks each device in reach about some roots. Nobody in reach: nobody is asked. @throws the signal's reason */
export async function runAudits(parts: NodeParts, signal: AbortSignal): Promise<AuditSummary> {
  const { watching, world } = parts
  const online = parts.connected()?.online
  await watching.doubts.keepOnly((device, root) => saysHeld(parts, device, root))
  const targets = online === undefined ? [] : chooseAudits({ ...candidates(parts), rootsEach }, world.random)
  const asked = new Set<DeviceId>()
  const counts = { proven: 0, failed: 0, later: 0 }
  for (const { device, root } of targets) {
    signal.throwIfAborted()
    if (online === undefined || parts.connected()?.network.connected().includes(device) !== true) continue
    asked.add(device)
    counts[await online.auditor.audit(device, root, signal)]++
  }
  const lastMs = world.clock.nowMs()
  if (counts.proven + counts.failed > 0)
    await watching.record.changeAudit((so) => ({
      lastMs,
      proven: so.proven + counts.proven,
      failed: so.failed + counts.failed,
    }))
  return {
    message_type: 'summary',
    devices_asked: asked.size,
    snapshots_proven: counts.proven,
    snapshots_failed: counts.failed,
    snapshots_put_off: counts.later,
  }
}

/** Of each peer in reach the roots it says it holds that can be compared with what is here, the newest first. */
function candidates(parts: NodeParts) {
  const { ledger, store, watching } = parts
  const held = new Map<DeviceId, RootId[]>()
  const doubted = new Map<DeviceId, RootId[]>()
  for (const device of parts.connected()?.network.connected() ?? []) held.set(device, [])
  const roots = [...new Set(ledger.live().map(({ root }) => root))].reverse()
  for (const root of roots) {
    if (!store.has(root)) continue
    for (const device of holdersOf(ledger.view, ledger.membership, root)) held.get(device)?.push(root)
  }
  for (const { device, root } of watching.doubts.all())
    doubted.set(device, [...(doubted.get(device) ?? []), root])
  return { held, doubted }
}

function saysHeld(parts: NodeParts, device: DeviceId, root: RootId): boolean {
  const { ledger } = parts
  return ledger.isLive(root) && holdersOf(ledger.view, ledger.membership, root).includes(device)
}
