/** Reads the settings: `config.toml` (spec/config.md). Pure: file, environment and home are handed in. */

import { parse, TomlError } from 'smol-toml'
import { CellarError } from '../../protocol/index.ts'
import { checkTogether } from './together.ts'
import { CONFIG_DEFAULT } from './defaults.ts'
import { type Environment, expandVariables, fromEnvironment } from './environment.ts'
import { type Positions, positionsOf } from './positions.ts'
import { pathInWords, placeAtTop, type Problem, REFUSED } from './reading.ts'
import { readTable } from './table.ts'
import { rootFields } from './tables.ts'
import type { Config } from './types.ts'

/** What settings are read with, besides their text. */
export interface ConfigSurroundings {
  /** Where the text came from, for messages. */
  readonly path: string
  /** @defaultValue no variables */
  readonly env?: Environment
  /** Of the person, absolute; what `~` stands for. @defaultValue `$HOME` */
  readonly homeDirectory?: string
}

/** Something wrong in a file of settings. */
export interface ConfigProblem {
  /** From 1; absent for what does not stand in the file: a variable. */
  readonly line?: number
  /** The setting, as `profile.photos.exclude[1]`; empty for what is no TOML. */
  readonly key: string
  /** What is wrong and, where that is known, how it is right; a sentence without the line. */
  readonly message: string
  /** The name that was probably meant. */
  readonly nearest?: string
}

/** What became of a text. */
export type ConfigRead =
  | {
      readonly config: Config
      readonly problems: readonly []
      /** The table of the file, variables put in. */
      readonly table: Readonly<Record<string, unknown>>
      /** Settings that a variable gives, by key of {@link Config}. */
      readonly overridden: ReadonlySet<string>
      readonly positions: Positions
    }
  | { readonly config: undefined; readonly problems: readonly ConfigProblem[] }

/**
 * Reads settings, and finds all that is wrong with them.
 *
 * @param text - TOML
 */
export function readConfigText(
  text: string,
  { env = {}, homeDirectory = '' }: ConfigSurroundings,
): ConfigRead {
  let raw: Record<string, unknown>
  try {
    raw = parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    return { config: undefined, problems: [syntaxProblem(error)] }
  }
  const { place, problems } = placeAtTop(homeDirectory === '' ? (env['HOME'] ?? '/') : homeDirectory)
  const table = expandVariables(raw, env, place) as Record<string, unknown>
  const positions = positionsOf(text)
  // What a variable was missing for is no value any more: nothing else is said of it.
  const told = problems.length
  const read = told > 0 ? REFUSED : readTable(rootFields, table, place)
  const given = fromEnvironment(env, place)
  const config: Config = { ...(read === REFUSED ? CONFIG_DEFAULT : read), ...given }
  if (problems.length === 0) checkTogether(config, place)
  if (problems.length > 0 || read === REFUSED)
    return { config: undefined, problems: problems.map((problem) => placed(problem, positions)).sort(byLine) }
  return { config, problems: [], table, overridden: new Set(Object.keys(given)), positions }
}

/**
 * Reads settings.
 *
 * @param text - TOML
 * @param path - where it came from, for messages
 * @throws {CellarError} `CONFIG_INVALID`, naming the line and the key of the first thing that is wrong
 */
export function parseConfig(
  text: string,
  path: string,
  surroundings: Omit<ConfigSurroundings, 'path'> = {},
): Config {
  const read = readConfigText(text, { ...surroundings, path })
  if (read.config === undefined) throw configError(path, read.problems)
  return read.config
}

/** One problem as a line: `config.toml, line 3: …`. */
export function problemLine(path: string, { line, message }: ConfigProblem): string {
  return line === undefined ? message : `${path}, line ${String(line)}: ${message}`
}

/** The error that stops a program whose settings are wrong. */
export function configError(path: string, problems: readonly ConfigProblem[]): CellarError {
  const [first, ...more] = problems
  if (first === undefined) throw new TypeError('nothing is wrong')
  const rest =
    more.length === 0 ? '' : ` (and ${String(more.length)} more: cellar config check tells them all)`
  return new CellarError('CONFIG_INVALID', `${problemLine(path, first)}${rest}`, {
    path,
    key: first.key,
    ...(first.line !== undefined && { line: first.line }),
    ...(first.nearest !== undefined && { nearest: first.nearest }),
  })
}

function syntaxProblem(error: TomlError): ConfigProblem {
  const reason = (error.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '')
  return { line: error.line, key: '', message: `this is no TOML: ${reason}` }
}

/** In the order of the file; what stands in none comes last. */
function byLine(one: ConfigProblem, other: ConfigProblem): number {
  return (one.line ?? Infinity) - (other.line ?? Infinity) || 0
}

function placed({ path, what, nearest }: Problem, positions: Positions): ConfigProblem {
  const key = pathInWords(path)
  const line = positions.lineOf(path)
  const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`
  // Only what a variable overrides stands nowhere in the file.
  const isVariable = line === undefined && path.length > 0
  return {
    key,
    message: isVariable ? `the variable ${key} ${what}` : `"${key}" ${what}${hint}`,
    ...(line !== undefined && { line }),
    ...(nearest !== undefined && { nearest }),
  }
}
