import { CellarError } from '../../node/client.ts'
import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'

const POLL_MS = 50
const WAIT_MS = 60_000

/** `cellar stop`: ends the running node and waits until it has. */
export const defineStop: Define = (program, act) => {
  const command = program
    .command('stop')
    .helpGroup(GROUP.everyDay)
    .summary('end the running node')
    .description(
      'Ends the node that runs on this device, and returns once it has ended. What it was doing goes on when it is started again.',
    )
    .action(act(stop))
  examples(command, 'cellar stop')
}

async function stop(session: Session): Promise<undefined> {
  const home = await session.home()
  const handle = await session.world.door.connect(home)
  if (handle === undefined) {
    if (session.json) session.print.json({ message_type: 'stopped', was_running: false })
    else session.print.info('No node runs on this device.')
    return undefined
  }
  const { pid } = await handle.call('stop', {}, { signal: session.signal })
  await handle.close()
  await ended(session, pid)
  if (session.json) session.print.json({ message_type: 'stopped', was_running: true, pid })
  else session.print.info('The node has ended.')
  return undefined
}

/** Waits until nobody answers at the socket. */
async function ended(session: Session, pid: number): Promise<void> {
  const home = await session.home()
  const startMs = session.world.nowMs()
  while (session.world.nowMs() - startMs < WAIT_MS) {
    session.signal.throwIfAborted()
    const handle = await session.world.door.connect(home)
    if (handle === undefined) return
    await handle.close()
    await session.world.sleep(POLL_MS)
  }
  throw new CellarError('STORE_IN_USE', `the node (process ${String(pid)}) has not ended within a minute`, {
    pid,
  })
}
