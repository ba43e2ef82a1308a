/** Figures as a person reads them. Pure. */

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Bytes in the unit that fits. */
export function bytesInWords(bytes: number): string {
  const at = bytes < 1024 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** at
  return `${at === 0 ? String(bytes) : value.toFixed(1)} ${UNITS[at] ?? ''}`
}

/** Seconds in the unit that fits. */
export function secondsInWords(seconds: number): string {
  if (seconds < 120) return `${String(Math.round(seconds))} s`
  const minutes = Math.round(seconds / 60)
  return minutes < 120
    ? `${String(minutes)} min`
    : `${String(Math.floor(minutes / 60))} h ${String(minutes % 60)} min`
}

/** `1 file`, `2 files`. */
export function countInWords(count: number, word: string): string {
  return `${String(count)} ${word}${count === 1 ? '' : 's'}`
}
