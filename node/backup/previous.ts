/** The same directory in the snapshot before, and what of it can be taken over (node/spec/backup.md §7). */

import {
  type ChunkId,
  decodeTree,
  type Entry,
  type EntryFacts,
  equalBytes,
  isCellarError,
  treeDigest,
  type TreeView,
} from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import type { Vault } from '../vault.ts'
import type { Presence } from './presence.ts'

/** One part of a directory of the snapshot before. */
export interface PreviousPart {
  readonly id: ChunkId
  readonly view: TreeView
}

/** Which parts of a directory are as they were: so many from its start, so many from its end. */
export interface Agreement {
  readonly head: number
  readonly tail: number
  /** Entries of the new listing that are in neither: from..to. */
  readonly from: number
  readonly to: number
}

/**
 * Finds the parts at both ends of a listing that are as they were.
 *
 * @param entries - sorted, as found now
 * @param parts - of the directory before, in order
 */
export function agree(
  entries: readonly EntryFacts[],
  parts: readonly { readonly digest: Uint8Array; readonly count: number }[],
): Agreement {
  const isSame = (at: number, part: { readonly digest: Uint8Array; readonly count: number }): boolean =>
    at >= 0 &&
    at + part.count <= entries.length &&
    equalBytes(treeDigest(entries.slice(at, at + part.count)), part.digest)
  let [head, from] = [0, 0]
  for (const part of parts) {
    if (!isSame(from, part)) break
    from += part.count
    head++
  }
  let [tail, to] = [0, entries.length]
  while (tail < parts.length - head) {
    const part = parts[parts.length - 1 - tail]
    if (part === undefined || to - part.count < from || !isSame(to - part.count, part)) break
    to -= part.count
    tail++
  }
  return { head, tail, from, to }
}

/** A directory of the snapshot before. */
export class PreviousDirectory {
  readonly parts: readonly PreviousPart[]
  #byName: Map<string, Entry> | undefined
  readonly #subdirs = new Map<string, readonly ChunkId[]>()

  private constructor(parts: readonly PreviousPart[]) {
    this.parts = parts
    for (const { view } of parts)
      for (const { name, trees } of view.subdirs)
        this.#subdirs.set(Buffer.from(name).toString('latin1'), trees)
  }

  /** Reads the parts of a directory; `undefined` when one of them is missing or damaged: then all is read again. */
  static open(store: ChunkStore, vault: Vault, trees: readonly ChunkId[]): PreviousDirectory | undefined {
    try {
      return new PreviousDirectory(
        trees.map((id) => {
          const { raw, links } = vault.open(store.get(id))
          return { id, view: decodeTree(raw, links) }
        }),
      )
    } catch (error) {
      if (isCellarError(error)) return undefined
      throw error
    }
  }

  /** The entry that had a name, looked for in some parts only. */
  entry(name: Uint8Array, from: number, to: number): Entry | undefined {
    if (this.#byName === undefined) {
      this.#byName = new Map()
      for (const { view } of this.parts.slice(from, to)) {
        try {
          for (const entry of view.entries())
            this.#byName.set(Buffer.from(entry.name).toString('latin1'), entry)
        } catch (error) {
          if (!isCellarError(error)) throw error
        }
      }
    }
    return this.#byName.get(Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('latin1'))
  }

  /** The parts of a directory that was inside. */
  treesOf(name: Uint8Array): readonly ChunkId[] | undefined {
    return this.#subdirs.get(Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('latin1'))
  }
}

/** Whether what the system says of two entries means that the content is the same. */
export function isUnchanged(now: EntryFacts, before: EntryFacts): boolean {
  return (
    now.type === before.type &&
    now.size === before.size &&
    now.mtimeNs === before.mtimeNs &&
    now.ctimeNs === before.ctimeNs &&
    now.inode === before.inode &&
    now.deviceNumber?.major === before.deviceNumber?.major &&
    now.deviceNumber?.minor === before.deviceNumber?.minor
  )
}

/** Says of entries before whether their content can still be given. */
export class ContentCheck {
  readonly #presence: Presence
  #lastBundle: ChunkId | undefined

  constructor(presence: Presence) {
    this.#presence = presence
  }

  /** Whether all of the entry's content may be referred to: by ids, no content is read. */
  isHere({ content }: Entry): boolean {
    if (content === undefined) return true
    if (content.kind === 'file') return this.#presence.isWhole(content.chunk)
    if (content.kind === 'chunks') return content.chunks.every(({ id }) => this.#presence.has(id))
    if (content.chunk === this.#lastBundle) return true
    if (!this.#presence.has(content.chunk)) return false
    this.#lastBundle = content.chunk
    return true
  }
}
