/** So that nobody is flooded: the same matter once, and not more in an hour than a person reads (telling.md §5). Pure. */

import type { HookMoment } from '../config/types.ts'
import type { Tiding } from './tiding.ts'

/** What is remembered of a matter that was told. */
export interface ToldRecord {
  /** When it was told, or its end; milliseconds since 1970. */
  readonly atMs: number
  /** How often it happened since, and was not told. */
  readonly again: number
  /** Its end was told. */
  readonly isOver: boolean
  /**
   * Somebody took it, or nobody wanted it: if not, it is told anew after a restart. An end of which nobody had heard
   * the beginning is owed to nobody, and counts as heard.
   */
  readonly isHeard: boolean
  /** Of what holds until it ends: what is told then. Kept when it has ended: that may have to be told again. */
  readonly standing: Standing | undefined
}

/** What is told when something is over that held for a while. */
export interface Standing {
  readonly on: HookMoment
  /** One line without a stop. */
  readonly title: string
  readonly profile: string
  readonly device: string
}

/** Told for each run, however many: programs count on them. */
const ROUTINE: ReadonlySet<HookMoment> = new Set(['before', 'after', 'success'])

const dayMs = 86_400_000

/** The same failure, or passing trouble, is told again after so long, milliseconds. */
export const repeatMs = dayMs
/** A matter that ended and begins again is not told before so long, milliseconds: else it could go on and off all day. */
export const quietMs = dayMs / 4
/** In one hour so much is told, at most; the rest is gathered. */
export const toldInHourMax = 20

const hourMs = 3_600_000

/** What becomes of a tiding. */
export interface Judgement {
  readonly isTold: boolean
  /** To be kept from now on; undefined: nothing. */
  readonly record: ToldRecord | undefined
}

/**
 * What holds of a matter for the next node, when one ends: what nobody has heard yet is told anew.
 *
 * @returns undefined: nothing, as if it had not been told
 */
export function heardOf(record: ToldRecord): ToldRecord | undefined {
  if (record.isHeard) return record
  // Its beginning was heard, its end was not: to those who heard, it still holds.
  return record.isOver ? { ...record, isOver: false, isHeard: true } : undefined
}

/** Says whether a tiding is about every run, and never held back. */
export function isRoutine(on: HookMoment): boolean {
  return ROUTINE.has(on)
}

/**
 * Judges by what was told before.
 *
 * @param standing - it holds until it ends, and is brought up again and again: told once
 */
export function judgeTiding(
  tiding: Pick<Tiding, 'on' | 'state'>,
  record: ToldRecord | undefined,
  nowMs: number,
  standing: Standing | undefined,
): Judgement {
  if (isRoutine(tiding.on)) return { isTold: true, record }
  if (tiding.state === 'over') {
    if (record === undefined || record.isOver) return { isTold: false, record }
    return {
      isTold: true,
      record: {
        atMs: nowMs,
        again: 0,
        isOver: true,
        isHeard: !record.isHeard,
        standing: record.standing,
      },
    }
  }
  const told = { isTold: true, record: { atMs: nowMs, again: 0, isOver: false, isHeard: false, standing } }
  // A clock that was set back must not keep anything from being told.
  if (record === undefined || nowMs < record.atMs) return told
  const sinceMs = nowMs - record.atMs
  const again = record.again + (standing === undefined ? 1 : 0)
  if (record.isOver)
    return tiding.on === 'silent' || sinceMs >= quietMs
      ? told
      : { isTold: false, record: { ...record, again } }
  if (standing === undefined && record.standing === undefined && sinceMs >= repeatMs) return told
  return { isTold: false, record: { ...record, again, standing: standing ?? record.standing } }
}

/** Counts what is told in an hour. */
export class HourlyBound {
  #toldMs: number[] = []

  /** Takes one if there is one left. */
  take(nowMs: number): boolean {
    this.#toldMs = this.#toldMs.filter((ms) => nowMs - ms < hourMs && ms <= nowMs)
    if (this.#toldMs.length >= toldInHourMax) return false
    this.#toldMs.push(nowMs)
    return true
  }

  /** Until there is one left again, milliseconds; 0: there is. */
  waitMs(nowMs: number): number {
    const open = this.#toldMs.filter((ms) => nowMs - ms < hourMs && ms <= nowMs)
    return open.length < toldInHourMax ? 0 : hourMs - (nowMs - (open[0] ?? nowMs))
  }
}

/** One message in the place of many that were held back. */
export function gathered(titles: readonly string[], device: string, atMs: number): Tiding {
  const shown = titles.slice(0, 10)
  const more = titles.length - shown.length
  return {
    on: 'trouble',
    about: 'gathered',
    state: 'news',
    level: 'warning',
    title: `${String(titles.length)} more messages of ${device}`,
    message: [...shown, ...(more > 0 ? [`and ${String(more)} more`] : [])].join('; ') + '.',
    remedy: 'cellar status',
    atMs,
  }
}
