/** Retention by itself: the rules of the settings, applied to the devices that they name (spec/deletion.md §2). */

import { CellarError, type DeviceId, isCellarError, memberNow } from '../../protocol/index.ts'
import type { RetentionStatus } from '../api.ts'
import type { Config, ProfileConfig } from '../config/types.ts'
import { lastRoundMs, Retention } from '../deletion/retention.ts'
import { type RetentionSettings, rulesInWords } from '../deletion/retention-settings.ts'
import { formatSpan } from '../deletion/time-span.ts'
import { judgeAll } from '../deletion/suspicion.ts'
import type { NodeParts } from '../parts.ts'
import { EVERY } from '../snapshots.ts'
import type { Catalog } from '../../storage/index.ts'
import { findDevice } from './devices.ts'
import { needCapability } from './entitled.ts'
import { applyRetention, type RetentionRequest } from './forget.ts'
import { isOfProfile } from './profile-snapshots.ts'

const dayMs = 86_400_000

/** The retention of a node that runs; to be started, and to be closed before the rest of the node. */
export function retentionOf(parts: NodeParts): Retention {
  return new Retention({
    clock: parts.world.clock,
    events: parts.events,
    catalog: roundsOf(parts),
    settings: () => {
      const { schedule } = parts.config
      // A calendar in its place: the schedule sees to it.
      return schedule.retention === undefined ? roundsIn(parts.config) : undefined
    },
    apply: (signal) => retainAll(parts, signal),
    judge: (signal) => judgeAll(parts, signal),
  })
}

/** How often there is something to apply: the rules for all, or those of a profile; undefined: never. */
export function roundsIn(config: Config): Pick<RetentionSettings, 'everyMs'> | undefined {
  if (config.retention !== undefined) return config.retention
  return config.profiles.some(({ retention }) => retention !== undefined) ? { everyMs: dayMs } : undefined
}

/** One round of all that the settings say. @throws {CellarError} as {@link retain} */
export async function retainAll(parts: NodeParts, signal: AbortSignal): Promise<void> {
  const { retention, profiles } = parts.config
  if (retention !== undefined) await retain(parts, retention, signal)
  for (const profile of profiles)
    if (profile.retention !== undefined) await retainProfile(parts, profile, signal)
}

/** Own snapshots of the sources of a profile, by its own rules: what is made of other sources is nothing to it. */
async function retainProfile(parts: NodeParts, profile: ProfileConfig, signal: AbortSignal): Promise<void> {
  const { retention: rules } = profile
  if (rules === undefined) return
  needCapability(parts, 'forget', 'may forget nothing, whatever its settings say')
  const among = isOfProfile(parts, profile)
  await applyOrExplain(parts, { rules, filter: EVERY, dryRun: false, among }, signal)
}

/** What the settings say, and when they were followed; undefined where no rules are set. */
export function retentionStatus(parts: NodeParts): RetentionStatus | undefined {
  const { retention, profiles, schedule } = parts.config
  const rounds = roundsIn(parts.config)
  if (rounds === undefined) return undefined
  const said = {
    ...(retention !== undefined && { rules: rulesInWords(retention.rules) }),
    devices: retention?.devices ?? [],
    profiles: profiles.flatMap(({ name, retention: rules }) =>
      rules === undefined ? [] : [{ name, rules: rulesInWords(rules) }],
    ),
  }
  // A calendar in the place of rounds: when it was and will be followed, the schedule knows.
  if (schedule.retention !== undefined) return { ...said, every: schedule.retention }
  const lastMs = lastRoundMs(roundsOf(parts))
  const nowMs = parts.world.clock.nowMs()
  const dueMs = lastMs === undefined || lastMs > nowMs ? nowMs : Math.max(nowMs, lastMs + rounds.everyMs)
  return {
    ...said,
    every: formatSpan(rounds.everyMs),
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
  const ruled = parts.config.profiles.filter((one) => one.retention !== undefined)
  const isRuled = ruled.map((profile) => isOfProfile(parts, profile))
  await applyOrExplain(
    parts,
    {
      rules: settings.rules,
      filter: { devices: [...devices], paths: [], tags: [] },
      dryRun: false,
      // What a device that was removed has backed up stays until a person says so (R2); a profile has rules of its own.
      among: (snapshot) =>
        isMember(snapshot.maker) && isMember(snapshot.live.owner) && !isRuled.some((isOf) => isOf(snapshot)),
    },
    signal,
  )
}

async function applyOrExplain(
  parts: NodeParts,
  request: RetentionRequest,
  signal: AbortSignal,
): Promise<void> {
  try {
    await applyRetention(parts, request, signal)
  } catch (error) {
    if (!isCellarError(error, 'USAGE')) throw error
    throw new CellarError('CONFIG_INVALID', error.message)
  }
}
