/** The tree of commands, and one run of it. */

import { Command, CommanderError } from 'commander'
import { defineBackup } from './commands/backup.ts'
import { defineCheck } from './commands/check.ts'
import { type Act, type Define, GROUP } from './commands/command.ts'
import { defineCompletion } from './commands/completion.ts'
import { defineDashboard } from './commands/dashboard.ts'
import { defineConfig } from './commands/config.ts'
import { defineDevices } from './commands/devices.ts'
import { defineDiff } from './commands/diff.ts'
import { defineDrill } from './commands/drill.ts'
import { defineDump } from './commands/dump.ts'
import { defineFind } from './commands/find.ts'
import { defineForget } from './commands/forget.ts'
import { defineHook } from './commands/hook.ts'
import { defineInit } from './commands/init.ts'
import { defineInvite } from './commands/invite.ts'
import { defineJoin } from './commands/join.ts'
import { defineKey } from './commands/key.ts'
import { defineLs } from './commands/ls.ts'
import { defineMetrics } from './commands/metrics.ts'
import { definePin, defineUnpin } from './commands/pin.ts'
import { defineProfile } from './commands/profile.ts'
import { definePrune } from './commands/prune.ts'
import { defineRecover } from './commands/recover.ts'
import { defineRecovery } from './commands/recovery.ts'
import { defineRestore } from './commands/restore.ts'
import { defineRestores } from './commands/restores.ts'
import { defineScrub } from './commands/scrub.ts'
import { defineService } from './commands/service.ts'
import { defineSnapshots } from './commands/snapshots.ts'
import { defineStart } from './commands/start.ts'
import { defineStats } from './commands/stats.ts'
import { defineStatus } from './commands/status.ts'
import { defineStop } from './commands/stop.ts'
import { defineTrash } from './commands/trash.ts'
import { defineUndelete } from './commands/undelete.ts'
import { VERSION } from '../node/client.ts'
import { defineVersion } from './commands/version.ts'
import { safeText } from './output/format.ts'
import { runSession } from './session.ts'
import { countUp, positiveInteger } from './values.ts'
import type { CliWorld } from './world.ts'

const COMMANDS: readonly Define[] = [
  defineInit,
  defineInvite,
  defineJoin,
  defineRecover,
  defineRecovery,
  defineDevices,
  defineConfig,
  defineService,
  defineStart,
  defineStop,
  defineStatus,
  defineDashboard,
  defineBackup,
  defineProfile,
  defineSnapshots,
  defineRestore,
  defineRestores,
  defineLs,
  defineFind,
  defineDiff,
  defineDump,
  defineStats,
  defineForget,
  defineTrash,
  defineUndelete,
  definePin,
  defineUnpin,
  definePrune,
  defineCheck,
  defineKey,
  defineHook,
  defineMetrics,
  defineScrub,
  defineDrill,
  defineVersion,
  defineCompletion,
]

const WRONG_USAGE = 2

/** Makes the tree; commands run by `act`. */
export function makeProgram(act: Act): Command {
  const program = new Command('cellar')
    .description('Rootcellar keeps the backups of your devices on your devices, encrypted, without a server.')
    .version(`cellar ${VERSION}`, '-V, --version', 'say which version this is')
    .option('--json', 'print JSON lines, for programs')
    .option('-q, --quiet', 'print results and errors only')
    .option('-v, --verbose', 'print more', countUp)
    .option(
      '--home <dir>',
      'where this device keeps its state (default: $CELLAR_HOME, or below $XDG_DATA_HOME)',
    )
    .option('--limit-upload <kib>', 'send chunks at most so many KiB a second', positiveInteger)
    .option('--limit-download <kib>', 'receive chunks at most so many KiB a second', positiveInteger)
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .addHelpText(
      'after',
      '\nSNAPSHOT is the beginning of an id, or latest; with --device, --path or --tag the latest of those.\ncellar help COMMAND tells more, with examples.',
    )
  program.addHelpCommand(
    new Command('help').argument('[command...]').description('show help for a command').helpGroup(GROUP.care),
  )
  for (const define of COMMANDS) define(program, act)
  return program
}

/**
 * Runs the command line once.
 *
 * @returns the exit status (cli.md "Exit codes")
 */
export async function runCli(world: CliWorld): Promise<number> {
  let status = 0
  const out: string[] = []
  const err: string[] = []
  const program: Command = makeProgram((work) => async (...args) => {
    // The parser hands over the command itself behind arguments and options.
    const command = (args as readonly unknown[]).find((arg) => arg instanceof Command)
    const named = command === undefined ? undefined : fullName(command)
    status = await runSession(world, program.opts(), (session) => work(session, ...args), named)
  })
  everyCommand(program, (command) => {
    command.exitOverride()
    command.configureOutput({
      writeOut: (text) => void out.push(text),
      writeErr: (text) => void err.push(text),
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(world.stdout.columns, 110),
      getErrHelpWidth: () => Math.min(world.stderr.columns, 110),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
  })
  try {
    await program.parseAsync(helpOfSubcommand(program, separateWait(world.args)), { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    status = error.exitCode === 0 ? 0 : WRONG_USAGE
    if (status !== 0) err.push(usageError(program, world, error))
  }
  if (out.length > 0) await world.stdout.write(out.join('')).catch(() => undefined)
  if (err.length > 0) await world.stderr.write(err.join(''))
  return status
}

function everyCommand(command: Command, visit: (command: Command) => void): void {
  visit(command)
  for (const child of command.commands) everyCommand(child, visit)
}

/** What a wrong usage is answered: what is wrong and where to read more; nothing more where help was printed. */
function usageError(program: Command, world: CliWorld, error: CommanderError): string {
  if (error.code === 'commander.help') return ''
  const message = safeText(error.message.replace(/^error: /, '').replaceAll('\n', ' '))
  if (world.args.includes('--json'))
    return `${JSON.stringify({ message_type: 'exit_error', code: WRONG_USAGE, message })}\n`
  const command = commandOf(program, world.args)
  return `cellar: ${message}\nto do:  see cellar help${command === program ? '' : ` ${fullName(command)}`}\n`
}

/** The command that arguments name, with its subcommand if they go on to one; the program when they name none. */
function commandOf(program: Command, args: readonly string[]): Command {
  const at = args.findIndex((arg) => program.commands.some((one) => one.name() === arg))
  const command = program.commands.find((one) => one.name() === args[at])
  return command?.commands.find((one) => one.name() === args[at + 1]) ?? command ?? program
}

/** `devices remove`: how a command is typed, without the program's name. */
function fullName(command: Command): string {
  const { parent } = command
  return parent?.parent ? `${fullName(parent)} ${command.name()}` : command.name()
}

/** `help devices remove`, which the parser would answer with the help of `devices`. */
function helpOfSubcommand(program: Command, args: readonly string[]): readonly string[] {
  const [help, ...names] = args
  const isSub = help === 'help' && names.length === 2 && commandOf(program, names).parent !== program
  return isSub && commandOf(program, names) !== program ? [...names, '--help'] : args
}

/** `--wait` stands alone or as `--wait=N`: what follows behind a space is a path, which the parser would take for N. */
function separateWait(args: readonly string[]): string[] {
  const end = args.indexOf('--')
  return args.map((arg, at) => (arg === '--wait' && (end < 0 || at < end) ? '--wait=goal' : arg))
}
