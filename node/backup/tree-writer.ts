/** Seals directories once all in them is known, taking over the parts that are as before (node/spec/backup.md §7). */

import { type ChunkId, encodeTree, type Entry, splitEntries } from '../../protocol/index.ts'
import type { Directory } from './directory.ts'
import type { PreviousPart } from './previous.ts'
import type { Tally } from './tally.ts'

/** More parts than this many entries each, and the directory is cut anew. */
const ENTRIES_PER_PART = 256

/** What it works with. */
export interface TreeWriterParts {
  /** Seals and stores a payload. */
  readonly seal: (kind: 'tree' | 'file', raw: Uint8Array, links: readonly ChunkId[]) => ChunkId
  readonly tally: Tally
}

function isSameList(a: readonly ChunkId[] | undefined, b: readonly ChunkId[] | undefined): boolean {
  return (
    a !== undefined && b !== undefined && a.length === b.length && a.every((id, index) => id === b[index])
  )
}

/** Turns the entries of finished directories into tree chunks, from the leaves up. */
export class TreeWriter {
  readonly #parts: TreeWriterParts

  constructor(parts: TreeWriterParts) {
    this.#parts = parts
  }

  #sealEntries(entries: readonly Entry[]): ChunkId {
    const { raw, links } = encodeTree(entries)
    return this.#parts.seal('tree', raw, links)
  }

  /** The entries of a part before, with directories as they are now. */
  #refreshed(part: PreviousPart, now: readonly Entry[]): Entry[] {
    return part.view.entries().map((entry, index) => {
      const trees = now[index]?.trees
      return entry.type === 'dir' && trees !== undefined ? { ...entry, trees } : entry
    })
  }

  /** Whether each directory in a part is as before too. */
  #isWhollySame(part: PreviousPart, now: readonly Entry[]): boolean {
    const subdirs = now.filter(({ type }) => type === 'dir')
    return subdirs.every(({ trees }, index) => isSameList(trees, part.view.subdirs[index]?.trees))
  }

  /** Seals a directory and fills in `trees`. */
  write(directory: Directory): void {
    const { drafts, lost, agreement } = directory
    const { previous, draft } = directory.plan
    const before = previous?.parts ?? []
    let at = 0
    const keep = (part: PreviousPart): ChunkId => {
      const now = drafts.slice(at, at + part.view.count)
      at += part.view.count
      return this.#isWhollySame(part, now) ? part.id : this.#sealEntries(this.#refreshed(part, now))
    }
    const head = before.slice(0, agreement.head).map(keep)
    const middle = drafts.slice(agreement.from, agreement.to).filter((one) => !lost.has(one))
    const isMiddleNeeded = middle.length > 0 || agreement.head + agreement.tail === 0
    const fresh = isMiddleNeeded ? splitEntries(middle).map((entries) => this.#sealEntries(entries)) : []
    at = agreement.to
    const tail = before.slice(before.length - agreement.tail).map(keep)
    const trees = [...head, ...fresh, ...tail]
    directory.trees = trees.length > 2 + drafts.length / ENTRIES_PER_PART ? this.#cutAnew(directory) : trees
    if (draft === undefined) return
    draft.trees = directory.trees
    const isSame = isSameList(
      directory.trees,
      previous?.parts.map(({ id }) => id),
    )
    const change = previous === undefined ? 'New' : isSame ? 'Unmodified' : 'Changed'
    this.#parts.tally.directory(change, () => directory.shown)
  }

  /** Cuts all entries as if there had been no parts before: many changes may have left small ones. */
  #cutAnew({ drafts, lost, agreement, plan }: Directory): ChunkId[] {
    const before = plan.previous?.parts ?? []
    const entries: Entry[] = []
    let at = 0
    const take = (part: PreviousPart): void => {
      entries.push(...this.#refreshed(part, drafts.slice(at, at + part.view.count)))
      at += part.view.count
    }
    for (const part of before.slice(0, agreement.head)) take(part)
    entries.push(...drafts.slice(agreement.from, agreement.to).filter((one) => !lost.has(one)))
    at = agreement.to
    for (const part of before.slice(before.length - agreement.tail)) take(part)
    return splitEntries(entries).map((part) => this.#sealEntries(part))
  }
}
