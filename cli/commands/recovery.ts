import { CellarError, type PaperKey } from '../../node/client.ts'
import { askPhrase, checkWritten, formatPhrase } from '../secrets.ts'
import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'
import { writeKit } from './recovery-kit.ts'

/** Options that say what becomes of a new phrase; `init` has them too. */
export interface PhraseOptions {
  readonly recoveryFile?: string
  readonly recoveryKit?: string
  readonly showRecovery?: boolean
}

/** Adds those options. */
export function phraseOptions(command: ReturnType<Parameters<Define>[0]['command']>): typeof command {
  return command
    .option('--recovery-file <file>', 'write the recovery phrase to a new file that only you can read')
    .option('--recovery-kit <file>', 'write a page to print: phrase, code to scan, and what to do')
    .option('--show-recovery', 'print the phrase also where standard output is no terminal')
}

/** `cellar recovery`, `recovery new`, `confirm` and `kit`: the phrase that gets one back in. */
export const defineRecovery: Define = (program, act) => {
  const command = program
    .command('recovery')
    .helpGroup(GROUP.setUp)
    .summary('the recovery phrase: is there one, make it, check it, print it')
    .description(
      'Says whether there is a recovery phrase, and whether somebody has read it from paper. With its 24 words and any one device that is left, cellar recover gets everything back.',
    )
    .action(act(show))
  command.command('show', { isDefault: true }).description('say how it stands').action(act(show))
  phraseOptions(
    command
      .command('new')
      .description('make a new phrase; the one before opens nothing any more that is backed up from now on'),
  ).action(act(makeNew))
  command
    .command('confirm')
    .description('type the words from the paper, to be sure that they are right')
    .option('--phrase-file <file>', 'read them from a file that only you can read; - is standard input')
    .action(act(confirm))
  command
    .command('kit')
    .description('write one page to print: the words, a code to scan, the devices, and what to do')
    .requiredOption('--output <file>', 'the page, a new file that only you can read')
    .option('--phrase-file <file>', 'read the words from a file that only you can read; - is standard input')
    .option('--blank', 'with lines on which the words are written by hand')
    .action(act(kit))
  examples(
    command,
    'cellar recovery',
    'cellar recovery new',
    'cellar recovery confirm',
    'cellar recovery kit --output kit.html --blank',
  )
}

async function show(session: Session): Promise<undefined> {
  const info = await session.call('recovery', {})
  const { print } = session
  if (session.json) return void print.json({ message_type: 'recovery', ...info })
  if (info.paper === undefined) {
    print.result('There is no recovery phrase: if all devices that read are lost, so are the backups.')
    print.info('to do:  cellar recovery new')
    return undefined
  }
  print.result(
    info.confirmed === undefined
      ? 'There is a recovery phrase. Nobody has typed it in on this device yet.'
      : `There is a recovery phrase, last read from paper ${info.confirmed.slice(0, 10)}.`,
  )
  if (!info.opens) print.info('It does not open the newest vault key. to do:  cellar recovery new')
  if (info.admitted.length > 0)
    print.info(`It let in: ${info.admitted.map(print.safe).join(', ')}. to do:  cellar recovery new`)
  if (info.confirmed === undefined) print.info('to do:  cellar recovery confirm')
  return undefined
}

async function makeNew(session: Session, options: PhraseOptions): Promise<undefined> {
  checkShown(session, options)
  const { mesh } = await session.call('status', {})
  const { door } = session.world
  const paper = (await door.phrases()).draw()
  // Before the mesh knows it: a phrase that nobody has would be worse than the old one.
  await writeFile(session, paper, options)
  const made = await session.call('recoveryNew', {
    device: paper.device,
    proof: Buffer.from(paper.proofFor(mesh.id)).toString('hex'),
  })
  if (session.json) session.print.json({ ...made, ...shownIn(session, paper, options) })
  else if (made.replaced)
    session.print.info(
      'The phrase before is worth nothing any more, and what is backed up from now on is sealed under a new key.',
    )
  await handOut(session, paper, options)
  return undefined
}

async function confirm(session: Session, options: { readonly phraseFile?: string }): Promise<undefined> {
  const paper = await askPhrase(session, options.phraseFile)
  const confirmed = await session.call('recoveryConfirm', { device: paper.device })
  if (session.json) session.print.json(confirmed)
  else session.print.info('The words are right.')
  return undefined
}

interface KitOptions {
  readonly output: string
  readonly phraseFile?: string
  readonly blank?: boolean
}

async function kit(session: Session, options: KitOptions): Promise<undefined> {
  if (options.blank === true && options.phraseFile !== undefined)
    throw new CellarError('USAGE', '--blank leaves the words out: it goes without --phrase-file')
  const paper = options.blank === true ? undefined : await askPhrase(session, options.phraseFile)
  if (paper !== undefined) await session.call('recoveryConfirm', { device: paper.device })
  await writeKit(session, options.output, paper)
  if (session.json) session.print.json({ message_type: 'recovery_kit', path: session.path(options.output) })
  return undefined
}

/** A phrase that nobody sees would lock nobody out and let nobody in. @throws {CellarError} `USAGE` */
export function checkShown(session: Session, options: PhraseOptions): void {
  if (isShown(session, options)) return
  throw new CellarError(
    'USAGE',
    'nobody would see the phrase: run it on a terminal, or give --recovery-file, --recovery-kit or --show-recovery',
  )
}

/** Whether somebody gets to know the phrase. */
export function isShown(session: Session, options: PhraseOptions): boolean {
  const { recoveryFile, recoveryKit, showRecovery } = options
  if (recoveryFile !== undefined || recoveryKit !== undefined || showRecovery === true) return true
  return isOnTerminal(session)
}

function isOnTerminal(session: Session): boolean {
  return session.world.stdout.isTerminal && !session.json
}

/** Writes the phrase to the file that was asked for, before anything depends on it. */
export async function writeFile(session: Session, paper: PaperKey, options: PhraseOptions): Promise<void> {
  if (options.recoveryFile === undefined) return
  await session.world.door.writeSecretFile(session.path(options.recoveryFile), `${paper.words().join(' ')}\n`)
}

/** The phrase as a field of a JSON line, only when it was asked for. */
export function shownIn(session: Session, paper: PaperKey, { showRecovery }: PhraseOptions) {
  return session.json && showRecovery === true ? { recovery_phrase: paper.words().join(' ') } : {}
}

/** Shows the phrase once, writes the page, and has some of the words read back. */
export async function handOut(session: Session, paper: PaperKey, options: PhraseOptions): Promise<void> {
  const { print } = session
  if (options.recoveryKit !== undefined) await writeKit(session, options.recoveryKit, paper)
  const isFiled = options.recoveryFile !== undefined || options.recoveryKit !== undefined
  const isPrinted = options.showRecovery === true || (isOnTerminal(session) && !isFiled)
  if (session.json || !isPrinted) {
    if (options.recoveryFile !== undefined)
      print.info(
        `The recovery phrase is in ${print.safe(options.recoveryFile)}: bring it to paper, then remove the file.`,
      )
    return
  }
  print.result('')
  print.result('Recovery phrase. Write it on paper, in this order; it is not shown again:')
  print.result('')
  print.result(formatPhrase(paper.words()))
  print.result('')
  print.info(
    'Whoever has these words can read every backup. With them and one device that is left, all comes back.',
  )
  await print.flush()
  if (!session.asker.isThere) return
  session.kept = 'the phrase is made; check it later: cellar recovery confirm'
  const phrases = await session.world.door.phrases()
  if (await checkWritten(session, paper, () => phrases.random())) {
    await session.call('recoveryConfirm', { device: paper.device })
    print.info('The words are right.')
  } else print.info('Later:  cellar recovery confirm')
}
