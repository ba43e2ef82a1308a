/** Which snapshots are those of a profile: this device's own, of the same sources. */

import { CellarError, compareBytes } from '../../protocol/index.ts'
import { absolutePath, argumentBytes } from '../argument-text.ts'
import type { ProfileConfig } from '../config/types.ts'
import type { NodeParts } from '../parts.ts'
import type { KnownSnapshot } from '../snapshots.ts'
import { sourceLabel } from '../source-label.ts'

/** The profile of a name that is in force. @throws {CellarError} `CONFIG_INVALID` when there is none */
export function profileOf(parts: NodeParts, name: string): ProfileConfig {
  const { profiles } = parts.settings.current
  const found = profiles.find((profile) => profile.name === name)
  if (found !== undefined) return found
  const names = profiles.map((profile) => profile.name)
  const there = names.length === 0 ? 'the settings have none' : `there are ${names.join(', ')}`
  throw new CellarError('CONFIG_INVALID', `there is no profile ${name} (${there})`, { profile: name })
}

/**
 * Says of a snapshot whether it is one of a profile. They are told by the label under which their sources are
 * announced:
 * one that was made of other sources before, or together with others, is none.
 */
export function isOfProfile(parts: NodeParts, profile: ProfileConfig): (snapshot: KnownSnapshot) => boolean {
  const { vault, signer } = parts
  if (vault === undefined) return () => false
  const paths =
    profile.stdinFromCommand === undefined
      ? profile.sources.map((path) => absolutePath(argumentBytes(path), argumentBytes('/')))
      : [argumentBytes(profile.stdinFilename)]
  const label = sourceLabel(vault.keys, signer.device, paths)
  return ({ live, maker }) =>
    maker === signer.device && live.owner === signer.device && compareBytes(live.source, label) === 0
}
