/** What the screen of copies says. Pure. */

import type { CopiesView, DeviceLoss, SnapshotCopies } from '../../../api.ts'
import { bytesText, countText, listText } from '../parts/format.ts'

/** How it stands, what to do about it. */
export interface CopiesWords {
  readonly sentence: string
  readonly tone: 'good' | 'warn' | 'bad' | 'plain'
  readonly todo?: string
}

/** What would be if one device were gone: the worst of it. */
export function copiesSentence({ devices, paper }: Pick<CopiesView, 'devices' | 'paper'>): CopiesWords {
  const [worst] = devices
  if (worst === undefined || devices.every(({ holds, lost }) => holds + lost === 0))
    return { sentence: 'There is no snapshot yet: no device has anything to lose.', tone: 'plain' }
  if (devices.length === 1)
    return {
      sentence: `If ${worst.name} died now, everything would be lost: it is the only device.`,
      tone: 'bad',
      todo: 'Pair another device, so that there are copies.',
    }
  if (worst.lost > 0) return lostWords(worst, devices)
  const onlyReader = devices.find(({ readers_left }) => readers_left === 0)
  if (onlyReader !== undefined && !paper)
    return {
      sentence: `If ${onlyReader.name} died now, nobody could read the copies: no other device has the key.`,
      tone: 'bad',
      todo: 'Write down the recovery phrase (cellar recovery new), or pair a second device that may read.',
    }
  if (worst.one_left > 0 && worst.too_few > 0)
    return {
      sentence: `Any one device could die now. Without ${worst.name}, ${countText(worst.one_left, 'snapshot')} would be on one device only.`,
      tone: 'warn',
      todo: waitsTodo(devices),
    }
  return { sentence: 'Any one device could die now, and no snapshot would be lost.', tone: 'good' }
}

function lostWords(worst: DeviceLoss, devices: readonly DeviceLoss[]): CopiesWords {
  const bytes = worst.lost_bytes === undefined ? '' : ` (about ${bytesText(worst.lost_bytes)})`
  return {
    sentence: `If ${worst.name} died now, ${countText(worst.lost, 'snapshot')}${bytes} would be lost.`,
    tone: 'bad',
    todo: waitsTodo(devices),
  }
}

/** Who could take copies now, or has to come into reach first. */
function waitsTodo(devices: readonly DeviceLoss[]): string {
  const waiting = devices.filter(({ waits_for }) => waits_for > 0)
  const away = waiting.filter(({ connected }) => !connected).map(({ name }) => name)
  if (waiting.length === 0)
    return 'Every device has what it should have: raise the copies goal, or pair another.'
  if (away.length === waiting.length)
    return `Start rootcellar on ${someOf(away)}: ${away.length === 1 ? 'it has' : 'they have'} copies to receive.`
  return 'Copies are on their way; leave the devices on.'
}

function someOf(names: readonly string[]): string {
  return names.length > 3
    ? `${names.slice(0, 2).join(', ')} or another of ${String(names.length)}`
    : listText(names)
}

/** One device in a few words: what would be without it; below them what makes it worse. */
export function lossText({
  lost,
  one_left,
  too_few,
  holds,
}: DeviceLoss): CopiesWords & { readonly also?: string } {
  const also = one_left === 0 ? {} : { also: `${String(one_left)} left on one device only` }
  if (lost > 0) return { sentence: `${countText(lost, 'snapshot')} lost`, tone: 'bad', ...also }
  if (too_few > 0) return { sentence: `too few copies of ${String(too_few)}`, tone: 'warn', ...also }
  if (holds === 0) return { sentence: 'nothing changes', tone: 'plain' }
  return { sentence: 'nothing lost', tone: 'good' }
}

/** What a device still has to receive. */
export function waitsText({ waits_for, missing_bytes }: DeviceLoss): string {
  if (waits_for === 0) return 'nothing'
  const bytes = missing_bytes === undefined ? '' : `, about ${bytesText(missing_bytes)}`
  return `${countText(waits_for, 'snapshot')}${bytes}`
}

/** How many devices could read without one. */
export function readersText({ readers_left }: DeviceLoss, paper: boolean): string {
  if (readers_left > 0) return String(readers_left)
  return paper ? 'only paper' : 'nobody'
}

/** How far one snapshot has come. */
export function stateOf({ copies, copies_wanted, doubted }: SnapshotCopies): CopiesWords {
  if (copies === 0) return { sentence: 'on no known device', tone: 'bad' }
  const count = `${String(copies)} of ${String(copies_wanted)}`
  if (doubted.length > 0) return { sentence: `${count}, one in doubt`, tone: 'warn' }
  return { sentence: count, tone: copies >= copies_wanted && copies > 1 ? 'good' : 'warn' }
}
