import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'

/** `cellar metrics`: the figures of this device for Prometheus. */
export const defineMetrics: Define = (program, act) => {
  const command = program
    .command('metrics')
    .helpGroup(GROUP.care)
    .summary('print figures for Prometheus')
    .description(
      'Prints the figures of this device in the text format of Prometheus. A running node can also give them at an address, write them to a file or push them: [metrics] in its settings.',
    )
    .action(act(metrics))
  examples(command, 'cellar metrics', 'cellar metrics | promtool check metrics')
}

async function metrics(session: Session): Promise<undefined> {
  const { text } = await session.call('metrics', {})
  if (session.json) session.print.json({ message_type: 'metrics', text })
  else session.print.result(text.trimEnd())
  return undefined
}
