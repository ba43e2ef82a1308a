/** What to do about an entry and what is in its place already: pure decisions (restore.md §3). */

import type { Stat } from '../adapters/posix.ts'

/** When a file of the snapshot may take the place of one that is there. */
export type Overwrite = 'always' | 'if-changed' | 'if-newer' | 'never'

/** The kinds of entry that a snapshot knows. */
export type EntryKind = 'file' | 'dir' | 'symlink' | 'fifo' | 'char' | 'block'

/** What the decision needs of an entry. */
export interface Wanted {
  readonly type: EntryKind
  readonly size: number
  readonly mtimeNs: bigint
}

/**
 * - `create`: nothing is there.
 * - `enter`: a directory is there and the snapshot has one: its content is restored into it.
 * - `replace`: what is there goes, once the new one is whole; a directory only when empty, or with `delete`.
 * - `same`: it has the size and time of the snapshot's already; only its metadata is set.
 * - `keep`: the policy keeps what is there.
 */
export type Action = 'create' | 'enter' | 'replace' | 'same' | 'keep'

const S_IFMT = 0o170000
const KINDS: ReadonlyMap<number, EntryKind> = new Map([
  [0o100000, 'file'],
  [0o040000, 'dir'],
  [0o120000, 'symlink'],
  [0o010000, 'fifo'],
  [0o020000, 'char'],
  [0o060000, 'block'],
])

/** The kind of what is there; undefined for a socket. */
export function kindOf(found: Stat): EntryKind | undefined {
  return KINDS.get(found.mode & S_IFMT)
}

/** Decides about one entry; `found` is what its name is in the target, never followed. */
export function decide(wanted: Wanted, found: Stat | undefined, overwrite: Overwrite): Action {
  if (found === undefined) return 'create'
  const kind = kindOf(found)
  if (wanted.type === 'dir' && kind === 'dir') return 'enter'
  switch (overwrite) {
    case 'always':
      return 'replace'
    case 'never':
      return 'keep'
    case 'if-newer':
      return wanted.mtimeNs > found.mtimeNs ? 'replace' : 'keep'
    case 'if-changed': {
      const isSame = wanted.type === kind && wanted.mtimeNs === found.mtimeNs && wanted.size === found.size
      return isSame ? 'same' : 'replace'
    }
  }
}

/** Which bytes of a chunk go where in a file. */
export interface Piece {
  /** Where in the file, bytes. */
  readonly at: number
  /** Where in the raw chunk, bytes. */
  readonly from: number
  readonly length: number
}

interface Range {
  readonly offset: number
  readonly length: number
}

/** Spreads the content of a file, chunk after chunk, over what is not a hole. */
export class Placer {
  readonly #holes: readonly Range[]
  readonly #size: number
  #at = 0
  #hole = 0

  /** @param holes - sorted, apart from each other, inside the size */
  constructor(size: number, holes: readonly Range[] = []) {
    this.#size = size
    this.#holes = holes
    this.#skip()
  }

  /** True when the content so far fills the file. */
  get isFull(): boolean {
    return this.#at === this.#size
  }

  /**
   * Where the next `length` bytes of content go.
   *
   * @throws {RangeError} when the file has no room for them: a check of the snapshot was left out
   */
  place(length: number): readonly Piece[] {
    const pieces: Piece[] = []
    for (let from = 0; from < length; ) {
      const end = this.#holes[this.#hole]?.offset ?? this.#size
      const count = Math.min(length - from, end - this.#at)
      if (count <= 0) throw new RangeError('the content is longer than the file')
      pieces.push({ at: this.#at, from, length: count })
      from += count
      this.#at += count
      this.#skip()
    }
    return pieces
  }

  /** Steps over holes that begin here. */
  #skip(): void {
    for (let hole = this.#holes[this.#hole]; hole?.offset === this.#at; hole = this.#holes[this.#hole]) {
      this.#at += hole.length
      this.#hole++
    }
  }
}

/** Bytes a file needs on the disk: its size without its holes. */
export function bytesNeeded(wanted: { readonly size: number; readonly holes?: readonly Range[] }): number {
  let bytes = wanted.size
  for (const hole of wanted.holes ?? []) bytes -= hole.length
  return bytes
}
