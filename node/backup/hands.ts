/** Gets jobs done, by threads or here, and what is sealed into the store (node/spec/backup.md §6, §8). */

import type { ChunkId, Clock, PayloadKind } from '../../protocol/index.ts'
import type { Catalog, ChunkStore, PackLoan } from '../../storage/index.ts'
import { collectIfGrown } from '../adapters/memory.ts'
import type { Posix } from '../adapters/posix.ts'
import type { Vault } from '../vault.ts'
import { ContentTable } from './content-table.ts'
import { gearTable, loadGear, openCutter } from './gear.ts'
import { FACTS_WIDTH, type Job, type JobResult, type Sealed } from './jobs.ts'
import { Pool } from './pool.ts'
import { type Bench, type NewChunk, WINDOW_BYTES } from './bench.ts'
import type { Presence } from './presence.ts'
import { runJob } from './runner.ts'
import type { Staging } from './staging.ts'
import type { Tally } from './tally.ts'
import { usualThreads } from './threads.ts'

/** So little work is done without threads: starting them would take longer. */
const HERE_BYTES_MAX = 4 * 1024 * 1024
/** Jobs given out and not done; each is a few hundred paths at most. */
const JOBS_MAX = 48
/** Bytes of trees on their way into the store. */
const PUT_BYTES_MAX = 32 * 1024 * 1024
/** The longest chunk of content, with its head. */
const CHUNK_OVER_BYTES = 4.125 * 1024 * 1024
/** After so many bytes of content it is looked whether garbage has gathered in this thread. */
const COLLECT_BYTES = 64 * 1024 * 1024
/** So many bytes of new chunks are made durable together, so that a crash loses no more. */
const CHECKPOINT_BYTES = 1024 * 1024 * 1024
/** And after so long, milliseconds: on a slow disk, a machine that is often put off must get on too. */
const CHECKPOINT_MS = 60_000

/** What it works with. */
export interface HandsParts {
  readonly store: ChunkStore
  /** What need not be stored again. */
  readonly presence: Presence
  readonly vault: Vault
  readonly contentIndex: Catalog
  /** Bounds what is stored here. @defaultValue nothing does but the disk */
  readonly staging?: Staging
  readonly posix: Posix
  readonly tally: Tally
  readonly clock: Clock
  readonly dryRun: boolean
  /** Threads; by default as many as there are processors, at most 4. */
  readonly threads?: number
  /** Other programs go before them. */
  readonly isLow?: boolean
}

function bytesOf(job: Job): number {
  if (job.kind === 'file') return job.length
  let bytes = 0
  for (let at = 0; at < job.facts.length; at += FACTS_WIDTH) bytes += Number(job.facts[at])
  return bytes
}

/**
 * What reads and seals for one backup: worker threads for large work, this thread for small, and one table of
 * contents between them, so that no content is sealed twice.
 */
export class Hands {
  readonly #parts: HandsParts
  readonly #table: ContentTable
  readonly gear: Uint32Array
  #pool: Pool | undefined
  #bench: Bench | undefined
  /** Jobs done here, one after another. */
  #here: Promise<unknown> = Promise.resolve()
  #hereBytes = 0
  #jobs = 0
  #putBytes = 0
  #bytesSinceCheckpoint = 0
  #bytesSinceCollected = 0
  #checkpointMs: number
  #checkpoint: Promise<void> | undefined
  #waiters: (() => void)[] = []
  #failure: { readonly error: unknown } | undefined
  /** Rejects as soon as anything has failed. */
  readonly failed: Promise<never>
  readonly #reject: (error: unknown) => void
  /** Gives back the room set aside for each pack that is lent. */
  readonly #reserved = new Map<number, () => void>()
  /** Ids of what was made in this backup: told apart from what was there. */
  readonly #made = new Set<ChunkId>()

  constructor(parts: HandsParts) {
    this.#parts = parts
    this.#checkpointMs = parts.clock.monotonicMs()
    this.gear = gearTable(parts.vault.keys.gear)
    this.#table = new ContentTable(parts.contentIndex, (id) => parts.presence.has(id))
    let reject: (error: unknown) => void = () => undefined
    this.failed = new Promise<never>((_, no) => {
      reject = no
    })
    this.failed.catch(() => undefined)
    this.#reject = reject
  }

  /** Ends everything with an error; the first one counts. */
  readonly fail = (error: unknown): void => {
    if (this.#failure !== undefined) return
    this.#failure = { error }
    this.#table.fail(error)
    this.#reject(error)
    this.#wake()
  }

  #wake(): void {
    const waiters = this.#waiters
    this.#waiters = []
    for (const wake of waiters) wake()
  }

  /** Whether so much is going on that no more should be given out. */
  get isFull(): boolean {
    return this.#failure !== undefined || this.#jobs >= JOBS_MAX || this.#putBytes >= PUT_BYTES_MAX
  }

  /** Resolves when more may be given out. @throws what made the backup fail */
  async room(): Promise<void> {
    while (this.isFull && this.#failure === undefined)
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    this.#throwIfFailed()
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Does a job, in whichever thread. */
  readonly submit = async (job: Job): Promise<JobResult> => {
    this.#jobs++
    try {
      this.#hereBytes += bytesOf(job)
      if (this.#hereBytes > HERE_BYTES_MAX) return await this.#threads().submit(job)
      const turn = this.#here.then(() => runJob(this.bench, job))
      this.#here = turn.catch(() => undefined)
      return await turn
    } finally {
      this.#jobs--
      this.#wake()
    }
  }

  /** The means to do jobs in this thread. */
  get bench(): Bench {
    const { vault, posix, tally } = this.#parts
    this.#bench ??= {
      vault,
      calls: posix,
      cutter: openCutter(loadGear(), this.gear, WINDOW_BYTES),
      ports: {
        ask: (keys) => Promise.resolve(this.#table.ask(keys)),
        settle: (keys) => this.#table.settle(keys),
        keep: (chunks) => this.#keep(chunks),
        progress: (bytes) => {
          tally.read(bytes)
        },
      },
    }
    return this.#bench
  }

  async #keep(chunks: readonly NewChunk[]): Promise<void> {
    const { presence, dryRun } = this.#parts
    for (const { key, id, bytes, rawBytes } of chunks) {
      const isNew = !presence.has(id) && (dryRun || (await this.#put(id, bytes)))
      this.#sealed([{ key, id, rawBytes, chunkBytes: bytes.length, isNew }])
    }
  }

  /** Stores content from this thread, once there is room for it. */
  async #put(id: ChunkId, bytes: Uint8Array): Promise<boolean> {
    const { store, staging } = this.#parts
    // A backup that has failed waits for no room.
    const release = await Promise.race([staging?.reserve(bytes.length), this.failed])
    try {
      const isNew = await store.put(id, bytes)
      if (isNew) staging?.staged([{ id, length: bytes.length }])
      return isNew
    } finally {
      release?.()
    }
  }

  async #lend(): Promise<PackLoan> {
    const { store, staging } = this.#parts
    const release = await staging?.reserve(staging.packBytes)
    try {
      // The chunk that makes it full may hang over.
      const bytesMax =
        staging === undefined
          ? undefined
          : Math.max(staging.packBytes / 2, staging.packBytes - CHUNK_OVER_BYTES)
      const loan = store.lend(bytesMax === undefined ? {} : { bytesMax })
      if (release !== undefined) this.#reserved.set(loan.pack, release)
      return loan
    } catch (error) {
      release?.()
      throw error
    }
  }

  #threads(): Pool {
    const { store, presence, vault, staging, dryRun, tally, threads, isLow = false } = this.#parts
    this.#pool ??= new Pool(
      {
        ask: (keys) => this.#table.ask(keys),
        settle: (keys) => this.#table.settle(keys),
        has: (id) => presence.has(id),
        sealed: (sealed) => {
          this.#sealed(sealed)
          return Promise.resolve()
        },
        lend: () => this.#lend(),
        adopt: (loan, records) => {
          store.adopt(loan, records)
          staging?.staged(records)
        },
        giveBack: (loan) => {
          store.giveBack(loan)
          this.#reserved.get(loan.pack)?.()
          this.#reserved.delete(loan.pack)
        },
        progress: (bytes) => {
          tally.read(bytes)
        },
        failed: this.fail,
      },
      { keys: vault.keys, gear: loadGear(), keep: dryRun ? 'drop' : 'append', isLow },
      { size: threads ?? usualThreads() },
    )
    return this.#pool
  }

  #sealed(sealed: readonly Sealed[]): void {
    for (const { key, id, rawBytes, chunkBytes, isNew } of sealed) {
      this.#table.resolve(key, id)
      this.#bytesSinceCheckpoint += chunkBytes
      this.#bytesSinceCollected += rawBytes
      if (isNew) this.#parts.tally.chunk('data', rawBytes, chunkBytes)
    }
    if (this.#bytesSinceCollected >= COLLECT_BYTES) {
      this.#bytesSinceCollected = 0
      collectIfGrown()
    }
    if (this.#isCheckpointDue && !this.#parts.dryRun && this.#checkpoint === undefined) {
      this.#checkpoint = this.#commit({ isLast: false }).finally(() => {
        this.#checkpoint = undefined
      })
      this.#checkpoint.catch(this.fail)
    }
  }

  get #isCheckpointDue(): boolean {
    if (this.#bytesSinceCheckpoint >= CHECKPOINT_BYTES) return true
    return (
      this.#bytesSinceCheckpoint > 0 && this.#parts.clock.monotonicMs() - this.#checkpointMs >= CHECKPOINT_MS
    )
  }

  /** Seals a payload here and stores it. */
  readonly seal = (
    kind: Exclude<PayloadKind, 'data' | 'bundle'>,
    raw: Uint8Array,
    links: readonly ChunkId[],
  ): ChunkId => {
    const { store, vault, staging, dryRun, tally } = this.#parts
    const { id, bytes } = vault.seal(kind, raw, links)
    // What has links is kept here, also where somebody else has it: by it the next backup tells what has not changed.
    if (this.#made.has(id) || store.has(id)) return id
    this.#made.add(id)
    tally.chunk('tree', raw.length, bytes.length)
    if (dryRun) return id
    this.#putBytes += bytes.length
    // What it refers to may still be given away, and dropped here (spec/upload.md §4).
    store.put(id, bytes, { completes: staging === undefined }).then(() => {
      this.#putBytes -= bytes.length
      this.#wake()
    }, this.fail)
    return id
  }

  /** Makes durable what is in the store and in packs lent to threads, then known to later backups. */
  async #commit({ isLast }: { isLast: boolean }): Promise<void> {
    const { store } = this.#parts
    this.#bytesSinceCheckpoint = 0
    this.#checkpointMs = this.#parts.clock.monotonicMs()
    const sealed = this.#table.sealed()
    await this.#pool?.sync({ isLast })
    await store.commit()
    await this.#table.write(sealed)
  }

  /** Makes everything durable; all jobs are done. With `root`, last of all that chunk too. */
  async finish(root?: {
    readonly raw: Uint8Array
    readonly links: readonly ChunkId[]
  }): Promise<ChunkId | undefined> {
    await this.#checkpoint
    this.#throwIfFailed()
    if (this.#parts.dryRun) return undefined
    await this.#pool?.sync({ isLast: true })
    const id = root === undefined ? undefined : this.seal('root', root.raw, root.links)
    while (this.#putBytes > 0 && this.#failure === undefined)
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    this.#throwIfFailed()
    await this.#commit({ isLast: true })
    return id
  }

  /** Ends the threads. What was not committed is left to the store to clear away. Idempotent. */
  async close(): Promise<void> {
    await this.#pool?.close()
    await this.#here
    await this.#checkpoint?.catch(() => undefined)
  }
}
