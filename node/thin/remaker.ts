/**
 * Hears that chunks of this device's snapshots are nowhere, and makes them again from their sources, without being
 * asked by a person (spec/thin.md §5). What the sources do not give any more is told.
 */

import {
  CellarError,
  type ChunkId,
  type Clock,
  type DeviceId,
  isCellarError,
  type RootId,
  standingHolders,
} from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import { IdTable } from '../backup/id-table.ts'
import type { Events } from '../events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { pause } from '../pause.ts'
import { Serial } from '../serial.ts'

/** What it stands on. */
export interface RemakerParts {
  readonly ledger: Ledger
  readonly store: ChunkStore
  readonly clock: Clock
  readonly events: Events
  /**
   * Says whether a chunk is kept by another device than this one for an upload (spec/upload.md §3): it will come once
   * that one is in reach. @defaultValue none is
   */
  readonly isKept?: (id: ChunkId, asker: DeviceId) => boolean
  /**
   * Makes chunks again from the sources of some snapshots; nothing is reclaimed here meanwhile.
   *
   * @returns those that are here now
   */
  readonly remake: (
    roots: readonly RootId[],
    wanted: ReadonlySet<ChunkId>,
    signal: AbortSignal,
  ) => Promise<ReadonlySet<ChunkId>>
}

/** What could not be made is tried again after so long, milliseconds: reading sources costs. */
export const remakeRestMs = 3_600_000
/** Chunks that are remembered as not to be had. */
const restsMax = 100_000
/** Chunks looked at before others have the thread. */
const stepsPerPause = 256

/** What is missing of the snapshots of this device, and where it is needed. */
interface Missing {
  readonly ids: ReadonlySet<ChunkId>
  readonly roots: readonly RootId[]
}

/** Works until it is closed. */
export class Remaker {
  readonly #parts: RemakerParts
  readonly #serial = new Serial()
  readonly #end = new AbortController()
  readonly #off: () => void
  /** What could not be made, and until when it is not tried again; the oldest first. */
  readonly #rests = new Map<ChunkId, number>()

  constructor(parts: RemakerParts) {
    this.#parts = parts
    this.#off = parts.events.on((event) => {
      if (event.kind !== 'missing') return
      void this.#serial.run(() => this.#tryRemake(event.device, event.ids))
    })
  }

  /** Ends, with what is under way. */
  async close(): Promise<void> {
    this.#off()
    this.#end.abort(new CellarError('ABORTED', 'the node is closing'))
    await this.#serial.idle()
  }

  async #tryRemake(asker: DeviceId, ids: readonly ChunkId[]): Promise<void> {
    try {
      await this.remake(asker, ids, this.#end.signal)
    } catch (error) {
      if (this.#end.signal.aborted) return
      const code = isCellarError(error) ? error.code : 'INTERNAL'
      const message =
        error instanceof Error ? (isCellarError(error) ? error.message : (error.stack ?? '')) : ''
      this.#parts.events.emit({ kind: 'trouble', code, message })
    }
  }

  /**
   * Makes again what of some chunks is missing.
   *
   * @param asker - who says that it finds them nowhere
   * @returns how many are here again
   */
  async remake(asker: DeviceId, ids: readonly ChunkId[], signal: AbortSignal): Promise<number> {
    const { clock, events, store, isKept } = this.#parts
    const nowMs = clock.monotonicMs()
    const isDue = (id: ChunkId) => (this.#rests.get(id) ?? 0) <= nowMs
    const asked = ids.filter((id) => !store.has(id) && isDue(id) && isKept?.(id, asker) !== true)
    if (asked.length === 0) return 0
    const missing = await findMissing(this.#parts, asker, asked)
    if (missing.ids.size === 0) return 0
    const made = await this.#parts.remake(missing.roots, missing.ids, signal)
    for (const id of made) {
      this.#rests.delete(id)
      events.emit({ kind: 'mended', id, from: 'source' })
    }
    const left = [...missing.ids].filter((id) => !made.has(id))
    for (const id of left) this.#rest(id, nowMs + remakeRestMs)
    if (left.length > 0) this.#tell(missing.roots, left.length)
    return made.size
  }

  #rest(id: ChunkId, untilMs: number): void {
    this.#rests.delete(id)
    this.#rests.set(id, untilMs)
    for (const oldest of this.#rests.keys()) {
      if (this.#rests.size <= restsMax) break
      this.#rests.delete(oldest)
    }
  }

  #tell(roots: readonly RootId[], count: number): void {
    const names = roots.map((root) => root.slice(0, 8)).join(', ')
    const message =
      `${String(count)} chunks of ${roots.length === 1 ? 'snapshot' : 'snapshots'} ${names} are on no device, and the files ` +
      'have changed since: back up again, then forget what cannot be completed'
    this.#parts.events.emit({ kind: 'trouble', code: 'CHUNK_NOT_FOUND', message })
  }
}

/**
 * Which of some chunks snapshots of this device need that nobody has whole. What another holder than the one who asks
 * says that it has is waited for: it may just be away.
 */
export async function findMissing(
  { ledger, store }: Pick<RemakerParts, 'ledger' | 'store'>,
  asker: DeviceId,
  ids: readonly ChunkId[],
): Promise<Missing> {
  const { view, membership, device } = ledger
  const wanted = new Set(ids)
  const elsewhere = new Set<ChunkId>()
  const needed = new Set<ChunkId>()
  const roots: RootId[] = []
  const seenElsewhere = new IdTable()
  const seen = new IdTable()
  const own = new Set(ledger.live().flatMap((live) => (live.owner === device ? [live.root] : [])))
  for (const root of own) {
    const others = standingHolders(view, membership, root).filter(
      (other) => other !== asker && other !== device,
    )
    if (others.length > 0) await collect(store, root, wanted, seenElsewhere, elsewhere)
    else {
      const found = new Set<ChunkId>()
      // What two of them share is found in the first: one place is enough to make it again.
      await collect(store, root, wanted, seen, found)
      if (found.size > 0) roots.push(root)
      for (const id of found) needed.add(id)
    }
  }
  return { ids: new Set([...needed].filter((id) => !elsewhere.has(id))), roots }
}

/** Walks what is here of a snapshot, each chunk once, and notes those of some that it names. */
async function collect(
  store: ChunkStore,
  root: RootId,
  wanted: ReadonlySet<ChunkId>,
  seen: IdTable,
  found: Set<ChunkId>,
): Promise<void> {
  const open: ChunkId[] = [root]
  let steps = 0
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (++steps % stepsPerPause === 0) await pause()
    if (!seen.add(id)) continue
    if (wanted.has(id)) found.add(id)
    if (store.has(id) && !store.isComplete(id)) open.push(...linksOf(store, id))
  }
}

function linksOf(store: ChunkStore, id: ChunkId): readonly ChunkId[] {
  try {
    return store.links(id)
  } catch (error) {
    if (isCellarError(error)) return []
    throw error
  }
}
