/** Sixty days of one device as a row of marks; the words for it are read out in its place. */

import { dayOf, daysShown, daysText } from './days.ts'

/** A strip. */
export function Strip(props: {
  readonly counts: readonly number[] | undefined
  readonly startOfToday: number
}) {
  const counts = props.counts ?? new Array<number>(daysShown).fill(0)
  return (
    <svg
      class="strip"
      viewBox={`0 0 ${String(daysShown * 5 - 1)} 20`}
      preserveAspectRatio="none"
      role="img"
      aria-label={daysText(props.counts)}
    >
      {counts.map((count, at) => (
        <rect
          key={at}
          class={count === 0 ? 'none' : 'some'}
          x={at * 5}
          y={count === 0 ? 14 : 0}
          width={4}
          height={count === 0 ? 6 : 20}
          rx={1}
        >
          <title>{markText(count, dayOf(at, props.startOfToday))}</title>
        </rect>
      ))}
    </svg>
  )
}

function markText(count: number, day: Date): string {
  const when = day.toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' })
  return `${when}: ${count === 0 ? 'none' : count === 1 ? '1 snapshot' : `${String(count)} snapshots`}`
}
