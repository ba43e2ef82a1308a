import { existsSync, realpathSync, rmSync, statSync } from 'node:fs'
import {
  CellarError,
  type ConfigReloaded,
  type ConfigTools,
  type HomePaths,
  isCellarError,
  loadConfigTools,
  readNamed,
} from '../../node/client.ts'
import { runEditor } from '../editor.ts'
import { count } from '../output/format.ts'
import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'

const WRONG = 2

/** `cellar config check`, `show`, `edit`, `reload` and `schema`. */
export const defineConfig: Define = (program, act) => {
  const command = program
    .command('config')
    .helpGroup(GROUP.setUp)
    .summary('check, show, edit the settings; have the running node read them again')
    .description(
      'The settings of this device are in one file, config.toml: what is backed up and when, what is kept, how fast, who is told. These commands look after it; all of them but reload work without a node.',
    )
  command
    .command('check')
    .description('find all that is wrong in the file')
    .argument('[file]', 'another file')
    .action(act(check))
  command.command('show').description('print what is in force, and where it comes from').action(act(show))
  command
    .command('edit')
    .description('change the file with $VISUAL or $EDITOR; it is checked before it counts')
    .option('--discard', 'forget what was not taken over the last time, and begin with the file as it is')
    .action(act(edit))
  command
    .command('reload')
    .description('have the running node read the file again (SIGHUP does the same)')
    .action(act(reload))
  command.command('schema').description('print the JSON schema of the file, for editors').action(act(schema))
  examples(command, 'cellar config check', 'EDITOR=nano cellar config edit', 'cellar config show --json')
}

async function check(session: Session, file?: string): Promise<number | undefined> {
  const [home, tools] = [await session.home(), await loadConfigTools()]
  const path = file ?? home.config
  const text =
    file === undefined ? tools.settingsText(home) : readNamed(session.pathBytes(file), file).toString()
  const problems = tools.problemsOf(text ?? '', home, session.world.env)
  const notices = problems.length > 0 ? [] : tools.noticesOf(text ?? '', home, session.world.env)
  if (session.json) session.print.json({ message_type: 'config_checked', path, problems, notices })
  else {
    for (const problem of problems) session.print.result(session.print.safe(tools.problemLine(path, problem)))
    for (const notice of notices) session.print.notice(session.print.safe(notice))
    if (text === undefined)
      session.print.info(`There is no file ${session.print.safe(path)}: all is as without one.`)
    else if (problems.length === 0) session.print.info(`${session.print.safe(path)} is in order.`)
  }
  if (problems.length === 0) return undefined
  session.print.failure(
    WRONG,
    `${path} has ${count(problems.length, 'mistake')}`,
    file === undefined ? 'mend the lines named: cellar config edit' : 'mend the lines named',
    'CONFIG_INVALID',
  )
  return WRONG
}

async function show(session: Session): Promise<undefined> {
  const [home, tools] = [await session.home(), await loadConfigTools()]
  const inForce = await askRunning(session, home)
  const settings = tools.settingsOf(home, session.world.env)
  const shown = inForce === undefined ? settings : tools.besides(settings, inForce)
  if (session.json) {
    session.print.json({
      message_type: 'config',
      path: home.config,
      running: inForce !== undefined,
      settings: tools.shownTable(shown),
      origins: Object.fromEntries(shown.map(({ path, origin }) => [tools.pathInWords(path), origin])),
    })
    return undefined
  }
  session.print.result(`# ${session.print.safe(home.config)}`)
  for (const line of tools.shownText(shown).trimEnd().split('\n'))
    session.print.result(session.print.safe(line))
  if (shown.some(({ origin }) => origin.startsWith(tools.NOT_READ)))
    session.print.notice(
      'the running node has not read the file since it was changed: cellar config reload, or a restart',
    )
  return undefined
}

/** What is in force in the node that runs here; undefined where none does. */
async function askRunning(session: Session, home: HomePaths): Promise<Record<string, unknown> | undefined> {
  const handle = await session.world.door.connect(home)
  if (handle === undefined) return undefined
  try {
    const { settings } = await handle.call('configShow', {}, { signal: session.signal })
    return settings
  } finally {
    await handle.close()
  }
}

async function edit(session: Session, options: { readonly discard?: boolean }): Promise<number | undefined> {
  const [home, tools] = [await session.home(), await loadConfigTools()]
  const draft = `${home.config}.draft`
  if (options.discard === true) rmSync(draft, { force: true })
  session.kept = 'the settings are as they were'
  const before = tools.settingsText(home)
  const isResumed = existsSync(draft)
  if (isResumed)
    session.print.notice('this goes on with what was not taken over the last time (--discard begins anew)')
  else tools.writeDraft(home, draft, before ?? tools.freshSettings())
  await runEditor(session.world.env, draft, session.signal).catch((error: unknown) => {
    // What was begun anew and not saved is nothing to go on with.
    if (!isResumed) rmSync(draft, { force: true })
    throw error
  })
  const text = tools.draftText(draft)
  if (text === (before ?? tools.freshSettings())) {
    rmSync(draft)
    session.print.info('Nothing was changed.')
    return undefined
  }
  const problems = tools.problemsOf(text, home, session.world.env)
  if (problems.length > 0) return refuse(session, tools, draft, problems)
  if (tools.settingsText(home) !== before)
    throw new CellarError(
      'USAGE',
      `${home.config} was changed by someone else meanwhile; yours is in ${draft}`,
    )
  tools.replaceSettings(linkedTo(home.config), text)
  rmSync(draft)
  session.kept = 'the settings are changed; cellar config reload has the node read them'
  if (session.json) session.print.json({ message_type: 'config_edited', path: home.config })
  else session.print.info(`${session.print.safe(home.config)} is changed.`)
  await reloadIfRunning(session, home)
  return undefined
}

function refuse(
  session: Session,
  tools: ConfigTools,
  draft: string,
  problems: ReturnType<ConfigTools['problemsOf']>,
): number {
  for (const problem of problems) session.print.result(session.print.safe(tools.problemLine(draft, problem)))
  session.print.failure(
    WRONG,
    `that has ${count(problems.length, 'mistake')}: the settings stay as they were`,
    'cellar config edit goes on with what you wrote; --discard forgets it',
    'CONFIG_INVALID',
  )
  return WRONG
}

/** Many keep their settings elsewhere, and a link here: it stays one. */
function linkedTo(path: string): string {
  return statSync(path, { throwIfNoEntry: false }) === undefined ? path : realpathSync(path)
}

async function reloadIfRunning(session: Session, home: HomePaths): Promise<void> {
  try {
    const reloaded = await askReload(session, home)
    if (reloaded !== undefined) tell(session, reloaded)
  } catch (error) {
    // The file is changed and right; a node whose environment lacks a variable says so.
    if (!isCellarError(error, 'CONFIG_INVALID')) throw error
    session.print.notice(`the running node does not take it: ${error.message}`)
  }
}

async function reload(session: Session): Promise<undefined> {
  const home = await session.home()
  session.kept = 'the node goes on with the settings it has'
  const reloaded = await askReload(session, home)
  if (reloaded === undefined)
    throw new CellarError(
      'NODE_NOT_RUNNING',
      'no node runs on this device: the next one reads the settings anyway',
    )
  tell(session, reloaded)
  return undefined
}

async function askReload(session: Session, home: HomePaths): Promise<ConfigReloaded | undefined> {
  const handle = await session.world.door.connect(home)
  try {
    return await handle?.call('configReload', {}, { signal: session.signal })
  } catch (error) {
    // One that was opened for a command has read the settings just now.
    if (isCellarError(error, 'NODE_NOT_RUNNING')) return undefined
    throw error
  } finally {
    await handle?.close()
  }
}

function tell(session: Session, reloaded: ConfigReloaded): void {
  if (session.json) return session.print.json(reloaded)
  const { changed, needs_restart: waiting } = reloaded
  session.print.info(
    changed.length === 0
      ? 'The running node had nothing to change.'
      : `The running node follows: ${changed.join(', ')}.`,
  )
  if (waiting.length > 0)
    session.print.notice(
      `${waiting.join(', ')} ${waiting.length === 1 ? 'waits' : 'wait'} until it is started again`,
    )
}

async function schema(session: Session): Promise<undefined> {
  const tools = await loadConfigTools()
  session.print.result(tools.schemaText().trimEnd())
  return undefined
}
