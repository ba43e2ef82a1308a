import { CellarError } from '../../node/client.ts'
import { formatFacts } from '../output/table.ts'
import type { Session } from '../session.ts'
import { collect } from '../values.ts'
import { type Define, examples, GROUP } from './command.ts'
import { defaultName } from './init.ts'

interface Options {
  readonly at?: readonly string[]
  readonly name?: string
  readonly listen?: readonly string[]
  readonly store?: string
}

const STEPS = {
  looking: 'looking for the device that shows this code',
  found: 'found it',
  confirming: 'checking the code',
  admitted: 'admitted',
} as const

/** Bytes of a code or token read from standard input. */
const codeBytesMax = 4096

/** `cellar join CODE`: makes this device one more of a mesh. */
export const defineJoin: Define = (program, act) => {
  const command = program
    .command('join')
    .helpGroup(GROUP.setUp)
    .summary('make this device one more of a mesh, by its code')
    .description(
      'Makes keys for this device and joins the mesh that shows CODE (see invite). The code may be typed with spaces or dashes; "-" reads it from standard input, which keeps it out of the list of processes.',
    )
    .argument('[code...]', 'the code or token that cellar invite shows')
    .option(
      '--at <host:port>',
      'where the other device is, when it is not on this network (may be given again)',
      collect,
    )
    .option('--name <name>', 'what the others call this device (default: its host name)')
    .option('--listen <address>', 'HOST:PORT or multiaddr to listen on (may be given again)', collect)
    .option('--store <dir>', 'where the chunks are kept (default: below the home)')
    .action(act(join))
  examples(
    command,
    'cellar join 4821 apple river stone cloud',
    'cellar join 4821-apple-river-stone-cloud --at 192.168.1.20:4517',
    'cellar join - --name pi < token.txt',
  )
}

async function join(session: Session, words: readonly string[], options: Options): Promise<undefined> {
  const home = await session.home()
  const code = await codeOf(session, words)
  session.kept = 'this device has not joined'
  const joined = await session.world.door.join(
    home,
    {
      code,
      name: options.name ?? defaultName(session),
      at: options.at ?? [],
      listen: options.listen ?? [],
      ...(options.store === undefined ? {} : { store: session.path(options.store) }),
    },
    {
      signal: session.signal,
      onEvent: (event) => {
        if (session.json) session.print.json(event)
        else
          session.print.progress(
            () => `${STEPS[event.step]}${event.address === undefined ? '' : ` at ${event.address}`} …`,
          )
      },
    },
  )
  if (session.json) return void session.print.json(joined)
  const { print } = session
  print.info(
    `${print.strong(`This device is ${print.safe(joined.name)}`)}, admitted by ${print.safe(joined.inviter_name)} as ${joined.role}.`,
  )
  if (joined.name_taken !== undefined)
    print.info(`The name ${print.safe(joined.name_taken)} was taken: it is now ${print.safe(joined.name)}.`)
  print.info(`Check words, the same on both devices: ${print.strong(joined.check_words.join(' '))}`)
  print.info('')
  print.info(
    formatFacts([
      ['role', joined.role],
      ['mesh', joined.short_id],
      ['device', joined.device],
      ['keys', print.safe(joined.keys)],
      ['store', print.safe(joined.store)],
    ]),
  )
  print.info('')
  print.info('Next:')
  print.info(
    '  cellar service install   have the node run here: without it this device holds and sends nothing',
  )
  if (joined.role !== 'storer') print.info('  cellar backup PATH       make a snapshot of this device')
  return undefined
}

/** The code as typed, from standard input, or asked for where there is somebody to ask. */
async function codeOf(session: Session, words: readonly string[]): Promise<string> {
  const asked = words.length === 0
  if (asked && !(session.world.stdin.isTerminal && session.world.stderr.isTerminal)) {
    throw new CellarError('USAGE', 'join needs the code that cellar invite shows on the other device')
  }
  if (!asked && !(words.length === 1 && words[0] === '-')) return words.join('-')
  if (asked) await session.world.stderr.write('Code, as cellar invite shows it on the other device: ')
  const parts: Uint8Array[] = []
  let length = 0
  for await (const bytes of session.world.stdin.bytes()) {
    parts.push(bytes)
    length += bytes.byteLength
    if (bytes.includes(10) || length > codeBytesMax) break
  }
  const line = Buffer.concat(parts).toString('utf8').split('\n')[0]?.trim() ?? ''
  if (line === '' || length > codeBytesMax)
    throw new CellarError('USAGE', 'there is no code on standard input')
  return line.split(/\s+/).join('-')
}
