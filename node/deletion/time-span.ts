/** Spans of running time as the settings write them: `7d`, `12h`, `90min`, `0s`. Pure. */

const UNITS = { w: 604_800_000, d: 86_400_000, h: 3_600_000, min: 60_000, s: 1000 } as const

/** Reads a span. @returns milliseconds, whole, 0 or more; undefined where the text is none */
export function parseSpan(text: string): number | undefined {
  const match = /^(\d{1,6})(w|d|h|min|s)$/.exec(text)
  if (match === null) return undefined
  return Number(match[1]) * UNITS[match[2] as keyof typeof UNITS]
}

/** The shortest text that {@link parseSpan} reads as this. @param ms - whole seconds, as milliseconds */
export function formatSpan(ms: number): string {
  for (const [unit, unitMs] of Object.entries(UNITS))
    if (ms > 0 && ms % unitMs === 0 && unit !== 'w') return `${String(ms / unitMs)}${unit}`
  return '0s'
}

/** A span for a person, to a whole number of days, hours or minutes, rounded up. */
export function spanInWords(ms: number): string {
  const [count, word] =
    ms >= 2 * UNITS.d
      ? [Math.ceil(ms / UNITS.d), 'day']
      : ms >= 2 * UNITS.h
        ? [Math.ceil(ms / UNITS.h), 'hour']
        : [Math.max(1, Math.ceil(ms / UNITS.min)), 'minute']
  return `${String(count)} ${word}${count === 1 ? '' : 's'}`
}
