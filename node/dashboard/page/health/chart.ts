/** A line over days, as numbers to draw: pure. */

/** One day, and how much. */
export interface Point {
  /** `2026-11-23`, UTC. */
  readonly day: string
  readonly value: number
}

/** Where something is drawn, in the units of the picture. */
export interface Drawn {
  readonly x: number
  readonly y: number
}

/** A picture of a series. */
export interface Chart {
  /** The line, as the `d` of an SVG path; a day without a sample is gone over. */
  readonly line: string
  /** The same with what lies below it. */
  readonly area: string
  readonly yTicks: readonly (Drawn & { readonly value: number })[]
  readonly xTicks: readonly (Drawn & { readonly day: string })[]
  readonly last: Drawn | undefined
}

/** Size of the picture, and what is left for words. */
export const SIZE = { width: 640, height: 200, left: 84, right: 12, top: 12, bottom: 26 } as const

const dayMs = 86_400_000
const xTicksMax = 3
const yTicksMax = 4

/**
 * Draws a series from nothing upwards, so that its growth is not made to look larger than it is.
 *
 * @param points - the oldest first
 * @param stepOf - a round step not smaller than the one given: bytes are round in other numbers than counts
 */
export function chartOf(points: readonly Point[], stepOf: (least: number) => number): Chart {
  const times = points.map(({ day }) => Date.parse(day))
  const [from = 0, to = 0] = [times[0], times.at(-1)]
  const greatest = points.reduce((most, { value }) => Math.max(most, value), 0)
  const step = stepOf(Math.max(greatest, 1) / yTicksMax)
  const top = Math.max(step, Math.ceil(greatest / step) * step)
  const inner = { width: SIZE.width - SIZE.left - SIZE.right, height: SIZE.height - SIZE.top - SIZE.bottom }
  const xOf = (ms: number): number =>
    round(SIZE.left + (to === from ? inner.width : (inner.width * (ms - from)) / (to - from)))
  const yOf = (value: number): number => round(SIZE.top + inner.height * (1 - value / top))
  const drawn = points.map(({ value }, at): Drawn => ({ x: xOf(times[at] ?? 0), y: yOf(value) }))
  const [first] = drawn
  const last = drawn.at(-1)
  const line = drawn.map(({ x, y }, at) => `${at === 0 ? 'M' : 'L'}${String(x)} ${String(y)}`).join('')
  const floor = yOf(0)
  return {
    line,
    area:
      first === undefined || last === undefined
        ? ''
        : `${line}L${String(last.x)} ${String(floor)}L${String(first.x)} ${String(floor)}Z`,
    yTicks: Array.from({ length: Math.round(top / step) + 1 }, (_, at) => {
      const value = at * step
      return { x: SIZE.left, y: yOf(value), value }
    }),
    xTicks: daysOf(from, to).map((ms) => ({
      x: xOf(ms),
      y: floor,
      day: new Date(ms).toISOString().slice(0, 10),
    })),
    last,
  }
}

/** A few days, evenly apart, the first and the last among them. */
function daysOf(from: number, to: number): number[] {
  const days = Math.round((to - from) / dayMs)
  if (days <= 0) return to === 0 ? [] : [to]
  const count = Math.min(xTicksMax, days + 1)
  return Array.from({ length: count }, (_, at) => from + Math.round((days * at) / (count - 1)) * dayMs)
}

/** A step of 1, 2 or 5 times a power of ten. */
export function countStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, least)))
  return [1, 2, 5, 10].map((times) => times * power).find((step) => step >= least) ?? power * 10
}

/** A step that is round in bytes: 1, 2, 5, 10 … 500 of a unit of 1024. */
export function bytesStep(least: number): number {
  const unit = 1024 ** Math.floor(Math.log(Math.max(1, least)) / Math.log(1024))
  const step = countStep(least / unit)
  return step >= 1000 ? unit * 1024 : step * unit
}

/** At most so many of a list, evenly, the last among them: what a table can show of three years. */
export function thinned<T>(list: readonly T[], most: number): T[] {
  if (list.length <= most) return [...list]
  return Array.from({ length: most }, (_, at) => {
    const index = Math.round(((list.length - 1) * at) / (most - 1))
    return list[index] as T
  })
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
