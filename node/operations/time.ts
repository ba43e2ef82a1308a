/** Times as people and programs write them (RFC 3339). */

import { CellarError } from '../../protocol/index.ts'

/** A moment, and where on earth it was said. */
export interface ParsedTime {
  /** Nanoseconds since 1970. */
  readonly ns: bigint
  /** Of local time from UTC. */
  readonly offsetMinutes: number
}

const RFC3339 = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/i

/** Reads an RFC 3339 time with its offset. @throws {CellarError} `USAGE` */
export function parseTime(text: string): ParsedTime {
  const match = RFC3339.exec(text)
  const ms = Date.parse(text.replace(' ', 'T').replace(/\.\d+/, ''))
  if (match === null || Number.isNaN(ms))
    throw new CellarError('USAGE', `"${text}" is no time such as 2026-01-31T20:15:00+01:00`)
  const fraction = BigInt((match[1] ?? '.0').slice(1).padEnd(9, '0'))
  const zone = match[2] ?? 'Z'
  const [hours = 0, minutes = 0] = zone.toUpperCase() === 'Z' ? [] : zone.slice(1).split(':').map(Number)
  const offset = hours * 60 + minutes
  return { ns: BigInt(ms) * 1_000_000n + fraction, offsetMinutes: zone.startsWith('-') ? -offset : offset }
}

/** The RFC 3339 text of a moment, in the offset it was said in. */
export function formatTime(ns: bigint, offsetMinutes: number): string {
  const ms = Number(ns / 1_000_000n) + offsetMinutes * 60_000
  const date = new Date(ms)
  if (Number.isNaN(date.getTime())) return new Date(0).toISOString()
  const sign = offsetMinutes < 0 ? '-' : '+'
  const abs = Math.abs(offsetMinutes)
  const zone = offsetMinutes === 0 ? 'Z' : `${sign}${two(Math.floor(abs / 60))}:${two(abs % 60)}`
  const fraction = String(((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n).padStart(9, '0')
  return `${date.toISOString().slice(0, 19)}.${fraction}${zone}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
