/** Changes to the index, thought out in memory and then written in one batch. */
import type { ChunkId, RootId } from '../../protocol/index.ts'
import type { KeyValueChange } from '../key-value.ts'
import { recordHeaderBytes } from '../pack/format.ts'
import {
  encodeChunkRecord,
  encodePackRecord,
  idKey,
  packKey,
  TABLE,
  type ChunkRecord,
  type PackRecord,
} from './record.ts'

/** The index that a draft changes, as far as it needs it. */
export interface DraftedIndex {
  readonly packs: Map<number, PackRecord>
  readonly holds: Set<RootId>
  readonly bad: Set<ChunkId>
  badGeneration: number
  /** The record of a chunk as the index has it now, undefined when it has none or it is hidden. */
  get(id: ChunkId): ChunkRecord | undefined
  /** Writes one batch; with `durable` it is on the disk when this resolves. */
  apply(changes: readonly KeyValueChange[], durable: boolean): Promise<void>
  /** Makes a chunk that is being removed unfindable at once, before the batch is durable. */
  hide(id: ChunkId): void
  /** Ends {@link hide}: the removal is durable, or did not happen. */
  show(id: ChunkId): void
}

const EMPTY_PACK: PackRecord = { end: 0, liveBytes: 0, liveCount: 0, state: 'open' }
const PRESENT = new Uint8Array(0)

/** A set of changes. It keeps the lists of free and bad chunks and the live bytes of packs in step by itself. */
export class IndexDraft {
  readonly #index: DraftedIndex
  readonly #before = new Map<ChunkId, ChunkRecord | undefined>()
  readonly #after = new Map<ChunkId, ChunkRecord | undefined>()
  readonly #packs = new Map<number, PackRecord | undefined>()
  readonly #holds = new Map<RootId, boolean>()

  constructor(index: DraftedIndex) {
    this.#index = index
  }

  /** Chunks touched. */
  get size(): number {
    return this.#after.size
  }

  /** The record as it will be. */
  get(id: ChunkId): ChunkRecord | undefined {
    return this.#after.has(id) ? this.#after.get(id) : this.#index.get(id)
  }

  /** Sets a record; undefined removes it, and from now on nobody finds it but through this draft. */
  set(id: ChunkId, record: ChunkRecord | undefined): void {
    const before = this.#touch(id)
    if (before?.pack !== record?.pack || before?.length !== record?.length) {
      this.#count(before, -1)
      this.#count(record, 1)
    }
    if (record === undefined) this.#index.hide(id)
    this.#after.set(id, record)
  }

  /** The record as it will be; what it was is remembered, for it is about to change. */
  #touch(id: ChunkId): ChunkRecord | undefined {
    if (this.#after.has(id)) return this.#after.get(id)
    if (!this.#before.has(id)) this.#before.set(id, this.#index.get(id))
    return this.#before.get(id)
  }

  /** Adds to the references of a chunk that is there. @returns how many it has then */
  refer(id: ChunkId, by: 1 | -1): number {
    const record = this.#touch(id)
    if (record === undefined) return -1
    const refs = Math.max(0, record.refs + by)
    this.set(id, { ...record, refs, isReleased: refs === 0 })
    return refs
  }

  #count(record: ChunkRecord | undefined, by: 1 | -1): void {
    if (record === undefined || record.pack === 0) return
    const pack = this.pack(record.pack)
    this.setPack(record.pack, {
      ...pack,
      liveBytes: pack.liveBytes + by * (record.length + recordHeaderBytes),
      liveCount: pack.liveCount + by,
    })
  }

  /** The record of a pack as it will be. */
  pack(pack: number): PackRecord {
    return (this.#packs.has(pack) ? this.#packs.get(pack) : this.#index.packs.get(pack)) ?? EMPTY_PACK
  }

  /** Sets the record of a pack; undefined removes it. */
  setPack(pack: number, record: PackRecord | undefined): void {
    this.#packs.set(pack, record)
  }

  /** Says that a pack is indexed at least up to `end`; it is open from then on. */
  extendPack(pack: number, end: number): void {
    const record = this.pack(pack)
    this.setPack(pack, { ...record, end: Math.max(record.end, end), state: 'open' })
  }

  /** Sets or takes away the mark of a held root. */
  setHold(root: RootId, isHeld: boolean): void {
    this.#holds.set(root, isHeld)
  }

  /**
   * Writes all changes, or none, and empties the draft. What the index keeps in memory follows once they are written.
   *
   * @throws {CellarError} `STORE_FULL`; the draft is then as it was
   */
  async write(durable: boolean): Promise<void> {
    const changes: KeyValueChange[] = []
    for (const [id, after] of this.#after) this.#chunkChanges(changes, id, after)
    for (const [pack, record] of this.#packs) {
      const key = packKey(pack)
      changes.push(
        record === undefined ? { type: 'del', key } : { type: 'put', key, value: encodePackRecord(record) },
      )
    }
    for (const [root, isHeld] of this.#holds) {
      const key = idKey(TABLE.hold, root)
      changes.push(isHeld ? { type: 'put', key, value: PRESENT } : { type: 'del', key })
    }
    if (changes.length > 0) await this.#index.apply(changes, durable)
    this.#remember()
    this.discard()
  }

  /** Forgets all changes. */
  discard(): void {
    for (const [id, after] of this.#after) if (after === undefined) this.#index.show(id)
    for (const map of [this.#before, this.#after, this.#packs, this.#holds]) map.clear()
  }

  #chunkChanges(changes: KeyValueChange[], id: ChunkId, after: ChunkRecord | undefined): void {
    const before = this.#before.get(id)
    const key = idKey(TABLE.chunk, id)
    if (after !== undefined) changes.push({ type: 'put', key, value: encodeChunkRecord(after) })
    else if (before !== undefined) changes.push({ type: 'del', key })
    mark(changes, TABLE.unused, id, { before: isUnused(before), after: isUnused(after) })
    mark(changes, TABLE.released, id, { before: isReleased(before), after: isReleased(after) })
    mark(changes, TABLE.bad, id, { before: before?.isBad === true, after: after?.isBad === true })
  }

  #remember(): void {
    for (const [pack, record] of this.#packs) {
      if (record === undefined) this.#index.packs.delete(pack)
      else this.#index.packs.set(pack, record)
    }
    for (const [root, isHeld] of this.#holds) {
      if (isHeld) this.#index.holds.add(root)
      else this.#index.holds.delete(root)
    }
    for (const [id, after] of this.#after) {
      const wasBad = this.#index.bad.has(id)
      const isBad = after?.isBad === true
      if (wasBad === isBad) continue
      this.#index.badGeneration++
      if (isBad) this.#index.bad.add(id)
      else this.#index.bad.delete(id)
    }
  }
}

const isUnused = (record: ChunkRecord | undefined): boolean => record?.refs === 0 && !record.isReleased
const isReleased = (record: ChunkRecord | undefined): boolean => record?.refs === 0 && record.isReleased

/** Keeps a mark in a table in step with what it says. */
function mark(
  changes: KeyValueChange[],
  table: number,
  id: ChunkId,
  is: { readonly before: boolean; readonly after: boolean },
): void {
  if (is.after === is.before) return
  const key = idKey(table, id)
  changes.push(is.after ? { type: 'put', key, value: PRESENT } : { type: 'del', key })
}
