/**
 * Searches one snapshot for names, or what of it the next newer one has not: then only the parts of directories that
 * differ are read, so that a search of a thousand snapshots reads each of them once.
 */

import { type ChunkId, compareBytes, type Entry } from '../../protocol/index.ts'
import { nameText } from '../backup/patterns.ts'
import { childPath, partOf, type SnapshotReader } from '../snapshot-reader.ts'
import type { NameMatch } from './name-match.ts'

/** One entry that fits. */
export interface Found {
  /** Raw bytes. */
  readonly path: Uint8Array
  /** The names in it. */
  readonly names: readonly Uint8Array[]
  readonly entry: Entry
}

/** What is searched. */
export interface SearchSides {
  readonly trees: readonly ChunkId[]
  /** Of the same directory in the newer snapshot: what that has under the same path is left out. */
  readonly newer: readonly ChunkId[] | undefined
  /** Where the directory is: names from the top. */
  readonly at: readonly Uint8Array[]
  /** Goes on behind this entry: names from the directory; empty: from its beginning. */
  readonly behind: readonly Uint8Array[]
}

/** A directory that is being searched. */
interface Place {
  readonly path: Uint8Array
  readonly names: readonly Uint8Array[]
  readonly texts: readonly string[]
}

/** Looks for one thing; keep it for all snapshots. */
export class Searcher {
  /** Entries looked at so far. */
  looked = 0
  readonly #reader: SnapshotReader
  readonly #matches: NameMatch
  readonly #onLook: () => void | Promise<void>

  /** @param onLook - called after each part of a directory; waited for */
  constructor(reader: SnapshotReader, matches: NameMatch, onLook: () => void | Promise<void>) {
    this.#reader = reader
    this.#matches = matches
    this.#onLook = onLook
  }

  /** All that fits: a directory before what is in it, names in the order of their bytes. @throws {CellarError} */
  async *search({ trees, newer, at, behind }: SearchSides, signal: AbortSignal): AsyncGenerator<Found> {
    const top: Uint8Array = new Uint8Array(Buffer.from('/'))
    const place = { path: at.reduce(childPath, top), names: at, texts: at.map(nameText) }
    yield* this.#directory({ trees, newer: newer ?? [] }, place, behind, signal)
  }

  async *#directory(
    sides: { readonly trees: readonly ChunkId[]; readonly newer: readonly ChunkId[] },
    place: Place,
    behind: readonly Uint8Array[],
    signal: AbortSignal,
  ): AsyncGenerator<Found> {
    const shared = new Set(sides.newer)
    const left = sides.trees.filter((id) => !shared.has(id))
    if (left.length === 0) return
    const ours = new Set(sides.trees)
    const right = new Beside(
      sides.newer.filter((id) => !ours.has(id)),
      this.#reader,
      signal,
    )
    const [from, ...deeper] = behind
    const first = from === undefined ? 0 : await partOf(left, from, (id) => this.#reader.bounds(id, signal))
    for (const id of left.slice(first)) {
      for (const entry of (await this.#reader.tree(id, signal)).entries()) {
        const order = from === undefined ? 1 : compareBytes(entry.name, from)
        if (order < 0) continue
        this.looked++
        const there = right.isEmpty ? undefined : await right.at(entry.name)
        const texts = [...place.texts, nameText(entry.name)]
        // What the last page ended with was told; what is below it was not.
        const fits = order !== 0 && there === undefined && this.#matches(texts)
        if (!fits && entry.trees === undefined) continue
        const names = [...place.names, entry.name]
        const path = childPath(place.path, entry.name)
        if (fits) yield { path, names, entry }
        if (entry.trees === undefined) continue
        const below = { trees: entry.trees, newer: there?.trees ?? [] }
        yield* this.#directory(below, { path, names, texts }, order === 0 ? deeper : [], signal)
      }
      await this.#onLook()
    }
  }
}

/** Goes along the entries of the newer directory beside those of the older. */
class Beside {
  readonly isEmpty: boolean
  readonly #entries: AsyncIterator<Entry>
  #next: IteratorResult<Entry, unknown> | undefined

  constructor(trees: readonly ChunkId[], reader: SnapshotReader, signal: AbortSignal) {
    this.isEmpty = trees.length === 0
    this.#entries = reader.entries(trees, signal)[Symbol.asyncIterator]()
  }

  /** The entry of a name; names are asked for in ascending order. */
  async at(name: Uint8Array): Promise<Entry | undefined> {
    for (;;) {
      const next = (this.#next ??= await this.#entries.next())
      if (next.done === true) return undefined
      const order = compareBytes(next.value.name, name)
      if (order > 0) return undefined
      if (order === 0) return next.value
      this.#next = undefined
    }
  }
}
