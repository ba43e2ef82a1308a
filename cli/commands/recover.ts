import { formatFacts } from '../output/table.ts'
import { askPhrase } from '../secrets.ts'
import type { Session } from '../session.ts'
import { collect } from '../values.ts'
import { type Define, examples, GROUP } from './command.ts'
import { defaultName } from './init.ts'

interface Options {
  readonly at?: readonly string[]
  readonly phraseFile?: string
  readonly name?: string
  readonly listen?: readonly string[]
  readonly store?: string
}

const STEPS = {
  looking: 'looking for a device that is left',
  asking: 'asking',
  opened: 'the phrase opens the vault key',
  admitted: 'this device is let in',
} as const

/** `cellar recover`: makes this device a keeper with the recovery phrase, when all devices that read are gone. */
export const defineRecover: Define = (program, act) => {
  const command = program
    .command('recover')
    .helpGroup(GROUP.setUp)
    .summary('get back in with the recovery phrase, when the other devices are lost')
    .description(
      'Makes this new device a keeper of the mesh whose recovery phrase you have. One device that is left is enough, also one that can read nothing. The phrase is typed on the terminal or read from a file, never given as an argument. Interrupted, the same command goes on.',
    )
    .option(
      '--at <host:port>',
      'where a device is that is left, when it is not on this network (may be given again)',
      collect,
    )
    .option('--phrase-file <file>', 'read the phrase from a file that only you can read; - is standard input')
    .option('--name <name>', 'what the others call this device (default: its host name)')
    .option('--listen <address>', 'HOST:PORT or multiaddr to listen on (may be given again)', collect)
    .option('--store <dir>', 'where the chunks are kept (default: below the home)')
    .action(act(recover))
  examples(
    command,
    'cellar recover',
    'cellar recover --at 192.168.1.20:4517 --name new-laptop',
    'cellar recover --at pi.local:4517 --phrase-file - < phrase.txt',
  )
}

async function recover(session: Session, options: Options): Promise<undefined> {
  const home = await session.home()
  const { door } = session.world
  await door.refuseSecond(home)
  const paper = await askPhrase(session, options.phraseFile)
  session.kept = 'run it again: it goes on where it stopped'
  const recovered = await door.recover(
    home,
    {
      name: options.name ?? defaultName(session),
      at: options.at ?? [],
      listen: options.listen ?? [],
      ...(options.store === undefined ? {} : { store: session.path(options.store) }),
    },
    {
      paper,
      signal: session.signal,
      onEvent: (event) => {
        if (session.json) session.print.json(event)
        else
          session.print.progress(
            () => `${STEPS[event.step]}${event.address === undefined ? '' : ` ${event.address}`} …`,
          )
      },
    },
  )
  const { print } = session
  if (session.json) return void print.json(recovered)
  const who = print.strong(`This device is ${print.safe(recovered.name)}`)
  print.info(`${who}, a keeper again, let in by ${print.safe(recovered.from_name)}.`)
  if (recovered.name_taken !== undefined)
    print.info(
      `The name ${print.safe(recovered.name_taken)} was taken: it is now ${print.safe(recovered.name)}.`,
    )
  print.info('')
  print.info(
    formatFacts([
      ['mesh', recovered.short_id],
      ['device', recovered.device],
      ['keys', print.safe(recovered.keys)],
      ['store', print.safe(recovered.store)],
    ]),
  )
  print.info('')
  print.info('Next:')
  print.info('  cellar service install                     have the node run here')
  print.info('  cellar snapshots                           what is there')
  print.info('  cellar restore latest --target DIR         get it back')
  for (const { name } of recovered.others.filter((one) => one.name !== recovered.from_name))
    print.info(`  cellar devices remove ${print.safe(name).padEnd(20)} if it is lost`)
  print.info('  cellar recovery new                        the old words have been used: make new ones')
  return undefined
}
