import type { ProfileInfo, ScheduledTask } from '../../node/client.ts'
import { lastRunText, nextRunText } from '../output/schedule-text.ts'
import { formatTable } from '../output/table.ts'
import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'

/** `cellar profile list`. */
export const defineProfile: Define = (program, act) => {
  const command = program
    .command('profile')
    .helpGroup(GROUP.everyDay)
    .summary('list the profiles: what is backed up together, and when')
    .description(
      'A profile says once what is backed up, how and when. Profiles are part of the settings: cellar config edit. A running node backs up by itself those with a schedule; cellar backup --profile NAME does it now.',
    )
  command.command('list', { isDefault: true }).description('list the profiles').action(act(list))
  examples(command, 'cellar profile list', 'cellar backup --profile photos')
}

async function list(session: Session): Promise<undefined> {
  const profiles = await session.call('profiles', {})
  const tasks = await session.call('schedule', {})
  const taskOf = ({ name }: ProfileInfo) =>
    tasks.find((task) => task.name === 'backup' && task.profile === name)
  if (session.json) {
    session.print.json(profiles.map((profile) => ({ ...profile, ...withTask(taskOf(profile)) })))
    return undefined
  }
  if (profiles.length === 0) {
    session.print.info('The settings have no profile. To write one: cellar config edit')
    return undefined
  }
  const columns = [
    { title: 'Profile' },
    { title: 'Schedule' },
    { title: 'Last run' },
    { title: 'Next run' },
    { title: 'Backs up' },
    { title: 'Keeps' },
  ] as const
  session.print.result(
    formatTable(
      columns,
      profiles.map((profile) => [
        profile.name,
        profile.schedule,
        ...timesOf(session, taskOf(profile)),
        session.print.safe(sourcesOf(profile)),
        profile.retention ?? '',
      ]),
    ),
  )
  return undefined
}

/** What a program is told of its task; a profile that only others inherit from has none. */
function withTask(task: ScheduledTask | undefined) {
  return task === undefined ? {} : { task }
}

function timesOf({ print, world }: Session, task: ScheduledTask | undefined): readonly [string, string] {
  if (task === undefined) return ['', '']
  return [print.safe(lastRunText(task, world.nowMs())), print.safe(nextRunText(task, world.nowMs()))]
}

function sourcesOf(profile: ProfileInfo): string {
  if (profile.stdin_from_command !== undefined) return `output of ${profile.stdin_from_command.join(' ')}`
  if (!profile.has_sources) return 'nothing: for others to inherit from'
  return [...profile.sources, ...profile.files_from.map((file) => `what ${file} names`)].join(' ')
}
