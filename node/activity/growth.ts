/** How large the store was, one sample a day, remembered in the catalog (spec/activity.md §3). */

import type { GrowthSample } from '../api-activity.ts'
import type { Catalog } from '../../storage/index.ts'

/** So many days are kept: three years. */
export const daysMax = 1100

/** The days, by date. */
export class GrowthRecord {
  readonly #catalog: Catalog
  #writing: Promise<void> = Promise.resolve()

  /** @param catalog - of its own */
  constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  /** Keeps a sample in the place of that day's last; the oldest day goes. @throws {CellarError} `STORE_FULL` */
  async put(sample: GrowthSample): Promise<void> {
    this.#writing = this.#writing
      .catch(() => undefined) // it was told to whoever waited for it
      .then(() => this.#put(sample))
    await this.#writing
  }

  async #put(sample: GrowthSample): Promise<void> {
    const days: string[] = []
    const isNew = this.#catalog.get(sample.day) === undefined
    if (isNew) for await (const [day] of this.#catalog.iterate()) days.push(day)
    // By number, not by age: a clock that is wrong for a moment must not cost the history.
    const gone = days.slice(0, Math.max(0, days.length + 1 - daysMax))
    await this.#catalog.batch(
      [
        { type: 'put', key: sample.day, value: Buffer.from(JSON.stringify(sample)) },
        ...gone.map((key) => ({ type: 'del', key }) as const),
      ],
      { durable: false },
    )
  }

  /** The days from one on, the oldest first. @param until - a later day was noted while the clock was wrong */
  async list(from: string | undefined, until: string): Promise<GrowthSample[]> {
    const samples: GrowthSample[] = []
    const range = { ...(from !== undefined && { gte: from }), lt: `${until}~` }
    for await (const [, value] of this.#catalog.iterate(range)) {
      const sample = read(value)
      if (sample !== undefined) samples.push(sample)
    }
    return samples
  }
}

/** A disk that rots costs one day. */
function read(value: Uint8Array): GrowthSample | undefined {
  try {
    return JSON.parse(Buffer.from(value).toString()) as GrowthSample
  } catch {
    return undefined
  }
}

/** The day of a time, in UTC. */
export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
