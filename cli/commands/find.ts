import { Option } from 'commander'
import type { FindParams } from '../../node/client.ts'
import { formatTime } from '../output/format.ts'
import { argumentText } from '../raw-args.ts'
import type { Session } from '../session.ts'
import { collect, moment } from '../values.ts'
import { type Define, examples, type FilterOptions, filterOf, filterOptions, GROUP } from './command.ts'
import { longPart } from './ls.ts'

interface Options extends FilterOptions {
  readonly ignoreCase?: boolean
  readonly long?: boolean
  readonly snapshot?: readonly string[]
  readonly oldest?: string
  readonly newest?: string
  readonly type?: 'file' | 'dir' | 'symlink'
}

/** `cellar find PATTERN…`: where a file is, in all snapshots. */
export const defineFind: Define = (program, act) => {
  const command = program
    .command('find')
    .helpGroup(GROUP.lookInside)
    .summary('find files in all snapshots')
    .description('Finds entries by name or path with wildcards, in all snapshots or in those chosen.')
    .argument('<pattern...>', 'names or paths; * ? [a-z] and ** are wildcards')
    .option('-i, --ignore-case', 'upper and lower case alike')
    .option('-l, --long', 'with mode, owner, size and time')
    .option('-s, --snapshot <id>', 'only in this snapshot (may be given again)', collect)
    .option('-O, --oldest <time>', 'only what was modified since')
    .option('-N, --newest <time>', 'only what was modified before')
    .addOption(new Option('--type <type>', 'only entries of this type').choices(['file', 'dir', 'symlink']))
  filterOptions(command).action(act(find))
  examples(
    command,
    'cellar find tax-2025.ods',
    'cellar find "*.jpg" --device phone --newest 2025-01-01',
    'cellar find -i "/home/**/readme*" -l',
  )
}

async function find(session: Session, patterns: readonly string[], options: Options): Promise<undefined> {
  const now = session.world.nowMs()
  const params: FindParams = {
    patterns: patterns.map(argumentText),
    ignoreCase: options.ignoreCase === true,
    filter: filterOf(session, options),
    snapshots: options.snapshot ?? [],
    ...(options.oldest === undefined ? {} : { oldest: moment(options.oldest, now) }),
    ...(options.newest === undefined ? {} : { newest: moment(options.newest, now) }),
    ...(options.type === undefined ? {} : { type: options.type }),
  }
  const found = await session.call('find', params)
  if (session.json) return void session.print.json(found)
  for (const one of found.filter((hits) => hits.matches.length > 0)) {
    const title = `in snapshot ${one.snapshot.slice(0, 8)} of ${session.print.safe(one.device_name)}, ${formatTime(one.snapshot_time)}:`
    session.print.info(session.print.strong(title))
    for (const match of one.matches)
      session.print.pathLine(options.long === true ? longPart(match) : '', match)
    session.print.info('')
  }
  if (found.every((hits) => hits.matches.length === 0)) session.print.info('nothing found')
  return undefined
}
