/** Retention by itself: the rules of the settings, applied to the devices that they name (spec/deletion.md §2). */

import { CellarError, type DeviceId, isCellarError, memberNow } from '../../protocol/index.ts'
import { Retention } from '../deletion/retention.ts'
import type { RetentionSettings } from '../deletion/retention-settings.ts'
import { judgeAll } from '../deletion/suspicion.ts'
import type { NodeParts } from '../parts.ts'
import { findDevice } from './devices.ts'
import { needCapability } from './entitled.ts'
import { applyRetention } from './forget.ts'

/** The retention of a node that runs; to be started, and to be closed before the rest of the node. */
export function retentionOf(parts: NodeParts): Retention {
  return new Retention({
    clock: parts.world.clock,
    events: parts.events,
    catalog: parts.catalog.sub('retention'),
    settings: parts.config.retention,
    apply: (settings, signal) => retain(parts, settings, signal),
    judge: (signal) => judgeAll(parts, signal),
  })
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
