/** What the screen of files says. Pure. */

import type {
  FileVersion,
  NodeInfo,
  RestoreEvent,
  RestoreOrderInfo,
  RestoreSummary,
  SearchResult,
  SnapshotInfo,
} from '../../../api.ts'
import { bytesText, countText, listText, spanText } from '../parts/format.ts'

/** What was backed up, and by how many devices. @param sources - the newest snapshot of each device and paths */
export function filesSentence(sources: readonly SnapshotInfo[]): string {
  if (sources.length === 0) return 'Nothing is backed up yet.'
  const devices = [...new Set(sources.map(({ device_name }) => device_name))].sort()
  const who = devices.length > 4 ? countText(devices.length, 'device') : listText(devices)
  return `The files of ${who}, as they were backed up.`
}

/** What an entry is, for who cannot see its picture. */
export function kindText({ type, linktarget }: Pick<NodeInfo, 'type' | 'linktarget'>): string {
  if (type === 'dir') return 'directory'
  if (type === 'symlink') return `link to ${linktarget ?? 'something'}`
  return { file: 'file', fifo: 'pipe', chardev: 'device', dev: 'device', socket: 'socket' }[type]
}

/** Directories first, then all in the order of the node; for a directory that is here as a whole. */
export function directoriesFirst<E extends Pick<NodeInfo, 'type'>>(entries: readonly E[]): readonly E[] {
  const isDirectory = ({ type }: E): boolean => type === 'dir'
  return [...entries.filter(isDirectory), ...entries.filter((entry) => !isDirectory(entry))]
}

/** In how many snapshots a version is. */
export function seenText({ snapshot_count: count, first_seen: first, last_seen: last }: FileVersion): string {
  const days = Math.round((Date.parse(last) - Date.parse(first)) / 86_400_000)
  return days < 1
    ? countText(count, 'snapshot')
    : `${countText(count, 'snapshot')} over ${countText(days, 'day')}`
}

/** How a search stands, or ended. @param result - undefined while it goes on */
export function searchSentence(text: string, hits: number, result: SearchResult | undefined): string {
  const found = hits === 0 ? 'Nothing' : countText(hits, 'entry', 'entries')
  if (result === undefined) return hits === 0 ? `Looking for “${text}”…` : `${found} so far for “${text}”.`
  return `${found} found for “${text}”${result.next === undefined ? '' : ', and there may be more'}.`
}

/** What could not be searched; undefined when all could. */
export function unsearchedText(count: number): string | undefined {
  if (count === 0) return undefined
  return `${countText(count, 'snapshot')} could not be searched: ${count === 1 ? 'it is' : 'they are'} on no device in reach.`
}

/** How far a restore is, beside its bar. */
export function restoreWords(event: Extract<RestoreEvent, { message_type: 'status' }>): string {
  const {
    files_restored: files = 0,
    bytes_restored: bytes = 0,
    bytes_skipped: skipped = 0,
    total_bytes: total = 0,
  } = event
  return `${countText(files, 'entry', 'entries')}, ${bytesText(bytes + skipped)} of ${bytesText(total)}`
}

/** What a restore came to. */
export function restoredSentence(summary: Omit<RestoreSummary, 'errors'>, problems: number): string {
  const { files_restored: files, bytes_restored: bytes, files_skipped: skipped, target } = summary
  const left =
    skipped === 0
      ? ''
      : ` ${countText(skipped, 'file')} there already ${skipped === 1 ? 'was' : 'were'} left as they are.`
  const failed = problems === 0 ? '' : ` ${countText(problems, 'entry', 'entries')} could not be restored.`
  return `${countText(files, 'entry', 'entries')} (${bytesText(bytes)}) restored to ${target} in ${spanText(summary.seconds_elapsed)}.${left}${failed}`
}

/** How an order to restore stands, in one sentence. */
export function orderSentence(order: RestoreOrderInfo): string {
  const { here, device_name: device, state, name, target, message, errors } = order
  const what = here ? `${device} asks to restore “${name}” here` : `Restoring “${name}” on ${device}`
  const failed = errors === 0 ? '' : ` ${countText(errors, 'entry', 'entries')} could not be restored.`
  const why = message === undefined ? '' : `: ${message}`
  const ends: Readonly<Record<RestoreOrderInfo['state'], string>> = {
    waiting: here ? ': it waits for you.' : `: it waits for somebody at ${device}.`,
    accepted: ': accepted, not begun yet.',
    running: ': under way.',
    done: `: done${target === undefined ? '' : `, in ${target}`}.${failed}`,
    failed: `: failed${why}.`,
    refused: ': refused.',
    expired: ': nobody answered within a day.',
    withdrawn: ': withdrawn.',
  }
  return `${what}${ends[state]}`
}

/** Whether an order is not over. */
export function isOpen({ state }: Pick<RestoreOrderInfo, 'state'>): boolean {
  return state === 'waiting' || state === 'accepted' || state === 'running'
}
