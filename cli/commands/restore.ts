import { Option } from 'commander'
import { CellarError, type Overwrite, type RestoreEvent, type RestoreSummary } from '../../node/client.ts'
import { count, formatBytes, formatSeconds } from '../output/format.ts'
import { restoreProgress } from '../output/progress.ts'
import { argumentText } from '../raw-args.ts'
import type { Session } from '../session.ts'
import { collect } from '../values.ts'
import {
  type Define,
  examples,
  type FilterOptions,
  filterOf,
  filterOptions,
  GROUP,
  patternsOf,
  type PatternOptions,
} from './command.ts'
import { restoreOn } from './restore-on.ts'

interface Options extends FilterOptions, PatternOptions {
  readonly target?: string
  readonly on?: string
  readonly as?: string
  readonly wait?: boolean
  readonly from?: string
  readonly overwrite: Overwrite
  readonly delete?: boolean
  readonly dryRun?: boolean
  readonly verify?: boolean
}

/** `cellar restore SNAPSHOT[:PATH]`: brings files back. */
export const defineRestore: Define = (program, act) => {
  const command = program
    .command('restore')
    .helpGroup(GROUP.everyDay)
    .summary('bring files back from a snapshot')
    .description(
      'Brings the files of a snapshot back below a directory, from this device or from any other that holds them. With :PATH, what is in that directory of the snapshot.',
    )
    .argument('<snapshot[:path]>', 'id or its beginning, or latest')
    .option('-t, --target <dir>', 'where the files go; made if it is not there')
    .option('-i, --include <pattern>', 'only what matches (may be given again)', collect)
    .option('--iinclude <pattern>', 'the same, upper and lower case alike', collect)
    .option('-e, --exclude <pattern>', 'leave out what matches (may be given again)', collect)
    .option('--iexclude <pattern>', 'the same, upper and lower case alike', collect)
    .option('--from <device>', 'fetch from this device only')
    .addOption(
      new Option('--overwrite <when>', 'files that are there already')
        .choices(['always', 'if-changed', 'if-newer', 'never'])
        .default('always'),
    )
    .option('--delete', 'remove from the target what is not in the snapshot')
    .option('-n, --dry-run', 'only say what would be done')
    .option('--verify', 'read every file back afterwards')
    .option(
      '--on <device>',
      'have another device restore it, into a new directory of its own, in place of --target',
    )
    .option('--as <name>', 'with --on: what that directory is to be called')
    .option('--no-wait', 'with --on: do not wait until it is done')
  filterOptions(command).action(act(restore))
  examples(
    command,
    'cellar restore latest -t ~/restored',
    'cellar restore latest:/home/ann/Documents -t /tmp/documents --device laptop',
    'cellar restore 3f2a91c0 -t / --include "*.odt" --overwrite if-newer --verify',
    'cellar restore latest:/home/ann/Photos --on desktop',
  )
}

async function restore(session: Session, snapshot: string, options: Options): Promise<undefined> {
  const { target, on } = options
  if (on !== undefined) {
    refuseWithOn(options)
    await restoreOn(session, snapshot, { ...options, on })
    return undefined
  }
  if (target === undefined)
    throw new CellarError('USAGE', 'say where to: --target DIR, or --on DEVICE for a directory of its choice')
  session.kept = 'files already restored stay and are whole; run it again to go on'
  const seen = { errors: 0 }
  const summary = await session.call(
    'restore',
    {
      snapshot: argumentText(snapshot),
      filter: filterOf(session, options),
      target: session.path(target),
      ...patternsOf(options),
      ...(options.from === undefined ? {} : { from: options.from }),
      overwrite: options.overwrite,
      delete: options.delete === true,
      dryRun: options.dryRun === true,
      verify: options.verify === true,
      verbose: session.print.options.verbosity > 0,
    },
    { onEvent: (event) => show(session, event, seen) },
  )
  if (session.json) session.print.json(summary)
  else printSummary(session, summary)
  if (summary.errors.length > 0) {
    throw new CellarError(
      'RESTORE_INCOMPLETE',
      `${summary.errors.length === 1 ? 'one entry' : `${String(summary.errors.length)} entries`} could not be restored; all else is in ${summary.target}`,
    )
  }
  return undefined
}

/** The other device decides where to, and overwrites nothing. */
function refuseWithOn(options: Options): void {
  const wrong = [
    ['--target', options.target !== undefined],
    ['--from', options.from !== undefined],
    ['--overwrite', options.overwrite !== 'always'],
    ['--delete', options.delete],
    ['--dry-run', options.dryRun],
    ['--verify', options.verify],
  ] as const
  for (const [flag, isGiven] of wrong)
    if (isGiven === true)
      throw new CellarError(
        'USAGE',
        `${flag} does not go with --on: the other device restores into a new directory`,
      )
}

function show(session: Session, event: RestoreEvent, seen: { errors: number }): void {
  const { print } = session
  if (event.message_type === 'error') {
    seen.errors += 1
    return print.problem(`${event.error.message}: ${event.item}`, event)
  }
  if (event.message_type === 'notice') return print.notice(event.message)
  if (session.json) {
    if (event.message_type !== 'status' || !print.options.quiet) print.json(event)
  } else if (event.message_type === 'status') {
    print.progress(() => restoreProgress(event, seen.errors))
  } else {
    print.detail(`${event.action.padEnd(9)} ${print.safe(event.item)}, ${formatBytes(event.size)}`)
  }
}

function printSummary(session: Session, summary: RestoreSummary): void {
  const { print } = session
  const done = summary.dry_run ? 'Would restore' : 'Restored'
  print.info(
    `${done} ${String(summary.files_restored)} of ${String(summary.total_files)} files and directories (${formatBytes(summary.bytes_restored)} of ${formatBytes(summary.total_bytes)}) in ${formatSeconds(summary.seconds_elapsed)}`,
  )
  if (summary.files_skipped > 0)
    print.info(
      `left as they were: ${count(summary.files_skipped, 'file')} (${formatBytes(summary.bytes_skipped)})`,
    )
  if (summary.files_deleted > 0)
    print.info(`${summary.dry_run ? 'would remove' : 'removed'}: ${count(summary.files_deleted, 'file')}`)
  if (summary.files_verified !== undefined)
    print.info(`read back and right: ${count(summary.files_verified, 'file')}`)
  const is = summary.dry_run ? 'would be' : 'is'
  print.info(`snapshot ${summary.snapshot_id.slice(0, 8)} ${is} in ${print.safe(summary.target)}`)
}
