import { ERRORS, type Status, type StatusSentence, statusSentence, type Verdict } from '../../node/client.ts'
import { count, formatAgo, formatBytes, formatShare, formatTime } from '../output/format.ts'
import { scheduleText } from '../output/schedule-text.ts'
import { formatFacts } from '../output/table.ts'
import type { Session } from '../session.ts'
import { type Define, examples, GROUP } from './command.ts'

/** `cellar status`: whether all is safe, in one sentence, then the facts. */
export const defineStatus: Define = (program, act) => {
  const command = program
    .command('status')
    .helpGroup(GROUP.everyDay)
    .summary('say whether the backups are safe')
    .description(
      'Says in one sentence whether every snapshot is on as many devices as wanted, then what waits for whom, and the facts of this device.',
    )
    .option('--check', 'say it by the exit status too: 0 safe, 21 copies are missing, 1 anything else')
    .action(act(showStatus))
  examples(
    command,
    'cellar status',
    'cellar status -q    only the sentence',
    'cellar status --json | jq .verdict',
    'cellar status --check -q || notify-send "Look after your backups"',
  )
}

/** What a script is told (cli.md "Exit codes"): missing copies are told as `backup --wait` tells them. */
const EXIT_STATUS: Readonly<Record<Verdict, number>> = {
  safe: 0,
  waiting: ERRORS.COPIES_MISSING.exit,
  alone: ERRORS.COPIES_MISSING.exit,
  late: 1,
  empty: 1,
  trouble: 1,
}

async function showStatus(session: Session, options: { readonly check?: boolean }): Promise<number> {
  const status = await session.call('status', {})
  const said = statusSentence(status)
  if (session.json) session.print.json({ ...said, ...status })
  else printStatus(session, status, said)
  return options.check === true ? EXIT_STATUS[said.verdict] : 0
}

function printStatus(session: Session, status: Status, { sentence, todo }: StatusSentence): void {
  session.print.result(session.print.strong(session.print.safe(sentence)))
  if (todo !== undefined && !session.print.options.quiet)
    session.print.info(`To do: ${session.print.safe(todo)}`)
  session.print.info('')
  session.print.info(formatFacts(factsOf(session, status).map(([name, value]) => [name, value] as const)))
  for (const problem of status.problems) {
    session.print.info('')
    session.print.info(
      `${problem.level}: ${session.print.safe(problem.message)}${problem.remedy === undefined ? '' : `\n  to do: ${session.print.safe(problem.remedy)}`}`,
    )
  }
}

function factsOf(session: Session, status: Status): [string, string][] {
  const { print, world } = session
  const ago = (time: string): string => formatAgo(time, world.nowMs())
  const counts = status.snapshots
  const facts: [string, string][] = [
    ['device', `${print.safe(status.device.name)}, ${status.device.role}`],
    [
      'mesh',
      `${status.mesh.short_id}, ${count(status.mesh.devices, 'device')}, copies wanted: ${String(status.mesh.copies_goal)}`,
    ],
    [
      'node',
      status.running
        ? `runs since ${formatTime(status.started)} (process ${String(status.pid)})`
        : 'does not run: cellar start',
    ],
    [
      'snapshots',
      `${String(counts.total)}: ${String(counts.complete)} as wanted, ${String(counts.partial)} on their way, ${String(counts.only_on_owner)} on their own device only`,
    ],
  ]
  const last = status.last_backup
  if (last !== undefined)
    facts.push([
      'last backup',
      `${ago(last.time)} (${last.snapshot_id.slice(0, 8)}), on ${String(last.copies)} of ${count(last.copies_wanted, 'device')}`,
    ])
  for (const one of status.waiting.filter((waiting) => waiting.snapshots > 0)) {
    const where = one.connected
      ? 'connected'
      : one.last_seen === undefined
        ? 'not seen yet'
        : `seen ${ago(one.last_seen)}`
    facts.push(['waiting', `${count(one.snapshots, 'snapshot')} for ${print.safe(one.name)} (${where})`])
  }
  facts.push([
    'devices',
    status.devices
      .map(
        (device) =>
          `${print.safe(device.name)}${device.self ? ' (this one)' : device.connected ? ' (connected)' : ''}`,
      )
      .join(', '),
  ])
  facts.push(['store', storeText(session, status)])
  if (status.thin !== undefined) facts.push(['thin', thinText(status.thin)])
  if (status.trash.snapshots > 0 || status.trash.waiting.length > 0)
    facts.push(['trash', trashText(session, status)])
  if (status.retention !== undefined) facts.push(['retention', retentionText(session, status.retention)])
  const scheduled = status.schedule.filter(({ due }) => due !== 'off')
  if (scheduled.length > 0)
    facts.push([
      'schedule',
      scheduled.map((task) => print.safe(scheduleText(task, world.nowMs()))).join('\n'),
    ])
  facts.push(...watchingFacts(session, status.watching))
  for (const { device, since, message } of status.suspicions)
    facts.push([
      'rules',
      `stand still for ${print.safe(device)} since ${formatTime(since)}: ${print.safe(message)}`,
    ])
  const restores = restoresText(status.restores)
  if (restores !== '') facts.push(['restores', restores])
  for (const job of status.jobs) {
    facts.push([
      'under way',
      `${job.method} since ${formatTime(job.started)}${job.percent_done === undefined ? '' : `, ${formatShare(job.percent_done)}`}`,
    ])
  }
  return facts
}

/** Orders to restore that are not over; nothing where there are none. */
function restoresText({ waiting, under_way: underWay, given }: Status['restores']): string {
  const parts = [
    ...(waiting > 0 ? [`${String(waiting)} asked of this device, waiting for a yes`] : []),
    ...(underWay > 0 ? [`${String(underWay)} asked of this device, under way`] : []),
    ...(given > 0 ? [`${String(given)} asked of others`] : []),
  ]
  return parts.length === 0 ? '' : `${parts.join(', ')} (cellar restores)`
}

/** What a thin device keeps of its own snapshots, and what only others have. */
function thinText({ kept, trees_only, elsewhere }: NonNullable<Status['thin']>): string {
  const parts = [
    kept > 0
      ? `${count(kept, 'snapshot')} kept here until others have taken over`
      : 'nothing waits for others',
    ...(trees_only > 0 ? [`of ${count(trees_only, 'snapshot')} only the folders are here`] : []),
    ...(elsewhere > 0 ? [`${count(elsewhere, 'snapshot')} elsewhere`] : []),
  ]
  return parts.join(', ')
}

/** What looking at the store, at the copies of others and at restoring came to; nothing until something was looked at. */
function watchingFacts({ print, world }: Session, watching: Status['watching']): [string, string][] {
  const { scrub, audit, drill } = watching
  const ago = (time: string): string => formatAgo(time, world.nowMs())
  const facts: [string, string][] = []
  if (scrub.last_run !== undefined) {
    const round = scrub.last_round === undefined ? 'not all read yet' : `all read ${ago(scrub.last_round)}`
    const found =
      scrub.chunks_bad === 0
        ? 'no damage so far'
        : `${count(scrub.chunks_bad, 'damaged chunk')} so far, ${String(scrub.chunks_mended)} mended`
    const now = scrub.round_percent > 0 ? `, ${formatShare(scrub.round_percent)} of this round` : ''
    facts.push(['scrub', `${ago(scrub.last_run)}${now}; ${round}; ${found}`])
  }
  for (const { name, snapshots } of audit.doubted)
    facts.push([
      'copies in doubt',
      `${count(snapshots, 'snapshot')} that ${print.safe(name)} could not prove to have`,
    ])
  if (drill !== undefined) {
    const what = `${count(drill.files_restored, 'file')} from ${print.safe(drill.from.join(', '))}`
    const failed = drill.files_failed === 0 ? '' : `; ${count(drill.files_failed, 'file')} did not come back`
    facts.push(['drill', `${drill.outcome} ${ago(drill.last_run)}: ${what}${failed}`])
  }
  return facts
}

/** The rules that this device applies by itself, and when. */
function retentionText({ print, world }: Session, retention: NonNullable<Status['retention']>): string {
  const { rules, profiles, every, devices, last_run: last, next_run: next } = retention
  const whose = devices.length === 0 ? 'all devices' : devices.join(', ')
  const kept = [
    ...(rules === undefined ? [] : [`${rules} of ${whose}`]),
    ...profiles.map((one) => `${one.rules} of profile ${one.name}`),
  ]
  const ran = last === undefined ? 'not run yet' : `last run ${formatAgo(last, world.nowMs())}`
  const runs =
    next === undefined
      ? 'none while the node does not run'
      : Date.parse(next) <= world.nowMs()
        ? 'next run soon'
        : `next run ${formatTime(next)}`
  return print.safe(
    `keeps ${kept.join(' and ')}, ${/^\d/.test(every) ? `every ${every}` : every}; ${ran}, ${runs}`,
  )
}

/** What was forgotten and waits, with the first few reasons. */
function trashText(session: Session, { trash }: Status): string {
  const shown = trash.waiting.slice(0, 3).map(({ message }) => session.print.safe(message))
  const more = trash.waiting.length - shown.length
  return [
    `${count(trash.snapshots, 'snapshot')} can be brought back (cellar trash)`,
    ...shown,
    ...(more > 0 ? [`and ${count(more, 'more reason')} to wait: cellar prune --explain`] : []),
  ].join('\n')
}

function storeText(session: Session, status: Status): string {
  const { store } = status
  const parts = [`${formatBytes(store.bytes_used)} in ${count(store.chunks, 'chunk')}`]
  if (store.quota_bytes !== undefined) parts.push(`of ${formatBytes(store.quota_bytes)} given`)
  if (store.bytes_free !== undefined) parts.push(`${formatBytes(store.bytes_free)} free on the disk`)
  return `${parts.join(', ')}; ${session.print.safe(store.path)}`
}
