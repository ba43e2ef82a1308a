/** What a person sees of a backup. */

import type { BackupEvent, BackupSummary } from '../../node/client.ts'
import { count, formatBytes, formatSeconds } from '../output/format.ts'
import { backupProgress } from '../output/progress.ts'
import type { Session } from '../session.ts'

/** What was seen so far; changes as events come. */
export interface BackupSeen {
  savedId: string | undefined
}

/** Shows the events of a backup as they come. */
export function backupEvents(session: Session, seen: BackupSeen): (event: BackupEvent) => void {
  const { print } = session
  return (event) => {
    if (event.message_type === 'saved') {
      seen.savedId = event.snapshot_id
      session.kept = `snapshot ${event.snapshot_id.slice(0, 8)} is saved, and goes to the others by itself while a node runs`
    }
    if (event.message_type === 'error') return print.problem(`${event.error.message}: ${event.item}`, event)
    if (event.message_type === 'notice') return print.notice(event.message)
    if (session.json) {
      if (event.message_type !== 'status' || !print.options.quiet) print.json(event)
      return
    }
    show(session, event)
  }
}

function show(session: Session, event: Exclude<BackupEvent, { message_type: 'error' | 'notice' }>): void {
  const { print } = session
  switch (event.message_type) {
    case 'status':
      return print.progress(() => backupProgress(event))
    case 'verbose_status':
      if (event.action === 'scan_finished')
        return print.detail(
          `scan finished: ${count(event.total_files ?? 0, 'file')}, ${formatBytes(event.data_size ?? 0)}`,
        )
      return print.detail(
        `${event.action.padEnd(9)} ${print.safe(event.item)}${event.data_size === undefined ? '' : `, ${formatBytes(event.data_size)}`}`,
      )
    case 'excluded_item':
      return print.detail(`excluded  ${print.safe(event.item)}`)
    case 'saved':
      return print.detail(`snapshot ${event.snapshot_id.slice(0, 8)} saved`)
    case 'copies': {
      const names = event.devices.map(print.safe).join(', ')
      return print.progress(
        () =>
          `waiting: ${String(event.copies)} of ${String(event.copies_wanted)} devices hold ${event.snapshot_id.slice(0, 8)} (${names})`,
      )
    }
  }
}

/** The summary, in restic's shape. */
export function printSummary(session: Session, summary: BackupSummary): void {
  const { print } = session
  const column = (number: number): string => String(number).padStart(5)
  const row = (name: string, fresh: number, changed: number, same: number): string =>
    `${name} ${column(fresh)} new, ${column(changed)} changed, ${column(same)} unmodified`
  const would = summary.dry_run ? 'Would add to' : 'Added to'
  print.info('')
  print.info(row('Files:      ', summary.files_new, summary.files_changed, summary.files_unmodified))
  print.info(row('Directories:', summary.dirs_new, summary.dirs_changed, summary.dirs_unmodified))
  print.info(
    `${would} the store: ${formatBytes(summary.data_added)} (${formatBytes(summary.data_added_packed)} stored)`,
  )
  print.info('')
  print.info(
    `processed ${count(summary.total_files_processed, 'file')}, ${formatBytes(summary.total_bytes_processed)} in ${formatSeconds(summary.total_duration)}`,
  )
  if (summary.snapshot_id !== undefined) {
    print.info(
      `snapshot ${print.strong(summary.snapshot_id.slice(0, 8))} saved, on ${String(summary.copies)} of ${count(summary.copies_wanted, 'device')}${copiesWord(summary)}`,
    )
  } else {
    print.info(
      summary.dry_run
        ? 'nothing was stored: this was a dry run'
        : 'nothing has changed: no snapshot was made',
    )
  }
}

function copiesWord(summary: BackupSummary): string {
  return summary.copies < summary.copies_wanted
    ? '; the others get it by themselves while a node runs here (cellar start)'
    : ''
}
