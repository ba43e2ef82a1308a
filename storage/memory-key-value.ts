/** An ordered map in memory: the twin of `adapters/level-key-value.ts`, able to lose what was not durable. */
import type { KeyRange, KeyValue, KeyValueChange } from './key-value.ts'

/** What the twin can do besides. */
export interface MemoryKeyValue extends KeyValue {
  /** Entries in it. */
  readonly size: number
  /** Keys read, one by one or in ranges, and changes made since it was made: to count what an operation costs. */
  readonly counts: { gets: number; iterated: number; changes: number; batches: number }
  /**
   * Forgets the newest batches that were not durable, as a crash of the machine may.
   *
   * @param keep - how many of `undurableBatches` survive, oldest first
   */
  crash(keep: number): void
  /** All entries as they are now, to be put back by `load`. */
  image(): ReadonlyMap<string, Uint8Array>
  /** Puts an image in the place of all there is. */
  load(image: ReadonlyMap<string, Uint8Array>): void
  /** Batches done since the last durable one. */
  readonly undurableBatches: number
  /** When set, called before each batch; may throw, and then nothing is changed. */
  beforeBatch: ((changes: readonly KeyValueChange[]) => void) | undefined
}

const nameOf = (key: Uint8Array): string =>
  Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')

class MapKeyValue implements MemoryKeyValue {
  readonly counts = { gets: 0, iterated: 0, changes: 0, batches: 0 }
  beforeBatch: ((changes: readonly KeyValueChange[]) => void) | undefined
  readonly #entries = new Map<string, Uint8Array>()
  /** For each undurable batch, what it replaced: undone in reverse by a crash. */
  #undo: [string, Uint8Array | undefined][][] = []

  get size(): number {
    return this.#entries.size
  }

  get undurableBatches(): number {
    return this.#undo.length
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.counts.gets++
    const value = this.#entries.get(nameOf(key))
    return value === undefined ? undefined : Uint8Array.from(value)
  }

  async batch(changes: readonly KeyValueChange[], durable: boolean): Promise<void> {
    await Promise.resolve()
    this.beforeBatch?.(changes)
    this.counts.batches++
    const undo: [string, Uint8Array | undefined][] = []
    for (const change of changes) {
      this.counts.changes++
      const name = nameOf(change.key)
      undo.push([name, this.#entries.get(name)])
      if (change.type === 'put') this.#entries.set(name, Uint8Array.from(change.value))
      else this.#entries.delete(name)
    }
    if (durable) this.#undo = []
    else this.#undo.push(undo)
  }

  async *iterate(range: KeyRange): AsyncIterable<readonly [Uint8Array, Uint8Array]> {
    await Promise.resolve()
    const from = nameOf(range.gte)
    const to = nameOf(range.lt)
    // Latin-1 texts compare as their bytes do.
    const found = [...this.#entries].filter(([name]) => name >= from && name < to)
    found.sort((a, b) => (a[0] < b[0] ? -1 : 1))
    for (const [name, value] of found) {
      this.counts.iterated++
      yield [Buffer.from(name, 'latin1'), value]
    }
  }

  async clear(): Promise<void> {
    await Promise.resolve()
    this.#entries.clear()
    this.#undo = []
  }

  async close(): Promise<void> {
    await Promise.resolve()
  }

  image(): ReadonlyMap<string, Uint8Array> {
    return new Map(this.#entries)
  }

  load(image: ReadonlyMap<string, Uint8Array>): void {
    this.#entries.clear()
    for (const [name, value] of image) this.#entries.set(name, value)
    this.#undo = []
  }

  crash(keep: number): void {
    while (this.#undo.length > keep) {
      for (const [name, before] of this.#undo.pop()?.reverse() ?? []) {
        if (before === undefined) this.#entries.delete(name)
        else this.#entries.set(name, before)
      }
    }
    this.#undo = []
  }
}

/** An empty map in memory. */
export function memoryKeyValue(): MemoryKeyValue {
  return new MapKeyValue()
}
