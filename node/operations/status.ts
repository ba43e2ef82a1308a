/** `status`: whether one is safe, and what is still on its way. */

import { type DeviceId, type RootId } from '../../protocol/index.ts'
import { freeBytes } from '../adapters/disk-space.ts'
import type {
  Problem,
  ReclaimBlock,
  RetentionStatus,
  RoleName,
  ScheduledTask,
  SnapshotCounts,
  Status,
  TrashStatus,
  Waiting,
} from '../api.ts'
import { Explainer } from '../deletion/explain.ts'
import { restorableDead } from '../deletion/restorable.ts'
import { standingSuspicions } from '../deletion/suspicion.ts'
import type { NodeParts } from '../parts.ts'
import { EVERY } from '../snapshots.ts'
import { tellingProblems, tellingStatus } from '../telling/problems.ts'
import { VERSION } from '../version.ts'
import { watchingStatus } from '../watching/status.ts'
import { copiesNow, isSafe, trustedCopies } from './copies.ts'
import { listDevices } from './devices.ts'
import { isFull } from './full.ts'
import { orderCounts } from './order-info.ts'
import { standingProblems } from './problems.ts'
import { retentionStatus } from './retain.ts'
import { listSchedule } from './scheduled.ts'
import { thinStatus } from './thin.ts'

/** Says how this device and its mesh stand. */
export function readStatus(parts: NodeParts): Status {
  const { ledger, store, signer } = parts
  const { self, membership } = ledger
  const live = ledger.live()
  const roots = [...new Set(live.map(({ root }) => root))]
  const made = parts.snapshots.list(EVERY).filter(({ maker }) => maker === signer.device)
  const own = [...new Set(made.map(({ live: { root } }) => root))]
  const devices = listDevices(parts)
  const stats = store.stats()
  const last = made.at(-1)
  const schedule = listSchedule(parts)
  const retention = withTimes(retentionStatus(parts), schedule)
  const free = freeBytes(parts.storePath)
  const telling = tellingStatus(parts)
  const thin = thinStatus(parts)
  return {
    version: VERSION,
    device: { id: signer.device, name: self.name, role: self.role as RoleName },
    mesh: {
      id: membership.mesh,
      short_id: membership.mesh.slice(0, 8),
      devices: devices.filter((one) => one.removed !== true).length,
      copies_goal: membership.copiesGoal,
    },
    running: parts.isRunning,
    pid: process.pid,
    started: new Date(parts.startedMs).toISOString(),
    addresses: parts.connected()?.network.addresses() ?? [],
    snapshots: countSnapshots(parts, roots),
    own_snapshots: countSnapshots(parts, own),
    ...(last !== undefined && {
      last_backup: {
        snapshot_id: last.live.root,
        time: new Date(last.timeMs).toISOString(),
        ...copiesNow(parts, last.live.root),
      },
    }),
    devices,
    waiting: waitingFor(parts, roots, devices),
    store: {
      path: parts.storePath,
      bytes_used: stats.packBytes,
      ...(free !== undefined && { bytes_free: free }),
      ...(self.quotaBytes !== undefined && { quota_bytes: self.quotaBytes }),
      chunks: stats.chunks,
    },
    trash: trashStatus(parts),
    ...(retention !== undefined && { retention }),
    schedule,
    watching: watchingStatus(parts),
    ...(thin !== undefined && { thin }),
    suspicions: standingSuspicions(parts),
    jobs: parts.jobs.list(),
    restores: orderCounts(parts),
    telling,
    problems: problemsOf(parts, roots, telling),
  }
}

/** Rules that are applied by a calendar were applied when the schedule says. */
function withTimes(
  retention: RetentionStatus | undefined,
  schedule: readonly ScheduledTask[],
): RetentionStatus | undefined {
  const task = schedule.find(({ name }) => name === 'retention')
  if (retention === undefined || task === undefined) return retention
  const { last_run, next_run } = task
  return {
    ...retention,
    ...(last_run !== undefined && { last_run }),
    ...(next_run !== undefined && { next_run }),
  }
}

function countSnapshots(parts: NodeParts, roots: readonly RootId[]): SnapshotCounts {
  const { store } = parts
  const counts = { total: roots.length, complete: 0, partial: 0, only_on_owner: 0, nowhere: 0 }
  for (const root of roots) {
    const { holders, away } = trustedCopies(parts, root)
    if (isSafe(parts, root)) counts.complete++
    else if (away.length > 0) counts.partial++
    else if (holders.length > 0 || store.isHeld(root) || parts.ledger.leaned().has(root))
      counts.only_on_owner++
    else counts.nowhere++
  }
  return counts
}

function trashStatus(parts: NodeParts): TrashStatus {
  const waiting = new Map<string, ReclaimBlock>()
  for (const { blocks } of new Explainer(parts).all())
    for (const block of blocks) if (!waiting.has(block.message)) waiting.set(block.message, block)
  return { snapshots: restorableDead(parts).length, waiting: [...waiting.values()] }
}

function waitingFor(parts: NodeParts, roots: readonly RootId[], devices: Status['devices']): Waiting[] {
  const lacking = new Map<string, number>()
  for (const root of roots) {
    for (const device of parts.ledger.copies(root).missing) {
      if (device === parts.signer.device && parts.store.isHeld(root)) continue
      lacking.set(device, (lacking.get(device) ?? 0) + 1)
    }
  }
  return devices.flatMap(({ id, name, connected, last_seen }) => {
    const snapshots = lacking.get(id) ?? 0
    if (snapshots === 0) return []
    const seen = last_seen !== undefined && { last_seen }
    const full = isFull(parts, id as DeviceId) && { full: true }
    return [{ device: id, name, connected, ...seen, snapshots, ...full }]
  })
}

function problemsOf(parts: NodeParts, roots: readonly RootId[], telling: Status['telling']): Problem[] {
  const problems = [...standingProblems(parts, roots), ...tellingProblems(parts, telling)]
  const nowMs = parts.world.clock.nowMs()
  return [...problems, ...parts.troubles.recent(nowMs)]
}
