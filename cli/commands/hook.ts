import { Option } from 'commander'
import type { HookStatus, HookTestParams } from '../../node/client.ts'
import { formatAgo } from '../output/format.ts'
import { formatTable } from '../output/table.ts'
import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'

const MOMENTS = ['before', 'after', 'success', 'failure', 'silent', 'trouble'] as const

interface TestOptions {
  readonly on?: (typeof MOMENTS)[number]
}

/** `cellar hook` and `hook test`: who is told what happens, and whether it works. */
export const defineHook: Define = (program, act) => {
  const command = program
    .command('hook')
    .helpGroup(GROUP.care)
    .summary('list the hooks of the settings; try one')
    .description(
      'Lists the hooks of the settings, and the mail, with how they fared. docs/monitoring.md has examples to copy.',
    )
    .action(act(list))
  command.command('list', { isDefault: true }).description('list the hooks').action(act(list))
  command
    .command('test')
    .description('tell a hook something made up, and say what it answers')
    .argument('<name>', 'name of the hook; email for the mail')
    .addOption(
      new Option('--on <moment>', 'as if this had happened (default: what the hook is told of)').choices(
        MOMENTS,
      ),
    )
    .action(act(test))
  examples(command, 'cellar hook', 'cellar hook test discord', 'cellar hook test email --on failure')
}

async function list(session: Session): Promise<undefined> {
  const { telling } = await session.call('status', {})
  if (session.json) session.print.json(telling.hooks)
  else if (telling.hooks.length === 0)
    session.print.info('The settings have no hooks: see docs/monitoring.md.')
  else session.print.result(hooksTable(session, telling.hooks))
  return undefined
}

function hooksTable(session: Session, hooks: readonly HookStatus[]): string {
  const columns = [
    { title: 'Name' },
    { title: 'Told of' },
    { title: 'Told', align: 'right' },
    { title: 'Failed', align: 'right' },
    { title: 'Last worked' },
    { title: 'Now' },
  ] as const
  const ago = (time: string | undefined) =>
    time === undefined ? 'never' : formatAgo(time, session.world.nowMs())
  return formatTable(
    columns,
    hooks.map((hook) => [
      session.print.safe(hook.name),
      hook.on.join(' '),
      String(hook.told),
      String(hook.failures),
      ago(hook.last_success),
      hook.message === undefined ? '' : session.print.safe(hook.message),
    ]),
  )
}

async function test(session: Session, name: string, options: TestOptions): Promise<undefined> {
  const params: HookTestParams = { name, ...(options.on !== undefined && { on: options.on }) }
  const tested = await session.call('hookTest', params)
  if (session.json) session.print.json(tested)
  else
    session.print.result(
      `${session.print.safe(tested.name)} was told of a made-up "${tested.on}": ${session.print.safe(tested.answer)}.`,
    )
  return undefined
}
