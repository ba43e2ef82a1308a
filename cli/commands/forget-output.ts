/** What a person sees of rules applied to groups of snapshots. */

import type { ForgetGroup, SnapshotInfo } from '../../node/client.ts'
import { count, formatBytes, formatTime } from '../output/format.ts'
import { formatTable } from '../output/table.ts'
import type { Session } from '../session.ts'

/** Each group: what is kept and why, what goes. */
export function printGroups(session: Session, groups: readonly ForgetGroup[], isDryRun: boolean): void {
  // A device without keys cannot tell paths: there sources of one device are told apart by number.
  const numbers = new Map<string | undefined, number>()
  for (const group of groups) {
    const number = (numbers.get(group.device) ?? 0) + 1
    if (group.paths?.length === 0) numbers.set(group.device, number)
    printGroup(session, group, number, isDryRun)
  }
}

function printGroup(session: Session, group: ForgetGroup, number: number, isDryRun: boolean): void {
  const { print } = session
  if (print.options.quiet) return
  print.info(`${print.strong(titleOf(session, group, number))}:\n`)
  const reasons = new Map(group.reasons.map(({ snapshot, matches }) => [snapshot.id, matches]))
  if (group.keep.length > 0) {
    print.info(`keep ${count(group.keep.length, 'snapshot')}:`)
    print.info(`${table(session, group, group.keep, reasons)}\n`)
  }
  if (group.remove.length > 0) {
    print.info(`${isDryRun ? 'would forget' : 'forget'} ${count(group.remove.length, 'snapshot')}:`)
    print.info(`${table(session, group, group.remove)}\n`)
  }
  if (group.stopped !== undefined)
    print.info(`Nothing of this group is forgotten: ${print.safe(group.stopped)}\n`)
}

/** What the snapshots of a group have in common. */
function titleOf(session: Session, group: ForgetGroup, number: number): string {
  const { safe } = session.print
  const parts = [
    ...(group.device === undefined ? [] : [`device ${safe(group.device)}`]),
    ...(group.host === undefined ? [] : [`host ${safe(group.host)}`]),
    ...(group.paths === undefined ? [] : [pathsOf(group.paths.map(safe), number)]),
    ...(group.tags === undefined
      ? []
      : [group.tags.length === 0 ? 'no tags' : `tags ${group.tags.map(safe).join(', ')}`]),
  ]
  return parts.length === 0 ? 'All snapshots' : `Snapshots of ${parts.join(', ')}`
}

function pathsOf(paths: readonly string[], number: number): string {
  return paths.length === 0 ? `source ${String(number)}` : `paths ${paths.join(', ')}`
}

/** Oldest first; what all of the group have in common is in its title. */
function table(
  session: Session,
  group: ForgetGroup,
  snapshots: readonly SnapshotInfo[],
  reasons?: ReadonlyMap<string, readonly string[]>,
): string {
  const { safe } = session.print
  const columns = [
    { title: 'ID' },
    { title: 'Time' },
    ...(group.device === undefined ? [{ title: 'Device' }] : []),
    { title: 'Tags' },
    ...(reasons === undefined ? [] : [{ title: 'Reasons' }]),
    { title: 'Size', align: 'right' as const },
    ...(group.paths === undefined ? [{ title: 'Paths' }] : []),
  ]
  const oldestFirst = [...snapshots].sort((a, b) => Date.parse(a.time) - Date.parse(b.time))
  return formatTable(
    columns,
    oldestFirst.map((one) => [
      one.short_id,
      formatTime(one.time),
      ...(group.device === undefined ? [safe(one.device_name)] : []),
      (one.tags ?? []).map(safe).join('\n'),
      ...(reasons === undefined ? [] : [(reasons.get(one.id) ?? []).map(safe).join('\n')]),
      one.summary === undefined ? '' : formatBytes(one.summary.total_bytes_processed),
      ...(group.paths === undefined ? [one.paths.map(safe).join('\n')] : []),
    ]),
  )
}
