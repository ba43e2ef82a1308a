/** Takes the upload of one peer over one channel (wire.md §7, spec/upload.md §2). */

import {
  CellarError,
  type ChunkId,
  decodeFrame,
  type DeviceId,
  encodeMessage,
  isCellarError,
  type Member,
  type Message,
  quotaBytesMax,
  type RootId,
  type UploadId,
} from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import type { Channel } from '../network.ts'
import type { Room } from '../replication/room.ts'
import { Serial } from '../serial.ts'
import { Deposits } from './deposits.ts'
import type { KeptUpload, Promises } from './promises.ts'

/** What receiving stands on. */
export interface ReceiverParts {
  readonly store: ChunkStore
  readonly promises: Promises
  /** A device as a member now, and this device itself. */
  readonly member: (device: DeviceId) => Member | undefined
  readonly self: DeviceId
  /** Whether nothing more can be stored; and word that something could not be. */
  readonly room: Pick<Room, 'isFull' | 'failed'>
  /** An upload was ended by its owner, or came to have a root. */
  readonly onChange: () => void
  /** So many bytes of a chunk came. */
  readonly onBytes: (bytes: number) => void
}

/** What a peer is told of, before its stream ends; anything else breaks the stream off. */
const TOLD = ['STORE_FULL', 'QUOTA_EXCEEDED', 'NOT_ENTITLED', 'PEER_BUSY', 'PEER_ERROR'] as const

/**
 * Serves one peer's channel until it ends. What it was told is durable stays; what was under way is not promised.
 *
 * @throws {CellarError} `PEER_PROTOCOL` when the peer breaks the rules, `PEER_GONE`; and errors of the store that are
 *   no want of room
 */
export async function receiveUpload(parts: ReceiverParts, device: DeviceId, channel: Channel): Promise<void> {
  const receiver = new Receiver(parts, device, channel)
  try {
    await receiver.run()
  } catch (error) {
    if (isCellarError(error) && ['STORE_FULL', 'QUOTA_EXCEEDED'].includes(error.code)) parts.room.failed()
    if (!isCellarError(error) || !TOLD.some((code) => code === error.code)) throw error
    await receiver.tell(error)
  } finally {
    await receiver.end()
  }
}

class Receiver {
  readonly #parts: ReceiverParts
  readonly #device: DeviceId
  readonly #channel: Channel
  readonly #deposits = new Deposits()
  /** Ends the expectation of each deposit under way. */
  readonly #expectations = new Map<number, () => void>()
  /** Makes deposits durable, one after the other, while the next ones come. */
  readonly #finishing = new Serial()
  readonly #sending = new Serial()
  readonly #failure = new AbortController()
  #kept: KeptUpload | undefined

  constructor(parts: ReceiverParts, device: DeviceId, channel: Channel) {
    this.#parts = parts
    this.#device = device
    this.#channel = channel
  }

  /** Takes frames until the peer ends its side and all is answered. */
  async run(): Promise<void> {
    for (;;) {
      const frame = await this.#channel.receive(this.#failure.signal)
      if (frame === undefined) break
      const decoded = decodeFrame(frame)
      if (decoded.kind === 'chunk') await this.#takeChunk(decoded.request, decoded.chunk)
      else await this.#take(decoded.message)
    }
    await this.#finishing.idle()
    this.#failure.signal.throwIfAborted()
  }

  async #take(message: Message): Promise<void> {
    if (message.type === 'uploadOpen') await this.#open(message.upload)
    else if (message.type === 'deposit') await this.#deposit(message.request, message.ids)
    else if (message.type === 'absent') {
      this.#deposits.withheld(message.request, message.ids)
      this.#finishIfWhole(message.request)
    } else if (message.type === 'uploadClose') await this.#close(message.request, message.roots)
    else throw new CellarError('PEER_PROTOCOL', `a peer sent "${message.type}" in an upload`)
  }

  async #open(upload: UploadId): Promise<void> {
    if (this.#kept !== undefined)
      throw new CellarError('PEER_PROTOCOL', 'a peer opened two uploads on one stream')
    const { promises, member, self, room, store } = this.#parts
    const owner = member(this.#device)
    if (owner === undefined) throw new CellarError('NOT_ENTITLED', 'it is no member here')
    if (member(self)?.capabilities.has('store') !== true)
      throw new CellarError('NOT_ENTITLED', 'this device stores for nobody')
    this.#kept = await promises.begin({ device: this.#device, incarnation: owner.incarnation, upload })
    const roomBytes = room.isFull ? 0 : Math.min(quotaBytesMax, Math.max(0, Math.floor(store.roomBytes())))
    await this.#send({ type: 'uploadReady', roomBytes })
  }

  get #upload(): KeptUpload {
    if (this.#kept === undefined)
      throw new CellarError('PEER_PROTOCOL', 'a peer did not say which upload it means')
    return this.#kept
  }

  /** R6.7: kept from now on, and only then looked for: what is found here cannot go in between. */
  async #deposit(request: number, ids: readonly ChunkId[]): Promise<void> {
    const { promises, store, member } = this.#parts
    const { incarnation } = this.#upload
    const owner = member(this.#device)
    if (owner?.incarnation !== incarnation || !owner.capabilities.has('lean'))
      throw new CellarError('NOT_ENTITLED', 'only a device that may lean uploads')
    this.#deposits.begin(request, ids)
    this.#expectations.set(request, promises.expect(ids))
    const lacking = store.missing(ids)
    this.#deposits.setLacking(request, lacking)
    await this.#send({ type: 'lacking', request, ids: lacking })
    this.#finishIfWhole(request)
  }

  async #takeChunk(request: number, bytes: Uint8Array): Promise<void> {
    const { store, onBytes } = this.#parts
    const id = this.#deposits.expected(request)
    try {
      await store.put(id, bytes)
    } catch (error) {
      if (!isCellarError(error, 'CHUNK_CORRUPT') && !isCellarError(error, 'CHUNK_MALFORMED')) throw error
      throw new CellarError('PEER_PROTOCOL', 'a peer sent another chunk than the one that is lacking')
    }
    onBytes(bytes.byteLength)
    this.#deposits.arrived(request)
    this.#finishIfWhole(request)
  }

  /** Once nothing lacks: durable first, then promised, then said (R10). The next chunks come meanwhile. */
  #finishIfWhole(request: number): void {
    if (!this.#deposits.isWhole(request)) return
    const kept = this.#deposits.kept(request)
    const upload = this.#upload
    void this.#finishing
      .run(async () => {
        const { store, promises } = this.#parts
        await store.commit()
        if (store.missing(kept).length > 0) throw new CellarError('PEER_ERROR', 'a chunk was lost meanwhile')
        await promises.promise(upload, kept)
        this.#expectations.get(request)?.()
        this.#expectations.delete(request)
        this.#deposits.end(request)
        await this.#send({ type: 'durable', request })
      })
      .catch((error: unknown) => {
        this.#failure.abort(error)
      })
  }

  async #close(request: number, roots: readonly RootId[]): Promise<void> {
    const { promises, onChange } = this.#parts
    const upload = this.#upload
    await this.#finishing.idle() // what came before it is in it
    if (roots.length === 0) await promises.end(upload)
    else await promises.addRoots(upload, roots)
    onChange()
    await this.#send({ type: 'durable', request })
  }

  async #send(message: Message): Promise<void> {
    await this.#sending.run(() => this.#channel.send(encodeMessage(message)))
  }

  /** Says why the stream ends; a peer that has gone is not told. */
  async tell({ code, message }: CellarError): Promise<void> {
    await this.#send({ type: 'error', code, message }).catch(() => undefined)
  }

  /** What is under way is expected no more. */
  async end(): Promise<void> {
    await this.#finishing.idle()
    for (const stop of this.#expectations.values()) stop()
    this.#expectations.clear()
  }
}
