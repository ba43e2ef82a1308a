/** The chunks accepted and not yet committed. */
import type { ChunkId } from '../../protocol/index.ts'

/** A chunk in a pack that the index does not name yet. */
export interface StagedChunk {
  readonly pack: number
  readonly offset: number
  readonly length: number
  readonly links: readonly ChunkId[]
  /** A commit does not complete it: only `hold` does. */
  readonly isLoose?: boolean
}

/** Accepted chunks in two generations: those waiting, and those a commit is making durable. */
export class Staging {
  #waiting = new Map<ChunkId, StagedChunk>()
  #leaving = new Map<ChunkId, StagedChunk>()

  /** Chunks in both generations. */
  get size(): number {
    return this.#waiting.size + this.#leaving.size
  }

  /** Where a chunk of either generation lies, undefined when it is in neither. */
  get(id: ChunkId): StagedChunk | undefined {
    return this.#waiting.get(id) ?? this.#leaving.get(id)
  }

  /** Takes an accepted chunk in; it waits for the next commit. */
  add(id: ChunkId, chunk: StagedChunk): void {
    this.#waiting.set(id, chunk)
  }

  /** The packs in which they are. */
  packs(): Set<number> {
    const packs = new Set<number>()
    for (const map of [this.#waiting, this.#leaving]) for (const chunk of map.values()) packs.add(chunk.pack)
    return packs
  }

  /** Begins a commit: what waits now is handed out, oldest first; it stays findable. */
  take(): ReadonlyMap<ChunkId, StagedChunk> {
    this.#leaving = this.#waiting
    this.#waiting = new Map()
    return this.#leaving
  }

  /** Ends a commit that went well. */
  taken(): void {
    this.#leaving = new Map()
  }

  /** Ends a commit that failed before the index was written: all wait again, in their order. */
  putBack(): void {
    for (const [id, chunk] of this.#waiting) this.#leaving.set(id, chunk)
    this.#waiting = this.#leaving
    this.#leaving = new Map()
  }

  /** Forgets the chunks of a pack in both generations. */
  dropPack(pack: number): void {
    for (const map of [this.#waiting, this.#leaving]) {
      for (const [id, chunk] of map) if (chunk.pack === pack) map.delete(id)
    }
  }
}
