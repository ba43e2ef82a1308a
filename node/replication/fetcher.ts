/** Brings the closure of a root into the store, from several peers at once (replication.md §2). */

import {
  CellarError,
  type ChunkId,
  type Clock,
  type DeviceId,
  isCellarError,
  type RootId,
} from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import { isBadHere } from './bad-here.ts'
import { ChunkClient } from './chunk-client.ts'
import type { Channel } from '../network.ts'
import { isOfOwnDisk } from '../own-disk.ts'
import { WantList } from './want-list.ts'
import { underAnyOf } from '../signals.ts'

/** Chunks asked of one peer and not yet answered: enough to fill a link of 100 MB/s and 50 ms with chunks of 20 KiB. */
const owedMax = 256
/** Chunks in one request: the peer starts to send before the next is written. */
const askMax = 64
/** After so many bytes what has come is made durable, so that an interruption costs at most this. */
const commitEveryBytes = 64 * 1024 * 1024
/** Bad chunks from one peer before it is not asked any more in this fetch. */
const corruptMax = 8

/** What a fetch needs of its node. */
export interface FetchParts {
  readonly store: ChunkStore
  readonly clock: Clock
  /** Opens a channel for chunks to a peer. */
  readonly open: (peer: DeviceId, signal: AbortSignal) => Promise<Channel>
}

/** What has come so far. */
export interface FetchProgress {
  readonly chunks: number
  readonly bytes: number
  /** Chunks known to be missing still; grows while the closure is being discovered. */
  readonly open: number
}

/** How one fetch is done. */
export interface FetchOptions {
  /** Peers that say they can supply the root. */
  readonly peers: readonly DeviceId[]
  readonly signal: AbortSignal
  /** After each chunk that was accepted. */
  readonly onProgress?: (progress: FetchProgress) => void
  /** Told at the end of the chunks that none of the peers has, if there are any. */
  readonly onLacking?: (ids: readonly ChunkId[]) => void
  /** Told of chunks here that are damaged: what they seem to refer to may be nowhere. */
  readonly onBad?: (id: ChunkId) => void
}

/**
 * Fetches all that is missing below a root. What was fetched before an interruption is in the store and is not asked
 * for again. Durable once it resolves; the root is not yet held.
 *
 * @throws {CellarError} `CHUNK_NOT_FOUND` when no peer has some chunk, `PEER_GONE` when all peers went away,
 * `STORE_FULL` and other errors of the store
 */
export async function fetchClosure(
  parts: FetchParts,
  root: RootId,
  options: FetchOptions,
): Promise<FetchProgress> {
  const fetch = new Fetch(parts, options)
  return await fetch.run(root)
}

class Fetch {
  readonly #parts: FetchParts
  readonly #options: FetchOptions
  readonly #wants: WantList
  readonly #failures: unknown[] = []
  /** Ends all sessions as soon as one meets an error of the store, or the caller has had enough. */
  readonly #stop = new AbortController()
  /** All is here: a peer that has gone to sleep, and does not take up its channel, is waited for no more. */
  readonly #done = new AbortController()
  #chunks = 0
  #bytes = 0
  #sinceCommit = 0
  #waiting: (() => void)[] = []
  /** How often those who wait were woken. */
  #wakes = 0

  constructor(parts: FetchParts, options: FetchOptions) {
    this.#parts = parts
    this.#options = options
    this.#wants = new WantList(parts.store)
  }

  async run(root: RootId): Promise<FetchProgress> {
    this.#wants.add([root])
    await underAnyOf([this.#options.signal, this.#stop.signal], async (signal) => {
      const wake = () => {
        this.#wake()
      }
      signal.addEventListener('abort', wake)
      const peers = this.#wants.isDone ? [] : this.#options.peers
      await Promise.all(peers.map((peer) => this.#session(peer, signal)))
      await this.#parts.store.commit()
      signal.throwIfAborted()
    })
    if (!this.#wants.isDone) {
      const lacking = this.#wants.lackingAt(this.#options.peers)
      if (lacking.length > 0) this.#tellLacking(lacking)
      throw this.#reason(root)
    }
    return this.#progress()
  }

  /** Links are read without the hash, for speed: what nobody has may be a link that a flipped bit made up. */
  #tellLacking(lacking: readonly ChunkId[]): void {
    const bad = this.#wants.referringTo(lacking).filter((id) => isBadHere(this.#parts.store, id))
    for (const id of bad) this.#options.onBad?.(id)
    if (bad.length === 0) this.#options.onLacking?.(lacking)
  }

  /** One peer's part: asks, takes, asks on; ends when all is here or the peer is of no more use. */
  async #session(peer: DeviceId, signal: AbortSignal): Promise<void> {
    let client: ChunkClient | undefined
    try {
      const channel = await underAnyOf([signal, this.#done.signal], (until) => this.#parts.open(peer, until))
      client = new ChunkClient(channel, this.#parts.clock)
      await this.#exchange(peer, client, signal)
    } catch (error) {
      if (error instanceof StoreFailure) this.#stop.abort(error.cause)
      else this.#failures.push(ofPeer(error))
    } finally {
      if (client !== undefined) this.#wants.giveBack(client.owed())
      this.#wake()
      await client?.close()
    }
  }

  async #exchange(peer: DeviceId, client: ChunkClient, signal: AbortSignal): Promise<void> {
    let corrupt = 0
    while (!signal.aborted) {
      const wakes = this.#wakes
      await this.#askOn(peer, client)
      const answer = await client.next(signal)
      if (answer === undefined) {
        // What came about meanwhile may be just what this peer can be asked for.
        if (this.#wakes === wakes && !(await this.#moreFor(peer, signal))) return
      } else if (answer.kind === 'absent') {
        this.#wants.absent(peer, answer.id)
        this.#wake()
      } else if (!(await this.#take(answer.id, answer.bytes))) {
        this.#wants.absent(peer, answer.id)
        this.#wake()
        await client.sayCorrupt(answer.id)
        if (++corrupt >= corruptMax)
          throw new CellarError('PEER_PROTOCOL', 'a peer sent many chunks that are not what they say')
      }
    }
  }

  async #askOn(peer: DeviceId, client: ChunkClient): Promise<void> {
    while (client.owedCount <= owedMax - askMax) {
      const ids = this.#wants.take(peer, askMax)
      if (ids.length === 0) return
      await client.ask(ids)
    }
  }

  /** Waits until there may be something to ask this peer for. */
  async #moreFor(peer: DeviceId, signal: AbortSignal): Promise<boolean> {
    if (this.#wants.isDone || signal.aborted) return false
    if (this.#wants.lackingAt([peer]).length === this.#wants.openCount) return false
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve)
    })
    return !this.#wants.isDone
  }

  /** @returns false when the bytes are not what the id says */
  async #take(id: RootId, bytes: Uint8Array): Promise<boolean> {
    try {
      await this.#parts.store.put(id, bytes)
    } catch (error) {
      if (isCellarError(error, 'CHUNK_CORRUPT') || isCellarError(error, 'CHUNK_MALFORMED')) return false
      throw new StoreFailure(error)
    }
    // Not the links in these bytes: of a chunk that came by another way meanwhile they were not checked.
    this.#wants.arrived(id, this.#parts.store.links(id))
    this.#chunks++
    this.#bytes += bytes.byteLength
    this.#sinceCommit += bytes.byteLength
    if (this.#sinceCommit >= commitEveryBytes) {
      this.#sinceCommit = 0
      await this.#commit()
    }
    this.#options.onProgress?.(this.#progress())
    if (this.#wants.isDone) this.#done.abort(new CellarError('ABORTED', 'all is here'))
    this.#wake()
    return true
  }

  async #commit(): Promise<void> {
    try {
      await this.#parts.store.commit()
    } catch (error) {
      throw new StoreFailure(error)
    }
  }

  #wake(): void {
    this.#wakes++
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  #progress(): FetchProgress {
    return { chunks: this.#chunks, bytes: this.#bytes, open: this.#wants.openCount }
  }

  #reason(root: RootId): unknown {
    const lacking = this.#wants.lackingAt(this.#options.peers)
    if (lacking.length > 0) {
      return new CellarError(
        'CHUNK_NOT_FOUND',
        `no peer in reach has chunk ${String(lacking[0])}, which snapshot ${root} needs`,
        {
          chunk: String(lacking[0]),
          root,
          missing: lacking.length,
        },
      )
    }
    return (
      this.#failures[0] ??
      new CellarError('PEER_GONE', `no peer in reach could send snapshot ${root}`, { root })
    )
  }
}

/** An error as it came about with a peer: what it says of disks is of its own. */
function ofPeer(error: unknown): unknown {
  if (!isCellarError(error) || !isOfOwnDisk(error.code)) return error
  return new CellarError('PEER_ERROR', error.message, error.context, { cause: error })
}

/** An error of our own disk: no other peer can mend it. */
class StoreFailure extends Error {
  constructor(cause: unknown) {
    super('the store failed', { cause })
  }
}
