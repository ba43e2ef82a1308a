/** What a backup came to, as the bus tells it: the same for those of the schedule and those by hand. */

import type { BackupParams, BackupSummary, CallContext } from '../api.ts'
import type { NodeParts } from '../parts.ts'
import type { TaskFigures, TaskResult } from '../schedule/task.ts'
import { tellTask } from '../schedule/tell-task.ts'
import { runBackup } from './backup.ts'

/** A backup by hand, see `Methods.backup`; a dry run is nobody's business. */
export async function runToldBackup(
  parts: NodeParts,
  params: BackupParams,
  context: CallContext<'backup'>,
): Promise<BackupSummary> {
  const work = () => runBackup(parts, params, context)
  if (params.dryRun) return await work()
  const to = { events: parts.events, clock: parts.world.clock }
  return await tellTask(to, { name: 'backup' }, work, resultOfBackup, context.signal)
}

/** What a backup came to: in part, when sources could not be read or copies that were asked for are missing. */
export function resultOfBackup(summary: BackupSummary): TaskResult {
  const missing = [unreadText(summary), copiesText(summary)].filter((text) => text !== undefined)
  const figures = { summary: figuresOf(summary) }
  return missing.length === 0
    ? { outcome: 'done', ...figures }
    : { outcome: 'partly', message: missing.join('; '), ...figures }
}

function unreadText({ unread }: BackupSummary): string | undefined {
  if (unread.length === 0) return undefined
  return unread.length === 1
    ? 'one source could not be read'
    : `${String(unread.length)} sources could not be read`
}

function copiesText({ waited, copies }: BackupSummary): string | undefined {
  if (waited === undefined || waited.reached) return undefined
  return `saved, but only ${String(copies)} of ${String(waited.wanted)} devices hold it`
}

/** The numbers of a summary, and the id of the snapshot. */
function figuresOf(summary: BackupSummary): TaskFigures {
  const figures: Record<string, string | number | boolean> = { unread: summary.unread.length }
  for (const [key, value] of Object.entries(summary)) if (typeof value === 'number') figures[key] = value
  if (summary.snapshot_id !== undefined) figures['snapshot_id'] = summary.snapshot_id
  return figures
}
