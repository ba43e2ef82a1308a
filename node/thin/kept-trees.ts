/** The trees of a snapshot that are here: what a thin device keeps of it (spec/thin.md §3). */

import { type ChunkId, decodeRoot, decodeTree, isCellarError, type RootId } from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import { IdTable } from '../backup/id-table.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { pause } from '../pause.ts'
import type { Vault } from '../vault.ts'
import { isThin, newestOfEachSource, treesKeptPerSource } from './thin.ts'

/** Chunks opened before others have the thread. */
const chunksPerPause = 16

const NOTHING = { trees: [], contents: [] }

/** Chunks that stay without what is below them. */
export interface Staying {
  /** Says whether a chunk stays. */
  has(id: ChunkId): boolean
}

/** What stays on a thin device: the trees of the newest few snapshots of each of its sources; undefined on others. */
export async function treesToKeep(ledger: Ledger, trees: KeptTrees): Promise<Staying | undefined> {
  const { membership, device } = ledger
  if (!isThin(membership, device)) return undefined
  const newest = newestOfEachSource(ledger.live(), device, treesKeptPerSource, (root) =>
    ledger.firstSeenMs(root),
  )
  return await trees.of(newest)
}

/** Finds what is to stay of snapshots whose contents others have; remembers it while they are the same snapshots. */
export class KeptTrees {
  readonly #store: ChunkStore
  readonly #vault: () => Vault | undefined
  #known: { readonly name: string; readonly table: IdTable } | undefined

  /** @param vault - that of the moment; a device that reads nothing keeps no trees */
  constructor(store: ChunkStore, vault: () => Vault | undefined) {
    this.#store = store
    this.#vault = vault
  }

  /** Root chunks, trees and lists of chunks that are here of some snapshots: everything but the contents of files. */
  async of(roots: ReadonlySet<RootId>): Promise<Staying> {
    const name = [...roots].sort().join()
    if (this.#known?.name === name) return this.#known.table
    const table = new IdTable()
    for (const root of roots) await this.#read(root, table)
    this.#known = { name, table }
    return table
  }

  async #read(root: RootId, table: IdTable): Promise<void> {
    const open: ChunkId[] = [root]
    let opened = 0
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      if (!this.#store.has(id) || !table.add(id)) continue
      if (++opened % chunksPerPause === 0) await pause()
      const below = this.#look(id)
      for (const tree of below.trees) open.push(tree)
      for (const content of below.contents) this.#addLists(content, table)
    }
  }

  /** A list of chunks has links, and content has none. */
  #addLists(top: ChunkId, table: IdTable): void {
    const open: ChunkId[] = [top]
    for (let id = open.pop(); id !== undefined; id = open.pop()) {
      const links = this.#links(id)
      if (links.length > 0 && table.add(id)) open.push(...links)
    }
  }

  #links(id: ChunkId): readonly ChunkId[] {
    if (!this.#store.has(id)) return []
    try {
      return this.#store.links(id)
    } catch (error) {
      if (isCellarError(error)) return [] // damaged: whoever has it whole gives it
      throw error
    }
  }

  /** What a root or tree refers to. Of one that cannot be read nothing below is known, and nothing stays. */
  #look(id: ChunkId): { readonly trees: readonly ChunkId[]; readonly contents: readonly ChunkId[] } {
    const vault = this.#vault()
    if (vault === undefined) return NOTHING
    try {
      const { kind, raw, links } = vault.open(this.#store.get(id))
      if (kind === 'root') return { trees: decodeRoot(raw, links).trees, contents: [] }
      const trees = new Set(decodeTree(raw, links).subdirs.flatMap((subdir) => subdir.trees))
      return { trees: [...trees], contents: links.filter((link) => !trees.has(link)) }
    } catch (error) {
      if (isCellarError(error)) return NOTHING
      throw error
    }
  }
}
