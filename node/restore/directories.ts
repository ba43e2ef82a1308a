/** The directories of a restore: opened when needed, never through a symlink, few at a time (restore.md §6). */

import type { ChunkId, Entry } from '../../protocol/index.ts'
import type { Dir, Posix } from '../adapters/posix.ts'
import type { NamePath } from '../backup/patterns.ts'

/** One directory that is being restored. */
export interface DirectoryNode {
  /** Undefined for the target itself. */
  readonly parent: DirectoryNode | undefined
  readonly name: Uint8Array
  /** Undefined for the target itself: it gets no metadata. */
  readonly entry: Entry | undefined
  /** Of the target itself: the parts of what is restored into it. */
  readonly topTrees?: readonly ChunkId[]
  /** In the snapshot. */
  readonly path: Uint8Array
  readonly names: NamePath
  readonly isSelected: boolean
  /** See `FoundDirectory`. */
  state: 'fresh' | 'there' | 'lazy'
  inheritsAcl: boolean
  /** Set when a mode had to be widened to work in it: what it was. */
  modeBefore?: number
  /** What is still to be done in it. */
  pending: number
  /** What the snapshot does not have in it has been removed, or need not be. */
  isCleared: boolean
}

interface Open {
  readonly dir: Dir
  pins: number
}

const OPEN_MAX = 200

/** Keeps the directories open that are in use, and some more. */
export class Directories {
  readonly #posix: Posix
  readonly #top: Dir
  readonly #open = new Map<DirectoryNode, Open>()

  /** @param top - the target, open; it stays the caller's */
  constructor(posix: Posix, top: Dir) {
    this.#posix = posix
    this.#top = top
  }

  /**
   * Opens a directory, from the nearest one above that is open; it stays open until `release`.
   *
   * @throws {Error} of the system: `ENOTDIR`, `ELOOP` when something else has taken its place
   */
  acquire(node: DirectoryNode): Dir {
    if (node.parent === undefined) return this.#top
    const known = this.#open.get(node)
    if (known !== undefined) {
      this.#open.delete(node) // the one used last is closed last
      this.#open.set(node, known)
      known.pins++
      return known.dir
    }
    const way: DirectoryNode[] = []
    let nearest: DirectoryNode = node
    while (nearest.parent !== undefined && !this.#open.has(nearest)) {
      way.push(nearest)
      nearest = nearest.parent
    }
    let dir = this.#open.get(nearest)?.dir ?? this.#top
    let last: Open | undefined
    for (const step of way.reverse()) {
      last = { dir: this.#posix.openDirAt(dir, step.name), pins: 1 }
      this.#open.set(step, last)
      this.#evict()
      dir = last.dir
      if (step !== node) last.pins = 0
    }
    return dir
  }

  /** Ends one use that {@link acquire} began; the directory may be closed from then on. */
  release(node: DirectoryNode): void {
    const open = this.#open.get(node)
    if (open !== undefined) open.pins--
    this.#evict()
  }

  /** Does something in a directory while it is open. */
  within<T>(node: DirectoryNode, action: (dir: Dir) => T): T {
    const dir = this.acquire(node)
    try {
      return action(dir)
    } finally {
      this.release(node)
    }
  }

  /** It is done with: closed when nobody uses it. */
  forget(node: DirectoryNode): void {
    const open = this.#open.get(node)
    if (open === undefined || open.pins > 0) return
    this.#open.delete(node)
    this.#posix.closeDir(open.dir)
  }

  /** Closes all that is open; nobody may be using any of it. */
  close(): void {
    for (const { dir } of this.#open.values()) this.#posix.closeDir(dir)
    this.#open.clear()
  }

  #evict(): void {
    if (this.#open.size <= OPEN_MAX) return
    for (const [node, { dir, pins }] of this.#open) {
      if (this.#open.size <= OPEN_MAX) return
      if (pins > 0) continue
      this.#open.delete(node)
      this.#posix.closeDir(dir)
    }
  }
}
