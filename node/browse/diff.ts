/** What changed between two snapshots; equal parts of directories are not read (snapshot.md §6). */

import type { ChunkId, Content, Entry } from '../../protocol/index.ts'
import { compareBytes } from '../../protocol/index.ts'
import type { DiffCounts, DiffEvent } from '../api-browse.ts'
import { pathFields } from '../path-text.ts'
import { childPath, type SnapshotReader } from '../snapshot-reader.ts'

/** What is compared: the parts of two directories. */
export interface DiffSides {
  readonly from: readonly ChunkId[]
  readonly to: readonly ChunkId[]
  /** Report changes of metadata alone too (`U`). */
  readonly metadata: boolean
}

/** How much changed. */
export interface DiffTotals {
  readonly changedFiles: number
  readonly added: DiffCounts
  readonly removed: DiffCounts
}

type Counts = { -readonly [Field in keyof DiffCounts]: DiffCounts[Field] }

/** What one side has that the other has not. */
class Side {
  readonly counts: Counts = { files: 0, dirs: 0, others: 0, data_blobs: 0, tree_blobs: 0, bytes: 0 }
  readonly #data = new Map<ChunkId, number>()
  readonly #trees = new Set<ChunkId>()

  entry({ type }: Entry): void {
    if (type === 'file') this.counts.files++
    else if (type === 'dir') this.counts.dirs++
    else this.counts.others++
  }

  data(id: ChunkId, bytes: number): void {
    this.#data.set(id, (this.#data.get(id) ?? 0) + bytes)
  }

  tree(id: ChunkId): void {
    this.#trees.add(id)
  }

  /** Chunks of files and of trees that the other side did not come across. */
  finish(other: Side): DiffCounts {
    let bytes = 0
    let blobs = 0
    for (const [id, length] of this.#data) {
      if (other.#data.has(id)) continue
      blobs++
      bytes += length
    }
    const trees = [...this.#trees].filter((id) => !other.#trees.has(id)).length
    return { ...this.counts, data_blobs: blobs, tree_blobs: trees, bytes }
  }
}

/** Bundled files are smaller by far. */
const COMPARED_BYTES_MAX = 64 * 1024 * 1024

/** Compares two directories and tells each change. */
export class Diff {
  readonly #reader: SnapshotReader
  readonly #metadata: boolean
  readonly #added = new Side()
  readonly #removed = new Side()
  #changedFiles = 0

  private constructor(reader: SnapshotReader, metadata: boolean) {
    this.#reader = reader
    this.#metadata = metadata
  }

  /**
   * Compares; yields each change, and returns the totals at the end.
   *
   * @throws {CellarError} what reading throws
   */
  static async *run(
    reader: SnapshotReader,
    sides: DiffSides,
    signal: AbortSignal,
  ): AsyncGenerator<DiffEvent, DiffTotals> {
    const diff = new Diff(reader, sides.metadata)
    yield* diff.#directory(sides.from, sides.to, new Uint8Array(Buffer.from('/')), signal)
    return {
      changedFiles: diff.#changedFiles,
      added: diff.#added.finish(diff.#removed),
      removed: diff.#removed.finish(diff.#added),
    }
  }

  async *#directory(
    from: readonly ChunkId[],
    to: readonly ChunkId[],
    path: Uint8Array,
    signal: AbortSignal,
  ): AsyncIterable<DiffEvent> {
    const before = new Set(from)
    const after = new Set(to)
    const left = from.filter((id) => !after.has(id))
    const right = to.filter((id) => !before.has(id))
    for (const id of left) this.#removed.tree(id)
    for (const id of right) this.#added.tree(id)
    const ours = this.#reader.entries(left, signal)[Symbol.asyncIterator]()
    const theirs = this.#reader.entries(right, signal)[Symbol.asyncIterator]()
    let [a, b] = [await ours.next(), await theirs.next()]
    while (a.done !== true || b.done !== true) {
      const order = a.done === true ? 1 : b.done === true ? -1 : compareBytes(a.value.name, b.value.name)
      if (order < 0 && a.done !== true) {
        yield* this.#whole('-', a.value, path, signal)
        a = await ours.next()
      } else if (order > 0 && b.done !== true) {
        yield* this.#whole('+', b.value, path, signal)
        b = await theirs.next()
      } else if (a.done !== true && b.done !== true) {
        yield* this.#both(a.value, b.value, path, signal)
        a = await ours.next()
        b = await theirs.next()
      }
    }
  }

  /** An entry that only one side has, and all below it. */
  async *#whole(
    modifier: '+' | '-',
    entry: Entry,
    parent: Uint8Array,
    signal: AbortSignal,
  ): AsyncIterable<DiffEvent> {
    const side = modifier === '+' ? this.#added : this.#removed
    const path = childPath(parent, entry.name)
    yield event(path, entry, modifier)
    await this.#count(side, entry, signal)
    if (entry.trees === undefined) return
    for (const id of entry.trees) side.tree(id)
    for await (const below of this.#reader.entries(entry.trees, signal))
      yield* this.#whole(modifier, below, path, signal)
  }

  async *#both(a: Entry, b: Entry, parent: Uint8Array, signal: AbortSignal): AsyncIterable<DiffEvent> {
    const path = childPath(parent, b.name)
    if (a.type !== b.type) {
      yield event(path, b, 'T')
      for await (const below of this.#inside('-', a, path, signal)) yield below
      for await (const below of this.#inside('+', b, path, signal)) yield below
      return
    }
    const isChanged = a.type === 'file' ? !(await this.#isSameContent(a, b, signal)) : !isSameThing(a, b)
    if (isChanged) {
      if (a.type === 'file') this.#changedFiles++
      await this.#content(this.#removed, a, signal)
      await this.#content(this.#added, b, signal)
      yield event(path, b, isSuspicious(a, b) ? 'M?' : 'M')
    } else if (this.#metadata && !isSameMetadata(a, b)) yield event(path, b, 'U')
    if (a.trees !== undefined && b.trees !== undefined) yield* this.#directory(a.trees, b.trees, path, signal)
  }

  /** What becomes of the sides of an entry that changed its type: it itself is told already. */
  async *#inside(
    modifier: '+' | '-',
    entry: Entry,
    path: Uint8Array,
    signal: AbortSignal,
  ): AsyncIterable<DiffEvent> {
    const side = modifier === '+' ? this.#added : this.#removed
    await this.#count(side, entry, signal)
    if (entry.trees === undefined) return
    for (const id of entry.trees) side.tree(id)
    for await (const below of this.#reader.entries(entry.trees, signal))
      yield* this.#whole(modifier, below, path, signal)
  }

  /** Equal content in another bundle is read: a neighbour that changed makes another bundle. */
  async #isSameContent(a: Entry, b: Entry, signal: AbortSignal): Promise<boolean> {
    const isSameShape =
      a.size === b.size &&
      isEqualList(a.holes, b.holes, (x, y) => x.offset === y.offset && x.length === y.length)
    if (!isSameShape || isSamePlace(a.content, b.content)) return isSameShape
    // Cut by content: equal would be equal chunks.
    if (a.content?.kind !== 'bundle' && b.content?.kind !== 'bundle') return false
    if (a.size > COMPARED_BYTES_MAX) return false
    return Buffer.compare(await this.#bytes(a, signal), await this.#bytes(b, signal)) === 0
  }

  async #bytes(entry: Entry, signal: AbortSignal): Promise<Buffer> {
    const pieces: Uint8Array[] = []
    for await (const piece of this.#reader.content(entry, signal)) pieces.push(piece)
    return Buffer.concat(pieces)
  }

  async #count(side: Side, entry: Entry, signal: AbortSignal): Promise<void> {
    side.entry(entry)
    await this.#content(side, entry, signal)
  }

  async #content(side: Side, entry: Entry, signal: AbortSignal): Promise<void> {
    const { content } = entry
    if (content?.kind === 'bundle') side.data(content.chunk, content.length)
    else for await (const { id, length } of this.#reader.chunks(entry, signal)) side.data(id, length)
  }
}

function event(path: Uint8Array, entry: Entry, modifier: string): DiffEvent {
  const fields = pathFields(path)
  return {
    message_type: 'change',
    ...fields,
    path: entry.type === 'dir' ? `${fields.path}/` : fields.path,
    modifier,
  }
}

function isSamePlace(a: Content | undefined, b: Content | undefined): boolean {
  if (a?.kind === 'bundle' && b?.kind === 'bundle') return a.chunk === b.chunk && a.offset === b.offset
  if (a?.kind === 'file' && b?.kind === 'file') return a.chunk === b.chunk
  if (a?.kind === 'chunks' && b?.kind === 'chunks')
    return isEqualList(a.chunks, b.chunks, (x, y) => x.id === y.id && x.length === y.length)
  return a === undefined && b === undefined
}

function isEqualList<T>(
  a: readonly T[] | undefined,
  b: readonly T[] | undefined,
  isEqual: (x: T, y: T) => boolean,
): boolean {
  const [left, right] = [a ?? [], b ?? []]
  return left.length === right.length && left.every((item, index) => isEqual(item, right[index] as T))
}

function isEqualBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return compareBytes(a ?? new Uint8Array(), b ?? new Uint8Array()) === 0
}

function isSameThing(a: Entry, b: Entry): boolean {
  return (
    isEqualBytes(a.target, b.target) &&
    a.deviceNumber?.major === b.deviceNumber?.major &&
    a.deviceNumber?.minor === b.deviceNumber?.minor
  )
}

function isSameMetadata(a: Entry, b: Entry): boolean {
  const isSameOwner = a.uid === b.uid && a.gid === b.gid && a.user === b.user && a.group === b.group
  const isSameXattrs = isEqualList(
    a.xattrs,
    b.xattrs,
    (x, y) => isEqualBytes(x.name, y.name) && isEqualBytes(x.value, y.value),
  )
  return (
    a.mode === b.mode && isSameOwner && a.mtimeNs === b.mtimeNs && a.linkCount === b.linkCount && isSameXattrs
  )
}

/** Other bytes under equal times: a disk that rots, or a program that hides. */
function isSuspicious(a: Entry, b: Entry): boolean {
  return (
    a.type === 'file' &&
    a.size === b.size &&
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs &&
    a.inode === b.inode
  )
}
