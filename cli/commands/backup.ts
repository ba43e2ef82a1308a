import type { Command } from 'commander'
import {
  type BackupParams,
  type BackupSummary,
  CellarError,
  commandOutput,
  expandPath,
  itemsIn,
  linesIn,
  type PathText,
  patternsIn,
  readNamed,
} from '../../node/client.ts'
import { argumentText } from '../raw-args.ts'
import type { Session, SessionCall } from '../session.ts'
import { collect, moment, sizeBytes, waitGoal } from '../values.ts'
import { backupEvents, type BackupSeen, printSummary } from './backup-output.ts'
import { type Define, examples, GROUP } from './command.ts'

interface Options {
  readonly exclude?: readonly string[]
  readonly iexclude?: readonly string[]
  readonly excludeFile?: readonly string[]
  readonly iexcludeFile?: readonly string[]
  readonly excludeCaches?: boolean
  readonly excludeIfPresent?: readonly string[]
  readonly excludeLargerThan?: number
  readonly oneFileSystem?: boolean
  readonly filesFrom?: readonly string[]
  readonly filesFromVerbatim?: readonly string[]
  readonly filesFromRaw?: readonly string[]
  readonly stdin?: boolean
  readonly stdinFilename: string
  readonly stdinFromCommand?: boolean
  readonly tag?: readonly string[]
  readonly time?: string
  readonly dryRun?: boolean
  readonly skipIfUnchanged?: boolean
  readonly wait?: 'goal' | number
  readonly profile?: string
  readonly force?: boolean
}

const UNREAD = 3
const COPIES_MISSING = 21

/** `cellar backup PATH…`: makes a snapshot. */
export const defineBackup: Define = (program, act) => {
  const command = program
    .command('backup')
    .helpGroup(GROUP.everyDay)
    .summary('make a snapshot of files and directories')
    .description(
      'Makes a snapshot of the paths given. It is kept on this device at once, and goes to the others by itself as they come into reach.',
    )
    .argument(
      '[path...]',
      'what to back up; with --stdin-from-command, the command; with --profile, in its place',
    )
    .option('-P, --profile <name>', 'as this profile of the settings says; other options go before it')
    .option('--force', 'with --profile: also on battery or a metered network, whatever the profile says')
  excludeOptions(command)
  sourceOptions(command)
  command
    .option('--tag <tag,...>', 'tags for the snapshot (may be given again)', collect)
    .option('--time <time>', 'time of the snapshot: "2026-03-01 14:30:00", or now')
    .option('-n, --dry-run', 'only say what would be done')
    .option('--skip-if-unchanged', 'make no snapshot when nothing has changed')
    // As `--wait=COPIES` only: a number behind a space is a path. The program's reader of arguments sees to that.
    .option(
      '--wait [=copies]',
      'wait until so many devices hold it, or as many as wanted; exit 21 if they do not',
      waitGoal,
    )
    .action(act(backup))
  examples(
    command,
    'cellar backup ~/Documents ~/Pictures',
    'cellar backup ~ --exclude-caches -e "*.iso" -e /home/*/.cache',
    'cellar backup /etc --tag system --wait=2',
    'cellar backup --profile photos',
    'pg_dump shop | cellar backup --stdin --stdin-filename shop.sql',
    'cellar backup --stdin-from-command --stdin-filename shop.sql -- pg_dump shop',
  )
}

function excludeOptions(command: Command): void {
  command
    .option('-e, --exclude <pattern>', 'leave out what matches (may be given again)', collect)
    .option('--iexclude <pattern>', 'the same, upper and lower case alike', collect)
    .option('--exclude-file <file>', 'read such patterns from a file', collect)
    .option('--iexclude-file <file>', 'the same, upper and lower case alike', collect)
    .option('--exclude-caches', 'leave out what is in directories with a CACHEDIR.TAG')
    .option(
      '--exclude-if-present <name[:header]>',
      'leave out what is in directories that hold such a file',
      collect,
    )
    .option('--exclude-larger-than <size>', 'leave out files larger than this', sizeBytes)
    .option('-x, --one-file-system', 'stay on the file systems of the paths given')
}

function sourceOptions(command: Command): void {
  command
    .option(
      '--files-from <file>',
      'read paths from a file, one a line, wildcards expanded; - is standard input',
      collect,
    )
    .option('--files-from-verbatim <file>', 'the same, taken as they stand', collect)
    .option('--files-from-raw <file>', 'the same, each ended by NUL', collect)
    .option('--stdin', 'back up standard input as one file')
    .option('--stdin-filename <name>', 'how that file is called', 'stdin')
    .option('--stdin-from-command', 'back up what a command writes, if it succeeds')
}

async function backup(
  session: Session,
  args: readonly string[],
  options: Options,
): Promise<number | undefined> {
  const paths = isStreamed(options) ? [] : await pathsOf(session, args, options)
  refuseNonsense(args, options, paths)
  const seen: BackupSeen = { savedId: undefined }
  session.kept = 'there is no new snapshot; what was stored already is used again by the next backup'
  const call: SessionCall<'backup'> = { onEvent: backupEvents(session, seen) }
  const input = inputOf(session, args, options)
  const { profile } = options
  const given = givenParams(session, paths, options)
  const summary =
    profile === undefined
      ? await session.call(
          'backup',
          { ...NOTHING_GIVEN, ...given },
          input === undefined ? call : { ...call, input },
        )
      : await session.call<'backupProfile'>(
          'backupProfile',
          { profile, force: options.force === true, instead: given },
          call,
        )
  if (session.json) session.print.json(summary)
  else printSummary(session, summary)
  return verdictOf(session, summary)
}

function isStreamed(options: Options): boolean {
  return options.stdin === true || options.stdinFromCommand === true
}

function refuseNonsense(args: readonly string[], options: Options, paths: readonly PathText[]): void {
  if (options.profile !== undefined && isStreamed(options))
    throw new CellarError(
      'USAGE',
      'a profile says itself what is backed up: leave out --stdin and --stdin-from-command',
    )
  if (options.profile === undefined && options.force === true)
    throw new CellarError('USAGE', '--force is for a profile: without one nothing is put off')
  if (options.stdin === true && options.stdinFromCommand === true)
    throw new CellarError('USAGE', '--stdin and --stdin-from-command exclude each other')
  const lists = [options.filesFrom, options.filesFromVerbatim, options.filesFromRaw]
  if (
    (options.stdin === true || options.stdinFromCommand === true) &&
    lists.some((list) => list !== undefined)
  ) {
    throw new CellarError('USAGE', 'a stream is backed up by itself, without --files-from')
  }
  if (options.stdin === true && args.length > 0)
    throw new CellarError('USAGE', '--stdin is backed up by itself, without paths')
  if (options.stdinFromCommand === true && args.length === 0)
    throw new CellarError('USAGE', '--stdin-from-command needs the command, behind --')
  if (options.profile === undefined && !isStreamed(options) && paths.length === 0)
    throw new CellarError('USAGE', 'backup needs at least one path, or --profile NAME')
  if (options.stdinFilename.includes('/') || ['', '.', '..'].includes(options.stdinFilename)) {
    throw new CellarError('USAGE', '--stdin-filename is a name without directories')
  }
}

async function pathsOf(session: Session, args: readonly string[], options: Options): Promise<PathText[]> {
  const named: string[] = [...args]
  for (const file of options.filesFrom ?? []) {
    const lines = linesIn(await listFile(session, file)).map((line) => line.trim())
    for (const line of lines.filter((text) => text !== '' && !text.startsWith('#'))) {
      const found = expandPath(line, session.world.directory)
      if (found.length === 0) session.print.notice(`nothing matches ${line} of ${file}`)
      named.push(...found)
    }
  }
  for (const file of options.filesFromVerbatim ?? [])
    named.push(...linesIn(await listFile(session, file)).filter((line) => line !== ''))
  for (const file of options.filesFromRaw ?? []) named.push(...itemsIn(await listFile(session, file)))
  return named.map((path) => session.path(path))
}

async function listFile(session: Session, file: string): Promise<Uint8Array> {
  if (file !== '-') return readNamed(session.pathBytes(file), file)
  const parts: Uint8Array[] = []
  for await (const bytes of session.world.stdin.bytes()) parts.push(bytes)
  return Buffer.concat(parts)
}

/** What holds where nothing was given. */
const NOTHING_GIVEN: BackupParams = {
  paths: [],
  excludes: [],
  iexcludes: [],
  excludeCaches: false,
  excludeIfPresent: [],
  oneFileSystem: false,
  tags: [],
  dryRun: false,
  skipIfUnchanged: false,
  verbose: false,
}

/** What was given: with a profile it goes before what that says, a list in the place of its list. */
function givenParams(session: Session, paths: readonly PathText[], options: Options): Partial<BackupParams> {
  const fromFiles = (files: readonly string[] | undefined): string[] =>
    (files ?? []).flatMap((file) => patternsIn(readNamed(session.pathBytes(file), file), session.world.env))
  const excludes = [...(options.exclude ?? []), ...fromFiles(options.excludeFile)].map(argumentText)
  const iexcludes = [...(options.iexclude ?? []), ...fromFiles(options.iexcludeFile)].map(argumentText)
  const tags = (options.tag ?? []).flatMap((list) => list.split(',')).filter((tag) => tag !== '')
  const { excludeIfPresent, excludeLargerThan, time, wait } = options
  return {
    ...(paths.length > 0 && { paths }),
    ...(excludes.length > 0 && { excludes }),
    ...(iexcludes.length > 0 && { iexcludes }),
    ...(options.excludeCaches === true && { excludeCaches: true }),
    ...(excludeIfPresent !== undefined && { excludeIfPresent: excludeIfPresent.map(argumentText) }),
    ...(excludeLargerThan !== undefined && { excludeLargerThan }),
    ...(options.oneFileSystem === true && { oneFileSystem: true }),
    ...(isStreamed(options) && { stdin: { name: argumentText(options.stdinFilename) } }),
    ...(tags.length > 0 && { tags }),
    ...(time !== undefined && { time: moment(time, session.world.nowMs()) }),
    ...(options.dryRun === true && { dryRun: true }),
    ...(options.skipIfUnchanged === true && { skipIfUnchanged: true }),
    ...(wait !== undefined && { wait }),
    ...(session.print.options.verbosity > 0 && { verbose: true }),
  }
}

function inputOf(
  session: Session,
  args: readonly string[],
  options: Options,
): AsyncIterable<Uint8Array> | undefined {
  if (options.stdin === true) return session.world.stdin.bytes()
  if (options.stdinFromCommand === true) return commandOutput(args, session.signal)
  return undefined
}

/** The exit status: what could not be read weighs more than copies that may still come. */
function verdictOf(session: Session, summary: BackupSummary): number | undefined {
  if (summary.unread.length > 0) {
    const many = summary.unread.length === 1 ? 'one source' : `${String(summary.unread.length)} sources`
    session.print.failure(
      UNREAD,
      `${many} could not be read; all else is in the snapshot`,
      summary.unread.every(({ code }) => code === 'ENOENT')
        ? 'check how the paths are written'
        : 'look at the permissions of the files named',
      'SOURCE_UNREADABLE',
    )
    return UNREAD
  }
  if (summary.waited !== undefined && !summary.waited.reached) {
    const told = `the snapshot is saved, but only ${String(summary.copies)} of ${String(summary.waited.wanted)} devices hold it`
    const full = (summary.waited.full ?? []).map((name) => session.print.safe(name))
    session.print.failure(
      COPIES_MISSING,
      full.length === 0 ? told : `${told}: ${full.join(', ')} ${full.length === 1 ? 'is' : 'are'} full`,
      full.length === 0
        ? 'leave rootcellar running (cellar start): it goes on by itself'
        : 'free space there, raise a quota, or add a device',
      'COPIES_MISSING',
    )
    return COPIES_MISSING
  }
  return undefined
}
