/** What is under way on one stream of an upload, and whether what comes next may (wire.md §7); pure. */

import { CellarError, type ChunkId, depositsOpenMax } from '../../protocol/index.ts'

/** A deposit of which something is still to come. */
interface Open {
  readonly ids: readonly ChunkId[]
  lacking: readonly ChunkId[]
  /** How many of those have come, or are never to come. */
  next: number
  readonly withheld: Set<ChunkId>
}

/** The deposits of one stream, as the receiving side keeps account of them. Holds no chunk. */
export class Deposits {
  readonly #open = new Map<number, Open>()

  /** Deposits that are not durable yet. */
  get size(): number {
    return this.#open.size
  }

  /** Takes note of a deposit. @throws {CellarError} `PEER_PROTOCOL` (W7.2) */
  begin(request: number, ids: readonly ChunkId[]): void {
    if (this.#open.size >= depositsOpenMax) throw broken('too many deposits at once')
    this.#refuseUsed(request)
    this.#open.set(request, { ids, lacking: [], next: 0, withheld: new Set() })
  }

  /** Refuses a number that stands for something under way. @throws {CellarError} `PEER_PROTOCOL` (W7.2) */
  #refuseUsed(request: number): void {
    if (this.#open.has(request)) throw broken('one number for two requests')
  }

  /** Says what of a deposit is to be sent. */
  setLacking(request: number, lacking: readonly ChunkId[]): void {
    this.#of(request).lacking = lacking
  }

  /** The chunk that must come next for a deposit. @throws {CellarError} `PEER_PROTOCOL` (W7.2) when none must */
  expected(request: number): ChunkId {
    const { lacking, next } = this.#of(request)
    const id = lacking[next]
    if (id === undefined) throw broken('a chunk that is not lacking')
    return id
  }

  /** The next chunk of a deposit has come. */
  arrived(request: number): void {
    this.#of(request).next++
  }

  /** The owner cannot send these, which must be the next. @throws {CellarError} `PEER_PROTOCOL` (W7.2) */
  withheld(request: number, ids: readonly ChunkId[]): void {
    const open = this.#of(request)
    for (const id of ids) {
      if (this.expected(request) !== id) throw broken('a chunk out of turn')
      open.withheld.add(id)
      open.next++
    }
  }

  /** Nothing of a deposit lacks any more. */
  isWhole(request: number): boolean {
    const { lacking, next } = this.#of(request)
    return next >= lacking.length
  }

  /** What of a deposit is here now, but for what its owner could not send. */
  kept(request: number): readonly ChunkId[] {
    const { ids, withheld } = this.#of(request)
    return withheld.size === 0 ? ids : ids.filter((id) => !withheld.has(id))
  }

  /** A deposit is durable, or given up. */
  end(request: number): void {
    this.#open.delete(request)
  }

  #of(request: number): Open {
    const open = this.#open.get(request)
    if (open === undefined) throw broken('a number that stands for no deposit')
    return open
  }
}

function broken(what: string): CellarError {
  return new CellarError('PEER_PROTOCOL', `a peer broke the rules of an upload: ${what}`)
}
