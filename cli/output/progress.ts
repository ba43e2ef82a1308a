/** The texts of progress lines: pure, from the messages of the node. */

import type { BackupStatus, CheckEvent, DrillEvent, RestoreStatus, ScrubEvent } from '../../node/client.ts'
import { formatBytes, formatSeconds, formatShare } from './format.ts'

interface Work {
  readonly elapsed: number
  readonly share: number
  readonly files?: readonly [done: number, total: number | undefined]
  readonly bytes?: readonly [done: number, total: number | undefined]
  readonly errors: number
  readonly remaining: number | undefined
  readonly current: string | undefined
}

/** `[0:34] 2.96%  867 / 3,078 files, 5.046 GiB / 170 GiB, 112.000 MiB/s, 0 errors, 18:35 left  name` */
function progressLine(work: Work): string {
  const parts: string[] = []
  if (work.files !== undefined) parts.push(`${ofTotal(work.files, String)} files`)
  if (work.bytes !== undefined) {
    parts.push(ofTotal(work.bytes, formatBytes))
    if (work.elapsed > 0.5) parts.push(`${formatBytes(Math.round(work.bytes[0] / work.elapsed))}/s`)
  }
  parts.push(work.errors === 1 ? '1 error' : `${String(work.errors)} errors`)
  if (work.remaining !== undefined) parts.push(`${formatSeconds(work.remaining)} left`)
  const share = work.share > 0 ? ` ${formatShare(work.share)}` : ''
  const current = work.current === undefined ? '' : `  ${work.current}`
  return `[${formatSeconds(work.elapsed)}]${share}  ${parts.join(', ')}${current}`
}

function ofTotal(numbers: readonly [number, number | undefined], format: (number: number) => string): string {
  const [done, total] = numbers
  return total === undefined ? format(done) : `${format(done)} / ${format(total)}`
}

/** Time left, from the share that is done; only once it can be told with some truth. */
function remainingOf(elapsed: number, share: number): number | undefined {
  return share > 0.005 && elapsed > 1 ? (elapsed * (1 - share)) / share : undefined
}

/** The line of a backup under way. */
export function backupProgress(status: BackupStatus): string {
  return progressLine({
    elapsed: status.seconds_elapsed,
    share: status.percent_done,
    files: [status.files_done ?? 0, status.total_files],
    bytes: [status.bytes_done ?? 0, status.total_bytes],
    errors: status.error_count ?? 0,
    remaining: status.seconds_remaining ?? remainingOf(status.seconds_elapsed, status.percent_done),
    current: status.current_files?.[0],
  })
}

/** The line of a restore under way. @param errors - counted by the caller: restic's message has none */
export function restoreProgress(status: RestoreStatus, errors: number): string {
  return progressLine({
    elapsed: status.seconds_elapsed,
    share: status.percent_done,
    files: [status.files_restored ?? 0, status.total_files],
    bytes: [status.bytes_restored ?? 0, status.total_bytes],
    errors,
    remaining: remainingOf(status.seconds_elapsed, status.percent_done),
    current: undefined,
  })
}

/** The line of a check under way. */
export function checkProgress(status: Extract<CheckEvent, { message_type: 'status' }>): string {
  const chunks = `${status.what}: ${String(status.chunks_done)} / ${String(status.total_chunks)} chunks`
  return progressLine({
    elapsed: status.seconds_elapsed,
    share: status.percent_done,
    ...(status.bytes_done === undefined ? {} : { bytes: [status.bytes_done, status.total_bytes] as const }),
    errors: status.error_count,
    remaining: remainingOf(status.seconds_elapsed, status.percent_done),
    current: chunks,
  })
}

/** The line of a scrub under way. */
export function scrubProgress(status: Extract<ScrubEvent, { message_type: 'status' }>): string {
  return progressLine({
    elapsed: status.seconds_elapsed,
    share: status.percent_done,
    bytes: [status.bytes_done, status.total_bytes],
    errors: status.error_count,
    remaining: remainingOf(status.seconds_elapsed, status.percent_done),
    current: undefined,
  })
}

/** The line of a drill under way. */
export function drillProgress(status: Extract<DrillEvent, { message_type: 'status' }>): string {
  return progressLine({
    elapsed: status.seconds_elapsed,
    share: status.percent_done,
    files: [status.files_done, status.total_files],
    bytes: [status.bytes_done, status.total_bytes],
    errors: status.error_count,
    remaining: remainingOf(status.seconds_elapsed, status.percent_done),
    current: undefined,
  })
}
