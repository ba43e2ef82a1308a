/** Checks snapshots against the chunks they need; mends nothing (node/spec/restore.md §8). */

import type { ChunkId, Entry, RootId } from '../../protocol/index.ts'
import { CellarError, chunkHeader, isCellarError } from '../../protocol/index.ts'
import type { ChunkSource } from '../chunk-source.ts'
import { type Opener, SnapshotReader } from '../snapshot-reader.ts'
import { inSubset, type Subset } from './subset.ts'

/** What checking reads from. */
export interface CheckParts {
  readonly source: ChunkSource
  readonly vault: Opener
  /** Says whether a chunk is here, without reading it; left out, every chunk is read. */
  readonly has?: (id: ChunkId) => boolean
}

/** What is checked. */
export interface CheckRequest {
  readonly roots: readonly RootId[]
  /** Reads and opens every chunk of data, or of a part of them; left out: only roots, trees and lists of chunks. */
  readonly readData?: Subset | 'all'
}

/** Something that is wrong. */
export interface CheckProblem {
  /** The snapshot in which it was found first. */
  readonly root: RootId
  /** The chunk that is missing, damaged or not what it should be. */
  readonly chunk: ChunkId
  /** `CHUNK_NOT_FOUND`, `CHUNK_CORRUPT`, `CHUNK_MALFORMED`, `FORMAT_INVALID`, ... */
  readonly code: string
  readonly message: string
  /** A path that needs it, the first one found; undefined when all of the snapshot does. */
  readonly path?: Uint8Array
}

/** How far it is. */
export interface CheckProgress {
  readonly chunksDone: number
  /** As many as are known by now. */
  readonly chunksTotal: number
  readonly bytesRead: number
  readonly problems: number
}

/** How a check is watched and stopped. */
export interface CheckWatch {
  readonly signal: AbortSignal
  /** After every chunk. */
  readonly onProgress?: (progress: CheckProgress) => void
}

/** What was looked at; `problems` come from the iteration. */
export type CheckTotals = CheckProgress & { readonly snapshots: number }

/** How a data chunk is used. */
interface Need {
  readonly root: RootId
  readonly path: Uint8Array
  readonly kind: 'data' | 'bundle'
  /** Bytes that it must have, exactly (`data`) or at least (`bundle`). */
  length: number
}

/**
 * Checks each chunk once, however many snapshots need it.
 *
 * @returns an iteration of problems, which at its end returns the totals
 * @throws {CellarError} `ABORTED`; what reaching the source throws (`NO_PEER`)
 */
export async function* check(
  parts: CheckParts,
  request: CheckRequest,
  watch: CheckWatch,
): AsyncGenerator<CheckProblem, CheckTotals> {
  yield* []
  const run = new Check(parts, watch)
  for (const root of request.roots) yield* run.structure(root)
  yield* run.data(request.readData)
  return { ...run.progress(), snapshots: request.roots.length }
}

class Check {
  readonly #parts: CheckParts
  readonly #watch: CheckWatch
  readonly #reader: SnapshotReader
  readonly #seen = new Set<ChunkId>()
  readonly #needs = new Map<ChunkId, Need>()
  #done = 0
  #bytes = 0
  #problems = 0

  constructor(parts: CheckParts, watch: CheckWatch) {
    this.#parts = parts
    this.#watch = watch
    const source: ChunkSource = {
      get: async (id, signal) => {
        const bytes = await parts.source.get(id, signal)
        this.#bytes += bytes.byteLength
        return bytes
      },
    }
    this.#reader = new SnapshotReader(source, parts.vault)
  }

  progress(): CheckProgress {
    return {
      chunksDone: this.#done,
      chunksTotal: this.#seen.size + this.#needs.size,
      bytesRead: this.#bytes,
      problems: this.#problems,
    }
  }

  /** The root, its trees, and the lists of chunks of its files; notes which chunks of data it needs. */
  async *structure(root: RootId): AsyncGenerator<CheckProblem, void> {
    if (this.#seen.has(root)) return
    try {
      const { trees } = await this.#reader.root(root, this.#watch.signal)
      this.#count(root)
      const top = new Uint8Array(Buffer.from('/'))
      const stack = trees.toReversed().map((id) => ({ id, path: top }))
      for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
        if (this.#seen.has(next.id)) continue
        this.#seen.add(next.id)
        let entries: readonly Entry[]
        try {
          entries = (await this.#reader.tree(next.id, this.#watch.signal)).entries()
        } catch (error) {
          yield this.#problem(root, next.id, error, next.path)
          continue
        }
        this.#count(next.id)
        for (const entry of entries) {
          const path = Buffer.concat([next.path, Buffer.from(next.path.length === 1 ? '' : '/'), entry.name])
          for (const id of entry.trees?.toReversed() ?? []) stack.push({ id, path })
          yield* this.#entry(root, entry, path)
        }
      }
    } catch (error) {
      yield this.#problem(root, root, error)
    }
  }

  async *#entry(root: RootId, entry: Entry, path: Uint8Array): AsyncGenerator<CheckProblem, void> {
    const { content } = entry
    if (content?.kind === 'bundle')
      this.#need(content.chunk, { root, path, kind: 'bundle', length: content.offset + content.length })
    else if (content?.kind === 'chunks')
      for (const { id, length } of content.chunks) this.#need(id, { root, path, kind: 'data', length })
    else if (content?.kind === 'file' && !this.#seen.has(content.chunk)) {
      this.#seen.add(content.chunk)
      try {
        for await (const { id, length } of this.#reader.chunks(entry, this.#watch.signal))
          this.#need(id, { root, path, kind: 'data', length })
        this.#count(content.chunk)
      } catch (error) {
        yield this.#problem(root, content.chunk, error, path)
      }
    }
  }

  #need(id: ChunkId, need: Need): void {
    const known = this.#needs.get(id)
    if (known === undefined) this.#needs.set(id, need)
    else if (known.kind === 'bundle') known.length = Math.max(known.length, need.length)
  }

  /** Every chunk of data is there; those of the subset are read, opened and measured. */
  async *data(readData: CheckRequest['readData']): AsyncGenerator<CheckProblem, void> {
    const { source, vault, has } = this.#parts
    const { signal } = this.#watch
    for (const [id, need] of this.#needs) {
      try {
        if (signal.aborted) throw new CellarError('ABORTED', 'the check was interrupted')
        const isRead = readData !== undefined && (readData === 'all' || inSubset(id, readData))
        if (isRead || has === undefined) {
          const bytes = await source.get(id, signal)
          this.#bytes += bytes.byteLength
          if (isRead) checkPayload(vault, id, bytes, need)
        } else if (!has(id)) throw new CellarError('CHUNK_NOT_FOUND', `chunk ${id} is not here`, { id })
      } catch (error) {
        yield this.#problem(need.root, id, error, need.path)
      }
      this.#done++
      this.#watch.onProgress?.(this.progress())
    }
  }

  #count(id: ChunkId): void {
    this.#seen.add(id)
    this.#done++
    this.#watch.onProgress?.(this.progress())
  }

  #problem(root: RootId, chunk: ChunkId, error: unknown, path?: Uint8Array): CheckProblem {
    if (!isCellarError(error) || !CHUNK_ERRORS.has(error.code)) throw error
    this.#problems++
    // an error inside a file's list names the chunk of the list that it is about
    const { id } = error.context
    const about = typeof id === 'string' ? (id as ChunkId) : chunk
    return {
      root,
      chunk: about,
      code: error.code,
      message: error.message,
      ...(path === undefined ? {} : { path }),
    }
  }
}

/** Errors that are about a chunk, not about reaching it. */
const CHUNK_ERRORS: ReadonlySet<string> = new Set([
  'CHUNK_NOT_FOUND',
  'CHUNK_CORRUPT',
  'CHUNK_MALFORMED',
  'FORMAT_INVALID',
  'VERSION_UNKNOWN',
  'VAULT_UNKNOWN',
])

function checkPayload(vault: Opener, id: ChunkId, bytes: Uint8Array, need: Need): void {
  const { kind, raw } = vault.open(bytes)
  const isLong = need.kind === 'data' ? raw.byteLength === need.length : raw.byteLength >= need.length
  if (kind !== need.kind || !isLong || chunkHeader(bytes).links.length > 0) {
    throw new CellarError('CHUNK_MALFORMED', `chunk ${id} is not what the snapshot says it is`, { id, kind })
  }
}
