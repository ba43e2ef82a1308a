import type { DiffStatistics } from '../../node/client.ts'
import { formatBytes } from '../output/format.ts'
import { argumentText } from '../raw-args.ts'
import type { Session } from '../session.ts'
import { type Define, examples, type FilterOptions, filterOf, filterOptions, GROUP } from './command.ts'

interface Options extends FilterOptions {
  readonly metadata?: boolean
}

/** `cellar diff A B`: what changed between two snapshots. */
export const defineDiff: Define = (program, act) => {
  const command = program
    .command('diff')
    .helpGroup(GROUP.lookInside)
    .summary('show what changed between two snapshots')
    .description(
      'Shows what changed from one snapshot to another: + added, - removed, M content, T type, U metadata, ? content though nothing else did.',
    )
    .argument('<from[:path]>', 'the older snapshot')
    .argument('<to[:path]>', 'the newer snapshot')
    .option('--metadata', 'show changes of metadata alone too')
  filterOptions(command).action(act(diff))
  examples(command, 'cellar diff 3f2a91c0 latest', 'cellar diff 3f2a91c0:/etc latest:/etc --metadata')
}

async function diff(session: Session, from: string, to: string, options: Options): Promise<undefined> {
  const statistics = await session.call(
    'diff',
    {
      from: argumentText(from),
      to: argumentText(to),
      filter: filterOf(session, options),
      metadata: options.metadata === true,
    },
    {
      onEvent: (event) => {
        if (session.json) session.print.json(event)
        else session.print.pathLine(event.modifier.padEnd(5), event)
      },
    },
  )
  if (session.json) session.print.json(statistics)
  else printStatistics(session, statistics)
  return undefined
}

function printStatistics(session: Session, statistics: DiffStatistics): void {
  const { added, removed } = statistics
  const pair = (name: string, plus: number, minus: number): string =>
    `${name.padEnd(12)} ${String(plus).padStart(5)} new, ${String(minus).padStart(5)} removed`
  const { print } = session
  print.info('')
  print.info(
    `comparing ${statistics.source_snapshot.slice(0, 8)} to ${statistics.target_snapshot.slice(0, 8)}`,
  )
  print.info(
    `${pair('Files:', added.files, removed.files)}, ${String(statistics.changed_files).padStart(5)} changed`,
  )
  print.info(pair('Directories:', added.dirs, removed.dirs))
  print.info(pair('Others:', added.others, removed.others))
  print.info(pair('Data chunks:', added.data_blobs, removed.data_blobs))
  print.info(pair('Tree chunks:', added.tree_blobs, removed.tree_blobs))
  print.info(`  Added:   ${formatBytes(added.bytes)}`)
  print.info(`  Removed: ${formatBytes(removed.bytes)}`)
}
