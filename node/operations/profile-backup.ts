/** `backupProfile`: a backup as a profile of the settings says, by the schedule or by hand. */

import { CellarError } from '../../protocol/index.ts'
import type { BackupParams, BackupSummary, CallContext, ProfileBackupParams } from '../api.ts'
import { commandOutput } from '../adapters/command-output.ts'
import { profileParams } from '../backup/profile-params.ts'
import type { ProfileConfig } from '../config/types.ts'
import type { NodeParts } from '../parts.ts'
import { HINDRANCES } from '../schedule/surroundings.ts'
import { runBackup } from './backup.ts'
import { profileOf } from './profile-snapshots.ts'
import { resultOfBackup } from './tell-backup.ts'

/** How a profile of that name is told and remembered. */
const taskOf = (profile: string) => ({ name: 'backup', profile })

/** Backs a profile up for a person, see `Methods.backupProfile`. */
export async function runProfileBackup(
  parts: NodeParts,
  { profile: name, force, instead }: ProfileBackupParams,
  context: CallContext<'backupProfile'>,
): Promise<BackupSummary> {
  const profile = profileOf(parts, name)
  if (!force) await refuseHindered(parts, profile)
  const work = () => backUpProfile(parts, profile, instead, context)
  if (instead.dryRun === true) return await work()
  return await parts.scheduler.runByHand(taskOf(name), work, resultOfBackup, context.signal)
}

/**
 * Backs a profile up as it is in the settings.
 *
 * @param instead - in the place of what it says
 * @throws {CellarError} as `runBackup`; `CONFIG_INVALID`, `USAGE`, `COMMAND_FAILED`
 */
export async function backUpProfile(
  parts: NodeParts,
  profile: ProfileConfig,
  instead: Partial<BackupParams>,
  context: CallContext<'backup'>,
): Promise<BackupSummary> {
  const params: BackupParams = { ...profileParams(profile, process.env), ...instead }
  const { stdinFromCommand } = profile
  if (stdinFromCommand === undefined || params.stdin === undefined)
    return await runBackup(parts, params, context)
  return await runBackup(parts, params, {
    ...context,
    input: commandOutput(stdinFromCommand, context.signal),
  })
}

async function refuseHindered(parts: NodeParts, conditions: ProfileConfig): Promise<void> {
  const hindrance = await parts.scheduler.hindrance({ conditions })
  if (hindrance === undefined) return
  throw new CellarError('PUT_OFF', `the backup of ${conditions.name} is put off: ${HINDRANCES[hindrance]}`)
}
