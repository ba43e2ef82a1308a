import { Option } from 'commander'
import type { StatsParams } from '../../node/client.ts'
import { formatBytes } from '../output/format.ts'
import { formatFacts } from '../output/table.ts'
import type { Session } from '../session.ts'
import { type Define, examples, type FilterOptions, filterOf, filterOptions, GROUP } from './command.ts'

interface Options extends FilterOptions {
  readonly mode: StatsParams['mode']
}

/** `cellar stats`: how much. */
export const defineStats: Define = (program, act) => {
  const command = program
    .command('stats')
    .helpGroup(GROUP.lookInside)
    .summary('say how large snapshots are')
    .description(
      'Counts snapshots, files and bytes. restore-size: what restoring takes; files-by-contents: equal files once; raw-data: what the chunks take in the store.',
    )
    .argument('[snapshot...]', 'only these: ids, their beginnings, or latest')
    .addOption(
      new Option('--mode <mode>', 'what to count')
        .choices(['restore-size', 'files-by-contents', 'raw-data'])
        .default('restore-size'),
    )
  filterOptions(command).action(act(stats))
  examples(
    command,
    'cellar stats',
    'cellar stats latest --device laptop',
    'cellar stats --mode raw-data --json',
  )
}

async function stats(session: Session, snapshots: readonly string[], options: Options): Promise<undefined> {
  const counted = await session.call('stats', {
    filter: filterOf(session, options),
    snapshots,
    mode: options.mode,
  })
  if (session.json) return void session.print.json(counted)
  const facts: [string, string][] = [['snapshots', String(counted.snapshots_count)]]
  if (counted.total_file_count !== undefined)
    facts.push(['files and directories', String(counted.total_file_count)])
  if (counted.total_blob_count !== undefined) facts.push(['chunks', String(counted.total_blob_count)])
  if (counted.total_uncompressed_size !== undefined)
    facts.push(['before compression', formatBytes(counted.total_uncompressed_size)])
  facts.push([options.mode === 'raw-data' ? 'stored' : 'size', formatBytes(counted.total_size)])
  if (counted.compression_ratio !== undefined)
    facts.push(['compression', `${counted.compression_ratio.toFixed(2)} : 1`])
  session.print.result(formatFacts(facts))
  return undefined
}
