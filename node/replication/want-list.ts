/**
 * Which chunks of some roots are still needed, and who has been asked for them (replication.md §2).
 * The pure twin of `fetcher.ts`: no network, no clock; it reads the store only by the questions in `Holdings`.
 */

import type { ChunkId } from '../../protocol/index.ts'

/** What the walk asks of the store. */
export interface Holdings {
  /** The chunk is here, its closure perhaps not. */
  has(id: ChunkId): boolean
  /** The chunk and all below it are here: the walk need not go down. */
  isComplete(id: ChunkId): boolean
  /** Links of a chunk that is here. */
  links(id: ChunkId): readonly ChunkId[]
}

/** So many chunks are looked for ahead of asking: enough for several peers, each of whom may owe some hundred. */
const aheadMin = 1024

/**
 * The chunks below a root that are not here, found from the root down, depth first, and only as far ahead as asking
 * needs: so that the list stays short however large the closure is. What is complete is skipped with all below it.
 */
export class WantList {
  readonly #holdings: Holdings
  /** Found missing, to be asked for; the last is next. */
  readonly #queue: ChunkId[] = []
  /** Here and incomplete, not looked into yet; the last is next. While there are some, the queue is not empty. */
  readonly #ahead: ChunkId[] = []
  /** In the queue or asked for: never asked for twice at one time. */
  readonly #open = new Set<ChunkId>()
  /** Chunks that are here but incomplete and have been come upon: trees only, as a leaf is complete at once. */
  readonly #walked = new Set<ChunkId>()
  /** Who said that a chunk is not there. */
  readonly #absentAt = new Map<ChunkId, Set<string>>()

  constructor(holdings: Holdings) {
    this.#holdings = holdings
  }

  /** True when nothing is queued and nothing is asked for. */
  get isDone(): boolean {
    return this.#open.size === 0
  }

  /** Chunks known to be missing: queued or asked for; there may be more below what was not looked into yet. */
  get openCount(): number {
    return this.#open.size
  }

  /** Adds chunks that are wanted with all below them. */
  add(ids: readonly ChunkId[]): void {
    this.#enter(ids)
    this.#lookAhead()
  }

  /** The first of them is the first to be asked for, or to be looked into. */
  #enter(ids: readonly ChunkId[]): void {
    for (let at = ids.length - 1; at >= 0; at--) {
      const id = ids[at] as ChunkId
      if (this.#open.has(id)) continue
      if (!this.#holdings.has(id)) {
        this.#open.add(id)
        this.#queue.push(id)
      } else if (!this.#walked.has(id) && !this.#holdings.isComplete(id)) {
        this.#walked.add(id)
        this.#ahead.push(id)
      }
    }
  }

  /** Looks into what is here until enough is known to be missing. */
  #lookAhead(): void {
    while (this.#queue.length < aheadMin) {
      const id = this.#ahead.pop()
      if (id === undefined) return
      this.#enter(this.#holdings.links(id))
    }
  }

  /**
   * Takes up to `count` chunks to ask `peer` for; those the peer said it lacks stay for others.
   *
   * @returns fresh; empty when there is nothing for this peer now
   */
  take(peer: string, count: number): ChunkId[] {
    const taken: ChunkId[] = []
    const passed: ChunkId[] = []
    while (taken.length < count) {
      const id = this.#queue.pop()
      if (id === undefined) {
        if (this.#ahead.length === 0) break
        this.#lookAhead()
        continue
      }
      if (this.#absentAt.get(id)?.has(peer) === true) passed.push(id)
      else taken.push(id)
    }
    while (passed.length > 0) this.#queue.push(passed.pop() as ChunkId)
    this.#lookAhead()
    return taken
  }

  /** A chunk has been stored: what it links to is wanted in turn. */
  arrived(id: ChunkId, links: readonly ChunkId[]): void {
    this.#open.delete(id)
    this.#absentAt.delete(id)
    if (links.length > 0 && !this.#walked.has(id)) {
      this.#walked.add(id)
      // Many trees may come before one of them is looked into: their links are read again when it is their turn.
      if (this.#queue.length < aheadMin) this.#enter(links)
      else this.#ahead.push(id)
    }
    this.#lookAhead()
  }

  /** Asked for in vain (the peer went away): back into the queue. */
  giveBack(ids: Iterable<ChunkId>): void {
    for (const id of ids) if (this.#open.has(id)) this.#queue.push(id)
  }

  /** The peer has not got a chunk: others are asked. */
  absent(peer: string, id: ChunkId): void {
    const at = this.#absentAt.get(id) ?? new Set()
    at.add(peer)
    this.#absentAt.set(id, at)
    this.giveBack([id])
  }

  /** The chunks that none of these peers has; empty while one of them may still have each. */
  lackingAt(peers: readonly string[]): ChunkId[] {
    return this.#queue.filter((id) => peers.every((peer) => this.#absentAt.get(id)?.has(peer) === true))
  }

  /** The chunks that are here, as far as they were looked into, and refer to one of these. */
  referringTo(ids: readonly ChunkId[]): ChunkId[] {
    const wanted = new Set(ids)
    return [...this.#walked].filter(
      (id) => this.#holdings.has(id) && this.#holdings.links(id).some((link) => wanted.has(link)),
    )
  }
}
