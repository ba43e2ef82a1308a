/** Sizes as settings and options write them: `500k`, `1.5G`, `2TiB`; units of 1024. Pure. */

const UNITS = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 } as const

/** Reads a size. @returns bytes, whole, 0 or more; undefined where the text is none */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([kmgt]?)(?:i?b)?$/i.exec(text)
  if (match === null) return undefined
  const bytes = Math.round(Number(match[1]) * UNITS[(match[2] ?? '').toLowerCase() as keyof typeof UNITS])
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** The shortest text that {@link parseSize} reads as this. @param bytes - whole, 0 or more */
export function formatSize(bytes: number): string {
  for (const unit of ['t', 'g', 'm', 'k'] as const)
    if (bytes > 0 && bytes % UNITS[unit] === 0)
      return `${String(bytes / UNITS[unit])}${unit === 'k' ? 'K' : unit.toUpperCase()}iB`
  return `${String(bytes)}B`
}
