/** Figures of a benchmark as a table for people, with how the others compare to ours. */

import { median, type Measured } from './measure.ts'

/** All runs of one tool in one scenario on one data set. */
export interface Row {
  readonly dataset: string
  readonly scenario: string
  readonly tool: string
  readonly runs: readonly Measured[]
  /** Bytes of the store after it, where it has one. */
  readonly storeBytes?: number
  /** Bytes by which the store became smaller, in each run. */
  readonly freedBytes?: readonly number[]
}

/** The machine and the programs. */
export interface Machine {
  readonly date: string
  readonly cpu: string
  readonly cores: number
  readonly memoryBytes: number
  readonly kernel: string
  readonly node: string
  readonly versions: Readonly<Record<string, string>>
}

/** A whole benchmark. */
export interface Report {
  readonly machine: Machine
  readonly scale: number
  readonly runs: number
  readonly rows: readonly Row[]
  readonly notes: readonly string[]
}

const ours = 'cellar'
const MiB = 1024 * 1024

/** One line of figures: medians. */
function line(row: Row, reference: Row | undefined): string {
  const wall = median(row.runs.map((run) => run.wallS))
  const cpu = median(row.runs.map((run) => run.cpuS))
  const memory = median(row.runs.map((run) => run.memoryBytes))
  const best = Math.min(...row.runs.map((run) => run.wallS))
  const worst = Math.max(...row.runs.map((run) => run.wallS))
  const ratio = reference === undefined ? undefined : wall / median(reference.runs.map((run) => run.wallS))
  const cells = [
    row.tool,
    wall.toFixed(2),
    `${best.toFixed(2)} – ${worst.toFixed(2)}`,
    ratio === undefined ? '' : `${ratio.toFixed(2)} x`,
    cpu.toFixed(2),
    (memory / MiB).toFixed(0),
    row.storeBytes === undefined ? '' : (row.storeBytes / MiB).toFixed(0),
    ...(row.freedBytes === undefined ? [] : [(median(row.freedBytes) / MiB).toFixed(1)]),
  ]
  return `| ${cells.join(' | ')} |`
}

/** Each text once, in the order of first appearance. */
function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)]
}

/** The report in Markdown. */
export function markdown(report: Report): string {
  const { machine } = report
  const versions = Object.values(machine.versions).join('; ')
  const out = [
    '# Measured side by side',
    '',
    `${machine.date.slice(0, 10)}, ${machine.cores} x ${machine.cpu}, ${Math.round(machine.memoryBytes / 2 ** 30)} GiB,`,
    `${machine.kernel}, Node ${machine.node}. ${versions}.`,
    '',
    `Scale ${report.scale}; median of ${report.runs} alternating runs, source in the page cache, fresh store each run.`,
    'Time against ours: above 1 the other is slower. CPU is user and system time of all processes; memory is their peak.',
  ]
  for (const dataset of distinct(report.rows.map((row) => row.dataset))) {
    const rows = report.rows.filter((row) => row.dataset === dataset)
    out.push('', `## ${dataset}`)
    for (const scenario of distinct(rows.map((row) => row.scenario))) {
      const those = rows.filter((row) => row.scenario === scenario)
      const reference = those.find((row) => row.tool === ours)
      out.push('', `### ${scenario}`, '')
      const isFreeing = those.some((row) => row.freedBytes !== undefined)
      out.push(
        `| | seconds | best – worst | against ours | CPU s | memory MiB | store MiB |${isFreeing ? ' given back MiB |' : ''}`,
        `|---|---|---|---|---|---|---|${isFreeing ? '---|' : ''}`,
      )
      for (const row of those) out.push(line(row, row.tool === ours ? undefined : reference))
    }
  }
  if (report.notes.length > 0) out.push('', '## Notes', '', ...report.notes.map((note) => `* ${note}`))
  return `${out.join('\n')}\n`
}
