/** The twin of the real store: plain maps, the same contract. For tests and simulations; loans use a temporary file. */
import { CellarError, chunkHeader, verifyChunk, type ChunkId, type RootId } from '../protocol/index.ts'
import type {
  ChunkPlace,
  ChunkStore,
  Freed,
  FreedOptions,
  LendOptions,
  LoanRecord,
  PackLoan,
  Problem,
  PutOptions,
  ReclaimOptions,
  ReclaimResult,
  ScrubbedPack,
  ScrubOptions,
  StoreStats,
  UnusedChunk,
  VerifyOptions,
} from './chunk-store.ts'
import type { Kept } from './memory-chunk.ts'
import { MemoryLoans } from './memory-loans.ts'
import { recordHeaderBytes } from './pack/format.ts'

/** What the twin is told. */
export interface MemoryStoreOptions {
  /** Bytes of chunks with their headers that it takes; `QUOTA_EXCEEDED` beyond. */
  readonly quotaBytes?: number
  /** Chunks whose bytes count as damaged, until they are quarantined. */
  readonly damaged?: Set<ChunkId>
}

class MemoryStore implements ChunkStore {
  readonly #chunks = new Map<ChunkId, Kept>()
  readonly #holds = new Set<RootId>()
  readonly #options: MemoryStoreOptions
  readonly #loans = new MemoryLoans()
  #bytes = 0
  #isClosed = false

  constructor(options: MemoryStoreOptions) {
    this.#options = options
  }

  #open(): void {
    if (this.#isClosed) throw new CellarError('STORE_CLOSED', 'the store is closed')
  }

  #good(id: ChunkId): Kept | undefined {
    this.#open()
    const kept = this.#chunks.get(id)
    return kept?.isBad === true ? undefined : kept
  }

  has(id: ChunkId): boolean {
    return this.#good(id) !== undefined
  }

  missing(ids: readonly ChunkId[]): ChunkId[] {
    return [...new Set(ids)].filter((id) => !this.has(id))
  }

  isComplete(id: ChunkId): boolean {
    return this.#good(id)?.isComplete === true && this.#isSound(id)
  }

  /** Nothing bad is below a complete chunk. */
  #isSound(id: ChunkId): boolean {
    if (this.quarantined().length === 0) return true
    const seen = new Set<ChunkId>([id])
    for (const at of seen) {
      const kept = this.#good(at)
      if (kept === undefined) return false
      for (const link of kept.links) seen.add(link)
    }
    return true
  }

  get(id: ChunkId): Uint8Array {
    return this.read(id)
  }

  read(id: ChunkId): Uint8Array {
    this.#open()
    const kept = this.#chunks.get(id)
    if (kept === undefined)
      throw new CellarError('CHUNK_NOT_FOUND', `chunk ${id} is not in the store`, { id })
    if (kept.isBad) throw new CellarError('CHUNK_CORRUPT', `chunk ${id} is quarantined`, { id })
    return Uint8Array.from(kept.bytes)
  }

  locate(ids: readonly ChunkId[]): (ChunkPlace | undefined)[] {
    this.#open()
    return ids.map(() => undefined)
  }

  links(id: ChunkId): ChunkId[] {
    return chunkHeader(this.read(id)).links
  }

  async put(id: ChunkId, bytes: Uint8Array, options: PutOptions = {}): Promise<boolean> {
    await Promise.resolve()
    if (this.has(id)) return false
    verifyChunk(id, bytes)
    this.#accept(id, Uint8Array.from(bytes), chunkHeader(bytes).links, options.completes === false)
    return true
  }

  #accept(id: ChunkId, bytes: Uint8Array, links: readonly ChunkId[], isLoose = false): void {
    const before = this.#chunks.get(id)
    if (before !== undefined) {
      before.isBad = false
      before.wasNeeded = this.#needed().has(id)
      return
    }
    const cost = bytes.byteLength + recordHeaderBytes
    if (this.#bytes + cost > (this.#options.quotaBytes ?? Infinity))
      throw new CellarError('QUOTA_EXCEEDED', 'the quota of the store is used up')
    this.#bytes += cost
    const marks = { isDurable: false, isComplete: false, isBad: false, isLoose, wasNeeded: false }
    this.#chunks.set(id, { bytes, links, ...marks })
  }

  /** What complete chunks and holds refer to. */
  #needed(
    holds: ReadonlySet<ChunkId> = this.#holds,
    without: ReadonlySet<ChunkId> = new Set(),
  ): Set<ChunkId> {
    const needed = new Set(holds)
    for (const [id, kept] of this.#chunks)
      if (kept.isComplete && !without.has(id)) for (const link of kept.links) needed.add(link)
    return needed
  }

  #noteNeeded(): void {
    for (const id of this.#needed()) {
      const kept = this.#chunks.get(id)
      if (kept !== undefined) kept.wasNeeded = true
    }
  }

  async commit(): Promise<void> {
    await Promise.resolve()
    this.#open()
    for (const kept of this.#chunks.values()) {
      if (kept.isDurable) continue
      kept.isDurable = true
      if (!kept.isLoose) kept.isComplete = kept.links.every((link) => this.#chunks.get(link)?.isComplete)
    }
    this.#noteNeeded()
  }

  lend(options: LendOptions = {}): PackLoan {
    this.#open()
    if (this.#bytes >= (this.#options.quotaBytes ?? Infinity))
      throw new CellarError('QUOTA_EXCEEDED', 'the quota of the store is used up')
    return this.#loans.lend(options)
  }

  adopt(loan: PackLoan, records: readonly LoanRecord[]): void {
    this.#open()
    for (const [{ id, links }, bytes] of this.#loans.read(loan, records)) {
      if (this.has(id)) continue
      verifyChunk(id, bytes)
      this.#accept(id, bytes, links)
    }
  }

  giveBack(loan: PackLoan): void {
    this.#loans.giveBack(loan)
  }

  async hold(root: RootId): Promise<void> {
    await this.commit()
    if (this.#holds.has(root)) return
    const lacking = [...this.missingBelow(root)]
    const [first] = lacking
    if (first !== undefined) {
      const context = { root, missing: lacking.length, first }
      throw new CellarError('CLOSURE_INCOMPLETE', `chunks below ${root} are not here`, context)
    }
    for (const id of this.#closure(root)) {
      const kept = this.#chunks.get(id)
      if (kept !== undefined) kept.isComplete = true
    }
    this.#holds.add(root)
    this.#noteNeeded()
  }

  #closure(root: ChunkId): Set<ChunkId> {
    const seen = new Set<ChunkId>([root])
    for (const id of seen) for (const link of this.#chunks.get(id)?.links ?? []) seen.add(link)
    return seen
  }

  async release(...roots: readonly RootId[]): Promise<void> {
    await Promise.resolve()
    this.#open()
    for (const root of roots) this.#holds.delete(root)
  }

  holds(): RootId[] {
    this.#open()
    return [...this.#holds].sort()
  }

  isHeld(root: RootId): boolean {
    this.#open()
    return this.#holds.has(root)
  }

  missingBelow(root: RootId): Iterable<ChunkId> {
    this.#open()
    return [...this.#closure(root)].filter((id) => !this.has(id))
  }

  async *unused(): AsyncIterable<UnusedChunk> {
    await Promise.resolve()
    this.#open()
    const needed = this.#needed()
    for (const [id, kept] of [...this.#chunks]) {
      const isUnused = kept.isDurable && !kept.isBad && kept.links.length === 0 && !needed.has(id)
      if (isUnused) yield { id, length: kept.bytes.byteLength }
    }
  }

  async loosen(): Promise<void> {
    await this.commit()
    const before = this.#needed()
    for (let isMore = true; isMore; ) {
      const needed = this.#needed()
      const free = [...this.#chunks].filter(
        ([id, { isBad, links }]) => !isBad && links.length > 0 && !needed.has(id),
      )
      const loosened = free.filter(([, { isComplete }]) => isComplete)
      for (const [, kept] of loosened) kept.isComplete = false
      isMore = loosened.length > 0
    }
    const after = this.#needed()
    for (const [id, kept] of this.#chunks) if (before.has(id) && !after.has(id)) kept.wasNeeded = false
  }

  async drop(ids: readonly ChunkId[]): Promise<ReclaimResult> {
    await this.commit()
    const asked = new Set(ids)
    const gone = new Set<ChunkId>()
    for await (const { id } of this.unused()) if (asked.has(id)) gone.add(id)
    const bytes = this.#bytesOf(gone)
    for (const id of gone) this.#chunks.delete(id)
    this.#bytes -= bytes
    return { chunks: gone.size, bytes, freedBytes: bytes }
  }

  async reclaim(options: ReclaimOptions): Promise<ReclaimResult> {
    await this.commit()
    const going = this.#going(new Set(this.#holds), (id, kept) => {
      return (kept.wasNeeded || options.unfinished === true) && options.mayReclaim(id)
    })
    const gone = this.#leaveAlone(going, options.staysAlone)
    const bytes = this.#bytesOf(gone)
    for (const id of gone) this.#chunks.delete(id)
    this.#bytes -= bytes
    options.onProgress?.({ step: 'removing', chunks: gone.size, bytes, freedBytes: bytes })
    return { chunks: gone.size, bytes, freedBytes: bytes }
  }

  async freedBy(roots: readonly RootId[], options: FreedOptions = {}): Promise<Freed> {
    await Promise.resolve()
    this.#open()
    const { limit = Infinity, unfinished, mayReclaim } = options
    const before = this.#needed()
    const released = new Set(roots)
    const holds = new Set([...this.#holds].filter((root) => !released.has(root)))
    const gone = this.#going(holds, (id, kept) => {
      const isNew = before.has(id) || released.has(id)
      if (mayReclaim === undefined) return isNew
      return (isNew || ((kept.wasNeeded || unfinished === true) && kept.isDurable)) && mayReclaim(id)
    })
    const counted = new Set([...gone].filter((id) => options.staysAlone?.(id) !== true).slice(0, limit))
    return { chunks: counted.size, bytes: this.#bytesOf(counted), isWhole: gone.size <= limit }
  }

  /** What would go with these holds: what nothing refers to and may go, and then what is free without it. */
  #going(holds: ReadonlySet<ChunkId>, mayGo: (id: ChunkId, kept: Kept) => boolean): Set<ChunkId> {
    const asked = new Set<ChunkId>()
    const gone = new Set<ChunkId>()
    for (;;) {
      const needed = this.#needed(holds, gone)
      const free = [...this.#chunks].filter(([id]) => !needed.has(id) && !asked.has(id))
      if (free.length === 0) return gone
      for (const [id, kept] of free) {
        asked.add(id)
        const isUnknown = kept.isBad && kept.isComplete && kept.links.length > 0
        if (mayGo(id, kept) && !isUnknown) gone.add(id)
      }
    }
  }

  /** Of what goes, some stays without what is below it. @returns what goes wholly */
  #leaveAlone(going: ReadonlySet<ChunkId>, staysAlone = (_: ChunkId) => false): Set<ChunkId> {
    const gone = new Set<ChunkId>()
    for (const id of going) {
      const kept = this.#chunks.get(id)
      if (kept === undefined || !staysAlone(id)) gone.add(id)
      else Object.assign(kept, { isComplete: false, wasNeeded: false })
    }
    return gone
  }

  #bytesOf(ids: ReadonlySet<ChunkId>): number {
    let bytes = 0
    for (const id of ids) bytes += (this.#chunks.get(id)?.bytes.byteLength ?? 0) + recordHeaderBytes
    return bytes
  }

  async compact(): Promise<number> {
    await Promise.resolve()
    this.#open()
    return 0
  }

  roomBytes(): number {
    this.#open()
    return (this.#options.quotaBytes ?? Infinity) - this.#bytes
  }

  stats(): StoreStats {
    this.#open()
    const durable = [...this.#chunks.values()].filter((kept) => kept.isDurable)
    const bytes = durable.reduce((sum, kept) => sum + kept.bytes.byteLength + recordHeaderBytes, 0)
    return {
      chunks: durable.length,
      bytes,
      packs: 0,
      packBytes: bytes,
      deadBytes: 0,
      pending: this.#chunks.size - durable.length,
      holds: this.#holds.size,
      quarantined: this.quarantined().length,
      readOnly: false,
      rebuilt: false,
    }
  }

  async *verify({ signal }: VerifyOptions): AsyncIterable<Problem> {
    await Promise.resolve()
    this.#open()
    signal.throwIfAborted()
    for (const id of this.quarantined())
      yield { kind: 'chunk-corrupt', id, message: `chunk ${id} is quarantined` }
  }

  /** All of it is one pack, and nothing of it rots. */
  async *scrub({ after, signal, pace }: ScrubOptions): AsyncIterable<ScrubbedPack> {
    await this.commit()
    signal.throwIfAborted()
    const { chunks, bytes } = this.stats()
    if (after >= 1 || chunks === 0) return
    await pace?.(bytes)
    yield { pack: 1, isLast: true, chunks, bytes, problems: [] }
  }

  async quarantine(id: ChunkId): Promise<void> {
    await this.commit()
    const kept = this.#chunks.get(id)
    if (kept !== undefined) kept.isBad = true
  }

  async quarantineIfBad(id: ChunkId): Promise<boolean> {
    if (this.#options.damaged?.delete(id) === true) await this.quarantine(id)
    return this.#chunks.get(id)?.isBad === true
  }

  quarantined(): ChunkId[] {
    this.#open()
    return [...this.#chunks]
      .filter(([, kept]) => kept.isBad)
      .map(([id]) => id)
      .sort()
  }

  async rebuildIndex(): Promise<void> {
    await this.commit()
  }

  async close(): Promise<void> {
    await Promise.resolve()
    this.#isClosed = true
    this.#loans.close()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** An empty store in memory. */
export function memoryStore(options: MemoryStoreOptions = {}): ChunkStore {
  return new MemoryStore(options)
}
