/**
 * Chunk id -> place and references, on an ordered map; few things are kept in memory: packs, holds, bad chunks
 * (index.md §3).
 */
import { CellarError, type ChunkId, type RootId } from '../../protocol/index.ts'
import { prefixRange, type KeyValue, type KeyValueChange } from '../key-value.ts'
import { type DraftedIndex, IndexDraft } from './draft.ts'
import {
  decodeChunkRecord,
  decodePackRecord,
  idOfKey,
  packOfKey,
  TABLE,
  type ChunkRecord,
  type PackRecord,
} from './record.ts'

/** The version of index and packs that this program writes. */
export const indexVersion = 1

const META_KEY = Uint8Array.of(TABLE.meta)
const tableRange = (table: number) => prefixRange(Uint8Array.of(table))

/** The index of a store, open. */
export class ChunkIndex implements DraftedIndex {
  readonly packs = new Map<number, PackRecord>()
  readonly holds = new Set<RootId>()
  readonly bad = new Set<ChunkId>()
  readonly #hidden = new Set<ChunkId>()
  readonly #map: KeyValue
  readonly #key = Buffer.alloc(33)
  /** Something was written that is not yet durable. */
  #isUnsettled = false
  /** Changes whenever a chunk became bad or good. */
  badGeneration = 0
  /** Changes whenever the index is made anew: what was known of places before is void. */
  generation = 0

  constructor(map: KeyValue) {
    this.#map = map
    this.#key[0] = TABLE.chunk
  }

  /** The committed record of a chunk. */
  get(id: ChunkId): ChunkRecord | undefined {
    if (this.#hidden.size > 0 && this.#hidden.has(id)) return undefined
    this.#key.write(id, 1, 32, 'hex')
    const value = this.#map.get(this.#key)
    return value === undefined ? undefined : decodeChunkRecord(value)
  }

  /** Reads what is kept in memory. @returns false when the map holds no index: it is new, or lost */
  async load(): Promise<boolean> {
    const version = this.#map.get(META_KEY)?.[0]
    if (version === undefined) return false
    if (version !== indexVersion) {
      throw new CellarError(
        'STORE_UNKNOWN',
        `the index is of version ${String(version)}, which this program does not know`,
      )
    }
    for await (const [key, value] of this.#map.iterate(tableRange(TABLE.pack))) {
      this.packs.set(packOfKey(key), decodePackRecord(value))
    }
    for await (const [key] of this.#map.iterate(tableRange(TABLE.hold))) this.holds.add(idOfKey(key))
    for await (const [key] of this.#map.iterate(tableRange(TABLE.bad))) this.bad.add(idOfKey(key))
    return true
  }

  /** Forgets everything, as a first step of making it again; `markReady` is the last. */
  async reset(): Promise<void> {
    await this.#map.clear()
    this.packs.clear()
    this.holds.clear()
    this.bad.clear()
    this.badGeneration++
    this.generation++
  }

  /** Says durably that the index is whole. */
  async markReady(): Promise<void> {
    await this.#map.batch([{ type: 'put', key: META_KEY, value: Uint8Array.of(indexVersion) }], true)
  }

  /** Begins a set of changes. */
  draft(): IndexDraft {
    return new IndexDraft(this)
  }

  /** Writes the changes of a draft, all or none; for `IndexDraft.write` alone. */
  async apply(changes: readonly KeyValueChange[], durable: boolean): Promise<void> {
    if (!durable) this.#isUnsettled = true
    await this.#map.batch(changes, durable)
    if (durable) this.#isUnsettled = false
  }

  /** Makes all that was written so far durable. */
  async settle(): Promise<void> {
    if (this.#isUnsettled) await this.markReady()
    this.#isUnsettled = false
  }

  /** Lets nobody find a chunk whose removal is decided: a put that comes meanwhile must not rely on it. */
  hide(id: ChunkId): void {
    this.#hidden.add(id)
  }

  /** Ends `hide`. */
  show(id: ChunkId): void {
    this.#hidden.delete(id)
  }

  /** All chunks, in the order of their ids. */
  async *chunks(): AsyncIterable<readonly [ChunkId, ChunkRecord]> {
    for await (const [key, value] of this.#map.iterate(tableRange(TABLE.chunk)))
      yield [idOfKey(key), decodeChunkRecord(value)]
  }

  /** The chunks that have lost their last reference; with `unfinished` also those that never had one. */
  async *free(unfinished: boolean): AsyncGenerator<ChunkId, void, undefined> {
    const tables = unfinished ? [TABLE.released, TABLE.unused] : [TABLE.released]
    for (const table of tables)
      for await (const [key] of this.#map.iterate(tableRange(table))) yield idOfKey(key)
  }

  /** Closes the database; nothing may be asked afterwards. */
  async close(): Promise<void> {
    await this.#map.close()
  }
}
