import { Option } from 'commander'
import { CellarError, type InviteEvent, type RoleName } from '../../node/client.ts'
import { formatTime, shortAddress } from '../output/format.ts'
import type { Session } from '../session.ts'
import { sizeBytes, spanMs } from '../values.ts'
import { type Define, examples, GROUP } from './command.ts'

interface Options {
  readonly role: RoleName
  readonly mayForget?: boolean
  readonly name?: string
  readonly ttl: number
  readonly quota?: number
  readonly token?: boolean
}

const FIFTEEN_MINUTES_MS = 900_000

/** `cellar invite`: shows a code and waits for the device that types it. */
export const defineInvite: Define = (program, act) => {
  const command = program
    .command('invite')
    .helpGroup(GROUP.setUp)
    .summary('show a code with which another device joins')
    .description(
      'Shows a short code and waits until another device has joined with it. keeper: backs up, reads, stores, forgets, admits; writer: backs up, reads, stores, cannot delete; storer: stores and can read nothing.',
    )
    .addOption(
      new Option('--role <role>', 'what the new device may do')
        .choices(['keeper', 'writer', 'storer'])
        .default('writer'),
    )
    .option('--may-forget', 'a storer that applies retention')
    .option('--name <name>', 'what the others call the new device (default: what it says)')
    .option('--ttl <span>', 'how long the code holds', spanMs, FIFTEEN_MINUTES_MS)
    .option('--quota <size>', 'space the new device gives at most', sizeBytes)
    .option('--token', 'a long one-time token in place of a code, for a device without a person')
    .action(act(invite))
  command.options.find((option) => option.long === '--ttl')?.default(FIFTEEN_MINUTES_MS, '15m')
  examples(
    command,
    'cellar invite',
    'cellar invite --role keeper --name desktop',
    'cellar invite --role storer --may-forget --quota 500G --token',
    'cellar invite -q --role storer --token | ssh pi cellar join -',
  )
}

async function invite(session: Session, options: Options): Promise<undefined> {
  if (options.mayForget === true && options.role !== 'storer') {
    throw new CellarError(
      'USAGE',
      `--may-forget is for a storer: a ${options.role} ${options.role === 'keeper' ? 'may forget anyway' : 'must not forget'}`,
    )
  }
  session.kept = 'the invitation is closed, nobody has joined'
  const invited = await session.call(
    'invite',
    {
      role: options.role,
      mayForget: options.mayForget === true,
      ...(options.name === undefined ? {} : { name: options.name }),
      ttlMs: options.ttl,
      ...(options.quota === undefined ? {} : { quotaBytes: options.quota }),
      token: options.token === true,
    },
    { onEvent: (event) => show(session, event) },
  )
  if (session.json) return void session.print.json({ message_type: 'admitted', ...invited })
  const { print } = session
  // With -q only the code: it goes into a pipe, whose reader has what it wants.
  if (print.options.quiet) return undefined
  print.result(`${print.strong(print.safe(invited.name))} has joined as ${invited.role}.`)
  print.result(`Check words, the same on both devices: ${print.strong(invited.check_words.join(' '))}`)
  return undefined
}

function show(session: Session, event: InviteEvent): void {
  const { print } = session
  if (session.json) return print.json(event)
  if (event.message_type === 'wrong_try') {
    const left =
      event.left === 0
        ? 'the code is burnt'
        : `${String(event.left)} ${event.left === 1 ? 'try is' : 'tries are'} left`
    return print.problem(`a wrong code was tried; ${left}`, event)
  }
  if (print.options.quiet) return print.result(event.code)
  print.result(`On the other device, until ${formatTime(event.expires_at)}:`)
  print.result('')
  print.result(`  cellar join ${print.strong(event.code)}`)
  print.result('')
  if (event.addresses.length > 0)
    print.info(
      `If it does not find this device, add  --at ${event.addresses.map(shortAddress).join('  or  --at ')}`,
    )
  print.info('Waiting; Ctrl-C closes the invitation.')
}
