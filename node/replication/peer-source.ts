/** Reads chunks from peers as they are asked for, keeping none: for restoring what is not here (replication.md §4). */

import {
  CellarError,
  CHUNKS_PROTOCOL,
  type ChunkId,
  type Clock,
  type DeviceId,
  isCellarError,
  verifyChunk,
} from '../../protocol/index.ts'
import type { ChunkSource } from '../chunk-source.ts'
import type { Network } from '../network.ts'
import { ChunkClient } from './chunk-client.ts'

/** Chunks asked of one peer and not yet answered. */
const owedMax = 32

/** What a peer source needs. */
export interface PeerSourceParts {
  readonly network: Network
  readonly clock: Clock
  /** Who may be asked, in the order of preference. */
  readonly peers: readonly DeviceId[]
}

/** One chunk someone waits for. */
interface Waiting {
  readonly id: ChunkId
  readonly resolve: (bytes: Uint8Array) => void
  readonly reject: (error: unknown) => void
  /** Peers that have not got it, or sent it wrong. */
  readonly absentAt: Set<DeviceId>
  wasCorrupt: boolean
}

/** Chunks from peers; ends its channels when closed. */
export class PeerSource implements ChunkSource {
  readonly #parts: PeerSourceParts
  readonly #queue: Waiting[] = []
  readonly #end = new AbortController()
  readonly #pumps = new Map<DeviceId, Promise<void>>()
  readonly #wakes = new Set<() => void>()
  readonly #failures = new Map<DeviceId, unknown>()

  constructor(parts: PeerSourceParts) {
    this.#parts = parts
  }

  /**
   * One chunk, its hash verified; fresh. @throws {CellarError} `CHUNK_NOT_FOUND`, `CHUNK_CORRUPT`, `PEER_GONE`,
   * `ABORTED`
   */
  async get(id: ChunkId, signal: AbortSignal): Promise<Uint8Array> {
    if (signal.aborted || this.#end.signal.aborted)
      throw new CellarError('ABORTED', 'reading was interrupted')
    return await new Promise<Uint8Array>((resolve, reject) => {
      const onAbort = () => {
        reject(new CellarError('ABORTED', 'reading was interrupted'))
      }
      signal.addEventListener('abort', onAbort, { once: true })
      const done =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          signal.removeEventListener('abort', onAbort)
          settle(value)
        }
      this.#ask({ id, resolve: done(resolve), reject: done(reject), absentAt: new Set(), wasCorrupt: false })
    })
  }

  /** Ends the channels; whoever still waits is refused with `ABORTED`. */
  async close(): Promise<void> {
    this.#end.abort(new CellarError('ABORTED', 'reading was interrupted'))
    this.#wake()
    await Promise.all(this.#pumps.values())
    for (const waiting of this.#queue.splice(0))
      waiting.reject(new CellarError('ABORTED', 'reading was interrupted'))
  }

  #ask(waiting: Waiting): void {
    const { peers } = this.#parts
    const able = peers.filter((peer) => !waiting.absentAt.has(peer) && !this.#failures.has(peer))
    if (able.length === 0) {
      waiting.reject(this.#reason(waiting))
      return
    }
    this.#queue.push(waiting)
    for (const peer of able) this.#start(peer)
    this.#wake()
  }

  #reason(waiting: Waiting): unknown {
    const { id } = waiting
    if (waiting.wasCorrupt)
      return new CellarError('CHUNK_CORRUPT', `chunk ${id} is damaged at every peer that has it`, {
        chunk: id,
      })
    const [failure] = this.#failures.values()
    return failure ?? new CellarError('CHUNK_NOT_FOUND', `no peer in reach has chunk ${id}`, { chunk: id })
  }

  #start(peer: DeviceId): void {
    if (this.#pumps.has(peer)) return
    this.#pumps.set(peer, this.#pump(peer))
  }

  async #pump(peer: DeviceId): Promise<void> {
    const { signal } = this.#end
    const owed = new Map<ChunkId, Waiting[]>()
    let client: ChunkClient | undefined
    try {
      client = new ChunkClient(
        await this.#parts.network.open(peer, CHUNKS_PROTOCOL, signal),
        this.#parts.clock,
      )
      while (!signal.aborted) {
        await this.#askOn(peer, client, owed)
        const answer = await client.next(signal)
        if (answer === undefined) await this.#sleep(peer)
        else if (answer.kind === 'absent') this.#settleAbsent(peer, owed, answer.id, false)
        else if (isGood(answer.id, answer.bytes)) take(owed, answer.id)?.resolve(answer.bytes)
        else {
          await client.sayCorrupt(answer.id)
          this.#settleAbsent(peer, owed, answer.id, true)
        }
      }
    } catch (error) {
      if (!signal.aborted) this.#failures.set(peer, error)
    } finally {
      await client?.close()
      for (const waiting of [...owed.values()].flat()) this.#ask(waiting)
      for (const waiting of this.#queue.splice(0)) this.#ask(waiting)
    }
  }

  async #askOn(peer: DeviceId, client: ChunkClient, owed: Map<ChunkId, Waiting[]>): Promise<void> {
    const ids: ChunkId[] = []
    const passed: Waiting[] = []
    while (client.owedCount + ids.length < owedMax) {
      const waiting = this.#queue.shift()
      if (waiting === undefined) break
      if (waiting.absentAt.has(peer)) {
        passed.push(waiting)
        continue
      }
      owed.set(waiting.id, [...(owed.get(waiting.id) ?? []), waiting])
      ids.push(waiting.id)
    }
    this.#queue.unshift(...passed)
    if (ids.length > 0) await client.ask(ids)
  }

  #settleAbsent(peer: DeviceId, owed: Map<ChunkId, Waiting[]>, id: ChunkId, wasCorrupt: boolean): void {
    const waiting = take(owed, id)
    if (waiting === undefined) return
    waiting.absentAt.add(peer)
    waiting.wasCorrupt ||= wasCorrupt
    this.#ask(waiting)
  }

  /** Rests until something is asked for that this peer may have. */
  async #sleep(peer: DeviceId): Promise<void> {
    if (this.#end.signal.aborted || this.#queue.some((waiting) => !waiting.absentAt.has(peer))) return
    await new Promise<void>((resolve) => {
      this.#wakes.add(resolve)
    })
  }

  #wake(): void {
    for (const resolve of this.#wakes) resolve()
    this.#wakes.clear()
  }
}

function take(owed: Map<ChunkId, Waiting[]>, id: ChunkId): Waiting | undefined {
  const waiting = owed.get(id)
  const first = waiting?.shift()
  if (waiting?.length === 0) owed.delete(id)
  return first
}

function isGood(id: ChunkId, bytes: Uint8Array): boolean {
  try {
    verifyChunk(id, bytes)
    return true
  } catch (error) {
    if (isCellarError(error, 'CHUNK_CORRUPT')) return false
    throw error
  }
}
