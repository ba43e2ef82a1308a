import type { LsEvent, NodeInfo } from '../../node/client.ts'
import { formatTime } from '../output/format.ts'
import { argumentText } from '../raw-args.ts'
import type { Session } from '../session.ts'
import { type Define, examples, type FilterOptions, filterOf, filterOptions, GROUP } from './command.ts'
import { snapshotTitle } from './snapshots.ts'

interface Options extends FilterOptions {
  readonly long?: boolean
  readonly recursive?: boolean
}

/** `cellar ls SNAPSHOT [PATH…]`: what is in a snapshot. */
export const defineLs: Define = (program, act) => {
  const command = program
    .command('ls')
    .helpGroup(GROUP.lookInside)
    .summary('list what is in a snapshot')
    .description(
      'Lists the entries of a snapshot: all of them, or what is directly in the directories given.',
    )
    .argument('<snapshot[:path]>', 'id or its beginning, or latest')
    .argument('[dir...]', 'absolute paths in the snapshot')
    .option('-l, --long', 'with mode, owner, size and time')
    .option('--recursive', 'with all that is below the directories given')
  filterOptions(command).action(act(ls))
  examples(
    command,
    'cellar ls latest',
    'cellar ls latest /home/ann/Documents -l',
    'cellar ls 3f2a91c0:/etc --json',
  )
}

async function ls(
  session: Session,
  snapshot: string,
  paths: readonly string[],
  options: Options,
): Promise<undefined> {
  await session.call(
    'ls',
    {
      snapshot: argumentText(snapshot),
      filter: filterOf(session, options),
      // Paths of a snapshot are absolute; they have nothing to do with where this is run.
      paths: paths.map(argumentText),
      recursive: options.recursive === true || paths.length === 0,
    },
    { onEvent: (event) => show(session, event, options.long === true) },
  )
  return undefined
}

function show(session: Session, event: LsEvent, long: boolean): void {
  if (session.json) return session.print.json(event)
  if (event.message_type === 'node')
    return session.print.pathLine(long ? longPart(event) : '', event, long ? targetPart(session, event) : '')
  if (session.world.stdout.isTerminal) session.print.info(`snapshot ${snapshotTitle(session, event)}:`)
}

/** `-rw-r--r--  1000  1000      3 2026-11-23 06:07:59 `, as restic's long form. */
export function longPart(node: Pick<NodeInfo, 'permissions' | 'uid' | 'gid' | 'size' | 'mtime'>): string {
  const number = (value: number, width: number): string => String(value).padStart(width)
  return `${node.permissions} ${number(node.uid, 5)} ${number(node.gid, 5)} ${number(node.size ?? 0, 10)} ${formatTime(node.mtime)} `
}

function targetPart(session: Session, node: NodeInfo): string {
  return node.linktarget === undefined ? '' : ` -> ${session.print.safe(node.linktarget)}`
}
