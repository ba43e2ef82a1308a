/** What the files of this directory share: how a command is declared, and options that several have. */

import type { Command } from 'commander'
import type { SnapshotFilter } from '../../node/client.ts'
import { argumentText } from '../raw-args.ts'
import type { Session } from '../session.ts'
import { collect } from '../values.ts'

/** Wraps a command's work for the parser: it runs in a session, and its result is the exit status. */
export type Act = <A extends unknown[]>(
  work: (session: Session, ...args: A) => Promise<number | undefined>,
) => (...args: A) => Promise<void>

/** Adds a command to the program. */
export type Define = (program: Command, act: Act) => void

/** Headings of the list of commands, in the order people need them. */
export const GROUP = {
  setUp: 'Set up:',
  everyDay: 'Every day:',
  lookInside: 'Look inside:',
  forget: 'Forget and keep:',
  care: 'Care:',
} as const

/** Adds examples at the end of a command's help. */
export function examples(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}`).join('\n')}`)
}

/** Options that choose among snapshots. */
export interface FilterOptions {
  readonly device?: readonly string[]
  readonly path?: readonly string[]
  readonly tag?: readonly string[]
}

/** Adds `--device`, `--path` and `--tag`. */
export function filterOptions(command: Command): Command {
  return command
    .option('-d, --device <device>', 'only snapshots of this device (may be given again)', collect)
    .option('--path <path>', 'only snapshots that have this path (again: and that one)', collect)
    .option('--tag <tag,...>', 'only snapshots with all of these tags (again: or those)', collect)
}

/** What those options mean for the node. */
export function filterOf(session: Session, options: FilterOptions): SnapshotFilter {
  return {
    devices: options.device ?? [],
    paths: (options.path ?? []).map((path) => session.path(path)),
    tags: (options.tag ?? []).map((list) => list.split(',')),
  }
}

/** Options with patterns that choose what to leave out or to take. */
export interface PatternOptions {
  readonly exclude?: readonly string[]
  readonly iexclude?: readonly string[]
  readonly include?: readonly string[]
  readonly iinclude?: readonly string[]
}

/** The four lists of patterns as they travel. */
export function patternsOf(options: PatternOptions) {
  const texts = (list: readonly string[] | undefined) => (list ?? []).map(argumentText)
  return {
    excludes: texts(options.exclude),
    iexcludes: texts(options.iexclude),
    includes: texts(options.include),
    iincludes: texts(options.iinclude),
  }
}
