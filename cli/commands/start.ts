import { isCellarError, type LogSink, type NodeHandle } from '../../node/client.ts'
import { shortAddress } from '../output/format.ts'
import { formatLogLine, isJournal, type LogForm } from '../output/log-line.ts'
import { askPassphrase } from '../passphrase.ts'
import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'

/** `cellar start`: runs the node in the foreground. */
export const defineStart: Define = (program, act) => {
  const command = program
    .command('start')
    .helpGroup(GROUP.everyDay)
    .summary('run the node, until it is stopped')
    .description(
      'Runs the node of this device in the foreground: it finds the other devices, sends and receives snapshots. Other commands use it while it runs. Ends with Ctrl-C, SIGTERM or cellar stop.',
    )
    .action(act(start))
  examples(command, 'cellar start', 'cellar start --json >> node.log &')
}

async function start(session: Session): Promise<number> {
  session.kept = 'the node was not started'
  const home = await session.home()
  const ask = () => askPassphrase(session)
  const node = await session.world.door.run(home, session.signal, session.limits, logSink(session), ask)
  const stopReloading = session.world.onReload(() => void reload(session, node.handle))
  try {
    const status = await node.handle.call('status', {}, { signal: session.signal })
    if (session.json) {
      session.print.json({
        message_type: 'started',
        pid: status.pid,
        device: status.device.id,
        name: status.device.name,
        mesh: status.mesh.id,
        addresses: status.addresses,
      })
    } else {
      session.print.info(
        `${session.print.safe(status.device.name)} runs as ${status.device.role} of mesh ${status.mesh.short_id}.`,
      )
      for (const address of status.addresses) session.print.info(`listening on ${shortAddress(address)}`)
    }
    await Promise.race([node.stopAsked, aborted(session.signal)])
  } catch (error) {
    if (!session.signal.aborted) throw error
  } finally {
    stopReloading()
    const cutOff = await node.close()
    if (cutOff.length > 0)
      session.print.notice(`cut off, as it did not end when told to: ${cutOff.join(', ')}`)
  }
  if (session.json) session.print.json({ message_type: 'stopped' })
  else session.print.info('The node has ended.')
  // Being stopped is how a node ends well.
  return 0
}

/** SIGHUP: as `cellar config reload`; with settings that are wrong the node goes on with those it has. */
async function reload({ print, signal }: Session, node: NodeHandle): Promise<void> {
  try {
    const { needs_restart: waiting } = await node.call('configReload', {}, { signal })
    if (waiting.length > 0) print.notice(`the node has to be started again for ${waiting.join(', ')}`)
  } catch (error) {
    // The node has told of it, in its log and its status.
    if (!isCellarError(error)) throw error
  }
}

/** The log goes to standard error: readable on a terminal and in the journal, as JSON anywhere else. */
function logSink({ world, print }: Session): LogSink {
  const { quiet, verbosity, color } = print.options
  const isTerminal = world.stderr.isTerminal
  const journal = world.env['JOURNAL_STREAM']
  const form: LogForm = isTerminal
    ? 'terminal'
    : journal !== undefined && isJournal(journal, world.errorStream())
      ? 'journal'
      : 'json'
  const level = quiet ? 'warn' : verbosity > 1 ? 'trace' : verbosity > 0 ? 'debug' : undefined
  return {
    write: (line) => {
      // A reader that went away must not end a node that runs.
      world.stderr.write(formatLogLine(line, form, color && isTerminal)).catch(() => undefined)
    },
    ...(level !== undefined && { level }),
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
