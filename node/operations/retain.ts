/** Retention by itself: the rules of the settings, applied to the devices that they name (spec/deletion.md §2). */

import { CellarError, type DeviceId, isCellarError, memberNow } from '../../protocol/index.ts'
import type { RetentionStatus } from '../api.ts'
import { lastRoundMs, Retention } from '../deletion/retention.ts'
import { type RetentionSettings, rulesInWords } from '../deletion/retention-settings.ts'
import { formatSpan } from '../deletion/time-span.ts'
import { judgeAll } from '../deletion/suspicion.ts'
import type { NodeParts } from '../parts.ts'
import type { Catalog } from '../../storage/index.ts'
import { findDevice } from './devices.ts'
import { needCapability } from './entitled.ts'
import { applyRetention } from './forget.ts'

/** The retention of a node that runs; to be started, and to be closed before the rest of the node. */
export function retentionOf(parts: NodeParts): Retention {
  return new Retention({
    clock: parts.world.clock,
    events: parts.events,
    catalog: roundsOf(parts),
    settings: parts.config.retention,
    apply: (settings, signal) => retain(parts, settings, signal),
    judge: (signal) => judgeAll(parts, signal),
  })
}

/** What the settings say, and when they were followed; undefined where no rules are set. */
export function retentionStatus(parts: NodeParts): RetentionStatus | undefined {
  const { retention } = parts.config
  if (retention === undefined) return undefined
  const lastMs = lastRoundMs(roundsOf(parts))
  const nowMs = parts.world.clock.nowMs()
  const dueMs = lastMs === undefined || lastMs > nowMs ? nowMs : Math.max(nowMs, lastMs + retention.everyMs)
  return {
    rules: rulesInWords(retention.rules),
    every: formatSpan(retention.everyMs),
    devices: retention.devices,
    ...(lastMs !== undefined && { last_run: new Date(lastMs).toISOString() }),
    // A node that is open only to answer applies no rules.
    ...(parts.isRunning && { next_run: new Date(dueMs).toISOString() }),
  }
}

/** Remembers the last round. */
function roundsOf(parts: NodeParts): Catalog {
  return parts.catalog.sub('retention')
}

/**
 * One round.
 *
 * @throws {CellarError} `NOT_ENTITLED`; `CONFIG_INVALID` when the settings cannot be followed on this device
 */
export async function retain(
  parts: NodeParts,
  settings: RetentionSettings,
  signal: AbortSignal,
): Promise<void> {
  needCapability(parts, 'forget', 'may forget nothing, whatever its settings say')
  const { membership } = parts.ledger
  const isMember = (device: DeviceId) => memberNow(membership, device) !== undefined
  const devices = new Set(settings.devices.map((text) => findDevice(parts, text).device))
  try {
    await applyRetention(
      parts,
      {
        rules: settings.rules,
        filter: { devices: [...devices], paths: [], tags: [] },
        dryRun: false,
        // What a device that was removed has backed up stays until a person says so (R2).
        among: ({ live, maker }) => isMember(maker) && isMember(live.owner),
      },
      signal,
    )
  } catch (error) {
    if (!isCellarError(error, 'USAGE')) throw error
    throw new CellarError('CONFIG_INVALID', error.message)
  }
}
