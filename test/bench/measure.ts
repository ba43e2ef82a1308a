/** Measures one command: wall time, CPU time of the whole process tree, and the most memory it had. */

import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import koffi from 'koffi'

const RUSAGE_CHILDREN = -1
const sampleIntervalMs = 25

/** What a command took. */
export interface Measured {
  readonly wallS: number
  /** User and system time of the command and all its children. */
  readonly cpuS: number
  /** Resident memory, added up over the processes that ran at one time, sampled every 25 ms. */
  readonly memoryBytes: number
}

/** A command as it is started. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  /** Exit statuses that are no failure. @defaultValue [0] */
  readonly allowed?: readonly number[]
}

const getrusage = koffi.load('libc.so.6').func('int getrusage(int who, _Out_ uint8_t *usage)') as (
  who: number,
  usage: Uint8Array,
) => number

/** CPU seconds of all children that have ended and been waited for. */
function childrenCpuS(): number {
  const usage = Buffer.alloc(144)
  getrusage(RUSAGE_CHILDREN, usage)
  const seconds = (at: number): number =>
    Number(usage.readBigInt64LE(at)) + Number(usage.readBigInt64LE(at + 8)) / 1e6
  return seconds(0) + seconds(16)
}

const clockTicksPerSecond = 100

/** CPU seconds that a running process has used so far, its ended children included. */
export function processCpuS(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  return ticks / clockTicksPerSecond
}

/** The most resident memory that a running process ever had, in bytes. */
export function processMemoryPeak(pid: number): number {
  return statusBytes(pid, 'VmHWM')
}

function statusBytes(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1')
    return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

/** A process and all below it. */
function treeOf(pid: number): number[] {
  try {
    const below = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').split(' ').filter(Boolean).map(Number),
    )
    return [pid, ...below.flatMap(treeOf)]
  } catch {
    return [pid]
  }
}

/**
 * Runs a command to its end and measures it. One at a time, or their CPU times mix.
 *
 * @throws {Error} when it ends with a status that is not allowed, with what it said
 */
export async function measure(command: Command): Promise<Measured> {
  const cpuBefore = childrenCpuS()
  const started = performance.now()
  const child = spawn(command.file, command.args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...command.env },
    ...(command.cwd === undefined ? {} : { cwd: command.cwd }),
  })
  let memoryBytes = 0
  let said = ''
  const sample = (): void => {
    const processes = child.pid === undefined ? [] : treeOf(child.pid)
    const now = processes.reduce((sum, pid) => sum + statusBytes(pid, 'VmRSS'), 0)
    const alone = Math.max(0, ...processes.map((pid) => statusBytes(pid, 'VmHWM')))
    memoryBytes = Math.max(memoryBytes, now, alone)
  }
  const sampling = setInterval(sample, sampleIntervalMs)
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4000)))
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 137))
  }).finally(() => clearInterval(sampling))
  const wallS = (performance.now() - started) / 1000
  if (!(command.allowed ?? [0]).includes(status)) {
    throw new Error(`${command.file} ${command.args.join(' ')}: exit status ${status}\n${said}`)
  }
  return { wallS, cpuS: childrenCpuS() - cpuBefore, memoryBytes }
}

/** Runs commands one after another as one: their times added up, and the most memory that one had. */
export async function measureAll(commands: readonly Command[]): Promise<Measured> {
  const all = { wallS: 0, cpuS: 0, memoryBytes: 0 }
  for (const command of commands) {
    const { wallS, cpuS, memoryBytes } = await measure(command)
    all.wallS += wallS
    all.cpuS += cpuS
    all.memoryBytes = Math.max(all.memoryBytes, memoryBytes)
  }
  return all
}

/** The middle one; of an even number the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length / 2
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
