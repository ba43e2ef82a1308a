/**
 * Which chunks a session may refer to without storing them (R5; node/spec/thin.md §1): what is here, and what it may
 * lean on. Whoever in this room wants to know whether a chunk is needed asks this, and not the store.
 */

import { type ChunkId, isCellarError, type RootId } from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import { pause } from '../pause.ts'
import { IdTable } from './id-table.ts'

/** Answers for one session. What it has said holds until the session is closed. */
export interface Presence {
  /** Says whether a chunk may be referred to: its bytes are here, or somebody keeps them for this session. */
  has(id: ChunkId): boolean
  /** Says whether a chunk may be referred to together with all that it reaches. */
  isWhole(id: ChunkId): boolean
}

/** Somebody else who keeps chunks for a session. */
export interface Elsewhere {
  /** Says whether a chunk is kept there. Of a chunk with links, what it reaches need not be. */
  has(id: ChunkId): boolean
}

/** Chunks looked at before others have the thread. */
const stepsPerPause = 256

/** What is here, and nothing else: for a device that supplies all it refers to. */
export function storePresence(store: ChunkStore): Presence {
  return { has: (id) => store.has(id), isWhole: (id) => store.isComplete(id) }
}

/**
 * What is here, and what is below the roots that a session may lean on, as far as their trees are here: of what lies
 * below a tree that is not, nothing is known.
 *
 * @param leanable - by the view that the session pinned (R5); nothing changes in the store until it is closed
 * @param elsewhere - who keeps chunks for this very session
 */
export async function openPresence(
  store: ChunkStore,
  leanable: ReadonlySet<RootId>,
  elsewhere?: Elsewhere,
): Promise<Presence> {
  if (leanable.size === 0 && elsewhere === undefined) return storePresence(store)
  return new LeaningPresence(store, await readClosures(store, leanable), elsewhere)
}

/** The ids below some roots, themselves included; without what is here whole, which nobody needs to lean on. */
async function readClosures(store: ChunkStore, roots: ReadonlySet<RootId>): Promise<IdTable> {
  const table = new IdTable()
  let steps = 0
  for (const root of roots) {
    const open: ChunkId[] = [root]
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (++steps % stepsPerPause === 0) await pause()
      if (store.isComplete(id) || !table.add(id) || !store.has(id)) continue
      for (const link of linksOf(store, id)) open.push(link)
    }
  }
  return table
}

class LeaningPresence implements Presence {
  readonly #store: ChunkStore
  readonly #leaned: IdTable
  readonly #elsewhere: Elsewhere | undefined
  /** Chunks found whole, and not so in the store alone: nothing that a session was told is here goes. */
  readonly #whole = new IdTable()

  constructor(store: ChunkStore, leaned: IdTable, elsewhere: Elsewhere | undefined) {
    this.#store = store
    this.#leaned = leaned
    this.#elsewhere = elsewhere
  }

  has(id: ChunkId): boolean {
    return this.#store.has(id) || this.#leaned.has(id) || this.#elsewhere?.has(id) === true
  }

  /** Walks what is here and not complete, once for each chunk that is found whole. */
  isWhole(top: ChunkId): boolean {
    const path: { readonly id: ChunkId; readonly links: readonly ChunkId[]; next: number }[] = []
    /** @returns false when it is not whole; what must be looked into comes on the path */
    const enter = (id: ChunkId): boolean => {
      if (this.#store.isComplete(id) || this.#leaned.has(id) || this.#whole.has(id)) return true
      // Kept elsewhere and not here: its links are not known, so only what has none is sent there (see Elsewhere).
      if (!this.#store.has(id)) return this.#elsewhere?.has(id) === true
      const links = linksOrNone(this.#store, id)
      if (links === undefined) return false
      path.push({ id, links, next: 0 })
      return true
    }
    if (!enter(top)) return false
    for (let step = path.at(-1); step !== undefined; step = path.at(-1)) {
      const link = step.links[step.next++]
      if (link === undefined) {
        this.#whole.add(step.id)
        path.pop()
      } else if (!enter(link)) return false
    }
    return true
  }
}

/** Links of a damaged chunk are not known: what is below it is not counted on. */
function linksOf(store: ChunkStore, id: ChunkId): readonly ChunkId[] {
  return linksOrNone(store, id) ?? []
}

function linksOrNone(store: ChunkStore, id: ChunkId): readonly ChunkId[] | undefined {
  try {
    return store.links(id)
  } catch (error) {
    if (isCellarError(error)) return undefined
    throw error
  }
}
