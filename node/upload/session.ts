/**
 * One backup session on a device whose disk is smaller than what it backs up: bounds what is staged, and gives it to a
 * holder as it comes, so that the own bytes may go (spec/upload.md §3, §4).
 */

import {
  CellarError,
  type ChunkId,
  type Clock,
  type DeviceId,
  isCellarError,
  type RootId,
  type UploadId,
} from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import type { Elsewhere } from '../backup/presence.ts'
import type { StagedChunk, Staging } from '../backup/staging.ts'
import { Serial } from '../serial.ts'
import { Bound } from './bound.ts'
import type { Holder, Holders } from './holders.ts'
import type { UploadNotes } from './notes.ts'
import { StagedList } from './staged-list.ts'
import { anyOf } from '../signals.ts'

/** Chunks and bytes of one deposit. */
const depositChunksMax = 256
const depositBytesMax = 16 * 1024 * 1024
/** Deposits under way at once: while one becomes durable there, the next is on its way. */
const underWayMax = 3
/** Chunks whose turn to be sent is remembered: some 9 MB. */
const listMax = 256 * 1024
/** With nothing left to give away, and nothing that moves, waiting for room ends after so long, milliseconds. */
const stillMsMax = 60_000
/** Packs of which more is dead are rewritten when much of what may be staged is dead bytes. */
const deadShareMin = 0.3

/** What a session stands on. */
export interface SessionUploadParts {
  readonly store: ChunkStore
  readonly clock: Clock
  readonly notes: UploadNotes
  readonly holders: Holders
  /** Chunks are durable at a holder. */
  readonly onUploaded: (device: DeviceId, chunks: number, bytes: number) => void
  /** A chunk turned out to be bad here. */
  readonly onBad: (id: ChunkId) => void
}

/** How a session is bounded. */
export interface SessionBound {
  /** Most bytes staged. */
  readonly bytesMax: number
  /** The longest pack that is lent. */
  readonly packBytes: number
  /** Bytes that the disk can take still, less what is to be left alone. */
  readonly diskBytes: () => number
  /** Bytes of chunks that were dropped since it began and still lie in packs that are not empty. */
  readonly deadBytes: () => number
}

/** Bounds a session, and empties its store to others. Used by one backup, then closed. */
export class SessionUpload implements Staging, Elsewhere {
  readonly #parts: SessionUploadParts
  readonly #bound: Bound
  readonly #bytesMax: number
  readonly #list = new StagedList(listMax)
  readonly #noting = new Serial()
  readonly #end = new AbortController()
  readonly packBytes: number
  /** The store may have chunks to give away that the list has not. */
  #hasMore = true
  readonly #underWay = new Set<Promise<void>>()
  #onChange: () => void = () => undefined
  #running: Promise<void> | undefined

  constructor(parts: SessionUploadParts, { bytesMax, packBytes, diskBytes, deadBytes }: SessionBound) {
    this.#parts = parts
    this.#bound = new Bound({ bytesMax, diskBytes, deadBytes })
    this.#bytesMax = bytesMax
    this.packBytes = packBytes
  }

  /** Adds what earlier sessions have left here. */
  addStaged(bytes: number): void {
    this.#bound.add(bytes)
  }

  /** Says whether a chunk is kept for this session by somebody who has confirmed it. */
  has(id: ChunkId): boolean {
    return this.#parts.holders.isKept(id)
  }

  /** See {@link Staging.reserve}. */
  async reserve(bytes: number): Promise<() => void> {
    const room = this.#bound.reserve(bytes)
    this.#changed()
    return await room
  }

  /** See {@link Staging.staged}. */
  staged(chunks: readonly StagedChunk[]): void {
    for (const chunk of chunks) {
      this.#bound.add(chunk.length)
      if (!this.#list.add(chunk)) this.#hasMore = true
    }
    this.#changed()
  }

  /** Which upload it goes on with. */
  get upload(): UploadId {
    return this.#parts.holders.upload
  }

  /** R10: notes what the session was for, durably and before it is announced; undefined takes that back. */
  async setRoots(roots: readonly RootId[] | undefined): Promise<void> {
    await this.#parts.holders.setRoots(roots)
  }

  /** Something changed: begins to give away what is staged, once that is much. */
  #changed(): void {
    if (this.#bound.isHigh && !this.#end.signal.aborted) {
      this.#running ??= this.#run().catch((error: unknown) => {
        this.#bound.fail(error)
      })
    }
    this.#onChange()
  }

  async #run(): Promise<void> {
    const { signal } = this.#end
    while (!signal.aborted) {
      const batch = await this.#next()
      if (batch.length > 0) {
        const holder = await this.#parts.holders.acquire(signal)
        const work = this.#give(holder, batch)
          .catch((error: unknown) => {
            this.#bound.fail(error)
          })
          .finally(() => {
            this.#underWay.delete(work)
            this.#changed()
          })
        this.#underWay.add(work)
      } else if (this.#isStuck) await this.#waitStuck()
      else await this.#change()
    }
  }

  /** Some of what is staged, if it is time to give it away; nothing when it is not, or nothing is left. */
  async #next(): Promise<StagedChunk[]> {
    if (this.#underWay.size >= underWayMax || !this.#bound.isHigh) return []
    const bytes = Math.min(depositBytesMax, this.packBytes)
    // What is under way would be found once more.
    if (this.#list.length === 0 && this.#hasMore && this.#underWay.size === 0) await this.#lookThrough()
    return this.#list.take(depositChunksMax, bytes)
  }

  /** Finds what is staged and not in the list: left by earlier sessions, or more than the list remembers. */
  async #lookThrough(): Promise<void> {
    const { store } = this.#parts
    this.#hasMore = false
    const found: StagedChunk[] = []
    for await (const chunk of store.unused()) {
      if (found.length < listMax) found.push(chunk)
      else this.#hasMore = true
    }
    // In the order of the packs, so that one after another becomes empty.
    const places = new Map(store.locate(found.map(({ id }) => id)).map((place, at) => [found[at]?.id, place]))
    const packOf = ({ id }: StagedChunk) => places.get(id)?.pack ?? 0
    found.sort((a, b) => packOf(a) - packOf(b))
    for (const chunk of found) this.#list.add(chunk)
  }

  /** Somebody waits, and nothing is left that could be given away. */
  get #isStuck(): boolean {
    return this.#bound.isWanted && this.#underWay.size === 0 && this.#list.length === 0 && !this.#hasMore
  }

  /** Room may still come from threads that finish their packs; not for ever. */
  async #waitStuck(): Promise<void> {
    const over = new AbortController()
    const either = anyOf([over.signal, this.#end.signal])
    const timer = this.#parts.clock.sleep(stillMsMax, either)
    timer.catch(() => undefined) // the change came first
    this.#bound.look()
    await Promise.race([
      this.#change(),
      timer.then(() => {
        throw new CellarError(
          'STORE_FULL',
          'the disk of this device has no room left for what is being backed up',
        )
      }),
    ]).finally(() => {
      over.abort()
      either.clear()
    })
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#onChange = resolve
      if (this.#end.signal.aborted) resolve()
    })
  }

  /** R10: durable there, noted here, and only then dropped. */
  async #give({ client, device }: Holder, batch: readonly StagedChunk[]): Promise<void> {
    const { notes, holders, store, onUploaded } = this.#parts
    const ids = batch.map(({ id }) => id)
    let kept: readonly ChunkId[]
    try {
      kept = await client.deposit(ids, (id) => this.#read(id))
    } catch (error) {
      if (this.#end.signal.aborted) return
      holders.failed(device, error)
      for (const chunk of batch) if (!this.#list.add(chunk)) this.#hasMore = true
      return
    }
    const bytes = batch.reduce((sum, { length }) => sum + length, 0)
    await this.#noting.run(async () => {
      await notes.note(holders.upload, device, kept)
      await store.drop(kept)
      await this.#tidy()
    })
    onUploaded(device, kept.length, bytes)
    this.#bound.add(-bytes)
  }

  /** Trees that lie among what was dropped keep whole packs: those are rewritten before they fill the disk. */
  async #tidy(): Promise<void> {
    const { store } = this.#parts
    if (store.stats().deadBytes > this.#bytesMax / 4) await store.compact({ deadShareMin, wasteShareMax: 0 })
  }

  #read(id: ChunkId): Uint8Array | undefined {
    const { store, onBad } = this.#parts
    try {
      return store.get(id)
    } catch (error) {
      if (isCellarError(error, 'CHUNK_CORRUPT')) onBad(id)
      else if (!isCellarError(error, 'CHUNK_NOT_FOUND')) throw error
      return undefined
    }
  }

  /** Ends giving away; what is under way and not durable stays here. Idempotent. */
  async close(): Promise<void> {
    const ended = new CellarError('ABORTED', 'the session has ended')
    this.#end.abort(ended)
    this.#bound.fail(ended)
    this.#onChange()
    await this.#parts.holders.close()
    await Promise.all(this.#underWay)
    await this.#running
  }
}
