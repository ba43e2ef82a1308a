/** Which part of all chunks to read: pure, and the same for the same words. */

import { CellarError, type ChunkId } from '../../protocol/index.ts'

/** Chunks whose id, as a fraction of all ids, lies in [from, to). 0..1 */
export interface Subset {
  readonly from: number
  readonly to: number
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }

/**
 * Reads what follows `--read-data-subset`: `n/t` (part n of t, 1..t), `10%`, or a size such as `500M`.
 *
 * @param random - 0..1: where a percentage or a size begins, so that one day every chunk has its turn
 * @param totalBytes - of all chunks, for a size
 * @throws {CellarError} `USAGE`
 */
export function parseSubset(text: string, random: number, totalBytes: number): Subset {
  const part = /^(\d{1,9})\/(\d{1,9})$/.exec(text)
  if (part !== null) {
    const [n, t] = [Number(part[1]), Number(part[2])]
    if (t >= 1 && n >= 1 && n <= t) return { from: (n - 1) / t, to: n / t }
  }
  const percent = /^(\d{1,3}(?:\.\d+)?)%$/.exec(text)
  if (percent !== null && Number(percent[1]) > 0 && Number(percent[1]) <= 100)
    return beginAt(random, Number(percent[1]) / 100)
  const size = /^(\d+)([KMGT]?)$/i.exec(text)
  const unit = UNITS[size?.[2]?.toUpperCase() ?? '']
  if (size !== null && unit !== undefined && Number(size[1]) > 0) {
    return beginAt(random, totalBytes === 0 ? 1 : Math.min(1, (Number(size[1]) * unit) / totalBytes))
  }
  throw new CellarError('USAGE', `${JSON.stringify(text)} is no part of the data: write 1/7, 10% or 500M`)
}

/** `to` may lie beyond 1: then it goes on at 0. */
function beginAt(random: number, share: number): Subset {
  return share >= 1 ? { from: 0, to: 1 } : { from: random, to: random + share }
}

/** Says whether a chunk is in the part. */
export function inSubset(id: ChunkId, { from, to }: Subset): boolean {
  const at = Number.parseInt(id.slice(0, 12), 16) / 2 ** 48
  return (at >= from && at < to) || at + 1 < to
}
