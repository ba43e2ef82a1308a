/** Draws the chunks by which the possession of a root is checked (replication.md §6): pure but for the chance given. */

import { type ChunkId, proveIdsMax, type Random, type RootId } from '../../protocol/index.ts'

/** Ways from the root down that are drawn for one sample. */
const walks = 8

/** What a walk asks of the store. */
export interface Linked {
  /** Whether a chunk is here. */
  has(id: ChunkId): boolean
  /** Links of a chunk that is here. */
  links(id: ChunkId): readonly ChunkId[]
}

/**
 * Draws some chunks of a root: what lies at the ends of random ways down, and on them. A way ends before a chunk that
 * is not here, as on a device that keeps trees and no data: there is nothing to compare with. Costs the length of the
 * ways, however large the closure is.
 *
 * @returns 1 .. `proveIdsMax` ids, each once
 */
export function sampleChunks(store: Linked, root: RootId, random: Random): ChunkId[] {
  const ends = new Set<ChunkId>()
  const between = new Set<ChunkId>([root])
  for (let walk = 0; walk < walks; walk++) {
    let at: ChunkId = root
    for (let links = store.links(at); links.length > 0; links = store.links(at)) {
      between.add(at)
      const next = links[draw(random, links.length)] as ChunkId
      if (!store.has(next)) break
      at = next
    }
    ends.add(at)
  }
  return [...new Set([...ends, ...between])].slice(0, proveIdsMax)
}

/** A number 0 .. limit - 1. */
function draw(random: Random, limit: number): number {
  const word = Buffer.from(random.bytes(4)).readUInt32BE(0)
  return Math.floor((word / 2 ** 32) * limit)
}
