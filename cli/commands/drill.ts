import { CellarError, type DrillEvent, type DrillSummary } from '../../node/client.ts'
import { count, formatBytes } from '../output/format.ts'
import { drillProgress } from '../output/progress.ts'
import { argumentText } from '../raw-args.ts'
import type { Session } from '../session.ts'
import { positiveInteger, sizeBytes } from '../values.ts'
import { type Define, examples, GROUP } from './command.ts'

interface Options {
  readonly from?: string
  readonly files?: number
  readonly bytes?: number
}

/** `cellar drill`: tries whether others would give the files back. */
export const defineDrill: Define = (program, act) => {
  const command = program
    .command('drill')
    .helpGroup(GROUP.care)
    .summary('try to restore some files from another device, and compare them')
    .description(
      'Restores some files, drawn at random, from another device into a directory of its own, as if this device had lost everything; compares them with what was backed up, and with the files themselves where they are unchanged; then removes them again. A running node does so by itself every month (schedule and drill in the settings).',
    )
    .argument(
      '[snapshot]',
      'an id, the beginning of one, or latest (default: one that others hold, at random)',
    )
    .option('--from <device>', 'restore from this device (default: one that holds it)')
    .option('--files <n>', 'at most so many files', positiveInteger)
    .option('--bytes <size>', 'at most so much, such as 500M', sizeBytes)
    .action(act(drill))
  examples(command, 'cellar drill', 'cellar drill latest --from pi --files 100 --bytes 2G')
}

async function drill(session: Session, snapshot: string | undefined, options: Options): Promise<undefined> {
  session.kept = 'the drill changed nothing; what it had restored is removed'
  const summary = await session.call(
    'drill',
    {
      ...(snapshot !== undefined && { snapshot: argumentText(snapshot) }),
      ...(options.from !== undefined && { from: options.from }),
      ...(options.files !== undefined && { files: options.files }),
      ...(options.bytes !== undefined && { bytes: options.bytes }),
    },
    { onEvent: (event) => show(session, event) },
  )
  if (session.json) session.print.json(summary)
  else printSummary(session, summary)
  if (summary.files_failed > 0)
    throw new CellarError(
      'DRILL_FAILED',
      `${count(summary.files_failed, 'file')} did not come back from ${session.print.safe(summary.from.join(', '))}`,
    )
  return undefined
}

function show(session: Session, event: DrillEvent): void {
  const { print } = session
  if (event.message_type === 'error') {
    const where = event.item === undefined ? '' : `${print.safe(event.item)}: `
    return print.problem(`${where}${event.message}`, event)
  }
  if (!session.json) print.progress(() => drillProgress(event))
  else if (!print.options.quiet) print.json(event)
}

function printSummary({ print }: Session, summary: DrillSummary): void {
  const { files_restored: files, files_compared: compared } = summary
  const same = compared === 0 ? '' : `; ${String(compared)} of them are unchanged here, and are the same`
  print.info(
    `restored ${count(files, 'file')}, ${formatBytes(summary.bytes_restored)}, of snapshot ${summary.snapshot_id.slice(0, 8)} from ${print.safe(summary.from.join(', '))}${same}`,
  )
}
