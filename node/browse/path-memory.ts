/**
 * What paths led to in snapshots, which never change: the next page of the same question reads nothing again. Bounded,
 * and only of the paths that were asked for last.
 */

import type { Entry, RootId } from '../../protocol/index.ts'

/** Paths that are remembered. */
const pathsMax = 4
/** Chunk ids and entries of all that is remembered, some 100 bytes each. */
export const weightMax = 50_000

interface Remembered {
  readonly found: Map<RootId, Entry | undefined>
  weight: number
}

/** Keep one for a node. */
export class PathMemory {
  /** The one asked for last stands last. */
  readonly #paths = new Map<string, Remembered>()

  /** What a path leads to; `isKnown: false` when nobody looked, or it was let go of. @param path - clean, raw */
  get(path: Uint8Array, root: RootId): { readonly isKnown: boolean; readonly entry: Entry | undefined } {
    const found = this.#paths.get(keyOf(path))?.found
    return { isKnown: found?.has(root) === true, entry: found?.get(root) }
  }

  /** Remembers what a path leads to, where there is room. @param entry - undefined: nothing is there */
  put(path: Uint8Array, root: RootId, entry: Entry | undefined): void {
    const key = keyOf(path)
    const remembered = this.#paths.get(key) ?? { found: new Map(), weight: 0 }
    const weight = weightOf(entry)
    if (remembered.weight + weight > weightMax / pathsMax) return
    remembered.found.set(root, entry)
    remembered.weight += weight
    this.#paths.delete(key)
    this.#paths.set(key, remembered)
    for (const oldest of this.#paths.keys()) {
      if (this.#paths.size <= pathsMax) break
      this.#paths.delete(oldest)
    }
  }

  /** Of all that is remembered. */
  get weight(): number {
    return [...this.#paths.values()].reduce((sum, { weight }) => sum + weight, 0)
  }
}

function keyOf(path: Uint8Array): string {
  return Buffer.from(path).toString('latin1')
}

/** A large directory has hundreds of parts, a file a few chunks. */
function weightOf(entry: Entry | undefined): number {
  const { trees = [], content } = entry ?? {}
  return 1 + trees.length + (content?.kind === 'chunks' ? content.chunks.length : 0)
}
