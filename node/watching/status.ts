/** What `status` says of watching. */

import type { WatchingStatus } from '../api.ts'
import type { NodeParts } from '../parts.ts'
import type { DrillRecord } from './record.ts'

/** Says how often was looked, and what came of it. */
export function watchingStatus(parts: NodeParts): WatchingStatus {
  const { watching, store } = parts
  const { scrub, audit, drill } = watching.record
  const stats = store.stats()
  return {
    scrub: {
      ...(scrub.lastMs > 0 && { last_run: iso(scrub.lastMs) }),
      ...(scrub.lastRoundMs > 0 && { last_round: iso(scrub.lastRoundMs) }),
      ...(scrub.roundStartedMs > 0 && { round_started: iso(scrub.roundStartedMs) }),
      round_percent: stats.packBytes === 0 ? 0 : Math.min(1, scrub.roundBytes / stats.packBytes),
      bytes_read: scrub.bytes,
      chunks_bad: scrub.bad,
      chunks_mended: scrub.mended,
    },
    bad_chunks: stats.quarantined,
    audit: {
      ...(audit.lastMs > 0 && { last_run: iso(audit.lastMs) }),
      proven: audit.proven,
      failed: audit.failed,
      doubted: doubtedBy(parts),
    },
    ...(drill !== undefined && { drill: drillStatus(parts, drill) }),
  }
}

function doubtedBy({ watching, ledger }: NodeParts): WatchingStatus['audit']['doubted'] {
  const counts = new Map<string, { device: string; name: string; snapshots: number }>()
  for (const { device } of watching.doubts.all()) {
    const snapshots = (counts.get(device)?.snapshots ?? 0) + 1
    counts.set(device, { device, name: ledger.nameOf(device), snapshots })
  }
  return [...counts.values()]
}

function drillStatus({ ledger }: NodeParts, drill: DrillRecord): NonNullable<WatchingStatus['drill']> {
  return {
    last_run: iso(drill.lastMs),
    outcome: drill.failed === 0 ? 'passed' : 'failed',
    snapshot_id: drill.root,
    from: drill.from.map((device) => ledger.nameOf(device)),
    files_restored: drill.files,
    bytes_restored: drill.bytes,
    files_compared: drill.compared,
    files_failed: drill.failed,
    ...(drill.lastPassedMs > 0 && { last_passed: iso(drill.lastPassedMs) }),
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
