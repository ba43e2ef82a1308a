/** Settings of a node that runs: what is in force, and reading them again (spec/config.md §5). */

import { CellarError, isCellarError } from '../../protocol/index.ts'
import type {
  ConfigChanged,
  ConfigChangeParams,
  ConfigInForce,
  ConfigReloaded,
  ProfileInfo,
  SettingsInForce,
} from '../api.ts'
import { changesOf } from '../config/changes.ts'
import { isRunnable } from '../config/profiles.ts'
import { tableInForce } from '../config/show.ts'
import type { Config } from '../config/types.ts'
import { rulesInWords } from '../deletion/retention-settings.ts'
import type { NodeParts } from '../parts.ts'

/** What is in force, see `Methods.configShow`. */
export function showConfig(parts: NodeParts): ConfigInForce {
  return { message_type: 'config', path: parts.home.config, settings: tableInForce(parts.settings.current) }
}

/**
 * Reads the settings again and puts in force what may change under way; with wrong ones all stays as it is.
 *
 * @throws {CellarError} `CONFIG_INVALID`; `NODE_NOT_RUNNING` when it was opened for one command only
 */
export function reloadConfig(parts: NodeParts): ConfigReloaded {
  if (!parts.isRunning)
    throw new CellarError(
      'NODE_NOT_RUNNING',
      'no node is running here: the next one reads the settings anyway',
    )
  const { settings } = parts
  const { next, changed, needsRestart } = changesOf(settings.current, readAgain(parts))
  if (changed.length > 0) settings.change(next)
  return { message_type: 'config_reloaded', path: parts.home.config, changed, needs_restart: needsRestart }
}

/** Every setting, see `Methods.settings`. Loads what only it needs. */
export async function listSettings(parts: NodeParts): Promise<SettingsInForce> {
  const [{ settingsOf }, { settingsInForce }] = await Promise.all([
    import('../config/tools.ts'),
    import('../config/in-force.ts'),
  ])
  const path = parts.home.config
  try {
    const file = settingsOf(parts.home, process.env)
    return { path, settings: settingsInForce(file, parts.settings.current) }
  } catch (error) {
    if (!isCellarError(error)) throw error
    return { path, settings: settingsInForce(undefined, parts.settings.current), problem: error.message }
  }
}

/**
 * Changes harmless settings and puts them in force (spec/config.md §6).
 *
 * @throws {CellarError} `USAGE`, `CONFIG_INVALID`: nothing was written
 */
export async function changeConfig(
  parts: NodeParts,
  { changes }: ConfigChangeParams,
): Promise<ConfigChanged> {
  const { changeSettings } = await import('../config/tools.ts')
  const path = parts.home.config
  const written = changeSettings(parts.home, changes)
  if (!parts.isRunning)
    return { message_type: 'config_changed', path, written, changed: [], needs_restart: [] }
  const { changed, needs_restart } = reloadConfig(parts)
  return { message_type: 'config_changed', path, written, changed, needs_restart }
}

/** What is wrong with the file is wrong for the next start too: it is told also where nobody waits for the answer. */
function readAgain({ settings, events }: NodeParts): Config {
  try {
    return settings.readAgain()
  } catch (error) {
    if (isCellarError(error))
      events.emit({ kind: 'trouble', code: error.code, message: `settings: ${error.message}` })
    throw error
  }
}

/** The profiles, in the order of the file. */
export function listProfiles(parts: NodeParts): ProfileInfo[] {
  return parts.settings.current.profiles.map((profile) => {
    const { name, inherits, sources, stdinFromCommand, tags, schedule, retention } = profile
    return {
      name,
      ...(inherits !== undefined && { inherits }),
      has_sources: isRunnable(profile),
      sources,
      files_from: [...profile.filesFrom, ...profile.filesFromVerbatim, ...profile.filesFromRaw],
      ...(stdinFromCommand !== undefined && { stdin_from_command: stdinFromCommand }),
      tags,
      schedule,
      ...(retention !== undefined && { retention: rulesInWords(retention) }),
    }
  })
}
