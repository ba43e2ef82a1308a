/** Devices that have no room, and what that keeps from having its copies (R12, replication.md §7). */

import { copyLane, type DeviceId, type RootId } from '../../protocol/index.ts'
import type { Problem } from '../api.ts'
import type { NodeParts } from '../parts.ts'

/** Whether a device says that it takes nothing more; of this one, whether it is so. */
export function isFull(parts: Pick<NodeParts, 'ledger' | 'connected'>, device: DeviceId): boolean {
  const { ledger } = parts
  const here = device === ledger.device ? parts.connected()?.online.room.isFull : undefined
  return here ?? copyLane(ledger.view, ledger.membership, device)?.body.full === true
}

/** What a person should know of room: snapshots that lack copies, as those that should hold them are full. */
export function fullProblems(parts: NodeParts, roots: readonly RootId[]): Problem[] {
  const { ledger, store } = parts
  const full = new Set([...ledger.membership.members.keys()].filter((device) => isFull(parts, device)))
  const lacking = new Set<DeviceId>()
  let count = 0
  // Where others have room they take its place: only what nobody takes waits for a device that is full.
  if (full.size > 0) {
    for (const root of roots) {
      const missing = ledger.copies(root).missing.filter((device) => full.has(device))
      if (missing.length === 0) continue
      count++
      for (const device of missing) lacking.add(device)
    }
  }
  const problems: Problem[] = []
  if (count > 0) {
    // Of a number of copies any of them would do.
    const named = ledger.membership.copiesGoal === 'all' ? lacking : full
    const names = [...named].map((device) => ledger.nameOf(device)).sort()
    const who = names.length === 1 ? `${names[0] ?? ''} is full` : `${names.join(', ')} are full`
    const what = `${String(count)} ${count === 1 ? 'snapshot has' : 'snapshots have'} too few copies`
    const remedy = 'free space there, raise a quota, or add a device'
    problems.push({ level: 'warning', code: 'STORE_FULL', message: `${who}: ${what}`, remedy })
  }
  if (full.has(ledger.device) && !lacking.has(ledger.device) && !store.stats().readOnly) {
    const message = 'this device is full and takes no more snapshots of others'
    problems.push({
      level: 'warning',
      code: 'STORE_FULL',
      message,
      remedy: 'free space on it, or raise its quota',
    })
  }
  return problems
}
