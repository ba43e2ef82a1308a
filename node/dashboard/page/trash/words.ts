/** What the screen of the trash says. Pure. */

import type { PruneResult, ReclaimBlock, TrashEntry, WaitingReclaim } from '../../../api.ts'
import { bytesText, countText } from '../parts/format.ts'

/** How it stands, in one sentence. */
export function trashSentence(trash: readonly TrashEntry[], pruned: PruneResult | undefined): string {
  const waiting = pruned === undefined ? 0 : waitingSnapshots(pruned)
  const free = pruned?.bytes_removed ?? 0
  const now = free > 0 ? ` ${bytesText(free)} can be freed now.` : ''
  if (trash.length > 0) {
    const [are, it] = trash.length === 1 ? ['is', 'it'] : ['are', 'them']
    return `${countText(trash.length, 'forgotten snapshot')} ${are} in the trash; you can still bring ${it} back.${now}`
  }
  if (waiting > 0)
    return `Nothing can be brought back; the space of ${countText(waiting, 'forgotten snapshot')} is not free yet.${now}`
  return `The trash is empty.${now}`
}

function waitingSnapshots({ waiting }: PruneResult): number {
  return new Set(waiting.flatMap(({ snapshot_ids }) => snapshot_ids)).size
}

/** Why it was forgotten, and by whom. */
export function forgottenText({ reason, forgotten_by }: TrashEntry): string {
  return reason === 'retention' ? `by a rule, on ${forgotten_by}` : `by ${forgotten_by}`
}

/** How long it can be brought back. */
export type TimeLeft =
  | { readonly kind: 'until'; readonly time: string }
  /** Waits for something that no clock ends. */
  | { readonly kind: 'held' }
  /** This device may free it whenever it looks next. */
  | { readonly kind: 'any-moment' }
  /** Nobody in sight has all of it. */
  | { readonly kind: 'gone' }

/** Until when it is sure that this device keeps it: as long as the last of what it waits for. */
export function timeLeft({ waits_for, held_here, holders }: TrashEntry): TimeLeft {
  if (!held_here) return holders.length > 0 ? { kind: 'held' } : { kind: 'gone' }
  if (waits_for.length === 0) return { kind: 'any-moment' }
  const open = waits_for.filter(({ until }) => until === undefined)
  if (open.length > 0) return { kind: 'held' }
  const times = waits_for.flatMap(({ until }) => (until === undefined ? [] : [until]))
  return {
    kind: 'until',
    time: times.reduce((last, time) => (Date.parse(time) > Date.parse(last) ? time : last)),
  }
}

/** Whom or what space waits for, in two or three words. */
export function waitsForText({ kind, device }: ReclaimBlock): string {
  switch (kind) {
    case 'hold-window':
      return 'the hold window'
    case 'floor':
      return 'a newer snapshot, or time'
    case 'leaning':
    case 'unknown':
      return device ?? 'another device'
    case 'fork':
      return `${device ?? 'a device'}, to be removed`
    case 'membership-fork':
      return 'people to settle two changes'
    case 'rolled-back':
      return 'this device to join again'
    case 'session':
      return 'a backup or restore here'
    case 'pinned':
      return 'a pin to be taken off'
    case 'contact':
      return 'contact with any device'
  }
}

/** What would be if the device waited for were removed; undefined where it waits for no device. */
export function ifRemovedText({ block, bytes_if_removed }: WaitingReclaim): string | undefined {
  if (bytes_if_removed === undefined || block.device === undefined) return undefined
  return bytes_if_removed === 0
    ? `Removing ${block.device} would free nothing yet: it waits for more than that.`
    : `Removing ${block.device} from the mesh would free ${bytesText(bytes_if_removed)} at once.`
}

/** What freeing space came to. */
export function prunedText({ bytes_freed, snapshots_released }: PruneResult): string {
  if (snapshots_released === 0 && bytes_freed === 0) return 'Nothing could be freed now.'
  return `${bytesText(bytes_freed)} freed, of ${countText(snapshots_released, 'forgotten snapshot')}.`
}
