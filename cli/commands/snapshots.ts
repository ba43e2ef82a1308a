import type { SnapshotInfo } from '../../node/client.ts'
import { count, formatBytes, formatTime } from '../output/format.ts'
import { formatTable } from '../output/table.ts'
import type { Session } from '../session.ts'
import { positiveInteger } from '../values.ts'
import { type Define, examples, type FilterOptions, filterOf, filterOptions, GROUP } from './command.ts'

interface Options extends FilterOptions {
  readonly latest?: number
}

/** `cellar snapshots`: lists them. */
export const defineSnapshots: Define = (program, act) => {
  const command = program
    .command('snapshots')
    .helpGroup(GROUP.everyDay)
    .summary('list the snapshots of all devices')
    .description(
      'Lists the snapshots of all devices, oldest first, with how many devices hold each of how many that should.',
    )
    .argument('[snapshot...]', 'only these: ids, their beginnings, or latest')
    .option('--latest <n>', 'only the newest n of each device and set of paths', positiveInteger)
  filterOptions(command).action(act(list))
  examples(
    command,
    'cellar snapshots',
    'cellar snapshots --device laptop --latest 3',
    'cellar snapshots --tag system --json',
  )
}

async function list(session: Session, ids: readonly string[], options: Options): Promise<undefined> {
  const snapshots = await session.call('snapshots', {
    filter: filterOf(session, options),
    snapshots: ids,
    ...(options.latest === undefined ? {} : { latest: options.latest }),
  })
  if (session.json) return void session.print.json(snapshots)
  session.print.result(snapshotsTable(session, snapshots))
  session.print.info(count(snapshots.length, 'snapshot'))
  return undefined
}

/** The table of snapshots. */
export function snapshotsTable(session: Session, snapshots: readonly SnapshotInfo[]): string {
  const { safe } = session.print
  const columns = [
    { title: 'ID' },
    { title: 'Time' },
    { title: 'Device' },
    { title: 'Tags' },
    { title: 'Size', align: 'right' },
    { title: 'Copies', align: 'right' },
    { title: 'Paths' },
  ] as const
  return formatTable(
    columns,
    snapshots.map((one) => [
      one.short_id,
      formatTime(one.time),
      safe(one.device_name),
      (one.tags ?? []).map(safe).join('\n'),
      one.summary === undefined ? '' : formatBytes(one.summary.total_bytes_processed),
      `${String(one.copies)}/${String(one.copies_wanted)}`,
      one.paths.map(safe).join('\n'),
    ]),
  )
}

/** `9958b48b of /home/ann at 2026-11-23 06:08:05 by ann@laptop`. */
export function snapshotTitle(session: Session, one: SnapshotInfo): string {
  const { safe } = session.print
  return `${one.short_id} of ${one.paths.map(safe).join(', ')} at ${formatTime(one.time)} by ${safe(one.username)}@${safe(one.device_name)}`
}
