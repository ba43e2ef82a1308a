import { CellarError } from '../../node/client.ts'
import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'

/** `cellar dashboard`: prints the link with which a browser of this machine is let in. */
export const defineDashboard: Define = (program, act) => {
  const command = program
    .command('dashboard')
    .helpGroup(GROUP.everyDay)
    .summary('print the link that opens the running node in a browser')
    .description(
      'Prints a link to the page of the running node, for a browser on this machine. It can be opened once, within two minutes; the browser is then let in for a day, or until the node ends. From another machine: make a tunnel that has the same port on both sides (ssh -L 4518:127.0.0.1:4518), and open the link there.',
    )
    .action(act(dashboard))
  examples(command, 'cellar dashboard', 'xdg-open "$(cellar dashboard --quiet)"')
}

async function dashboard(session: Session): Promise<undefined> {
  const handle = await session.world.door.connect(await session.home())
  if (handle === undefined) throw new CellarError('NODE_NOT_RUNNING', 'no node runs on this device')
  const link = await handle.call('dashboard', {}, { signal: session.signal })
  await handle.close()
  if (session.json) session.print.json(link)
  else {
    session.print.result(link.url)
    session.print.info('Open it in a browser on this machine, once, within two minutes.')
  }
  return undefined
}
