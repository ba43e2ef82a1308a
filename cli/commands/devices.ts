import type { DeviceInfo } from '../../node/client.ts'
import { formatAgo, formatBytes, shortAddress } from '../output/format.ts'
import { formatTable } from '../output/table.ts'
import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'

/** `cellar devices`, `devices remove`, `rename`, `lean`, `thin` and `trust`. */
export const defineDevices: Define = (program, act) => {
  const command = program
    .command('devices')
    .helpGroup(GROUP.setUp)
    .summary('list the devices of the mesh; remove, rename, trust them')
    .description(
      'Lists the devices of the mesh: role, when last seen, space used, how many of the snapshots each holds.',
    )
    .action(act(list))
  command.command('list', { isDefault: true }).description('list the devices').action(act(list))
  command
    .command('remove')
    .description('end the membership of a device for ever; what it stored stays where it is')
    .argument('<device>', 'name, id or prefix of an id')
    .action(act(remove))
  command
    .command('rename')
    .description('call a device something else')
    .argument('<device>', 'name, id or prefix of an id')
    .argument('<name>', 'the new name')
    .action(act(rename))
  command
    .command('lean')
    .description('let a device keep only what others do not hold; from then on freeing space waits for it')
    .argument('<device>', 'name, id or prefix of an id')
    .option('--off', 'no more: it keeps what it needs, and nothing waits for it')
    .action(act(lean))
  command
    .command('thin')
    .description('have a device drop what is in its files once enough others have proven that they hold it')
    .argument('<device>', 'name, id or prefix of an id')
    .option('--full', 'no more: it stores again like any other')
    .action(act(thin))
  command
    .command('trust')
    .description('say that a device is in order again, so that rules forget its snapshots as before')
    .argument('<device>', 'name, id or prefix of an id')
    .action(act(trust))
  examples(
    command,
    'cellar devices',
    'cellar devices rename laptop old-laptop',
    'cellar devices remove old-laptop',
    'cellar devices thin laptop',
  )
}

async function list(session: Session): Promise<undefined> {
  const devices = await session.call('devices', {})
  if (session.json) session.print.json(devices)
  else session.print.result(devicesTable(session, devices))
  return undefined
}

/** The table of devices; removed ones last. */
export function devicesTable(session: Session, devices: readonly DeviceInfo[]): string {
  const columns = [
    { title: 'Name' },
    { title: 'Role' },
    { title: 'Last seen' },
    { title: 'Space used', align: 'right' },
    { title: 'Holds', align: 'right' },
    { title: 'Device' },
    { title: 'Address' },
  ] as const
  const sorted = [...devices].sort((a, b) => Number(a.removed === true) - Number(b.removed === true))
  return formatTable(
    columns,
    sorted.map((device) => row(session, device)),
  )
}

function row(session: Session, device: DeviceInfo): string[] {
  const stores = device.capabilities.includes('store')
  const space = device.bytes_used === undefined ? '' : formatBytes(device.bytes_used)
  return [
    session.print.safe(device.name),
    isThin(device) ? `${device.role}, thin` : device.role,
    lastSeen(session, device),
    device.quota_bytes === undefined ? space : `${space} of ${formatBytes(device.quota_bytes)}`,
    stores ? `${String(device.snapshots_held)} of ${String(device.snapshots_total)}` : '',
    device.id.slice(-8),
    shortAddress(device.addresses[0] ?? ''),
  ]
}

function isThin({ capabilities, removed }: DeviceInfo): boolean {
  return removed !== true && capabilities.includes('lean') && !capabilities.includes('store')
}

function lastSeen(session: Session, device: DeviceInfo): string {
  if (device.self) return 'this device'
  if (device.removed === true) return 'removed'
  if (device.connected) return 'connected'
  return device.last_seen === undefined ? 'never' : formatAgo(device.last_seen, session.world.nowMs())
}

async function remove(session: Session, device: string): Promise<undefined> {
  const removed = await session.call('deviceRemove', { device })
  if (session.json) session.print.json({ message_type: 'removed', ...removed })
  else
    session.print.info(
      `${session.print.safe(removed.name)} is no member any more. It keeps what it stored; it may come back only with a new key.`,
    )
  if (!session.json && removed.vault_changed === true)
    session.print.info(
      'It could read: what is backed up from now on is sealed under a new vault key, and stored anew where it has changed.',
    )
  if (removed.vault_changed === false)
    session.print.notice(
      'the vault key was not changed, as this device lacks the newest; on another keeper: cellar key change',
    )
  return undefined
}

async function rename(session: Session, device: string, name: string): Promise<undefined> {
  const renamed = await session.call('deviceRename', { device, name })
  if (session.json) session.print.json({ message_type: 'renamed', ...renamed })
  else
    session.print.info(`${session.print.safe(renamed.old_name)} is now ${session.print.safe(renamed.name)}.`)
  return undefined
}

async function lean(
  session: Session,
  device: string,
  options: { readonly off?: boolean },
): Promise<undefined> {
  const changed = await session.call('deviceLean', { device, leans: options.off !== true })
  if (session.json) session.print.json({ message_type: 'leans', ...changed })
  else {
    const name = session.print.safe(changed.name)
    const waits = `Freeing space on any device now waits until ${name} has been heard.`
    const [on, off] = [
      `${name} may lean: it need not keep what other devices hold.`,
      `${name} leans no more:`,
    ]
    session.print.info(changed.leans ? `${on} ${waits}` : `${off} nothing waits for it.`)
  }
  return undefined
}

async function thin(
  session: Session,
  device: string,
  options: { readonly full?: boolean },
): Promise<undefined> {
  const changed = await session.call('deviceThin', { device, thin: options.full !== true })
  if (session.json) session.print.json({ message_type: 'thin', ...changed })
  else {
    const name = session.print.safe(changed.name)
    session.print.info(
      changed.thin
        ? `${name} is thin: it drops what enough others have proven to hold, and keeps the folders of its newest ` +
            'snapshots. ' +
            `Its copies count no more, and freeing space on any device now waits until ${name} has been heard.`
        : `${name} stores again like any other, and fetches what it should hold. Nothing waits for it any more.`,
    )
  }
  return undefined
}

async function trust(session: Session, device: string): Promise<undefined> {
  const trusted = await session.call('deviceTrust', { device })
  if (session.json) session.print.json({ message_type: 'trusted', ...trusted })
  else {
    const { safe } = session.print
    const { name, suspicion } = trusted
    session.print.info(
      suspicion === undefined
        ? `Nothing was held against ${safe(name)}.`
        : `Rules apply to ${safe(name)} again. It was: ${safe(suspicion.message)}`,
    )
  }
  return undefined
}
