import { Option } from 'commander'
import type { RoleName } from '../../node/client.ts'
import type { Session } from '../session.ts'
import { collect, copiesGoal } from '../values.ts'
import { type Define, examples, GROUP } from './command.ts'
import { formatFacts } from '../output/table.ts'
import { handOut, isShown, type PhraseOptions, phraseOptions, shownIn, writeFile } from './recovery.ts'

interface Options extends PhraseOptions {
  readonly recovery: boolean
  readonly name?: string
  readonly role: RoleName
  readonly listen?: readonly string[]
  readonly store?: string
  readonly copies: 'all' | number
}

/** The name a device has when its person gives none. */
export function defaultName(session: Session): string {
  return session.world.hostname.split('.')[0] ?? 'device'
}

/** `cellar init`: makes this device and a new mesh. */
export const defineInit: Define = (program, act) => {
  const command = program
    .command('init')
    .helpGroup(GROUP.setUp)
    .summary('make this device the first of a new mesh')
    .description(
      'Makes keys for this device and a new mesh with this device in it. To make it one more device of a mesh that is there, use join.',
    )
    .option('--name <name>', 'what the others call this device (default: its host name)')
    .addOption(
      new Option('--role <role>', 'what this device may do; the first one has to admit the others')
        .choices(['keeper'])
        .default('keeper'),
    )
    .option('--listen <address>', 'HOST:PORT or multiaddr to listen on (may be given again)', collect)
    .option('--store <dir>', 'where the chunks are kept (default: below the home)')
    .option('--copies <n>', 'devices that should hold each snapshot: a number, or all', copiesGoal, 'all')
    .option('--no-recovery', 'make no recovery phrase')
  phraseOptions(command).action(act(init))
  examples(
    command,
    'cellar init',
    'cellar init --name desktop --store /mnt/big/rootcellar',
    'cellar init --copies 2 --listen 0.0.0.0:4517',
  )
}

async function init(session: Session, options: Options): Promise<undefined> {
  const home = await session.home()
  const { door } = session.world
  await door.refuseSecond(home)
  // Where nobody would see it, none is made: a phrase that nobody has would only look like a way back.
  const hasPhrase = options.recovery && isShown(session, options)
  const paper = hasPhrase ? (await door.phrases()).draw() : undefined
  if (paper !== undefined) await writeFile(session, paper, options)
  const params = {
    name: options.name ?? defaultName(session),
    role: options.role,
    copies: options.copies,
    listen: options.listen ?? [],
    ...(options.store === undefined ? {} : { store: session.path(options.store) }),
  }
  const made = await door.init(home, params, paper)
  if (session.json) {
    session.print.json({ ...made, ...(paper === undefined ? {} : shownIn(session, paper, options)) })
    if (paper !== undefined) await handOut(session, paper, options)
    return undefined
  }
  session.print.info(
    `${session.print.strong(`This device is ${session.print.safe(made.name)}`)}, the first of a new mesh.`,
  )
  session.print.info('')
  session.print.info(
    formatFacts([
      ['role', made.role],
      ['mesh', made.short_id],
      ['device', made.device],
      ['keys', session.print.safe(made.keys)],
      ['store', session.print.safe(made.store)],
    ]),
  )
  session.print.info('')
  if (paper !== undefined) await handOut(session, paper, options)
  else
    session.print.info(
      'There is no recovery phrase: the keys of this device are the only way to read the backups.',
    )
  session.print.info('')
  session.print.info('Next:')
  if (paper === undefined)
    session.print.info('  cellar recovery new      make a recovery phrase, to write down')
  session.print.info(
    '  cellar service install   have the node run from now on, so that other devices find it',
  )
  session.print.info('  cellar invite            pair another device')
  session.print.info('  cellar backup PATH       make the first snapshot')
  return undefined
}
