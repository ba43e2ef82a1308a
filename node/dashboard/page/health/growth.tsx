/** How the store grew: a picture, and the same as a table. */

import { useState } from 'preact/hooks'
import type { GrowthSample } from '../../../api.ts'
import { useAsk } from '../ask.ts'
import { bytesText, numberText } from '../parts/format.ts'
import { Empty, Failed, Section } from '../parts/screen.tsx'
import { Table } from '../parts/table.tsx'
import { Bytes, useNow } from '../parts/value.tsx'
import { bytesStep, type Chart, chartOf, countStep, SIZE, thinned } from './chart.ts'

interface Series {
  readonly name: string
  readonly title: string
  readonly of: (sample: GrowthSample) => number | undefined
  readonly words: (value: number) => string
  readonly step: (least: number) => number
}

const SERIES: readonly Series[] = [
  {
    name: 'bytes',
    title: 'Space taken',
    of: ({ bytes_used }) => bytes_used,
    words: bytesText,
    step: bytesStep,
  },
  {
    name: 'free',
    title: 'Space free on its disk',
    of: ({ bytes_free }) => bytes_free,
    words: bytesText,
    step: bytesStep,
  },
  {
    name: 'snapshots',
    title: 'Snapshots held',
    of: ({ snapshots_held }) => snapshots_held,
    words: numberText,
    step: countStep,
  },
  { name: 'chunks', title: 'Chunks', of: ({ chunks }) => chunks, words: numberText, step: countStep },
]

const RANGES = [
  [30, '30 days'],
  [365, 'a year'],
  [1100, 'three years'],
] as const

const dayMs = 86_400_000
/** Rows of the table: more than a person compares. */
const rowsMax = 40

/** The part of the screen. */
export function Growth() {
  const [days, setDays] = useState<number>(365)
  const [name, setName] = useState('bytes')
  const nowMs = useNow()
  const from = new Date(nowMs - (days - 1) * dayMs).toISOString().slice(0, 10)
  const { value, error, again } = useAsk('growth', { from }, { live: false })
  const series = SERIES.find((one) => one.name === name) ?? SERIES[0]
  return (
    <Section
      title="Growth of the store"
      actions={
        <>
          <Choice
            label="What"
            chosen={name}
            options={SERIES.map((one) => [one.name, one.title])}
            choose={setName}
          />
          <Choice
            label="Over"
            chosen={String(days)}
            options={RANGES.map(([count, words]) => [String(count), words])}
            choose={(chosen) => setDays(Number(chosen))}
          />
        </>
      }
    >
      {error !== undefined && <Failed error={error} again={again} />}
      {value !== undefined && series !== undefined && <Drawn samples={value.samples} series={series} />}
    </Section>
  )
}

function Choice(props: {
  readonly label: string
  readonly chosen: string
  readonly options: readonly (readonly [value: string, words: string])[]
  readonly choose: (value: string) => void
}) {
  return (
    <label class="choice">
      <span>{props.label}</span>
      <select value={props.chosen} onChange={({ currentTarget: { value } }) => props.choose(value)}>
        {props.options.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
    </label>
  )
}

function Drawn({ samples, series }: { readonly samples: readonly GrowthSample[]; readonly series: Series }) {
  const points = samples.flatMap((sample) => {
    const value = series.of(sample)
    return value === undefined ? [] : [{ day: sample.day, value }]
  })
  const [first] = points
  const last = points.at(-1)
  if (first === undefined || last === undefined)
    return <Empty>There is nothing to draw yet: a running node takes one look a day.</Empty>
  const words = `${series.title}: ${series.words(first.value)} on ${first.day}, ${series.words(last.value)} on ${last.day}.`
  return (
    <figure class="chart">
      {points.length > 1 && <Picture chart={chartOf(points, series.step)} series={series} words={words} />}
      <figcaption class="hint">{words}</figcaption>
      <details>
        <summary>As a table</summary>
        <Table
          caption="How the store grew"
          columns={COLUMNS}
          rows={thinned(samples, rowsMax).reverse()}
          keyOf={({ day }) => day}
        />
      </details>
    </figure>
  )
}

function Picture({
  chart,
  series,
  words,
}: {
  readonly chart: Chart
  readonly series: Series
  readonly words: string
}) {
  const { width, height, left, right } = SIZE
  return (
    <svg viewBox={`0 0 ${String(width)} ${String(height)}`} role="img" aria-label={words}>
      {chart.yTicks.map(({ y, value }) => (
        <g key={value}>
          <line class="chart-line" x1={left} x2={width - right} y1={y} y2={y} />
          <text class="chart-text" x={left - 8} y={y + 4} text-anchor="end">
            {series.words(value)}
          </text>
        </g>
      ))}
      <path class="chart-area" d={chart.area} />
      <path class="chart-value" d={chart.line} />
      {chart.last !== undefined && <circle class="chart-dot" cx={chart.last.x} cy={chart.last.y} r="3.5" />}
      {chart.xTicks.map(({ x, y, day }, at) => (
        <text
          key={day}
          class="chart-text"
          x={x}
          y={y + 18}
          text-anchor={at === 0 ? 'start' : at === chart.xTicks.length - 1 ? 'end' : 'middle'}
        >
          {day}
        </text>
      ))}
    </svg>
  )
}

const COLUMNS = [
  { title: 'Day', kind: 'main', cell: ({ day }: GrowthSample) => <span class="number">{day}</span> },
  {
    title: 'Space taken',
    kind: 'number',
    cell: ({ bytes_used }: GrowthSample) => <Bytes value={bytes_used} />,
  },
  {
    title: 'Free on its disk',
    kind: 'number',
    cell: ({ bytes_free }: GrowthSample) => (bytes_free === undefined ? '–' : <Bytes value={bytes_free} />),
  },
  {
    title: 'Snapshots held',
    kind: 'number',
    cell: ({ snapshots_held, snapshots }: GrowthSample) =>
      `${numberText(snapshots_held)} of ${numberText(snapshots)}`,
  },
  { title: 'Chunks', kind: 'number', cell: ({ chunks }: GrowthSample) => numberText(chunks) },
] as const
