/** The real store: the contract over packs, index and staging. What each method promises stands in `chunk-store.ts`. */
import { CellarError, chunkHeader, verifyChunk, type ChunkId, type RootId } from '../protocol/index.ts'
import type {
  ChunkPlace,
  ChunkStore,
  CompactOptions,
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
import { missingBelow } from './store/closure.ts'
import { commitStaged } from './store/commit.ts'
import { compactPacks } from './store/compact.ts'
import { dropChunks, loosenUnused, unusedChunks } from './store/drop.ts'
import { freedBy } from './store/freed.ts'
import { holdRoot, releaseRoots } from './store/holds.ts'
import { findChunk, peekLinks, readChunk, type StoreParts } from './store/parts.ts'
import { isReadable, markBad } from './store/quarantine.ts'
import { rebuild } from './store/rebuild.ts'
import { removeFree } from './store/reclaim.ts'
import { scrubPacks } from './store/scrub.ts'
import { Soundness } from './store/soundness.ts'
import { verifyStore } from './store/verify.ts'

/** When so much waits for the disk, a put waits for a commit. */
const UNSYNCED_BYTES_MAX = 64 * 1024 * 1024
const STAGED_CHUNKS_MAX = 8_192

/** A store over its parts, which it owns. */
export class DiskStore implements ChunkStore {
  readonly #parts: StoreParts
  readonly #wasRebuilt: boolean
  #nextCommit: Promise<void> | undefined
  #closing: Promise<void> | undefined
  readonly #soundness: Soundness

  constructor(parts: StoreParts, wasRebuilt: boolean) {
    this.#parts = parts
    this.#wasRebuilt = wasRebuilt
    this.#soundness = new Soundness(parts)
  }

  get #reading(): StoreParts {
    if (this.#closing !== undefined) throw new CellarError('STORE_CLOSED', 'the store is closed')
    return this.#parts
  }

  get #writing(): StoreParts {
    const parts = this.#reading
    if (parts.isReadOnly)
      throw new CellarError('STORE_FULL', 'the disk was full when the store was opened: it is only read')
    return parts
  }

  has(id: ChunkId): boolean {
    return findChunk(this.#reading, id) !== undefined
  }

  missing(ids: readonly ChunkId[]): ChunkId[] {
    const parts = this.#reading
    return [...new Set(ids)].filter((id) => findChunk(parts, id) === undefined)
  }

  isComplete(id: ChunkId): boolean {
    const { index } = this.#reading
    const record = index.get(id)
    if (record?.isComplete !== true || record.isBad) return false
    return index.bad.size === 0 || record.linkCount === 0 || this.#soundness.isSound(id)
  }

  get(id: ChunkId): Uint8Array {
    return readChunk(this.#reading, id, true)
  }

  read(id: ChunkId): Uint8Array {
    return readChunk(this.#reading, id, false)
  }

  locate(ids: readonly ChunkId[]): (ChunkPlace | undefined)[] {
    const parts = this.#reading
    return ids.map((id) => {
      const found = findChunk(parts, id)
      if (found === undefined) return undefined
      return {
        path: parts.packs.path(found.pack),
        pack: found.pack,
        offset: found.offset,
        length: found.length,
      }
    })
  }

  links(id: ChunkId): ChunkId[] {
    return [...peekLinks(this.#reading, id)]
  }

  async put(id: ChunkId, bytes: Uint8Array, options: PutOptions = {}): Promise<boolean> {
    const parts = this.#writing
    if (findChunk(parts, id) !== undefined) return false
    verifyChunk(id, bytes)
    const { links } = chunkHeader(bytes)
    const place = parts.packs.append(id, bytes)
    const isLoose = options.completes === false
    parts.staging.add(id, { ...place, length: bytes.byteLength, links, ...(isLoose && { isLoose }) })
    await this.#relieve()
    return true
  }

  async #relieve(): Promise<void> {
    const { packs, staging } = this.#parts
    if (packs.unsyncedBytes > UNSYNCED_BYTES_MAX || staging.size > STAGED_CHUNKS_MAX) await this.commit()
  }

  async commit(): Promise<void> {
    if (this.#reading.isReadOnly) return
    this.#nextCommit ??= this.#parts.turnstile.run(async () => {
      this.#nextCommit = undefined // who asks from now on has chunks that this one may not take
      await commitStaged(this.#parts)
    })
    await this.#nextCommit
  }

  lend(options: LendOptions = {}): PackLoan {
    return this.#writing.packs.lend(options.bytesMax)
  }

  adopt(loan: PackLoan, records: readonly LoanRecord[]): void {
    const { packs, staging } = this.#writing
    if (packs.use(loan.pack) !== 'lent') {
      throw new CellarError('STORE_FULL', `pack ${String(loan.pack)} could not be made durable`, {
        pack: loan.pack,
      })
    }
    for (const { id, offset, length, links } of records) {
      packs.noteLent(loan.pack, offset + length)
      if (findChunk(this.#parts, id) === undefined)
        staging.add(id, { pack: loan.pack, offset, length, links })
    }
  }

  giveBack(loan: PackLoan): void {
    this.#reading.packs.giveBack(loan.pack)
  }

  async hold(root: RootId): Promise<void> {
    const parts = this.#writing
    await parts.turnstile.run(() => holdRoot(parts, root))
  }

  async release(...roots: readonly RootId[]): Promise<void> {
    const parts = this.#writing
    await parts.turnstile.run(() => releaseRoots(parts, roots))
  }

  holds(): RootId[] {
    return [...this.#reading.index.holds].sort()
  }

  isHeld(root: RootId): boolean {
    return this.#reading.index.holds.has(root)
  }

  missingBelow(root: RootId): Iterable<ChunkId> {
    return missingBelow(this.#reading, root)
  }

  unused(): AsyncIterable<UnusedChunk> {
    return unusedChunks(this.#reading)
  }

  async loosen(): Promise<void> {
    await loosenUnused(this.#writing)
  }

  async drop(ids: readonly ChunkId[]): Promise<ReclaimResult> {
    return await dropChunks(this.#writing, ids)
  }

  async reclaim(options: ReclaimOptions): Promise<ReclaimResult> {
    const parts = this.#writing
    const { compact = true, signal, onProgress } = options
    const removed = await removeFree(parts, options, (soFar) => {
      onProgress?.({ step: 'removing', ...soFar, freedBytes: 0 })
    })
    let freedBytes = 0
    if (compact !== false) {
      const how = { ...(compact === true ? {} : compact), ...(signal !== undefined && { signal }) }
      freedBytes = await compactPacks(parts, how, (soFar) => {
        onProgress?.({ step: 'compacting', ...removed, freedBytes: soFar })
      })
    }
    await parts.reserve.restore()
    return { ...removed, freedBytes }
  }

  async freedBy(roots: readonly RootId[], options: FreedOptions = {}): Promise<Freed> {
    return await freedBy(this.#reading, roots, options)
  }

  async compact(options: CompactOptions = {}): Promise<number> {
    const parts = this.#writing
    await this.commit()
    const freed = await compactPacks(parts, options, () => undefined)
    await parts.reserve.restore()
    return freed
  }

  /** Counts chunks, bytes and packs (see `ChunkStore.stats`). */
  roomBytes(): number {
    const { packs, isReadOnly } = this.#reading
    return isReadOnly ? 0 : packs.roomBytes
  }

  stats(): StoreStats {
    const { index, packs, staging, isReadOnly } = this.#reading
    let chunks = 0
    let bytes = 0
    let ends = 0
    for (const record of index.packs.values()) {
      chunks += record.liveCount
      bytes += record.liveBytes
      ends += record.end
    }
    return {
      chunks,
      bytes,
      packs: packs.numbers().length,
      packBytes: packs.bytes,
      deadBytes: Math.max(0, ends - bytes),
      pending: staging.size,
      holds: index.holds.size,
      quarantined: index.bad.size,
      readOnly: isReadOnly,
      rebuilt: this.#wasRebuilt,
    }
  }

  verify(options: VerifyOptions): AsyncIterable<Problem> {
    return verifyStore(this.#reading, options)
  }

  scrub(options: ScrubOptions): AsyncIterable<ScrubbedPack> {
    return scrubPacks(this.#reading, options)
  }

  async quarantine(id: ChunkId): Promise<void> {
    const parts = this.#writing
    await parts.turnstile.run(() => markBad(parts, id, () => true))
  }

  async quarantineIfBad(id: ChunkId): Promise<boolean> {
    const parts = this.#writing
    return await parts.turnstile.run(() => markBad(parts, id, (record) => !isReadable(parts, id, record)))
  }

  quarantined(): ChunkId[] {
    return [...this.#reading.index.bad].sort()
  }

  async rebuildIndex(): Promise<void> {
    const parts = this.#writing
    await parts.turnstile.run(async () => {
      await commitStaged(parts)
      await rebuild(parts, { readData: true })
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#parts.turnstile.run(() => this.#close())
    return this.#closing
  }

  async #close(): Promise<void> {
    try {
      if (!this.#parts.isReadOnly) await commitStaged(this.#parts)
    } finally {
      this.#parts.packs.close()
      await this.#parts.index.close()
    }
  }

  /** Closes, as `close` does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }
}
