import type { RestoreOrderInfo } from '../../node/client.ts'
import { formatAgo, formatBytes, formatShare, formatTime } from '../output/format.ts'
import { formatTable } from '../output/table.ts'
import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'

/** `cellar restores`, and `accept`, `refuse`, `withdraw`: restoring on one device, asked for from another. */
export const defineRestores: Define = (program, act) => {
  const command = program
    .command('restores')
    .helpGroup(GROUP.everyDay)
    .summary('list what other devices want restored here, and say yes or no')
    .description(
      'Lists the orders to restore that other devices gave this one, and those that it gave (cellar restore SNAPSHOT --on DEVICE). What is accepted is restored into a new directory below the one that the settings name (restores).',
    )
    .action(act(list))
  command.command('list', { isDefault: true }).description('list the orders').action(act(list))
  command
    .command('accept')
    .description('restore here what another device asked for')
    .argument('<order>', 'id or its beginning')
    .action(act((session, order: string) => answer(session, order, 'accept')))
  command
    .command('refuse')
    .description('do not; what is under way is ended, and what was restored stays')
    .argument('<order>', 'id or its beginning')
    .action(act((session, order: string) => answer(session, order, 'refuse')))
  command
    .command('withdraw')
    .description('take back what this device asked of another')
    .argument('<order>', 'id or its beginning')
    .action(act((session, order: string) => answer(session, order, 'withdraw')))
  examples(command, 'cellar restores', 'cellar restores accept 1f2e', 'cellar restores refuse 1f2e')
}

async function list(session: Session): Promise<undefined> {
  const orders = await session.call('restoreOrders', {})
  const { print } = session
  if (session.json) return void print.json(orders)
  if (orders.length === 0) return void print.info('No device has asked another to restore anything.')
  print.result(ordersTable(session, orders))
  const waiting = orders.filter(({ here, state }) => here && state === 'waiting')
  const [first] = waiting
  if (first !== undefined)
    print.info(
      `\nWaiting for you: cellar restores accept ${first.short_id}, or cellar restores refuse ${first.short_id}`,
    )
  return undefined
}

async function answer(
  session: Session,
  order: string,
  how: 'accept' | 'refuse' | 'withdraw',
): Promise<undefined> {
  const now = await session.call('restoreAnswer', { order, answer: how })
  const { print } = session
  if (session.json) return void print.json(now)
  if (how !== 'accept') return void print.info(`Order ${now.short_id} is ${now.state}.`)
  const { running } = await session.call('status', {})
  const when = running
    ? 'it begins now, or when those before it are done'
    : 'it begins when the node runs: cellar start'
  print.info(`Order ${now.short_id} of ${print.safe(now.device_name)} is accepted; ${when}.`)
  return undefined
}

function ordersTable(session: Session, orders: readonly RestoreOrderInfo[]): string {
  const { safe } = session.print
  const columns = [
    { title: 'ID' },
    { title: 'Asked' },
    { title: 'By' },
    { title: 'On' },
    { title: 'Snapshot' },
    { title: 'What' },
    { title: 'State' },
    { title: 'Where' },
  ] as const
  const nowMs = session.world.nowMs()
  return formatTable(
    columns,
    orders.map((order) => [
      order.short_id,
      formatAgo(order.asked_at, nowMs),
      order.here ? safe(order.device_name) : 'this device',
      order.here ? 'this device' : safe(order.device_name),
      order.snapshot_id.slice(0, 8),
      whatText(session, order),
      stateText(order),
      safe(order.target ?? ''),
    ]),
  )
}

function whatText(session: Session, { path, patterns }: RestoreOrderInfo): string {
  const what = path === undefined ? 'all of it' : session.print.safe(path)
  return patterns === 0 ? what : `${what}, chosen by patterns`
}

function stateText(order: RestoreOrderInfo): string {
  const { state, errors, code, sent } = order
  if (!sent && state === 'waiting') return 'not sent yet'
  if (state === 'waiting') return `waits, until ${formatTime(order.expires_at ?? '')}`
  if (state === 'running') return `${formatShare(order.percent_done)} of ${formatBytes(order.total_bytes)}`
  const why = code === undefined ? '' : ` (${code})`
  return errors > 0 ? `${state}, but for ${String(errors)}` : `${state}${why}`
}
