import { readFileSync } from 'node:fs'
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
    version: programVersion(),
    node_version: process.version,
    platform: `${process.platform}/${process.arch}`,
  }
  if (session.json) session.print.json({ message_type: 'version', ...facts })
  else session.print.result(`cellar ${facts.version}, node ${facts.node_version} on ${facts.platform}`)
  return undefined
}

/** The version in package.json, which is above the sources and above what is compiled from them. */
export function programVersion(): string {
  for (const above of ['../../package.json', '../../../package.json']) {
    try {
      const table: unknown = JSON.parse(readFileSync(new URL(above, import.meta.url), 'utf8'))
      if (
        typeof table === 'object' &&
        table !== null &&
        'version' in table &&
        typeof table.version === 'string'
      )
        return table.version
    } catch {
      // the other place
    }
  }
  return 'unknown'
}
