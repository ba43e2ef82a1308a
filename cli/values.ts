/** Values of options, read strictly: what is wrong is a wrong usage (exit 2) that says what was expected. */

import { InvalidArgumentError } from 'commander'

/** Adds one more to an option that may be given again. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

/** Counts how often an option was given. */
export function countUp(_value: unknown, before: number | undefined): number {
  return (before ?? 0) + 1
}

/** A whole number, 1 or more. */
export function positiveInteger(value: string): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || number < 1 || !Number.isSafeInteger(number))
    throw new InvalidArgumentError('It must be a whole number, 1 or more.')
  return number
}

/** A share of something: `5`, `0.5` or `5%`, more than 0 and at most 100. */
export function percentage(value: string): number {
  const number = Number(/^(\d{1,3}(?:\.\d+)?)%?$/.exec(value)?.[1])
  if (!(number >= 0.1 && number <= 100))
    throw new InvalidArgumentError('It must be a percentage, 0.1 to 100.')
  return number
}

/** How many snapshots a rule keeps: 0 or more, or `unlimited`. @returns -1 for that */
export function keepCount(value: string): number {
  if (value === 'unlimited' || value === '-1') return -1
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('It must be a whole number, or unlimited.')
  return Number(value)
}

/** A span by the calendar such as `7d` or `1y6m`, as rules of retention take it. @returns the same text */
export function calendarSpan(value: string): string {
  if (!/^(?=\d)(\d{1,5}y)?(\d{1,5}m)?(\d{1,5}d)?(\d{1,5}h)?$/.test(value))
    throw new InvalidArgumentError(
      'It must be a span of years, months, days and hours such as 1y6m or 7d12h.',
    )
  return value
}

/** `all`, or a whole number. */
export function copiesGoal(value: string): 'all' | number {
  return value === 'all' ? 'all' : positiveInteger(value)
}

/** What `--wait` waits for: the mesh's goal, or so many devices. */
export function waitGoal(value: string): 'goal' | number {
  return value === 'goal' ? 'goal' : positiveInteger(value)
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
}

/** A size such as `500k`, `1.5G`, `2TiB`: units of 1024. @returns bytes */
export function sizeBytes(value: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(value.trim())
  const bytes = Math.round(Number(match?.[1]) * (SIZE_UNITS[(match?.[2] ?? '').toLowerCase()] ?? Number.NaN))
  if (match === null || !Number.isSafeInteger(bytes))
    throw new InvalidArgumentError('It must be a size such as 500M or 2G.')
  return bytes
}

const SPAN_UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** A span such as `90s`, `15m`, `2h`, at most a day. @returns milliseconds */
export function spanMs(value: string): number {
  const match = /^(\d+)([smhd])$/.exec(value)
  const ms = Number(match?.[1]) * (SPAN_UNITS[match?.[2] ?? ''] ?? Number.NaN)
  if (match === null || ms < 1000 || ms > 86_400_000)
    throw new InvalidArgumentError('It must be a span such as 15m or 2h, at most a day.')
  return ms
}

/** A part of the data: `10%`, `2/5` or a size. @returns the text the node takes; a size in bytes */
export function dataSubset(value: string): string {
  const share = /^(\d+(?:\.\d+)?)%$/.exec(value)
  if (share !== null && Number(share[1]) > 0 && Number(share[1]) <= 100) return value
  const part = /^(\d+)\/(\d+)$/.exec(value)
  if (part !== null && Number(part[1]) >= 1 && Number(part[1]) <= Number(part[2])) return value
  if (share !== null || part !== null)
    throw new InvalidArgumentError('It must be 1%..100%, n/t with n in 1..t, or a size.')
  return String(sizeBytes(value))
}

/**
 * A time: `YYYY-MM-DD HH:MM:SS` (local), shorter forms of it, RFC 3339, or `now`.
 *
 * @returns RFC 3339 with the offset the person meant
 */
export function moment(value: string, nowMs: number): string {
  if (value === 'now') return rfc3339(new Date(nowMs))
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::(\d{2}))?)?(Z|[+-]\d{2}:\d{2})?$/.exec(value)
  const [, day = '', hourMinute = '00:00', seconds = '00', zone] = match ?? []
  const date = new Date(`${day}T${hourMinute}:${seconds}${zone ?? ''}`)
  const local = new Date(`${day}T00:00:00Z`)
  if (match === null || Number.isNaN(date.getTime()) || local.toISOString().slice(0, 10) !== day) {
    throw new InvalidArgumentError('It must be a time such as "2026-03-01 14:30:00", or now.')
  }
  return zone === undefined ? rfc3339(date) : `${day}T${hourMinute}:${seconds}${zone}`
}

/** A time in the local zone with its offset, to the second. */
export function rfc3339(date: Date): string {
  const minutes = -date.getTimezoneOffset()
  const two = (value: number): string => String(Math.abs(value)).padStart(2, '0')
  const offset = `${minutes < 0 ? '-' : '+'}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`
  return `${new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, 19)}${offset}`
}
