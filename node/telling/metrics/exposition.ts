/** The text format of Prometheus, version 0.0.4: gauges and counters, which is all that there are. Pure. */

/** Content type of the text. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Names and values that tell samples of one metric apart. */
export type Labels = Readonly<Record<string, string>>

/** One value of a metric. */
export interface Sample {
  readonly labels: Labels
  readonly value: number
}

/** What a metric is. */
export interface MetricKind {
  readonly type: 'gauge' | 'counter'
  readonly help: string
}

/** Writes metrics that have a sample, in the order of the table. */
export function formatMetrics<Name extends string>(
  kinds: Readonly<Record<Name, MetricKind>>,
  samples: Readonly<Partial<Record<Name, readonly Sample[]>>>,
): string {
  const names = Object.keys(kinds) as Name[]
  const blocks = names.map((name) => {
    const own = samples[name] ?? []
    if (own.length === 0) return ''
    const { type, help } = kinds[name]
    const lines = own.map(({ labels, value }) => `${name}${formatLabels(labels)} ${formatValue(value)}`)
    return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join('\n')}\n`
  })
  return blocks.join('')
}

function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function formatValue(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf'
  return String(value)
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}
