/** The twin of the real store: plain maps, the same contract. For tests and simulations; loans use a temporary file. */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CellarError, chunkHeader, verifyChunk, type ChunkId, type RootId } from '../protocol/index.ts'
import type {
  ChunkPlace,
  ChunkStore,
  LoanRecord,
  PackLoan,
  Problem,
  ReclaimOptions,
  ReclaimResult,
  StoreStats,
  VerifyOptions,
} from './chunk-store.ts'
import {
  encodePackHeader,
  packBytesMax,
  packHeaderBytes,
  packName,
  recordHeaderBytes,
} from './pack/format.ts'

interface Kept {
  readonly bytes: Uint8Array
  readonly links: readonly ChunkId[]
  isDurable: boolean
  isComplete: boolean
  isBad: boolean
}

/** What the twin is told. */
export interface MemoryStoreOptions {
  /** Bytes of chunks with their headers that it takes; `QUOTA_EXCEEDED` beyond. */
  readonly quotaBytes?: number
}

class MemoryStore implements ChunkStore {
  readonly #chunks = new Map<ChunkId, Kept>()
  readonly #holds = new Set<RootId>()
  readonly #quotaBytes: number
  readonly #loans = new Map<number, number>()
  #directory: string | undefined
  #lastPack = 0
  #bytes = 0
  #isClosed = false

  constructor(options: MemoryStoreOptions) {
    this.#quotaBytes = options.quotaBytes ?? Infinity
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

  async put(id: ChunkId, bytes: Uint8Array): Promise<boolean> {
    await Promise.resolve()
    if (this.has(id)) return false
    verifyChunk(id, bytes)
    this.#accept(id, Uint8Array.from(bytes), chunkHeader(bytes).links)
    return true
  }

  #accept(id: ChunkId, bytes: Uint8Array, links: readonly ChunkId[]): void {
    const before = this.#chunks.get(id)
    if (before !== undefined) {
      before.isBad = false
      return
    }
    const cost = bytes.byteLength + recordHeaderBytes
    if (this.#bytes + cost > this.#quotaBytes)
      throw new CellarError('QUOTA_EXCEEDED', 'the quota of the store is used up')
    this.#bytes += cost
    this.#chunks.set(id, { bytes, links, isDurable: false, isComplete: false, isBad: false })
  }

  async commit(): Promise<void> {
    await Promise.resolve()
    this.#open()
    for (const kept of this.#chunks.values()) {
      if (kept.isDurable) continue
      kept.isDurable = true
      kept.isComplete = kept.links.every((link) => this.#chunks.get(link)?.isComplete)
    }
  }

  lend(): PackLoan {
    this.#open()
    if (this.#bytes >= this.#quotaBytes)
      throw new CellarError('QUOTA_EXCEEDED', 'the quota of the store is used up')
    this.#directory ??= mkdtempSync(join(tmpdir(), 'rootcellar-lent-'))
    const pack = ++this.#lastPack
    const path = join(this.#directory, packName(pack))
    writeFileSync(path, encodePackHeader(pack))
    this.#loans.set(pack, packHeaderBytes)
    return { path, pack, offset: packHeaderBytes, bytesMax: packBytesMax, headroomBytes: 0 }
  }

  adopt(loan: PackLoan, records: readonly LoanRecord[]): void {
    this.#open()
    const fd = openSync(loan.path, 'r')
    try {
      for (const { id, offset, length, links } of records) {
        if (this.has(id)) continue
        const bytes = new Uint8Array(length)
        readSync(fd, bytes, 0, length, offset)
        verifyChunk(id, bytes)
        this.#accept(id, bytes, links)
      }
    } finally {
      closeSync(fd)
    }
  }

  giveBack(loan: PackLoan): void {
    if (!this.#loans.delete(loan.pack)) return
    truncateSync(loan.path, 0)
    rmSync(loan.path, { force: true })
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
  }

  #closure(root: ChunkId): Set<ChunkId> {
    const seen = new Set<ChunkId>([root])
    for (const id of seen) for (const link of this.#chunks.get(id)?.links ?? []) seen.add(link)
    return seen
  }

  async release(root: RootId): Promise<void> {
    await Promise.resolve()
    this.#open()
    this.#holds.delete(root)
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

  async reclaim({ mayReclaim }: ReclaimOptions): Promise<ReclaimResult> {
    await this.commit()
    const asked = new Set<ChunkId>()
    let chunks = 0
    let bytes = 0
    for (;;) {
      const needed = new Set<ChunkId>(this.#holds)
      for (const kept of this.#chunks.values())
        if (kept.isComplete) for (const link of kept.links) needed.add(link)
      const free = [...this.#chunks.keys()].filter((id) => !needed.has(id) && !asked.has(id))
      if (free.length === 0) break
      for (const id of free) {
        asked.add(id)
        if (!mayReclaim(id)) continue
        chunks++
        bytes += (this.#chunks.get(id)?.bytes.byteLength ?? 0) + recordHeaderBytes
        this.#chunks.delete(id)
      }
    }
    this.#bytes -= bytes
    return { chunks, bytes, freedBytes: bytes }
  }

  async compact(): Promise<number> {
    await Promise.resolve()
    this.#open()
    return 0
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

  async quarantine(id: ChunkId): Promise<void> {
    await this.commit()
    const kept = this.#chunks.get(id)
    if (kept !== undefined) kept.isBad = true
  }

  quarantined(): ChunkId[] {
    this.#open()
    return [...this.#chunks]
      .filter(([, kept]) => kept.isBad)
      .map(([id]) => id)
      .sort()
  }

  async replace(id: ChunkId, bytes: Uint8Array): Promise<void> {
    verifyChunk(id, bytes)
    await this.quarantine(id)
    await this.put(id, bytes)
    await this.commit()
  }

  async rebuildIndex(): Promise<void> {
    await this.commit()
  }

  async close(): Promise<void> {
    await Promise.resolve()
    this.#isClosed = true
    if (this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}

/** An empty store in memory. */
export function memoryStore(options: MemoryStoreOptions = {}): ChunkStore {
  return new MemoryStore(options)
}
