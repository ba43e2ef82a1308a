/** Opens chunks in a worker: reads them from the packs of this machine itself, asks the main thread for the rest. */

import { closeSync, openSync, readSync } from 'node:fs'
import type { ChunkId, PayloadKind } from '../../protocol/index.ts'
import { CellarError, verifyChunk } from '../../protocol/index.ts'
import type { ChunkPlace } from '../../storage/index.ts'
import type { Opener } from '../snapshot-reader.ts'
import type { OpenedPayload } from '../vault.ts'

/** The main thread, as a worker needs it. */
export interface ChunkDesk {
  /** Places of chunks, in order; undefined for those that must be fetched. */
  locate(ids: readonly ChunkId[]): Promise<readonly (ChunkPlace | undefined)[]>
  /** One chunk from wherever it is, verified. */
  fetch(id: ChunkId): Promise<Uint8Array>
}

/** Verifies, opens and decompresses one chunk (hash, tag). */
function openVerified(vault: Opener, id: ChunkId, bytes: Uint8Array): OpenedPayload {
  verifyChunk(id, bytes)
  return vault.openVerified(bytes)
}

const FILES_OPEN_MAX = 16
const OPENED_BYTES_MAX = 6 * 1024 * 1024
const FETCHES_AHEAD = 4

/** The chunks that one worker needs, in about the order in which it said so. */
export class Feed {
  readonly #vault: Opener
  readonly #desk: ChunkDesk
  readonly #places = new Map<ChunkId, ChunkPlace>()
  readonly #opened = new Map<ChunkId, OpenedPayload>()
  #openedBytes = 0
  readonly #files = new Map<string, number>()
  /** To be fetched, in order; and those on their way. */
  #ahead: ChunkId[] = []
  readonly #fetching = new Map<ChunkId, Promise<Uint8Array>>()
  #buffer = Buffer.allocUnsafeSlow(1024 * 1024)

  constructor(vault: Opener, desk: ChunkDesk) {
    this.#vault = vault
    this.#desk = desk
  }

  /** Says what will be needed: local chunks are located at once, others fetched a few ahead. */
  async prepare(ids: Iterable<ChunkId>): Promise<void> {
    const wanted = [...new Set(ids)].filter((id) => !this.#opened.has(id))
    if (wanted.length === 0) return
    this.#places.clear()
    this.#ahead = []
    this.#fetching.clear() // what was fetched ahead and not taken
    const places = await this.#desk.locate(wanted)
    for (const [index, id] of wanted.entries()) {
      const place = places[index]
      if (place === undefined) this.#ahead.push(id)
      else this.#places.set(id, place)
    }
    this.#fetchAhead()
  }

  /** Says where a chunk lies, for the next `load`. */
  hint(id: ChunkId, place: ChunkPlace): void {
    this.#places.set(id, place)
  }

  /** An opened chunk if it is still in memory; borrowed until the next `load`. */
  peek(id: ChunkId): OpenedPayload | undefined {
    return this.#opened.get(id)
  }

  /**
   * Opens a chunk; borrowed until the next call.
   *
   * @param keep - it will be needed again soon (a bundle)
   * @throws {CellarError} `CHUNK_NOT_FOUND`, `CHUNK_CORRUPT`, `CHUNK_MALFORMED`, and what fetching throws
   */
  async load(id: ChunkId, keep: boolean): Promise<OpenedPayload> {
    const known = this.#opened.get(id)
    if (known !== undefined) return known
    const opened = this.#readHere(id) ?? openVerified(this.#vault, id, await this.#take(id))
    if (keep) this.#remember(id, opened)
    return opened
  }

  /** Closes the packs. */
  close(): void {
    for (const fd of this.#files.values()) closeSync(fd)
    this.#files.clear()
  }

  #remember(id: ChunkId, opened: OpenedPayload): void {
    this.#opened.set(id, opened)
    this.#openedBytes += opened.raw.byteLength
    for (const [oldest, { raw }] of this.#opened) {
      if (this.#openedBytes <= OPENED_BYTES_MAX || oldest === id) break
      this.#opened.delete(oldest)
      this.#openedBytes -= raw.byteLength
    }
  }

  /**
   * Undefined when there is no place, it is stale, or what lies there is not whole: then the main thread knows more.
   */
  #readHere(id: ChunkId): OpenedPayload | undefined {
    const place = this.#places.get(id)
    if (place === undefined) return undefined
    if (this.#buffer.length < place.length) this.#buffer = Buffer.allocUnsafeSlow(place.length)
    const bytes = this.#buffer.subarray(0, place.length)
    try {
      if (readSync(this.#file(place.path), bytes, 0, place.length, place.offset) !== place.length)
        return undefined
      return openVerified(this.#vault, id, bytes)
    } catch (error) {
      if (error instanceof RangeError || error instanceof TypeError) throw error
      this.#places.delete(id)
      return undefined
    }
  }

  #file(path: string): number {
    let fd = this.#files.get(path)
    if (fd !== undefined) return fd
    fd = openSync(path, 'r')
    this.#files.set(path, fd)
    for (const [oldest, old] of this.#files) {
      if (this.#files.size <= FILES_OPEN_MAX) break
      this.#files.delete(oldest)
      closeSync(old)
    }
    return fd
  }

  async #take(id: ChunkId): Promise<Uint8Array> {
    const bytes = this.#fetching.get(id) ?? this.#fetch(id)
    try {
      return await bytes
    } finally {
      this.#fetching.delete(id)
      this.#fetchAhead()
    }
  }

  #fetch(id: ChunkId): Promise<Uint8Array> {
    const bytes = this.#desk.fetch(id)
    this.#fetching.set(id, bytes)
    return bytes
  }

  #fetchAhead(): void {
    while (this.#fetching.size < FETCHES_AHEAD) {
      const id = this.#ahead.shift()
      if (id === undefined) return
      // what fails is seen by the one who takes it
      if (!this.#fetching.has(id) && !this.#opened.has(id)) this.#fetch(id).catch(() => undefined)
    }
  }
}

/** Checks what a chunk turned out to be. @throws {CellarError} `CHUNK_MALFORMED` */
export function expectKind(opened: OpenedPayload, kinds: readonly PayloadKind[], id: ChunkId): void {
  if (!kinds.includes(opened.kind))
    throw new CellarError('CHUNK_MALFORMED', `chunk ${id} is not what the snapshot says it is`, {
      id,
      kind: opened.kind,
    })
}
