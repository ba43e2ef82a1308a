import { VERSION } from '../../node/client.ts'
import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'

/** `cellar version`. */
export const defineVersion: Define = (program, act) => {
  const command = program
    .command('version')
    .helpGroup(GROUP.care)
    .summary('say which version this is')
    .description('Says which version of Rootcellar, and on what it runs.')
    .action(act(version))
  examples(command, 'cellar version', 'cellar version --json')
}

async function version(session: Session): Promise<undefined> {
  const facts = {
    version: VERSION,
    node_version: process.version,
    platform: `${process.platform}/${process.arch}`,
  }
  if (session.json) session.print.json({ message_type: 'version', ...facts })
  else session.print.result(`cellar ${facts.version}, node ${facts.node_version} on ${facts.platform}`)
  return undefined
}
