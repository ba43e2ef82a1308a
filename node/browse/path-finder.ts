/** Finds one path in many snapshots: what of a directory is as it was in another snapshot is not read again. */

import { type ChunkId, compareBytes, type Entry } from '../../protocol/index.ts'
import { type Bounds, partOf, type SnapshotReader, type TopEntry } from '../snapshot-reader.ts'

/** Keep one for all snapshots of a question. */
export class PathFinder {
  readonly #reader: SnapshotReader
  readonly #names: readonly Uint8Array[]
  /** What the rest of the path leads to, by how many names are behind and the parts of the directory there. */
  readonly #known = new Map<string, Promise<Entry | undefined>>()
  readonly #bounds = new Map<ChunkId, Bounds | undefined>()

  /** @param names - those in the path, from the top; empty: the top itself */
  constructor(reader: SnapshotReader, names: readonly Uint8Array[]) {
    this.#reader = reader
    this.#names = names
  }

  /** What is there in a snapshot; undefined when nothing is. @throws {CellarError} what reading throws */
  async find(trees: readonly ChunkId[], signal: AbortSignal): Promise<Entry | TopEntry | undefined> {
    if (this.#names.length === 0) return { type: 'top', trees }
    return await this.#below(trees, 0, signal)
  }

  async #below(trees: readonly ChunkId[], depth: number, signal: AbortSignal): Promise<Entry | undefined> {
    const key = `${String(depth)} ${trees.join(' ')}`
    const known = this.#known.get(key)
    if (known !== undefined) return await known
    const found = this.#step(trees, depth, signal)
    this.#known.set(key, found)
    // What could not be read now may be read in a moment.
    found.catch(() => this.#known.delete(key))
    return await found
  }

  async #step(trees: readonly ChunkId[], depth: number, signal: AbortSignal): Promise<Entry | undefined> {
    const name = this.#names[depth] as Uint8Array
    const part = trees[await partOf(trees, name, (id) => this.#boundsOf(id, signal))]
    if (part === undefined) return undefined
    const view = await this.#reader.tree(part, signal)
    if (depth + 1 < this.#names.length) {
      // Which directories there are says the outside of a tree: its entries need not be read.
      const subdir = view.subdirs.find((one) => compareBytes(one.name, name) === 0)
      return subdir === undefined ? undefined : await this.#below(subdir.trees, depth + 1, signal)
    }
    return view.entries().find((entry) => compareBytes(entry.name, name) === 0)
  }

  async #boundsOf(id: ChunkId, signal: AbortSignal): Promise<Bounds | undefined> {
    if (this.#bounds.has(id)) return this.#bounds.get(id)
    const bounds = await this.#reader.bounds(id, signal)
    this.#bounds.set(id, bounds)
    return bounds
  }
}
