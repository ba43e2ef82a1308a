/** Reads snapshots: roots, trees, entries by path, contents; from any source of chunks. */

import {
  compareBytes,
  CellarError,
  decodeFileNode,
  decodeRoot,
  decodeTree,
  fileChunks,
} from '../protocol/index.ts'
import type {
  ChunkId,
  ContentChunk,
  Entry,
  FileNode,
  PayloadKind,
  RootId,
  SnapshotRoot,
  TreeView,
} from '../protocol/index.ts'
import type { ChunkSource } from './chunk-source.ts'
import { bytesNeeded } from './restore/plan.ts'
import type { Vault } from './vault.ts'

/** The part of a vault that reading needs. */
export type Opener = Pick<Vault, 'open' | 'openVerified'>

/** An entry and where it is. */
export interface FoundEntry {
  /** Absolute path in the snapshot; raw bytes. */
  readonly path: Uint8Array
  readonly entry: Entry
}

/** What `walk` does with a directory: goes in, or not. */
export type Descend = (found: FoundEntry) => boolean

/** The top of a snapshot, as an entry without metadata of its own. */
export interface TopEntry {
  readonly type: 'top'
  readonly trees: readonly ChunkId[]
}

/** The first and the last name of a part of a directory. */
export interface Bounds {
  readonly first: Uint8Array
  readonly last: Uint8Array
}

const SLASH = 0x2f
const TREES_KEPT = 64

/** Reads what was backed up. Keeps a few opened trees; holds no files. */
export class SnapshotReader {
  readonly #source: ChunkSource
  readonly #vault: Opener
  readonly #trees = new Map<ChunkId, TreeView>()

  constructor(source: ChunkSource, vault: Opener) {
    this.#source = source
    this.#vault = vault
  }

  /**
   * Reads the root chunk of a snapshot.
   *
   * @throws {CellarError} what the source throws; `CHUNK_CORRUPT`, `CHUNK_MALFORMED`, `FORMAT_INVALID`, `VAULT_UNKNOWN`
   */
  async root(root: RootId, signal: AbortSignal): Promise<SnapshotRoot> {
    const { raw, links } = await this.#open(root, 'root', signal)
    return decodeRoot(raw, links)
  }

  /** Reads one part of a directory. @throws {CellarError} as `root` */
  async tree(id: ChunkId, signal: AbortSignal): Promise<TreeView> {
    const known = this.#trees.get(id)
    if (known !== undefined) return known
    const { raw, links } = await this.#open(id, 'tree', signal)
    const view = decodeTree(raw, links)
    this.#trees.set(id, view)
    for (const oldest of this.#trees.keys()) {
      if (this.#trees.size <= TREES_KEPT) break
      this.#trees.delete(oldest)
    }
    return view
  }

  /** The first and the last name of one part of a directory; undefined of one without entries. */
  async bounds(id: ChunkId, signal: AbortSignal): Promise<Bounds | undefined> {
    const entries = (await this.tree(id, signal)).entries()
    const [first, last] = [entries[0], entries.at(-1)]
    return first === undefined || last === undefined ? undefined : { first: first.name, last: last.name }
  }

  /** The entries of a directory, part by part, in the order of their names. */
  async *entries(trees: readonly ChunkId[], signal: AbortSignal): AsyncIterable<Entry> {
    for (const id of trees) yield* (await this.tree(id, signal)).entries()
  }

  /**
   * Finds what a path names. Symlinks are entries like others and not followed.
   *
   * @param path - raw bytes; empty parts and `.` say nothing
   * @returns undefined when there is no such entry; the top for `/`
   */
  async find(
    root: SnapshotRoot,
    path: Uint8Array,
    signal: AbortSignal,
  ): Promise<Entry | TopEntry | undefined> {
    let at: Entry | TopEntry = { type: 'top', trees: root.trees }
    for (const name of splitPath(path)) {
      if (at.trees === undefined) return undefined
      const next: Entry | undefined = await this.#child(at.trees, name, signal)
      if (next === undefined) return undefined
      at = next
    }
    return at
  }

  /**
   * All entries below a directory: each directory before what is in it, names in the order of their bytes.
   *
   * @param descend - asked for every directory; left out, all are walked
   */
  async *walk(
    trees: readonly ChunkId[],
    base: Uint8Array,
    signal: AbortSignal,
    descend?: Descend,
  ): AsyncIterable<FoundEntry> {
    const stack = [{ path: base, entries: this.entries(trees, signal)[Symbol.asyncIterator]() }]
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const step = await top.entries.next()
      if (step.done === true) {
        stack.pop()
        continue
      }
      const found = { path: childPath(top.path, step.value.name), entry: step.value }
      yield found
      if (found.entry.trees !== undefined && (descend === undefined || descend(found))) {
        stack.push({
          path: found.path,
          entries: this.entries(found.entry.trees, signal)[Symbol.asyncIterator](),
        })
      }
    }
  }

  /**
   * The chunks of a file's content, in order; nothing for a bundled or empty one. @throws {CellarError}
   * `FORMAT_INVALID`
   */
  async *chunks(entry: Entry, signal: AbortSignal): AsyncIterable<ContentChunk> {
    const { content } = entry
    if (content?.kind === 'chunks') yield* content.chunks
    if (content?.kind !== 'file') return
    const load = async (id: ChunkId): Promise<FileNode> => {
      const { raw, links } = await this.#open(id, 'file', signal)
      return decodeFileNode(raw, links)
    }
    yield* fileChunks(content.chunk, bytesNeeded(entry), load)
  }

  /**
   * The bytes of a file, holes as zeros, in pieces of at most 4 MiB.
   *
   * @throws {CellarError} as `root`; `CHUNK_MALFORMED` when a chunk is not as long as the entry says
   */
  async *content(entry: Entry, signal: AbortSignal): AsyncIterable<Uint8Array> {
    let at = 0
    const holes = [...(entry.holes ?? [])]
    for await (let data of this.#data(entry, signal)) {
      while (data.byteLength > 0) {
        yield* this.#zeros(holes, at)
        for (let hole = holes[0]; hole?.offset === at; hole = holes[0]) {
          at += hole.length
          holes.shift()
        }
        const room = (holes[0]?.offset ?? entry.size) - at
        const piece = data.subarray(0, room)
        if (piece.byteLength === 0) throw malformed()
        yield piece
        at += piece.byteLength
        data = data.subarray(piece.byteLength)
      }
    }
    yield* this.#zeros(holes, at)
  }

  *#zeros(
    holes: readonly { readonly offset: number; readonly length: number }[],
    at: number,
  ): Iterable<Uint8Array> {
    const hole = holes[0]
    if (hole?.offset !== at) return
    for (let left = hole.length; left > 0; left -= ZEROS.byteLength)
      yield ZEROS.subarray(0, Math.min(left, ZEROS.byteLength))
  }

  async *#data(entry: Entry, signal: AbortSignal): AsyncIterable<Uint8Array> {
    const { content } = entry
    if (content?.kind === 'bundle') {
      const { raw } = await this.#open(content.chunk, 'bundle', signal)
      if (content.offset + content.length > raw.byteLength) throw malformed()
      yield raw.subarray(content.offset, content.offset + content.length)
      return
    }
    for await (const { id, length } of this.chunks(entry, signal)) {
      const { raw } = await this.#open(id, 'data', signal)
      if (raw.byteLength !== length) throw malformed()
      yield raw
    }
  }

  async #child(trees: readonly ChunkId[], name: Uint8Array, signal: AbortSignal): Promise<Entry | undefined> {
    const part = await partOf(trees, name, (id) => this.bounds(id, signal))
    const id = trees[part]
    if (id === undefined) return undefined
    return (await this.tree(id, signal)).entries().find((entry) => compareBytes(entry.name, name) === 0)
  }

  async #open(
    id: ChunkId,
    kind: PayloadKind,
    signal: AbortSignal,
  ): Promise<{ readonly raw: Uint8Array; readonly links: readonly ChunkId[] }> {
    if (signal.aborted) throw new CellarError('ABORTED', 'reading a snapshot was interrupted')
    const bytes = await this.#source.get(id, signal)
    const opened = this.#vault.openVerified(bytes) // every source has verified the id
    if (opened.kind !== kind)
      throw new CellarError('CHUNK_MALFORMED', `chunk ${id} is not what the snapshot says it is`, {
        id,
        kind: opened.kind,
      })
    return { raw: opened.raw, links: opened.links }
  }
}

const ZEROS = new Uint8Array(256 * 1024)

function malformed(): CellarError {
  return new CellarError('CHUNK_MALFORMED', 'a chunk is not as long as the snapshot says')
}

/**
 * Finds the part of a directory in which a name is, if it is in any, by looking at few of them: they are in order
 * (snapshot.md S3.2).
 *
 * @returns the place of the first part that does not end before the name, `trees.length` when all do; of a directory of
 *   one part always that
 */
export async function partOf(
  trees: readonly ChunkId[],
  name: Uint8Array,
  boundsOf: (id: ChunkId) => Promise<Bounds | undefined>,
): Promise<number> {
  if (trees.length === 1) return 0
  let [low, high] = [0, trees.length]
  while (low < high) {
    const middle = (low + high) >> 1
    // Of a part without entries, which a directory of several has no use for, its neighbour tells the side.
    let [at, bounds] = [middle, await boundsOf(trees[middle] as ChunkId)]
    while (bounds === undefined && at > low) bounds = await boundsOf(trees[--at] as ChunkId)
    if (bounds === undefined || compareBytes(bounds.last, name) < 0) low = middle + 1
    else if (compareBytes(bounds.first, name) <= 0) return at
    else high = at
  }
  return low
}

/** The names in a path. */
export function splitPath(path: Uint8Array): Uint8Array[] {
  const names: Uint8Array[] = []
  for (let start = 0; start <= path.length; ) {
    const slash = path.indexOf(SLASH, start)
    const end = slash === -1 ? path.length : slash
    const name = path.subarray(start, end)
    if (name.length > 0 && !(name.length === 1 && name[0] === 0x2e)) names.push(name)
    start = end + 1
  }
  return names
}

/** The path of a name in a directory; `/` is the top. */
export function childPath(path: Uint8Array, name: Uint8Array): Uint8Array {
  const isTop = path.length === 0 || path[path.length - 1] === SLASH
  const joined = new Uint8Array(path.length + (isTop ? Math.max(0, 1 - path.length) : 1) + name.length)
  joined.set(path)
  joined[joined.length - name.length - 1] = SLASH
  joined.set(name, joined.length - name.length)
  return joined
}
