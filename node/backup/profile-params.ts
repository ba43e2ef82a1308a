/** A profile of the settings as parameters of a backup: the lists that it names are read now, at each backup. */

import { dirname } from 'node:path'
import { CellarError } from '../../protocol/errors.ts'
import type { BackupParams } from '../api-backup.ts'
import { absolutePath, argumentBytes, argumentText } from '../argument-text.ts'
import type { ProfileConfig } from '../config/types.ts'
import type { PathText } from '../path-text.ts'
import { pathText } from '../path-text.ts'
import { expandPath, itemsIn, linesIn, patternsIn, readNamed } from './pattern-files.ts'

/**
 * Reads what a profile names.
 *
 * @param env - for `$VAR` in files of patterns
 * @throws {CellarError} `CONFIG_INVALID` when it names nothing to back up; `USAGE` when a file cannot be read
 */
export function profileParams(
  profile: ProfileConfig,
  env: Readonly<Record<string, string | undefined>>,
): BackupParams {
  const isStream = profile.stdinFromCommand !== undefined
  const paths = isStream ? [] : pathsOf(profile)
  if (!isStream && paths.length === 0) {
    throw new CellarError(
      'CONFIG_INVALID',
      `the profile ${profile.name} names nothing to back up: give it sources`,
      { profile: profile.name },
    )
  }
  const patterns = (given: readonly string[], files: readonly string[]) =>
    [...given, ...files.flatMap((file) => patternsIn(read(file), env))].map(argumentText)
  const { excludeLargerThan, wait } = profile
  return {
    paths,
    excludes: patterns(profile.exclude, profile.excludeFile),
    iexcludes: patterns(profile.iexclude, profile.iexcludeFile),
    excludeCaches: profile.excludeCaches,
    excludeIfPresent: profile.excludeIfPresent.map(argumentText),
    ...(excludeLargerThan !== undefined && { excludeLargerThan }),
    oneFileSystem: profile.oneFileSystem,
    ...(isStream && { stdin: { name: argumentText(profile.stdinFilename) } }),
    tags: profile.tags,
    dryRun: false,
    skipIfUnchanged: profile.skipIfUnchanged,
    ...(wait !== undefined && { wait }),
    verbose: false,
    priority: profile.priority,
  }
}

/** Relative paths in a list begin where the list is. */
function pathsOf(profile: ProfileConfig): PathText[] {
  const at = (path: string, directory: string) =>
    pathText(absolutePath(argumentBytes(path), argumentBytes(directory)))
  const listed = (files: readonly string[], pathsIn: (file: string) => string[]) =>
    files.flatMap((file) => pathsIn(file).map((path) => at(path, dirname(file))))
  return [
    ...profile.sources.map((path) => at(path, '/')),
    ...listed(profile.filesFrom, (file) =>
      linesIn(read(file))
        .map((line) => line.trim())
        .filter((line) => line !== '' && !line.startsWith('#'))
        .flatMap((line) => expandPath(line, argumentBytes(dirname(file)))),
    ),
    ...listed(profile.filesFromVerbatim, (file) => linesIn(read(file)).filter((line) => line !== '')),
    ...listed(profile.filesFromRaw, (file) => itemsIn(read(file))),
  ]
}

function read(file: string): Uint8Array {
  return readNamed(Buffer.from(argumentBytes(file)), file)
}
