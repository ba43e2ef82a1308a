/** Asks one peer for chunks over one channel, many at a time (wire.md "chunks", replication.md §3). */

import {
  CellarError,
  type ChunkId,
  type Clock,
  decodeFrame,
  encodeMessage,
  idsPerMessageMax,
} from '../../protocol/index.ts'
import type { Channel } from '../network.ts'
import { anyOf, type ClearableSignal } from '../signals.ts'

/** Longest silence of a peer that owes us something, in milliseconds. */
const silenceMsMax = 60_000

/** What one asked-for chunk came to. */
export type ChunkAnswer =
  | { readonly kind: 'chunk'; readonly id: ChunkId; readonly bytes: Uint8Array }
  | { readonly kind: 'absent'; readonly id: ChunkId }

/**
 * One channel to one peer. Answers come in the order of asking, so a chunk is known by its turn; whoever takes it
 * checks that its hash is that id.
 */
export class ChunkClient {
  readonly #channel: Channel
  readonly #clock: Clock
  readonly #owed = new Map<number, ChunkId[]>()
  /** Ends the watch. */
  readonly #end = new AbortController()
  /** Since when an answer is waited for, by running time. */
  #waitsSinceMs: number | undefined
  #until: { readonly given: AbortSignal; readonly either: ClearableSignal } | undefined
  #request = 0

  constructor(channel: Channel, clock: Clock) {
    this.#channel = channel
    this.#clock = clock
  }

  /** Chunks asked for and not yet answered. */
  get owedCount(): number {
    let count = 0
    for (const ids of this.#owed.values()) count += ids.length
    return count
  }

  /** The chunks asked for and not yet answered. */
  owed(): ChunkId[] {
    return [...this.#owed.values()].flat()
  }

  /** Asks for 1 .. 1024 chunks. */
  async ask(ids: readonly ChunkId[]): Promise<void> {
    if (ids.length > idsPerMessageMax) throw new RangeError(`${String(ids.length)} chunks in one request`)
    const request = this.#request++
    this.#owed.set(request, [...ids])
    await this.#channel.send(encodeMessage({ type: 'want', request, ids: [...ids] }))
  }

  /** Tells the peer that what it sent is not what the id says. */
  async sayCorrupt(id: ChunkId): Promise<void> {
    await this.#channel.send(encodeMessage({ type: 'corrupt', ids: [id] }))
  }

  /**
   * The next answer.
   *
   * @returns undefined once nothing is owed
   * @throws {CellarError} `PEER_GONE` when the peer ends or is silent too long, `PEER_PROTOCOL` when it answers what
   *   was not asked, or the error it sent
   */
  async next(signal: AbortSignal): Promise<ChunkAnswer | undefined> {
    while (this.#owed.size > 0) {
      const decoded = decodeFrame(await this.#receive(signal))
      if (decoded.kind === 'chunk')
        return { kind: 'chunk', id: this.#turn(decoded.request), bytes: decoded.chunk }
      const message = decoded.message
      if (message.type === 'done') this.#finish(message.request)
      else if (message.type === 'absent')
        return { kind: 'absent', id: this.#absent(message.request, message.ids) }
      else if (message.type === 'error') {
        throw new CellarError(message.code, `the peer refused to send chunks (${message.message})`)
      } else throw unasked(`a "${message.type}" message`)
    }
    return undefined
  }

  /** Ends the channel; safe to call more than once. */
  async close(): Promise<void> {
    this.#end.abort()
    this.#until?.either.clear()
    await this.#channel.close()
  }

  async #receive(signal: AbortSignal): Promise<Uint8Array> {
    const until = this.#untilSilent(signal)
    this.#waitsSinceMs = this.#clock.monotonicMs()
    try {
      const frame = await this.#channel.receive(until)
      if (frame === undefined)
        throw new CellarError('PEER_GONE', 'the peer ended the transfer before all was sent')
      return frame
    } finally {
      this.#waitsSinceMs = undefined
    }
  }

  /**
   * The signal, or that the peer is silent. One for all answers: a million small chunks must not make a million
   * signals and timers, each of which the long-lived one would remember.
   */
  #untilSilent(given: AbortSignal): AbortSignal {
    if (this.#until?.given === given) return this.#until.either
    const silent = new AbortController()
    this.#until?.either.clear()
    const either = anyOf([given, silent.signal])
    this.#until = { given, either }
    void this.#watch(given, silent)
    return either
  }

  async #watch(given: AbortSignal, silent: AbortController): Promise<void> {
    const { signal } = this.#end
    const isCurrent = () => this.#until?.given === given && !signal.aborted
    while (isCurrent()) {
      const sinceMs = this.#waitsSinceMs ?? this.#clock.monotonicMs()
      const leftMs = sinceMs + silenceMsMax - this.#clock.monotonicMs()
      if (leftMs <= 0) {
        const seconds = String(silenceMsMax / 1000)
        silent.abort(new CellarError('PEER_GONE', `the peer sent nothing for ${seconds} seconds`))
        return
      }
      await this.#clock.sleep(leftMs, signal).catch(() => undefined) // closed: the loop sees it
    }
  }

  #turn(request: number): ChunkId {
    const id = this.#owed.get(request)?.shift()
    if (id === undefined) throw unasked('a chunk')
    return id
  }

  #absent(request: number, ids: readonly ChunkId[]): ChunkId {
    const id = this.#turn(request)
    if (ids.length !== 1 || ids[0] !== id) throw unasked('an answer out of turn')
    return id
  }

  #finish(request: number): void {
    if (this.#owed.get(request)?.length !== 0) throw unasked('an end before its turn')
    this.#owed.delete(request)
  }
}

function unasked(what: string): CellarError {
  return new CellarError('PEER_PROTOCOL', `a peer sent ${what} that was not asked for`)
}
