/** Fetches, one after another, the roots that this device should hold and does not (replication.md §1). */

import {
  CellarError,
  CHUNKS_PROTOCOL,
  type ChunkId,
  type Clock,
  type DeviceId,
  type ErrorCode,
  encodeMessage,
  holdersOf,
  idsPerMessageMax,
  isCellarError,
  laneKey,
  leaningLanes,
  type RootId,
} from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import type { Events, NodeEvent } from '../events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Network } from '../network.ts'
import { isOfOwnDisk } from '../own-disk.ts'
import { Serial } from '../serial.ts'
import { fetchClosure } from './fetcher.ts'
import type { Room } from './room.ts'
import { type Candidate, planFetches, type PlannedFetch, retryDelayMs } from './plan.ts'
import { anyOf } from '../signals.ts'

/** What a replicator stands on. */
export interface ReplicatorParts {
  readonly ledger: Ledger
  readonly store: ChunkStore
  readonly network: Network
  readonly clock: Clock
  readonly events: Events
  readonly room: Room
}

/** How often a root failed in a row, and when to try again. */
interface Failure {
  readonly count: number
  readonly notBeforeMs: number
  /** Who said that it holds the root: another one is new hope. Undefined where others cannot help. */
  readonly holders: ReadonlySet<DeviceId> | undefined
}

/** Of the errors of the disk here, those that say that there is no room (R12). */
const NO_ROOM: readonly ErrorCode[] = ['STORE_FULL', 'QUOTA_EXCEEDED']

/** The longest pause after such an error, milliseconds: a person who has made room need not wait long. */
const ourPauseMsMax = 20_000

/** Brings this device what the copies goal wants it to hold. */
export class Replicator {
  readonly #parts: ReplicatorParts
  readonly #failures = new Map<RootId, Failure>()
  /** A fetch, and what must not happen beside one. */
  readonly #turn = new Serial()
  /** Something happened since the plan was made. */
  #isStale = true
  #current: PlannedFetch | undefined
  /** Interrupts the fetch under way. */
  #interrupt: (() => void) | undefined

  constructor(parts: ReplicatorParts) {
    this.#parts = parts
  }

  /** The root being fetched, if one is. */
  get fetching(): RootId | undefined {
    return this.#current?.root
  }

  /**
   * Does something beside which nothing may be fetched: what is reclaimed could be just what a fetch has found here. A
   * fetch under way is interrupted, and goes on afterwards where it was.
   */
  async pauseWhile<T>(step: () => Promise<T>): Promise<T> {
    this.#interrupt?.()
    return await this.#turn.run(step)
  }

  /** Works until the signal is aborted; errors of peers and of the disk are told as `trouble` and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { events } = this.#parts
    const off = events.on((event) => {
      if (event.kind === 'view' || event.kind === 'peer') this.#isStale = true
      if (event.kind === 'view') this.#giveUpForgotten()
      // A peer that comes back may have what failed before: no need to wait for the clock.
      if (event.kind === 'peer' && event.state === 'up') this.#failures.clear()
    })
    try {
      while (!signal.aborted) {
        this.#isStale = false
        const next = this.#plan()[0]
        if (next === undefined) await this.#rest(signal)
        else await this.#turn.run(() => this.#fetch(next, signal))
      }
    } finally {
      off()
    }
  }

  /** What was forgotten meanwhile is no longer fetched, and not tried again. */
  #giveUpForgotten(): void {
    const { ledger } = this.#parts
    if (this.#current !== undefined && !ledger.isLive(this.#current.root)) this.#interrupt?.()
    for (const root of this.#failures.keys()) if (!ledger.isLive(root)) this.#failures.delete(root)
  }

  #plan(): PlannedFetch[] {
    const { ledger, store, network, clock, room } = this.#parts
    // What is held and has lost a chunk since is fetched again as far as it is lost.
    const marked = new Set(store.holds())
    const candidates: Candidate[] = []
    // Of those too that leaned once: what they announced then may be whole nowhere still.
    const leaning = leaningLanes(ledger.membership)
    for (const { root, dot } of ledger.live()) {
      if (marked.has(root) && store.isComplete(root)) continue
      // R12: on a full disk what is held is mended, and nothing begun.
      if ((room.isFull && !marked.has(root)) || !ledger.isWanted(root)) continue
      const holders = holdersOf(ledger.view, ledger.membership, root)
      // R5: what a device published leaning may be whole nowhere yet: it has some of it, others have the rest. So may
      // what a device left that was removed since: what is here of it may even be all.
      const mayBeInParts = leaning.has(laneKey(dot.device, dot.incarnation)) || store.has(root)
      const isInParts = holders.length === 0 && mayBeInParts
      candidates.push({
        root,
        holders: isInParts ? network.connected() : holders,
        notBeforeMs: this.#notBeforeMs(root, holders),
      })
    }
    return planFetches({ candidates, connected: new Set(network.connected()), nowMs: clock.monotonicMs() })
  }

  /** A device in reach that has come to hold a root ends its rest, as one that comes back does. */
  #notBeforeMs(root: RootId, holders: readonly DeviceId[]): number {
    const failure = this.#failures.get(root)
    if (failure === undefined) return 0
    const { network } = this.#parts
    const before = failure.holders
    const isNew = (device: DeviceId) => before?.has(device) === false && network.connected().includes(device)
    return holders.some(isNew) ? 0 : failure.notBeforeMs
  }

  async #fetch(planned: PlannedFetch, signal: AbortSignal): Promise<void> {
    const { store, network, clock, events, ledger } = this.#parts
    if (signal.aborted || !ledger.isLive(planned.root)) return // as things are by now
    const interruption = new AbortController()
    const either = anyOf([signal, interruption.signal])
    this.#current = planned
    this.#interrupt = () => {
      interruption.abort(new CellarError('ABORTED', 'the fetch is interrupted'))
    }
    let lacking: readonly ChunkId[] = []
    try {
      const open = (peer: DeviceId, within: AbortSignal) => network.open(peer, CHUNKS_PROTOCOL, within)
      const onProgress = ({ bytes, open: missing }: { bytes: number; open: number }) => {
        events.emit({ kind: 'fetching', root: planned.root, bytes, open: missing })
      }
      const progress = await fetchClosure({ store, clock, open }, planned.root, {
        peers: planned.peers,
        signal: either,
        onProgress,
        onLacking: (ids) => {
          lacking = ids
        },
        // Set aside, so that the next try fetches it.
        onBad: (id) => {
          events.emit({ kind: 'bad-chunk', id })
        },
      })
      either.throwIfAborted()
      await this.#hold(planned.root)
      this.#failures.delete(planned.root)
      events.emit({ kind: 'held', root: planned.root, bytes: progress.bytes })
    } catch (error) {
      if (!either.aborted) {
        this.#noteFailure(planned.root, error)
        await this.#sayMissing(planned.root, lacking, either)
      }
    } finally {
      either.clear()
      this.#current = undefined
      this.#interrupt = undefined
    }
  }

  /** Tells those who announced a root which of its chunks nobody in reach has: they may make them again. */
  async #sayMissing(root: RootId, ids: readonly ChunkId[], signal: AbortSignal): Promise<void> {
    const { ledger, network } = this.#parts
    if (ids.length === 0) return
    const owners = new Set(ledger.live().flatMap((live) => (live.root === root ? [live.owner] : [])))
    for (const owner of network.connected().filter((device) => owners.has(device))) {
      try {
        const channel = await network.open(owner, CHUNKS_PROTOCOL, signal)
        try {
          await channel.send(encodeMessage({ type: 'missing', ids: ids.slice(0, idsPerMessageMax) }))
        } finally {
          await channel.close()
        }
      } catch (error) {
        // It went away: the next try says it again.
        if (!isCellarError(error) && !signal.aborted) throw error
      }
    }
  }

  /**
   * R3: only what is whole and durable is held. A chunk that was here already may turn out to be bad by now: it is set
   * aside, so that the next try fetches it.
   */
  async #hold(root: RootId): Promise<void> {
    const { store, events } = this.#parts
    try {
      await store.hold(root)
    } catch (error) {
      const first = isCellarError(error, 'CLOSURE_INCOMPLETE') ? error.context['first'] : undefined
      if (typeof first === 'string' && store.has(first as ChunkId))
        events.emit({ kind: 'bad-chunk', id: first as ChunkId })
      throw error
    }
  }

  #noteFailure(root: RootId, error: unknown): void {
    // An error of the system, or of our own, with this root must not end the fetching of all others for good.
    const { code, message } = isCellarError(error)
      ? error
      : { code: 'PEER_ERROR' as const, message: error instanceof Error ? (error.stack ?? '') : String(error) }
    const count = (this.#failures.get(root)?.count ?? 0) + 1
    // Trying again with another root does not mend it: all fetching rests.
    const isOurs = isOfOwnDisk(code)
    if (NO_ROOM.includes(code)) this.#parts.room.failed()
    const notBeforeMs =
      this.#parts.clock.monotonicMs() + retryDelayMs(count, isOurs ? ourPauseMsMax : undefined)
    const { ledger } = this.#parts
    const holders = isOurs ? undefined : new Set(holdersOf(ledger.view, ledger.membership, root))
    this.#failures.set(root, { count, notBeforeMs, holders })
    if (isOurs) {
      for (const live of ledger.live()) {
        if (!this.#failures.has(live.root)) this.#failures.set(live.root, { count, notBeforeMs, holders })
      }
    }
    this.#parts.events.emit({ kind: 'trouble', code, message })
  }

  /** Rests until something happens, or the next failed root may be tried again. */
  async #rest(signal: AbortSignal): Promise<void> {
    if (this.#isStale) return
    const nowMs = this.#parts.clock.monotonicMs()
    const waits = [...this.#failures.values()]
      .map((failure) => failure.notBeforeMs - nowMs)
      .filter((ms) => ms > 0)
    const limit = {
      clock: this.#parts.clock,
      ms: waits.length === 0 ? 3_600_000 : Math.min(...waits),
      signal,
    }
    try {
      await this.#parts.events.nextWithin(isNews, limit)
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }
}

/** What a plan may change by. */
function isNews({ kind }: NodeEvent): boolean {
  return kind === 'view' || kind === 'peer' || kind === 'room'
}
