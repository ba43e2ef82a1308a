import { count } from '../output/format.ts'
import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'
import { idList, reportRefused } from './refused.ts'

/** `cellar undelete`: brings forgotten snapshots back. */
export const defineUndelete: Define = (program, act) => {
  const command = program
    .command('undelete')
    .helpGroup(GROUP.forget)
    .summary('bring forgotten snapshots back')
    .description(
      'Brings snapshots of the trash back, on every device. What is not here any more is first fetched from devices that still have it. Any device that backs up may do it, whoever forgot the snapshot; it stays that of the device that made it.',
    )
    .argument('<snapshot...>', 'ids, or their beginnings, as cellar trash shows them')
    .action(act(undelete))
  examples(command, 'cellar trash', 'cellar undelete 9958b48b')
}

async function undelete(session: Session, snapshots: readonly string[]): Promise<number | undefined> {
  session.kept = 'what is back already stays; the rest is still in the trash'
  const changed = await session.call('undelete', { snapshots })
  const done = changed.snapshot_ids.length
  const { print } = session
  if (session.json) print.json(changed)
  else if (done > 0) {
    print.info(`${count(done, 'snapshot')} brought back: ${idList(changed.snapshot_ids)}`)
    const pinned = changed.pinned_ids ?? []
    if (pinned.length > 0)
      print.info(`Pinned, as a rule had forgotten ${pinned.length === 1 ? 'it' : 'them'}: ${idList(pinned)}`)
  }
  return reportRefused(session, 'undelete', done, changed.refused)
}
