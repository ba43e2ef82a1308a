/** What a process takes of memory and handles over time, and whether that grows without end. */

import { readdirSync, readFileSync } from 'node:fs'

const MiB = 1024 * 1024

/** One look at a process. */
export interface Sample {
  readonly atMs: number
  readonly rssBytes: number
  readonly handles: number
  readonly threads: number
}

/** A process over its life. */
export interface Life {
  readonly name: string
  readonly pid: number
  readonly samples: Sample[]
}

/** So much a process may take more at the end than after it had warmed up. */
const rssGrowthMax = 0.1
const rssSlackBytes = 24 * MiB
const handlesGrowthMax = 8

/** Looks at a process; undefined once it has ended. Linux. */
export function look(pid: number, atMs: number): Sample | undefined {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8')
    const number = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1])
    return {
      atMs,
      rssBytes: number('VmRSS') * 1024,
      handles: readdirSync(`/proc/${String(pid)}/fd`).length,
      threads: number('Threads'),
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}

/** What a life came to: memory and handles in its second quarter, and in its last. */
export interface Growth {
  readonly rssBytes: readonly [before: number, after: number]
  readonly handles: readonly [before: number, after: number]
  /** What grows; nothing when it is well. */
  readonly faults: readonly string[]
}

/** Compares the quarter after the first with the last; undefined of a life too short to say. */
export function growthOf({ samples }: Pick<Life, 'samples'>): Growth | undefined {
  const quarter = Math.floor(samples.length / 4)
  if (quarter < 3) return undefined
  const before = samples.slice(quarter, 2 * quarter)
  const after = samples.slice(-quarter)
  const rss = [median(before.map(rssOf)), median(after.map(rssOf))] as const
  // Not the most: a restore or a backup under way has files open that it closes.
  const handles = [median(before.map(handlesOf)), median(after.map(handlesOf))] as const
  const faults: string[] = []
  if (rss[1] > rss[0] * (1 + rssGrowthMax) + rssSlackBytes)
    faults.push(`memory grew from ${mebibytes(rss[0])} to ${mebibytes(rss[1])}`)
  if (handles[1] > handles[0] + handlesGrowthMax)
    faults.push(`open handles grew from ${String(handles[0])} to ${String(handles[1])}`)
  return { rssBytes: rss, handles, faults }
}

/** Bytes for people. */
export function mebibytes(bytes: number): string {
  return `${(bytes / MiB).toFixed(0)} MiB`
}

function rssOf({ rssBytes }: Sample): number {
  return rssBytes
}

function handlesOf({ handles }: Sample): number {
  return handles
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}
