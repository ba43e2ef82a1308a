/** What this device keeps for the uploads of others, as its node has it: takes them, and sees when they end (R6.7). */

import { type ChunkId, type Clock, type DeviceId, isCellarError, memberNow } from '../../protocol/index.ts'
import type { Catalog, ChunkStore } from '../../storage/index.ts'
import type { Events } from '../events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Channel } from '../network.ts'
import { isUploadOver } from './ended.ts'
import { type KeptUpload, Promises } from './promises.ts'
import { receiveUpload } from './receiver.ts'

/** What a keeper stands on. */
export interface KeeperParts {
  readonly catalog: Catalog
  readonly ledger: Ledger
  readonly store: ChunkStore
  readonly clock: Clock
  readonly events: Events
}

/** After an error, such as a full disk, the next try begins so much later, milliseconds. */
const againMs = 30_000

/** Keeps the chunks of uploads. */
export class UploadKeeper {
  readonly #parts: KeeperParts
  readonly #promises: Promises
  /** Something happened since the uploads were looked at. */
  #isStale = true

  private constructor(parts: KeeperParts, promises: Promises) {
    this.#parts = parts
    this.#promises = promises
  }

  /** Reads back what was promised. */
  static async open(parts: KeeperParts): Promise<UploadKeeper> {
    return new UploadKeeper(parts, await Promises.open(parts.catalog))
  }

  /** Says whether a chunk must stay for an upload (R6.7): to be asked in the moment of removing. */
  isPromised(id: ChunkId): boolean {
    return this.#promises.isPromised(id)
  }

  /** Uploads that have not ended. */
  uploads(): readonly KeptUpload[] {
    return this.#promises.uploads()
  }

  /** Serves one channel of a peer. */
  async serve(
    device: DeviceId,
    channel: Channel,
    room: { readonly isFull: boolean; failed(): void },
  ): Promise<void> {
    const { store, ledger, events } = this.#parts
    await receiveUpload(
      {
        store,
        promises: this.#promises,
        member: (one) => memberNow(ledger.membership, one),
        self: ledger.device,
        room,
        onChange: () => {
          this.#isStale = true
          events.emit({ kind: 'upload', device })
        },
        onBytes: (bytes) => {
          events.emit({ kind: 'deposited', device, bytes })
        },
      },
      device,
      channel,
    )
  }

  /** Ends the uploads that are over, once, and forgets what they kept. @returns how many ended */
  async review(signal: AbortSignal): Promise<number> {
    const { ledger, store, events } = this.#parts
    let ended = 0
    for (const upload of this.#promises.uploads()) {
      if (signal.aborted || !isUploadOver(ledger, store, upload)) continue
      await this.#promises.end(upload)
      ended++
    }
    await this.#promises.sweep(signal)
    // What nothing needs any more may go.
    if (ended > 0) events.emit({ kind: 'upload', device: ledger.device })
    return ended
  }

  /** Looks whenever something may have ended one, until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { events, clock } = this.#parts
    const isNews = (kind: string) => kind === 'view' || kind === 'held' || kind === 'upload'
    const off = events.on(({ kind }) => {
      if (isNews(kind)) this.#isStale = true
    })
    try {
      while (!signal.aborted) {
        this.#isStale = false
        try {
          await this.review(signal)
        } catch (error) {
          if (!isCellarError(error)) throw error
          events.emit({ kind: 'trouble', code: error.code, message: error.message })
          await clock.sleep(againMs, signal).catch(() => undefined) // aborted: the loop sees it
          this.#isStale = true
        }
        if (this.#isStale) continue
        await events
          .next(({ kind }) => isNews(kind), signal)
          .catch((error: unknown) => {
            if (!signal.aborted) throw error
          })
      }
    } finally {
      off()
    }
  }

  /** Waits until nothing is being written. */
  async idle(): Promise<void> {
    await this.#promises.idle()
  }
}
