/** What the screen of health says. Pure. */

import type { Status, WatchingStatus } from '../../../api.ts'
import { bytesText, countText, listText } from '../parts/format.ts'

/** How it stands, and what to do. */
export interface HealthWords {
  readonly sentence: string
  readonly tone: 'good' | 'warn' | 'bad' | 'plain'
  readonly todo?: string
}

/** Whether what is stored is good, here and with the others, the gravest first. */
export function healthSentence(
  status: Pick<Status, 'watching' | 'devices' | 'store'>,
  ago: (time: string) => string,
): HealthWords {
  const { bad_chunks, audit, drill, scrub } = status.watching
  if (bad_chunks > 0)
    return {
      sentence: `${countText(bad_chunks, 'stored chunk')} ${bad_chunks === 1 ? 'is' : 'are'} damaged on this device.`,
      tone: 'bad',
      todo: 'They are mended by themselves as soon as a device that has them is in reach. Look after the disk: it may be failing.',
    }
  if (audit.doubted.length > 0) return doubtedWords(audit.doubted)
  if (drill?.outcome === 'failed')
    return {
      sentence: `The last drill, ${ago(drill.last_run)}, could not restore ${countText(drill.files_failed, 'file')} from ${listText(drill.from)}.`,
      tone: 'bad',
      todo: `Read everything on ${listText(drill.from)}: cellar check --read-data --repair.`,
    }
  if (status.store.chunks === 0) return { sentence: 'Nothing is stored on this device yet.', tone: 'plain' }
  const proven = provenText(status.watching, ago)
  if (scrub.last_run === undefined)
    return { sentence: `What is stored here has not been read again yet${proven}.`, tone: 'plain' }
  return { sentence: `All that was read again is good${proven}.`, tone: 'good' }
}

function doubtedWords(doubted: WatchingStatus['audit']['doubted']): HealthWords {
  const snapshots = doubted.reduce((sum, one) => sum + one.snapshots, 0)
  const names = listText(doubted.map(({ name }) => name))
  return {
    sentence: `${names} could not prove ${countText(snapshots, 'snapshot')} that ${doubted.length === 1 ? 'it says it holds' : 'they say they hold'}.`,
    tone: 'warn',
    todo: `These do not count as copies. On ${names}: cellar check --read-data --repair.`,
  }
}

/** When a restore was last shown to work. */
function provenText({ drill }: WatchingStatus, ago: (time: string) => string): string {
  if (drill === undefined) return '; no restore has been tried yet'
  return `; files were last restored ${ago(drill.last_passed ?? drill.last_run)} from ${listText(drill.from)}`
}

/** What reading the store again came to. */
export function scrubText({ scrub }: WatchingStatus): string {
  const found =
    scrub.chunks_bad === 0
      ? 'nothing damaged'
      : `${countText(scrub.chunks_bad, 'chunk')} damaged, ${String(scrub.chunks_mended)} of them mended`
  return scrub.bytes_read === 0
    ? 'Nothing was read yet.'
    : `${bytesText(scrub.bytes_read)} read so far: ${found}.`
}

/** What asking the others came to. */
export function auditText({ audit }: WatchingStatus): string {
  if (audit.proven + audit.failed === 0) return 'No proof was asked for yet.'
  const failed = audit.failed === 0 ? 'none failed' : `${countText(audit.failed, 'proof')} failed`
  return `${countText(audit.proven, 'copy', 'copies')} proven so far, ${failed}.`
}

/** What the last drill came to. */
export function drillText({ drill }: WatchingStatus): string {
  if (drill === undefined) return 'No restore has been tried yet.'
  const failed =
    drill.files_failed === 0 ? '' : ` ${countText(drill.files_failed, 'file')} did not come back.`
  const compared =
    drill.files_compared === 0
      ? ''
      : `, ${countText(drill.files_compared, 'file')} of them compared with those on this disk`
  return `${countText(drill.files_restored, 'file')} (${bytesText(drill.bytes_restored)}) restored from ${listText(drill.from)}${compared}.${failed}`
}
