import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'
import { idList, reportRefused } from './refused.ts'

/** `cellar pin`: protects snapshots from every rule. */
export const definePin: Define = (program, act) => {
  const command = program
    .command('pin')
    .helpGroup(GROUP.forget)
    .summary('protect snapshots from every rule')
    .description(
      'Marks snapshots that no rule on any device may forget. A person can still forget them by their ids.',
    )
    .argument('<snapshot...>', 'ids, or their beginnings')
    .action(act((session, ids: readonly string[]) => mark(session, 'pin', ids)))
  examples(command, 'cellar pin 9958b48b')
}

/** `cellar unpin`: takes that mark away. */
export const defineUnpin: Define = (program, act) => {
  const command = program
    .command('unpin')
    .helpGroup(GROUP.forget)
    .summary('take the mark of pin away')
    .description(
      'Takes away the marks that this device has set; a snapshot stays pinned while another device pins it.',
    )
    .argument('<snapshot...>', 'ids, or their beginnings')
    .action(act((session, ids: readonly string[]) => mark(session, 'unpin', ids)))
  examples(command, 'cellar unpin 9958b48b')
}

async function mark(
  session: Session,
  method: 'pin' | 'unpin',
  snapshots: readonly string[],
): Promise<number | undefined> {
  const changed = await session.call(method, { snapshots })
  const done = changed.snapshot_ids.length
  if (session.json) session.print.json(changed)
  else if (done > 0) {
    const them = done === 1 ? 'it' : 'them'
    const what =
      method === 'pin' ? `pinned: no rule forgets ${them}` : `unpinned here: rules may forget ${them}`
    session.print.info(`${idList(changed.snapshot_ids)} ${what}`)
  }
  return reportRefused(session, method, done, changed.refused)
}
