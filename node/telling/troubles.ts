/** Which troubles of a node a person is told of, and when (telling.md §4). Pure but for what it remembers. */

import { ERRORS, type ErrorCode } from '../../protocol/index.ts'
import type { NodeEvent } from '../events.ts'
import { failureOf } from './tasks.ts'
import type { Tiding } from './tiding.ts'

/** Not worth a message: they end by themselves, or a person did it. */
const NEVER: ReadonlySet<ErrorCode> = new Set(['PEER_GONE', 'ABORTED', 'NODE_STOPPED', 'PUT_OFF', 'NO_PEER'])

/** Between devices something goes wrong now and then, and goes right the next time: told once it goes on. */
const ONCE_IT_GOES_ON: ReadonlySet<ErrorCode> = new Set([
  'PEER_ERROR',
  'PEER_BUSY',
  'PEER_PROTOCOL',
  'FRAME_TOO_LONG',
  'LISTING_GAP',
  'LISTING_INVALID',
  'MEMBERSHIP_INVALID',
  'NOT_A_MEMBER',
  'COPIES_MISSING',
  'CHUNK_NOT_FOUND',
  'CLOSURE_INCOMPLETE',
  'FORMAT_INVALID',
  'VERSION_UNKNOWN',
  'PAIRING_REFUSED',
  'CODE_WRONG',
  'CODE_EXPIRED',
])

/** What goes on for so long is told, milliseconds. */
export const goesOnMs = 3_600_000
/** After so long without, it has stopped and may begin anew, milliseconds. */
export const stoppedMs = 6 * 3_600_000

/** A trouble as the bus tells it. */
export type TroubleEvent = Extract<NodeEvent, { kind: 'trouble' }>

/** The matter of data that has gone bad: it is told when it is found, and not again when it is mended. */
export const ROT = 'rot'

/** Troubles of which the bus tells in another way too: they are told once. */
const SAME_MATTER: Partial<Readonly<Record<ErrorCode, string>>> = {
  DISK_ROTS: ROT,
  DRILL_FAILED: failureOf({ name: 'drill' }),
}

/** Names the matter of a trouble: what stands in `status` as a problem of the same code is the same matter. */
export function troubleMatter(code: ErrorCode, device?: string): string {
  const same = SAME_MATTER[code]
  if (same !== undefined) return same
  if (code === 'DEVICE_SUSPECT' && device !== undefined) return `suspicion/${device}`
  return device === undefined ? `trouble/${code}` : `trouble/${code}/${device}`
}

/** Makes tidings of troubles. */
export class TroubleSorter {
  readonly #since = new Map<string, { readonly firstMs: number; readonly lastMs: number }>()

  /**
   * @param names - of this device, and of the device that the trouble is about
   * @returns undefined when nobody is told
   */
  tidingOf(
    event: TroubleEvent,
    names: { readonly self: string; readonly device: string | undefined },
    atMs: number,
  ): Tiding | undefined {
    const { code, device } = event
    if (NEVER.has(code)) return undefined
    const about = troubleMatter(code, device)
    if (ONCE_IT_GOES_ON.has(code) && !this.#goesOn(about, atMs)) return undefined
    const kind: { readonly remedy: string } = ERRORS[code]
    // Our own faults come with a stack; its first line says what happened.
    const [first = ''] = event.message.split('\n')
    const where = names.device === undefined ? names.self : `${names.device}, as ${names.self} sees it`
    return {
      on: 'trouble',
      about,
      state: 'news',
      level: code === 'INTERNAL' ? 'error' : 'warning',
      title: `Trouble on ${where}: ${code}`,
      message: `${sentence(first)} To do: ${kind.remedy}.`,
      remedy: kind.remedy,
      code,
      ...(names.device !== undefined && { device: names.device }),
      atMs,
    }
  }

  #goesOn(about: string, atMs: number): boolean {
    const known = this.#since.get(about)
    const isNew = known === undefined || atMs - known.lastMs > stoppedMs || atMs < known.lastMs
    const firstMs = isNew ? atMs : known.firstMs
    this.#since.set(about, { firstMs, lastMs: atMs })
    return atMs - firstMs >= goesOnMs
  }
}

function sentence(text: string): string {
  const begun = `${text.charAt(0).toUpperCase()}${text.slice(1)}`
  return begun.endsWith('.') ? begun : `${begun}.`
}
