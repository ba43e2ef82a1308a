/**
 * What a person does with the file of settings, with or without a node: looking, checking, changing. Loaded by the
 * light door (`client.ts`) only when asked for.
 */

import { homedir } from 'node:os'
import { dirname } from 'node:path'
import { CellarError } from '../../protocol/index.ts'
import {
  isThere,
  linkedTo,
  makePrivateDirectory,
  readTextFile,
  writePrivateFile,
} from '../adapters/private-files.ts'
import type { HomePaths } from '../home.ts'
import type { Environment } from './environment.ts'
import { formatConfig } from './format.ts'
import { changedText, type SettingChange } from './change.ts'
import { CONFIG_DEFAULT } from './defaults.ts'
import {
  type ConfigProblem,
  configError,
  type ConfigRead,
  type ConfigSurroundings,
  readConfigText,
} from './parse.ts'
import { type ShownSetting, shownSettings } from './show.ts'

export { problemLine } from './parse.ts'
export { schemaText } from './schema.ts'
export { pathInWords } from './reading.ts'
export { besides, NOT_READ, shownTable, shownText } from './show.ts'
export type { ConfigProblem, ShownSetting }

/** The text of the file; undefined where there is none. */
export function settingsText(home: HomePaths): string | undefined {
  return readTextFile(home.config)
}

/** The text of a file that says nothing yet, for a person to begin with. */
export function freshSettings(): string {
  return formatConfig(CONFIG_DEFAULT)
}

/** All that is wrong with a text; empty: nothing. */
export function problemsOf(text: string, home: HomePaths, env: Environment): readonly ConfigProblem[] {
  return readSettings(text, home, env).problems
}

/** What file and environment say; a file that is not there says nothing. @throws {CellarError} `CONFIG_INVALID` */
export function settingsOf(home: HomePaths, env: Environment): readonly ShownSetting[] {
  return shownSettings(rightOf(settingsText(home) ?? '', home, env))
}

/** What is in order, and still probably not meant: files that are not there, a password that stands in the file. */
export function noticesOf(text: string, home: HomePaths, env: Environment): readonly string[] {
  const { config } = rightOf(text, home, env)
  const missing = config.profiles.flatMap((profile) =>
    [...profile.sources, ...profile.filesFrom, ...profile.excludeFile, ...profile.iexcludeFile]
      .filter((path) => !isThere(path))
      .map((path) => `profile ${profile.name}: ${path} is not there`),
  )
  const { email } = config
  const password = email?.passwordFile
  return [
    ...new Set(missing),
    ...(password !== undefined && !isThere(password)
      ? [`email.password_file: ${password} is not there`]
      : []),
    ...(email !== undefined && new URL(email.smtp).password !== ''
      ? ['email.smtp has a password in it: password_file keeps it apart']
      : []),
  ]
}

/** Puts another text in the place of a file, whole or not at all. @param path - where the file is, no link to it */
export function replaceSettings(path: string, text: string): void {
  writePrivateFile(path, text)
}

/**
 * Changes settings in the file, which may not be there yet; durable once it returns.
 *
 * @returns whether anything had to be written
 * @throws {CellarError} of `changedText`
 */
export function changeSettings(
  home: HomePaths,
  changes: readonly SettingChange[],
  env: Environment = process.env,
): boolean {
  const before = settingsText(home)
  const next = changedText(before ?? freshSettings(), changes, surroundings(home, env))
  if (next === before) return false
  // Many keep their settings elsewhere, and a link here: it stays one.
  replaceSettings(linkedTo(home.config), next)
  return true
}

/** A copy to be edited, which nobody else may read. */
export function writeDraft(home: HomePaths, draft: string, text: string): void {
  makePrivateDirectory(dirname(home.config))
  writePrivateFile(draft, text)
}

/** What became of the copy. @throws {CellarError} `COMMAND_FAILED` when it is gone */
export function draftText(draft: string): string {
  const text = readTextFile(draft)
  if (text === undefined)
    throw new CellarError('COMMAND_FAILED', `the editor left no file ${draft}: nothing was changed`)
  return text
}

function rightOf(
  text: string,
  home: HomePaths,
  env: Environment,
): Extract<ConfigRead, { problems: readonly [] }> {
  const read = readSettings(text, home, env)
  if (read.config === undefined) throw configError(home.config, read.problems)
  return read
}

function readSettings(text: string, home: HomePaths, env: Environment): ConfigRead {
  return readConfigText(text, surroundings(home, env))
}

function surroundings(home: HomePaths, env: Environment): ConfigSurroundings {
  return { path: home.config, env, homeDirectory: homedir() }
}
