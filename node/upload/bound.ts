/** How much may be staged, and who waits for room (spec/upload.md §4); knows no store and no peer. */

/** What bounds a session. */
export interface BoundFacts {
  /** Most bytes that may be staged. */
  readonly bytesMax: number
  /** Bytes that the disk can take still, less what is to be left alone: asked whenever room is wanted. */
  readonly diskBytes: () => number
  /** Bytes of chunks that were dropped and still lie in packs that are not empty. */
  readonly deadBytes: () => number
}

interface Waiting {
  readonly bytes: number
  readonly grant: () => void
  readonly fail: (error: unknown) => void
}

/** Counts bytes that are staged, and those that are set aside for what is about to be. */
export class Bound {
  readonly #facts: BoundFacts
  readonly #waiting: Waiting[] = []
  #staged = 0
  #reserved = 0
  #failure: { readonly error: unknown } | undefined

  constructor(facts: BoundFacts) {
    this.#facts = facts
  }

  /** Bytes staged and not yet dropped. */
  get stagedBytes(): number {
    return this.#staged
  }

  /** Somebody waits for room. */
  get isWanted(): boolean {
    return this.#waiting.length > 0
  }

  /** More than half of what may be staged is, or set aside: others should begin to take it. */
  get isHigh(): boolean {
    return this.isWanted || this.#staged + this.#reserved > this.#facts.bytesMax / 2
  }

  /** Adds to what is staged, or takes off it. */
  add(bytes: number): void {
    this.#staged = Math.max(0, this.#staged + bytes)
    if (bytes < 0) this.look()
  }

  /** Sets room aside, in the order of asking. @returns gives it back; idempotent */
  async reserve(bytes: number): Promise<() => void> {
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#waiting.length > 0 || !this.#hasRoom(bytes))
      await new Promise<void>((grant, fail) => this.#waiting.push({ bytes, grant, fail }))
    else this.#reserved += bytes
    let isReserved = true
    return () => {
      if (!isReserved) return
      isReserved = false
      this.#reserved -= bytes
      this.look()
    }
  }

  /** Lets those go on for whom there is room by now. */
  look(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (!this.#hasRoom(next.bytes)) return
      this.#waiting.shift()
      this.#reserved += next.bytes
      next.grant()
    }
  }

  /** With nothing staged and nothing set aside one may always go on: a bound must not stop what nobody could help. */
  #hasRoom(bytes: number): boolean {
    if (this.#staged + this.#reserved === 0) return true
    const used = this.#staged + this.#reserved + this.#facts.deadBytes()
    return used + bytes <= this.#facts.bytesMax && this.#reserved + bytes <= this.#facts.diskBytes()
  }

  /** Nobody gets room any more. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    for (const { fail } of this.#waiting.splice(0)) fail(error)
  }
}

const MiB = 1024 * 1024

/** Of what there is room for, so much stays free for trees, index and catalog, bytes at most and at least. */
const keptFreeMax = 64 * MiB
const keptFreeMin = 8 * MiB
/** Packs are as long as without a bound, but for a small one. */
const packBytesMax = 64 * MiB
const packBytesMin = MiB
/** A thread has one pack that it fills and one that is on its way to the disk. */
const packsPerThread = 2

/** What is left alone of the room of a disk, bytes. */
export function keptFree(roomBytes: number): number {
  return Math.max(keptFreeMin, Math.min(keptFreeMax, roomBytes / 4))
}

/** The longest pack lent, so that those of all threads take half of what may be staged at most. */
export function packBytesFor(bytesMax: number, threads: number): number {
  const bytes = Math.floor(bytesMax / (2 * packsPerThread * threads))
  return Math.max(packBytesMin, Math.min(packBytesMax, bytes))
}
