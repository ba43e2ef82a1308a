/**
 * How much of one snapshot is in another, seen from visible links and lengths alone: a device without keys can tell
 * (R14; spec/deletion.md §4). Pure but for the questions in `Closures`.
 */

import type { ChunkId, SharedBytes } from '../../protocol/index.ts'
import { pause } from '../pause.ts'
import { SeenIds } from './seen-ids.ts'

/** What the walk asks of a store that has both closures whole. */
export interface Closures {
  /** Links of a chunk. */
  links(id: ChunkId): readonly ChunkId[]
  /** Bytes of a chunk as it is stored. */
  bytes(id: ChunkId): number
}

/** What two closures share, and how large they are. */
export interface Compared extends SharedBytes {
  readonly newerBytes: number
}

/** Chunks looked at before others have their turn. */
const chunksAtOnce = 256

/** Bytes of a chunk and all that it reaches, each chunk once. @throws the signal's reason; what `Closures` throws */
export async function closureBytes(closures: Closures, root: ChunkId, signal: AbortSignal): Promise<number> {
  let bytes = 0
  await new Walk(closures, signal).below([root], (id) => {
    bytes += closures.bytes(id)
  })
  return bytes
}

/**
 * Compares the closures of two roots. What both reach at the same depth by the same chunk is not looked into: the
 * cost is what differs, not what there is. Only when little seems to be shared it looks into the rest too, so that what
 * has moved to another depth is not taken for lost.
 *
 * @param roots - both whole here; the older closure is walked unless its bytes are known
 * @param isLittle - says of a result whether it is worth a second, full look
 * @throws the signal's reason; what `Closures` throws
 */
export async function compareClosures(
  closures: Closures,
  roots: { readonly older: ChunkId; readonly newer: ChunkId; readonly olderBytes?: number },
  isLittle: (shared: SharedBytes) => boolean,
  signal: AbortSignal,
): Promise<Compared> {
  const walk = new Walk(closures, signal)
  const olderBytes = roots.olderBytes ?? (await closureBytes(closures, roots.older, signal))
  const { gone, added, common } = await walk.differ(roots.older, roots.newer)
  const result = async () => {
    const sharedBytes = Math.max(0, olderBytes - (await walk.sum(gone)))
    return { olderBytes, sharedBytes, newerBytes: sharedBytes + (await walk.sum(added)) }
  }
  const first = await result()
  if (!isLittle(first)) return first
  await walk.below(common, (id) => {
    gone.delete(id)
    added.delete(id)
  })
  return await result()
}

/** Goes through closures, and lets others have their turn. */
class Walk {
  readonly #closures: Closures
  readonly #signal: AbortSignal
  #steps = 0

  constructor(closures: Closures, signal: AbortSignal) {
    this.#closures = closures
    this.#signal = signal
  }

  /** Visits all that is reached from some chunks, these too, each once. */
  async below(tops: Iterable<ChunkId>, visit: (id: ChunkId) => void): Promise<void> {
    const seen = new SeenIds()
    const stack = [...tops]
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      if (!seen.add(id)) continue
      visit(id)
      await this.#step()
      for (const link of this.#closures.links(id)) stack.push(link)
    }
  }

  /** What only one of two closures reaches, and the tops of what both do. Level by level, on both sides at once. */
  async differ(older: ChunkId, newer: ChunkId) {
    const seen = { older: new Set<ChunkId>(), newer: new Set<ChunkId>() }
    const common = new Set<ChunkId>()
    let level = { older: new Set([older]), newer: new Set([newer]) }
    while (level.older.size > 0 || level.newer.size > 0) {
      // What one side has looked into at another level the other looks into as well, or its parts would count as lost.
      for (const id of level.older) {
        if (level.newer.has(id) && !seen.older.has(id) && !seen.newer.has(id)) common.add(id)
      }
      const skip = (id: ChunkId): boolean => common.has(id)
      level = {
        older: await this.#next(level.older, seen.older, skip),
        newer: await this.#next(level.newer, seen.newer, skip),
      }
    }
    const gone = new Set([...seen.older].filter((id) => !seen.newer.has(id) && !common.has(id)))
    const added = new Set([...seen.newer].filter((id) => !seen.older.has(id) && !common.has(id)))
    return { gone, added, common }
  }

  async #next(
    level: ReadonlySet<ChunkId>,
    seen: Set<ChunkId>,
    skip: (id: ChunkId) => boolean,
  ): Promise<Set<ChunkId>> {
    const next = new Set<ChunkId>()
    for (const id of level) {
      if (seen.has(id) || skip(id)) continue
      seen.add(id)
      await this.#step()
      for (const link of this.#closures.links(id)) next.add(link)
    }
    return next
  }

  /** Bytes of some chunks. */
  async sum(ids: Iterable<ChunkId>): Promise<number> {
    let bytes = 0
    for (const id of ids) {
      await this.#step()
      bytes += this.#closures.bytes(id)
    }
    return bytes
  }

  async #step(): Promise<void> {
    if (++this.#steps % chunksAtOnce !== 0) return
    await pause()
    this.#signal.throwIfAborted()
  }
}
