import { CellarError, type HomePaths } from '../../node/client.ts'
import { formatFacts } from '../output/table.ts'
import { homeInUnit, parseShow, planUnit, unitPath } from '../service/plan.ts'
import { UNIT_MARK, UNIT_NAME, unitText } from '../service/unit.ts'
import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'

interface Options {
  readonly system?: boolean
  readonly user?: string
  readonly print?: boolean
}

type Scope = 'user' | 'system'

const POLL_MS = 250
/** Before a node that was begun must answer: opening a large store on a slow disk takes its time. */
const BEGIN_MS = 60_000

/** `cellar service`: has systemd run the node. */
export const defineService: Define = (program, act) => {
  const service = program
    .command('service')
    .helpGroup(GROUP.setUp)
    .summary('have the node started with the machine')
    .description(
      'Writes a unit for systemd, so that the node of this device runs by itself: while you are logged in, or with --system from the start of the machine.',
    )
  const install = service
    .command('install')
    .summary('write the unit, and start it')
    .description(
      'Writes a unit for systemd and starts it. It may do no more than the device needs: a storer is shut into its own directories. Install again after an update, or when the home or the store is moved.',
    )
    .option('--system', 'a service of the machine, from its start on; needs root')
    .option('--user <name>', 'with --system: the user who owns the home, and runs the node')
    .option('--print', 'only print the unit')
    .action(act(installService))
  examples(
    install,
    'cellar service install',
    'sudo cellar --home /var/lib/rootcellar service install --system',
    'sudo cellar service install --system --user ann',
  )
  service
    .command('uninstall')
    .summary('stop the node and take the unit away')
    .description('Stops the node and takes the unit away. Keys, settings and snapshots stay.')
    .option('--system', 'that of the machine; needs root')
    .action(act(uninstallService))
  service
    .command('status')
    .summary('say whether the service is there and runs')
    .description('Says whether the unit is there, up to date, and runs. Exit status 1 when it does not run.')
    .option('--system', 'that of the machine')
    .action(act(serviceStatus))
}

async function installService(session: Session, options: Options): Promise<undefined> {
  const scope = scopeOf(options)
  if (options.user !== undefined && scope === 'user')
    throw new CellarError('USAGE', '--user says who runs a service of the machine: give --system too')
  const { text, home, userHome } = await unitOf(session, scope, options.user)
  if (options.print === true) {
    session.print.result(text.trimEnd())
    return undefined
  }
  const path = unitPath(scope, session.world.env, userHome)
  refuseOther(session, path, text)
  const isActive = (await show(session, scope))['ActiveState'] === 'active'
  if (!isActive) await refuseRunning(session, home)
  session.world.host.write(path, text)
  await systemctl(session, scope, 'daemon-reload')
  await systemctl(session, scope, 'enable', UNIT_NAME)
  await systemctl(session, scope, 'restart', UNIT_NAME)
  await answering(session, scope, home)
  if (session.json) session.print.json({ message_type: 'service_installed', scope, unit: UNIT_NAME, path })
  else {
    session.print.info(`The node runs as ${UNIT_NAME}, written to ${session.print.safe(path)}.`)
    if (scope === 'user' && !(await lingers(session)))
      session.print.info(
        'It runs while you are logged in. To have it run from the start of the machine: sudo loginctl enable-linger $USER',
      )
    session.print.info(`Its log: ${journalctl(scope)}`)
  }
  return undefined
}

async function uninstallService(session: Session, options: Options): Promise<undefined> {
  const scope = scopeOf(options)
  const { host } = session.world
  const path = unitPath(scope, session.world.env, ownHome(session))
  const text = host.read(path)
  if (text !== undefined) {
    refuseForeign(session, path, text)
    await systemctl(session, scope, 'disable', '--now', UNIT_NAME)
    host.remove(path)
    await systemctl(session, scope, 'daemon-reload')
  }
  if (session.json)
    session.print.json({
      message_type: 'service_uninstalled',
      scope,
      was_installed: text !== undefined,
      path,
    })
  else if (text === undefined) session.print.info('There was no service.')
  else session.print.info('The service is gone. Keys, settings and snapshots are where they were.')
  return undefined
}

async function serviceStatus(session: Session, options: Options): Promise<number> {
  const scope = scopeOf(options)
  const path = unitPath(scope, session.world.env, ownHome(session))
  const text = session.world.host.read(path)
  const facts = await show(session, scope)
  const isRunning = facts['ActiveState'] === 'active'
  const isStartedByItself = facts['UnitFileState'] === 'enabled'
  // As root or for another home the unit may not be what would be written here: then nothing is said of it.
  const current = text === undefined ? undefined : await isCurrent(session, scope, text)
  if (session.json) {
    session.print.json({
      message_type: 'service_status',
      scope,
      unit: UNIT_NAME,
      path,
      installed: text !== undefined,
      running: isRunning,
      enabled: isStartedByItself,
      ...(current !== undefined && { up_to_date: current }),
      ...(Number(facts['MainPID']) > 0 && { pid: Number(facts['MainPID']) }),
      ...(facts['Result'] !== undefined && { result: facts['Result'] }),
    })
    return isRunning ? 0 : 1
  }
  if (text === undefined) {
    session.print.result('No service is installed: cellar service install')
    return 1
  }
  session.print.result(isRunning ? 'The node runs as a service.' : 'The service does not run.')
  session.print.info('')
  session.print.info(
    formatFacts([
      ['unit', session.print.safe(path)],
      ['up to date', current === false ? 'no: cellar service install' : 'yes'],
      ['state', session.print.safe(`${facts['ActiveState'] ?? 'unknown'} (${facts['SubState'] ?? ''})`)],
      ['starts', isStartedByItself ? startText(scope, await lingers(session)) : 'not by itself'],
      ['log', journalctl(scope)],
    ]),
  )
  return isRunning ? 0 : 1
}

function scopeOf({ system }: Options): Scope {
  return system === true ? 'system' : 'user'
}

function startText(scope: Scope, isLingering: boolean): string {
  return scope === 'system' || isLingering ? 'with the machine' : 'when you log in'
}

function journalctl(scope: Scope): string {
  return scope === 'system' ? `journalctl -u ${UNIT_NAME}` : `journalctl --user -u ${UNIT_NAME}`
}

/** The unit of this home, as this version writes it. */
async function unitOf(session: Session, scope: Scope, userName: string | undefined) {
  const { host, env, door } = session.world
  const users = host.users()
  const named = session.homeGiven ?? (env['CELLAR_HOME'] === '' ? undefined : env['CELLAR_HOME'])
  const other = named === undefined ? users.find(({ name }) => name === userName) : undefined
  if (userName !== undefined && named === undefined && other === undefined)
    throw new CellarError('USAGE', `there is no user ${userName} on this machine`)
  // Root asks for somebody: their home is where it is for them.
  const theirs =
    other === undefined ? undefined : { ...(await door.home(`${other.directory}/.local/share/rootcellar`)) }
  const home: HomePaths =
    theirs === undefined || other === undefined
      ? await session.home()
      : { ...theirs, config: `${other.directory}/.config/rootcellar/config.toml` }
  const options = planUnit({
    scope,
    userName,
    isHomeNamed: named !== undefined,
    home,
    facts: await door.facts(home),
    ownerUid: host.ownerOf(home.deviceKey),
    users,
    uid: host.uid,
    program: host.program,
    env: other === undefined ? env : { CELLAR_PASSPHRASE_FILE: env['CELLAR_PASSPHRASE_FILE'] },
  })
  return { text: unitText(options), home, userHome: options.userHome }
}

async function isCurrent(session: Session, scope: Scope, text: string): Promise<boolean | undefined> {
  const user = /^User=(.*)$/m.exec(text)?.[1]
  const named = session.homeGiven !== undefined
  try {
    return (await unitOf(session, scope, named ? undefined : user)).text === text
  } catch (error) {
    if (error instanceof CellarError) return undefined
    throw error
  }
}

function ownHome({ world }: Session): string {
  const { host, env } = world
  return env['HOME'] ?? host.users().find(({ uid }) => uid === host.uid)?.directory ?? '/'
}

/** What a person wrote there is not ours to overwrite; nor is the unit of another home. */
function refuseOther(session: Session, path: string, text: string): void {
  const there = session.world.host.read(path)
  if (there === undefined) return
  refuseForeign(session, path, there)
  const [before, now] = [homeInUnit(there), homeInUnit(text)]
  if (before === now) return
  throw new CellarError(
    'USAGE',
    `a service runs another home here already (${before ?? 'the usual one'}): cellar service uninstall takes it away`,
  )
}

function refuseForeign(_session: Session, path: string, text: string): void {
  if (text.startsWith(UNIT_MARK)) return
  throw new CellarError('USAGE', `${path} was not written by cellar: move it away first`)
}

async function refuseRunning(session: Session, home: HomePaths): Promise<void> {
  const node = await session.world.door.connect(home)
  if (node === undefined) return
  await node.close()
  throw new CellarError(
    'STORE_IN_USE',
    'a node runs here already, started by hand: cellar stop, then install again',
  )
}

/** Runs systemctl; it must be there and succeed. */
async function systemctl(session: Session, scope: Scope, ...args: readonly string[]): Promise<string> {
  const ran = await session.world.host.run('systemctl', [...(scope === 'user' ? ['--user'] : []), ...args])
  if (ran === undefined)
    throw new CellarError(
      'SERVICE_FAILED',
      'there is no systemctl here: have cellar start run by what starts programs',
    )
  if (ran.status !== 0) {
    const said = ran.stderr.trim() === '' ? `exit status ${String(ran.status)}` : ran.stderr.trim()
    throw new CellarError('SERVICE_FAILED', `systemctl ${args.join(' ')}: ${said}`)
  }
  return ran.stdout
}

async function show(session: Session, scope: Scope): Promise<Readonly<Record<string, string>>> {
  const properties = '--property=ActiveState,SubState,UnitFileState,MainPID,Result'
  return parseShow(await systemctl(session, scope, 'show', properties, UNIT_NAME))
}

/** Waits until the node answers. @throws {CellarError} `SERVICE_FAILED` when it ends before, or takes too long */
async function answering(session: Session, scope: Scope, home: HomePaths): Promise<void> {
  const { world, signal } = session
  const startMs = world.nowMs()
  while (world.nowMs() - startMs < BEGIN_MS) {
    signal.throwIfAborted()
    const node = await world.door.connect(home)
    if (node !== undefined) {
      await node.close()
      return
    }
    if ((await show(session, scope))['ActiveState'] === 'failed') break
    await world.sleep(POLL_MS)
  }
  throw new CellarError('SERVICE_FAILED', `the node did not begin; its log: ${journalctl(scope)} -n 20`)
}

/** Whether the services of this user go on without a login. */
async function lingers({ world }: Session): Promise<boolean> {
  const name = world.host.users().find(({ uid }) => uid === world.host.uid)?.name
  if (name === undefined) return false
  const ran = await world.host.run('loginctl', ['show-user', name, '--property=Linger'])
  return ran?.stdout.trim() === 'Linger=yes'
}
