/** How large the store is: one sample of what `growth.ts` keeps. */

import { freeBytes } from '../adapters/disk-space.ts'
import type { GrowthSample } from '../api-activity.ts'
import type { NodeParts } from '../parts.ts'
import { dayOf } from './growth.ts'

/** How large the store is now. */
export function sampleNow(parts: Pick<NodeParts, 'ledger' | 'store' | 'storePath' | 'world'>): GrowthSample {
  const { ledger, store, world } = parts
  const nowMs = world.clock.nowMs()
  const live = ledger.liveRoots()
  const { packBytes, chunks } = store.stats()
  const free = freeBytes(parts.storePath)
  return {
    day: dayOf(nowMs),
    time: new Date(nowMs).toISOString(),
    bytes_used: packBytes,
    chunks,
    snapshots: live.length,
    snapshots_held: live.filter((root) => store.isHeld(root)).length,
    ...(free !== undefined && { bytes_free: free }),
  }
}
