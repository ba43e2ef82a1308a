/** What this device did and what went wrong, remembered in the catalog (spec/activity.md §2): bounded, newest first. */

import { CellarError, isCellarError } from '../../protocol/index.ts'
import type { Catalog, CatalogChange } from '../../storage/index.ts'
import type { ActivityEntry, ActivityPage, ActivityParams } from '../api-activity.ts'

/** So many entries are kept. */
export const entriesMax = 5000
/** Read from the catalog at a time. */
const windowEntries = 512

const headKey = 'head'

/** `Omit` for each of a union. */
type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
/** An entry that is not numbered yet. */
export type NewEntry = Without<ActivityEntry, 'id'>

/** The entries by number, from 1. Added at once, written behind: a crash may lose the last ones. */
export class History {
  readonly #catalog: Catalog
  readonly #onFault: (error: CellarError) => void
  #last: number | undefined
  #writing: Promise<void> = Promise.resolve()
  #isFailing = false

  /**
   * @param catalog - of its own
   * @param onFault - told once when entries cannot be written, as the disk is full say, until they can
   */
  constructor(catalog: Catalog, onFault: (error: CellarError) => void) {
    this.#catalog = catalog
    this.#onFault = onFault
  }

  /** Adds an entry; the oldest goes. @returns its number */
  add(entry: NewEntry): number {
    const number = this.#newest + 1
    this.#last = number
    this.#write([
      { type: 'put', key: headKey, value: json(number) },
      { type: 'put', key: keyOf(number), value: json(entry) },
      ...(number > entriesMax ? [{ type: 'del', key: keyOf(number - entriesMax) } as const] : []),
    ])
    return number
  }

  /** Puts another entry in the place of one; of one that is gone, nothing. */
  change(number: number, entry: NewEntry): void {
    if (number > this.#newest - entriesMax)
      this.#write([{ type: 'put', key: keyOf(number), value: json(entry) }])
  }

  /** A part of it. @throws {CellarError} `USAGE` for a `before` that no answer gave */
  async page({ before, limit, only }: ActivityParams): Promise<ActivityPage> {
    if (before !== undefined && !/^[0-9]{1,12}$/.test(before))
      throw new CellarError('USAGE', 'before is not what an answer gave as next', { parameter: 'before' })
    await this.#writing
    const newest = this.#newest
    const oldest = Math.max(1, newest - entriesMax + 1)
    let end = Math.min(newest + 1, before === undefined ? newest + 1 : Number(before))
    const entries: ActivityEntry[] = []
    while (end > oldest && entries.length < limit) {
      const begin = Math.max(oldest, end - windowEntries)
      const found: ActivityEntry[] = []
      for await (const [key, value] of this.#catalog.iterate({ gte: keyOf(begin), lt: keyOf(end) })) {
        const entry = read(value)
        if (entry !== undefined && (only === undefined || entry.kind === only))
          found.push({ ...entry, id: String(numberOf(key)) })
      }
      entries.push(...found.reverse().slice(0, limit - entries.length))
      end = begin
    }
    const last = entries.at(-1)
    const isMore = last !== undefined && entries.length === limit && Number(last.id) > oldest
    return { entries, ...(isMore && { next: last.id }), entries_max: entriesMax }
  }

  /** Resolves when all that was added so far is written. */
  async idle(): Promise<void> {
    await this.#writing
  }

  get #newest(): number {
    if (this.#last === undefined) {
      const value = this.#catalog.get(headKey)
      const number: unknown = value === undefined ? 0 : parse(value)
      this.#last = typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : 0
    }
    return this.#last
  }

  #write(changes: readonly CatalogChange[]): void {
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#catalog.batch(changes, { durable: false })
        this.#isFailing = false
      } catch (error) {
        if (!isCellarError(error)) throw error
        // That it was told is an entry again, which cannot be written either.
        if (this.#isFailing) return
        this.#isFailing = true
        this.#onFault(error)
      }
    })
  }
}

function keyOf(number: number): string {
  return `entry/${String(number).padStart(12, '0')}`
}

function numberOf(key: string): number {
  return Number(key.slice('entry/'.length))
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

function parse(value: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(value).toString()) as unknown
  } catch {
    return undefined // a disk that rots: one entry less
  }
}

/** What cannot be read is left out: it is nobody's format but this node's. */
function read(value: Uint8Array): NewEntry | undefined {
  const entry = parse(value) as NewEntry | null | undefined
  return entry?.kind === 'task' || entry?.kind === 'trouble' ? entry : undefined
}
