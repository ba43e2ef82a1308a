/** What a person sees of freeing space: what went, what waits, and what would end the waiting. */

import type { PruneResult, WaitingReclaim } from '../../node/client.ts'
import { count, formatAgo, formatBytes, formatTime } from '../output/format.ts'
import type { Session } from '../session.ts'
import { idList } from './refused.ts'

/** The result in a few lines. */
export function printPruned(session: Session, pruned: PruneResult): void {
  const { print } = session
  print.info(freedLine(pruned))
  const { waiting } = pruned
  if (waiting.length === 0) return
  const ids = new Set(waiting.flatMap(({ snapshot_ids }) => snapshot_ids))
  print.info(
    `${count(ids.size, 'forgotten snapshot')} ${ids.size === 1 ? 'waits' : 'wait'}; why, and for whom: cellar prune --explain`,
  )
}

/** All of it: what could go now, then each thing that something waits for. */
export function explainPrune(session: Session, pruned: PruneResult): void {
  const { print } = session
  print.result(freedLine(pruned))
  if (pruned.waiting.length === 0) {
    print.result('No forgotten snapshot waits for anything.')
  } else {
    print.result('\nWhat waits (bytes that only these snapshots need here):')
    const mostFirst = [...pruned.waiting].sort((a, b) => b.bytes - a.bytes)
    for (const waiting of mostFirst) print.result(`\n${explainWaiting(session, waiting)}`)
  }
  print.info('\nNothing was changed.')
}

function freedLine(pruned: PruneResult): string {
  const { snapshots_released: released, chunks_removed: chunks, bytes_removed: bytes } = pruned
  if (released === 0 && chunks === 0)
    return pruned.dry_run ? 'Nothing can be freed now.' : 'There was nothing to free.'
  const what = `${count(released, 'forgotten snapshot')}, ${count(chunks, 'chunk')} with ${formatBytes(bytes)}`
  if (pruned.dry_run) return `Can be freed now: ${what}. To do it: cellar prune`
  return `Freed ${what}; the store is ${formatBytes(pruned.bytes_freed)} smaller on the disk.`
}

/** One thing, and those that wait for it. */
function explainWaiting(session: Session, waiting: WaitingReclaim): string {
  const { block, snapshot_ids: ids, bytes } = waiting
  const { safe } = session.print
  const lines = [
    `${session.print.strong(formatBytes(bytes))} in ${count(ids.length, 'snapshot')}: ${idList(ids)}`,
    `  ${safe(block.message)}`,
  ]
  if (block.device !== undefined)
    lines.push(`  waits for ${safe(block.device)}, ${lastHeard(session, block.since)}`)
  if (block.until !== undefined) lines.push(`  ends by itself at ${formatTime(block.until)}`)
  if (block.device !== undefined && waiting.bytes_if_removed !== undefined)
    lines.push(...ifRemoved(session, block.device, waiting.bytes_if_removed))
  return lines.join('\n')
}

function lastHeard(session: Session, since: string | undefined): string {
  if (since === undefined) return 'which was never heard of'
  return `last heard of ${formatAgo(since, session.world.nowMs())} (${formatTime(since)})`
}

/** What taking the device out of the mesh would do here; the person decides. */
function ifRemoved(session: Session, device: string, bytes: number): string[] {
  const name = session.print.safe(device)
  if (bytes === 0) return [`  without ${name} nothing would be free either: the same snapshots wait for more`]
  return [
    `  if ${name} will never come back: cellar devices remove ${shellWord(name)}`,
    `    frees ${formatBytes(bytes)} here at once; its snapshots stay, and it could not return but as a new device`,
  ]
}

/** A word as a shell takes it for one. */
function shellWord(word: string): string {
  return /^[\w.@%+=:,/-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`
}
