import type { PruneEvent, PruneParams } from '../../node/client.ts'
import { count, formatBytes } from '../output/format.ts'
import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'
import { explainPrune, printPruned } from './prune-output.ts'

interface Options {
  readonly explain?: boolean
  readonly dryRun?: boolean
  readonly unfinished?: boolean
}

/** `cellar prune`: frees space here. */
export const definePrune: Define = (program, act) => {
  const command = program
    .command('prune')
    .helpGroup(GROUP.forget)
    .summary('free the space of forgotten snapshots, where that is safe')
    .description(
      'Frees the space that only forgotten snapshots need on this device, where no rule of safety forbids it: a running node does so by itself. What is needed by any snapshot of any device stays. --explain tells what waits, for whom and since when, and changes nothing.',
    )
    .option('--explain', 'say what would be freed and what waits for what; change nothing')
    .option('-n, --dry-run', 'say what would be freed, and change nothing')
    .option('--unfinished', 'drop what interrupted backups stored too; their next try stores it again')
    .action(act(run))
  examples(command, 'cellar prune', 'cellar prune --explain', 'cellar prune --dry-run --unfinished')
}

async function run(session: Session, options: Options): Promise<undefined> {
  const isExplained = options.explain === true
  const params = {
    dryRun: isExplained || options.dryRun === true,
    unfinished: options.unfinished === true,
  }
  await prune(session, params, isExplained)
  return undefined
}

/** Frees what can be freed, and tells; for `forget --prune` too. */
export async function prune(session: Session, params: PruneParams, isExplained = false): Promise<void> {
  session.kept = 'what was freed is freed; the rest is freed by the next prune, or by a running node'
  const pruned = await session.call('prune', params, { onEvent: (event) => show(session, event) })
  if (session.json) session.print.json(pruned)
  else if (isExplained) explainPrune(session, pruned)
  else printPruned(session, pruned)
}

function show(session: Session, event: PruneEvent): void {
  const { print } = session
  if (!session.json)
    print.progress(
      () =>
        `${event.step}: ${count(event.snapshots_released, 'snapshot')} released, ${formatBytes(event.bytes_freed)} freed`,
    )
  else if (!print.options.quiet) print.json(event)
}
