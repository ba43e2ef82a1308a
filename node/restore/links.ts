/** Files with several names: which of them is written, and which are linked to it; pure bookkeeping (restore.md §4). */

import type { Entry } from '../../protocol/index.ts'
import type { DirectoryNode } from './directories.ts'

/** One name of a file. */
export interface LinkedName {
  readonly node: DirectoryNode
  readonly entry: Entry
}

interface Group {
  first: LinkedName
  state: 'busy' | 'placed'
  readonly waiting: LinkedName[]
}

/** What to do with a name now; undefined: wait. */
export type LinkStep =
  | { readonly write: LinkedName }
  | { readonly link: LinkedName; readonly to: LinkedName }
  | undefined

/** Brings the names of each file together. */
export class LinkGroups {
  readonly #groups = new Map<string, Group>()

  /** Another name turned up. */
  add(name: LinkedName): LinkStep {
    const key = keyOf(name.entry)
    const group = this.#groups.get(key)
    if (group === undefined) {
      this.#groups.set(key, { first: name, state: 'busy', waiting: [] })
      return { write: name }
    }
    if (group.state === 'placed') return { link: name, to: group.first }
    group.waiting.push(name)
    return undefined
  }

  /** The name that was to be written is there, or is not: the others are linked, or the next one is written. */
  *settle(name: LinkedName, isPlaced: boolean): Iterable<Exclude<LinkStep, undefined>> {
    const group = this.#groups.get(keyOf(name.entry))
    if (group === undefined) return
    if (isPlaced) {
      group.state = 'placed'
      for (const waiting of group.waiting.splice(0)) yield { link: waiting, to: name }
      return
    }
    const next = group.waiting.shift()
    if (next === undefined) {
      this.#groups.delete(keyOf(name.entry))
      return
    }
    group.first = next
    yield { write: next }
  }
}

/** One file as it was when it was read: if it changed in between, its names are restored as different files. */
function keyOf({ device, inode, size, mtimeNs }: Entry): string {
  return `${String(device)}:${String(inode)}:${String(size)}:${String(mtimeNs)}`
}
