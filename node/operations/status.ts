/** `status`: whether one is safe, and what is still on its way. */

import { type DeviceId, ERRORS, isReplicated, type RootId } from '../../protocol/index.ts'
import { freeBytes } from '../adapters/disk-space.ts'
import type { Problem, ReclaimBlock, SnapshotCounts, Status, TrashStatus, Waiting } from '../api.ts'
import { Explainer } from '../deletion/explain.ts'
import { restorableDead } from '../deletion/restorable.ts'
import { standingSuspicions } from '../deletion/suspicion.ts'
import type { NodeParts } from '../parts.ts'
import { EVERY } from '../snapshots.ts'
import { VERSION } from '../version.ts'
import { copiesNow } from './copies.ts'
import { listDevices } from './devices.ts'
import { fullProblems, isFull } from './full.ts'
import { retentionStatus } from './retain.ts'
import { listSchedule } from './scheduled.ts'

/** A device without a sign for so long is spoken of, milliseconds. */
const silentMs = 7 * 24 * 3_600_000

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
  const retention = retentionStatus(parts)
  const free = freeBytes(parts.storePath)
  return {
    version: VERSION,
    device: { id: signer.device, name: self.name, role: self.role },
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
    schedule: listSchedule(parts),
    suspicions: standingSuspicions(parts),
    jobs: parts.jobs.list(),
    problems: [...fullProblems(parts, roots), ...problemsOf(parts, devices)],
  }
}

function countSnapshots(parts: NodeParts, roots: readonly RootId[]): SnapshotCounts {
  const { ledger, store } = parts
  const counts = { total: roots.length, complete: 0, partial: 0, only_on_owner: 0, nowhere: 0 }
  for (const root of roots) {
    const { holders, away } = ledger.copies(root)
    if (isReplicated(ledger.view, ledger.membership, root)) counts.complete++
    else if (away.length > 0) counts.partial++
    else if (holders.length > 0 || store.isHeld(root)) counts.only_on_owner++
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

function problemsOf(parts: NodeParts, devices: Status['devices']): Problem[] {
  const problems: Problem[] = []
  const stats = parts.store.stats()
  if (stats.readOnly) {
    problems.push({
      level: 'error',
      code: 'STORE_FULL',
      message: `the disk of ${parts.storePath} is full: nothing more can be stored`,
      remedy: 'free space on it',
    })
  }
  if (stats.quarantined > 0) {
    const what = `${String(stats.quarantined)} stored ${stats.quarantined === 1 ? 'chunk is' : 'chunks are'} damaged`
    problems.push({ level: 'error', code: 'CHUNK_CORRUPT', message: what, remedy: 'cellar check --repair' })
  }
  if (parts.ledger.isMembershipForked) {
    problems.push({
      level: 'warning',
      code: 'MEMBERSHIP_FORK',
      message: 'two keepers changed the mesh at once: nothing is freed any more until that is settled',
      remedy: ERRORS.MEMBERSHIP_FORK.remedy,
    })
  }
  if (parts.ledger.isRolledBack) {
    problems.push({
      level: 'error',
      code: 'LISTING_FORK',
      message: 'the disk of this device went back in time, so it announces nothing',
      remedy: 'remove this device on a keeper, then join again with a new home',
    })
  }
  const nowMs = parts.world.clock.nowMs()
  for (const device of devices) {
    if (device.removed === true || device.connected || device.last_seen === undefined) continue
    const days = Math.floor((nowMs - Date.parse(device.last_seen)) / 86_400_000)
    if (nowMs - Date.parse(device.last_seen) > silentMs) {
      problems.push({
        level: 'warning',
        code: 'PEER_GONE',
        message: `${device.name} has not been heard of for ${String(days)} days`,
        remedy: `start rootcellar on ${device.name}`,
      })
    }
  }
  return [...problems, ...parts.troubles.recent(nowMs)]
}
