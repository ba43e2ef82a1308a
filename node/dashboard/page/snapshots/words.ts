/** What the screen of snapshots says. Pure. */

import type { DiffEvent, DiffStatistics, Forgotten, SnapshotInfo, Status } from '../../../api.ts'
import { bytesText, countText, listText, numberText } from '../parts/format.ts'

/** What is so, in one sentence. */
export function snapshotsSentence({ snapshots }: Pick<Status, 'snapshots'>): string {
  const { total, complete } = snapshots
  if (total === 0) return 'There are no snapshots yet.'
  if (complete === total) {
    return total === 1
      ? 'The one snapshot is on as many devices as it should be.'
      : `All ${numberText(total)} snapshots are on as many devices as they should be.`
  }
  return `${numberText(complete)} of ${countText(total, 'snapshot')} ${complete === 1 ? 'is' : 'are'} on as many devices as they should be.`
}

/** How many devices hold it. */
export function copiesText({ copies, copies_wanted: wanted }: SnapshotInfo): string {
  return wanted === 0 ? countText(copies, 'copy', 'copies') : `${String(copies)} of ${String(wanted)}`
}

/** Whether that is enough. */
export function copiesTone({ copies, copies_wanted: wanted }: SnapshotInfo): 'good' | 'warn' | 'bad' {
  if (copies === 0) return 'bad'
  return copies < wanted || (copies === 1 && wanted > 1) ? 'warn' : 'good'
}

/** Who holds it, in one sentence. */
export function holdersSentence({ holders, copies_wanted: wanted }: SnapshotInfo): string {
  if (holders.length === 0) return 'No device says that it has all of it.'
  const names = listText([...holders].sort())
  return holders.length < wanted
    ? `${names} ${holders.length === 1 ? 'has' : 'have'} all of it; ${String(wanted)} devices should.`
    : `${names} ${holders.length === 1 ? 'has' : 'have'} all of it.`
}

/** What forgetting means, before it is done. */
export function forgetWarning({ pinned_by: pinned }: SnapshotInfo, holdWindow: string | undefined): string {
  const pins =
    pinned === undefined ? '' : `It is pinned by ${listText(pinned)}: no rule forgets it, but you can. `
  const window = holdWindow === undefined ? 'for some days' : `for ${holdWindow}`
  return `${pins}No device keeps it after that. It can be brought back from the trash ${window} at least; then its space is freed.`
}

/** What came of it. */
export function forgottenText({ refused, waits_for_contact: waits }: Forgotten): string {
  const [no] = refused
  if (no !== undefined) return no.message
  return waits
    ? 'Forgotten here; the other devices hear of it when one is in contact. It is in the trash until then, too.'
    : 'Forgotten. It is in the trash, and can be brought back from there.'
}

/** What became of a path, in a word. */
export function changeText({ modifier }: Pick<DiffEvent, 'modifier'>): string {
  const words: Readonly<Record<string, string>> = {
    '+': 'added',
    '-': 'removed',
    M: 'changed',
    T: 'other kind',
    U: 'metadata',
    'M?': 'changed, though size and times are the same',
  }
  return words[modifier] ?? modifier
}

/** What lies between two snapshots. */
export function changesSentence({ changed_files: changed, added, removed }: DiffStatistics): string {
  if (changed === 0 && count(added) === 0 && count(removed) === 0) return 'Nothing changed.'
  const parts = [
    `${countText(count(added), 'entry', 'entries')} added`,
    `${numberText(count(removed))} removed`,
    `${countText(changed, 'file')} changed`,
  ]
  return `${listText(parts)}; ${bytesText(added.bytes)} of new content.`
}

function count({ files, dirs, others }: DiffStatistics['added']): number {
  return files + dirs + others
}
