import { CellarError, type CheckEvent, type CheckSummary } from '../../node/client.ts'
import { count, formatBytes } from '../output/format.ts'
import { checkProgress } from '../output/progress.ts'
import type { Session } from '../session.ts'
import { dataSubset } from '../values.ts'
import { type Define, examples, GROUP } from './command.ts'

interface Options {
  readonly readData?: boolean
  readonly readDataSubset?: string
  readonly repair?: boolean
}

/** `cellar check`: whether what is stored is whole. */
export const defineCheck: Define = (program, act) => {
  const command = program
    .command('check')
    .helpGroup(GROUP.care)
    .summary('check that what is stored is whole, and mend it')
    .description(
      'Checks that every snapshot held here has all its chunks, and with --read-data that every byte is right. --repair fetches what is bad from other devices.',
    )
    .argument('[snapshot...]', 'only these: ids, their beginnings, or latest')
    .option('--read-data', 'read and check every byte that is stored')
    .option('--read-data-subset <part>', 'read a part only: 10%, 2/5 or a size such as 20G', dataSubset)
    .option('--repair', 'mend what is bad from other devices')
    .action(act(check))
  examples(
    command,
    'cellar check',
    'cellar check --read-data --repair',
    'cellar check --read-data-subset 10%',
  )
}

async function check(session: Session, snapshots: readonly string[], options: Options): Promise<undefined> {
  if (options.readData === true && options.readDataSubset !== undefined) {
    throw new CellarError('USAGE', '--read-data reads all and --read-data-subset a part: give one of them')
  }
  session.kept = 'checking changed nothing; chunks already mended stay mended'
  const summary = await session.call(
    'check',
    {
      readData: options.readData === true || options.readDataSubset !== undefined,
      ...(options.readDataSubset === undefined ? {} : { subset: options.readDataSubset }),
      repair: options.repair === true,
      snapshots,
    },
    { onEvent: (event) => show(session, event) },
  )
  if (session.json) session.print.json(summary)
  else printSummary(session, summary)
  const left = summary.num_errors - summary.num_mended
  if (left > 0) throw new CellarError('CHECK_FAILED', `${count(left, 'problem')} found and not mended`)
  return undefined
}

function show(session: Session, event: CheckEvent): void {
  const { print } = session
  if (event.message_type === 'error') return print.problem(event.message, event)
  if (event.message_type === 'notice') return print.notice(event.message)
  if (session.json) {
    if (event.message_type !== 'status' || !print.options.quiet) print.json(event)
  } else if (event.message_type === 'status') {
    print.progress(() => checkProgress(event))
  } else {
    print.info(`mended ${event.chunk.slice(0, 8)} from ${print.safe(event.from)}`)
  }
}

function printSummary(session: Session, summary: CheckSummary): void {
  const { print } = session
  const read = summary.bytes_read > 0 ? `, ${formatBytes(summary.bytes_read)} read` : ''
  print.info(
    `checked ${count(summary.snapshots_checked, 'snapshot')}, ${count(summary.chunks_checked, 'chunk')}${read}`,
  )
  if (summary.num_errors === 0) print.info('no errors were found')
  else if (summary.num_mended === summary.num_errors)
    print.info(`${count(summary.num_errors, 'problem')} found, all mended`)
}
