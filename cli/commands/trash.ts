import type { ReclaimBlock, TrashEntry } from '../../node/client.ts'
import { count, formatAgo, formatTime } from '../output/format.ts'
import { formatTable } from '../output/table.ts'
import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'
import { idList } from './refused.ts'

/** `cellar trash`: forgotten snapshots that can still be brought back. */
export const defineTrash: Define = (program, act) => {
  const command = program
    .command('trash')
    .helpGroup(GROUP.forget)
    .summary('list forgotten snapshots that can still be brought back')
    .description(
      'Lists forgotten snapshots whose space is not free here yet: who forgot them and when, where they still are, and what keeps this device from freeing their space.',
    )
    .action(act(trash))
  examples(command, 'cellar trash', 'cellar undelete 9958b48b', 'cellar prune --explain')
}

async function trash(session: Session): Promise<undefined> {
  const entries = await session.call('trash', {})
  const { print } = session
  if (session.json) return void print.json(entries)
  if (entries.length === 0) return void print.info('The trash is empty.')
  print.result(trashTable(session, entries))
  const blocks = new Map<string, string[]>()
  for (const { snapshot, waits_for: waits } of entries) {
    for (const { message } of waits) blocks.set(message, [...(blocks.get(message) ?? []), snapshot.id])
  }
  if (blocks.size > 0) print.info('\nTheir space is not freed yet:')
  for (const [message, ids] of blocks) print.info(`  ${idList(ids)}: ${print.safe(message)}`)
  const free = entries.filter((entry) => entry.waits_for.length === 0).length
  print.info(
    `\n${count(entries.length, 'snapshot')} in the trash. To bring one back: cellar undelete ID${
      free > 0 ? `\n${count(free, 'snapshot')} of them cellar prune may remove at any time.` : ''
    }`,
  )
  return undefined
}

function trashTable(session: Session, entries: readonly TrashEntry[]): string {
  const { safe } = session.print
  const columns = [
    { title: 'ID' },
    { title: 'Time' },
    { title: 'Device' },
    { title: 'Forgotten' },
    { title: 'By' },
    { title: 'Here' },
    { title: 'Held by' },
    { title: 'Freed' },
    { title: 'Paths' },
  ] as const
  const nowMs = session.world.nowMs()
  return formatTable(
    columns,
    entries.map((entry) => [
      entry.snapshot.short_id,
      formatTime(entry.snapshot.time),
      safe(entry.snapshot.device_name),
      formatAgo(entry.forgotten_at, nowMs),
      `${safe(entry.forgotten_by)}${entry.reason === 'retention' ? ', a rule' : ''}`,
      entry.held_here ? 'whole' : 'no',
      entry.holders.map(safe).join('\n'),
      freedWhen(session, entry.waits_for),
      entry.snapshot.paths.map(safe).join('\n'),
    ]),
  )
}

/** When its space is freed here, in few words: what ends by itself last, else what a person has to look at. */
function freedWhen(session: Session, blocks: readonly ReclaimBlock[]): string {
  if (blocks.length === 0) return 'at the next prune'
  const lasting = blocks.find((block) => block.until === undefined)
  if (lasting !== undefined)
    return lasting.device === undefined ? 'see below' : `after ${session.print.safe(lasting.device)}`
  const ends = blocks.map(({ until = '' }) => until).sort((a, b) => Date.parse(a) - Date.parse(b))
  return `after ${formatTime(ends.at(-1) ?? '')}`
}
