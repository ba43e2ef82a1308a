/** One channel of an upload, from its owner's side (wire.md §7). */

import {
  CellarError,
  type ChunkId,
  type Clock,
  decodeFrame,
  encodeChunkFrame,
  encodeMessage,
  type Message,
  type RootId,
  type UploadId,
} from '../../protocol/index.ts'
import type { Channel } from '../network.ts'
import { Serial } from '../serial.ts'

/** Longest silence of a peer that owes an answer, milliseconds: a slow disk may have much to write. */
const silenceMsMax = 120_000

/** For so long a peer that broke the channel off may still say why, milliseconds. */
const lastWordMsMax = 1000

/** What is owed for one request. */
interface Owed {
  readonly ids: readonly ChunkId[]
  lacking?: (ids: readonly ChunkId[]) => void
  readonly durable: () => void
  readonly fail: (error: unknown) => void
}

/** Gives one upload to one peer. All of it fails together, once. */
export class UploadClient {
  readonly #channel: Channel
  readonly #clock: Clock
  readonly #owed = new Map<number, Owed>()
  readonly #sending = new Serial()
  readonly #end = new AbortController()
  #request = 0
  #heardMs: number
  /** What the peer said it can store, less what was sent since, bytes. */
  roomBytes: number
  #failure: { readonly error: unknown } | undefined
  readonly #listening: Promise<void>

  private constructor(channel: Channel, clock: Clock, roomBytes: number) {
    this.#channel = channel
    this.#clock = clock
    this.#heardMs = clock.monotonicMs()
    this.roomBytes = roomBytes
    this.#listening = this.#listen()
    void this.#watch()
  }

  /**
   * Says which upload the channel is for, and waits for the answer.
   *
   * @throws {CellarError} `PEER_GONE`, `PEER_PROTOCOL`, or what the peer says (`NOT_ENTITLED`, `PEER_BUSY`,
   *   `STORE_FULL`); the channel is ended then
   */
  static async open(
    channel: Channel,
    clock: Clock,
    upload: UploadId,
    signal: AbortSignal,
  ): Promise<UploadClient> {
    try {
      await channel.send(encodeMessage({ type: 'uploadOpen', upload }))
      const frame = await channel.receive(signal)
      if (frame === undefined) throw new CellarError('PEER_GONE', 'the peer ended the upload before it began')
      const decoded = decodeFrame(frame)
      const message = decoded.kind === 'message' ? decoded.message : undefined
      if (message?.type === 'error') throw refused(message)
      if (message?.type !== 'uploadReady') throw broken('something else than its room')
      return new UploadClient(channel, clock, message.roomBytes)
    } catch (error) {
      channel.abort(error as Error)
      throw error
    }
  }

  /** Whether nothing can be sent any more. */
  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  /**
   * Has chunks kept; sends those that the peer lacks.
   *
   * @param read - the bytes of a chunk; undefined when it cannot be sent: then nothing is promised of it
   * @returns the chunks that are durable there now, all but those
   * @throws {CellarError} what ended the channel: then nothing of it is promised
   */
  async deposit(
    ids: readonly ChunkId[],
    read: (id: ChunkId) => Uint8Array | undefined,
  ): Promise<readonly ChunkId[]> {
    const request = this.#request++
    const answers = this.#owe(request, ids)
    await this.#send(encodeMessage({ type: 'deposit', request, ids: [...ids] }))
    const lacking = await answers.lacking
    const withheld = new Set<ChunkId>()
    for (const id of lacking) {
      const bytes = read(id)
      if (bytes === undefined) {
        withheld.add(id)
        await this.#send(encodeMessage({ type: 'absent', request, ids: [id] }))
      } else {
        this.roomBytes -= bytes.byteLength
        await this.#send(encodeChunkFrame(request, bytes))
      }
    }
    await answers.durable
    return withheld.size === 0 ? ids : ids.filter((id) => !withheld.has(id))
  }

  /** Says what the upload was for, or that it is given up; resolves once the peer has noted it. */
  async finish(roots: readonly RootId[]): Promise<void> {
    const request = this.#request++
    const answers = this.#owe(request, [])
    await this.#send(encodeMessage({ type: 'uploadClose', request, roots: [...roots] }))
    await answers.durable
  }

  #owe(
    request: number,
    ids: readonly ChunkId[],
  ): { readonly lacking: Promise<readonly ChunkId[]>; readonly durable: Promise<void> } {
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#owed.size === 0) this.#heardMs = this.#clock.monotonicMs()
    const lacking = deferred<readonly ChunkId[]>()
    const durable = deferred<undefined>()
    const fail = (error: unknown): void => {
      lacking.reject(error)
      durable.reject(error)
    }
    for (const promise of [lacking.promise, durable.promise]) promise.catch(() => undefined) // whoever waits is told
    this.#owed.set(request, {
      ids,
      lacking: lacking.resolve,
      durable: () => {
        durable.resolve(undefined)
      },
      fail,
    })
    return { lacking: lacking.promise, durable: durable.promise }
  }

  async #send(frame: Uint8Array | readonly Uint8Array[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error
    try {
      await this.#sending.run(() => this.#channel.send(frame))
    } catch (error) {
      // The peer may have said why before it ended the channel: that comes first, if it comes.
      await Promise.race([
        this.#listening,
        this.#clock.sleep(lastWordMsMax, this.#end.signal).catch(() => undefined),
      ])
      throw this.#fail(error)
    }
  }

  async #listen(): Promise<void> {
    try {
      for (;;) {
        const frame = await this.#channel.receive(this.#end.signal)
        if (frame === undefined) throw new CellarError('PEER_GONE', 'the peer ended the upload')
        this.#heardMs = this.#clock.monotonicMs()
        const decoded = decodeFrame(frame)
        if (decoded.kind === 'chunk') throw broken('a chunk')
        this.#take(decoded.message)
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  #take(message: Message): void {
    if (message.type === 'error') throw refused(message)
    const owed =
      message.type === 'lacking' || message.type === 'durable' ? this.#owed.get(message.request) : undefined
    if (owed === undefined) throw broken('what was not asked for')
    if (message.type === 'lacking') {
      if (owed.lacking === undefined || !isPartOf(message.ids, owed.ids))
        throw broken('what was not deposited')
      owed.lacking(message.ids)
      delete owed.lacking
    } else if (message.type === 'durable') {
      if (owed.lacking !== undefined && owed.ids.length > 0) throw broken('an end before its turn')
      this.#owed.delete(message.request)
      owed.durable()
    }
  }

  /** @returns what ended it: the first counts */
  #fail(error: unknown): unknown {
    if (this.#failure !== undefined) return this.#failure.error
    this.#failure = { error }
    this.#end.abort(error)
    this.#channel.abort(error instanceof Error ? error : new Error(String(error)))
    for (const { fail } of this.#owed.values()) fail(error)
    this.#owed.clear()
    return error
  }

  /** Ends the channel when the peer owes something and is silent too long. */
  async #watch(): Promise<void> {
    const { signal } = this.#end
    const isEnded = () => signal.aborted
    while (!isEnded()) {
      await this.#clock.sleep(silenceMsMax / 4, signal).catch(() => undefined) // aborted: the loop sees it
      const silentMs = this.#clock.monotonicMs() - this.#heardMs
      if (!isEnded() && this.#owed.size > 0 && silentMs > silenceMsMax)
        this.#fail(
          new CellarError('PEER_GONE', `the peer said nothing for ${String(silenceMsMax / 1000)} seconds`),
        )
    }
  }

  /** Ends the channel; what is owed fails. Idempotent. */
  async close(): Promise<void> {
    if (this.#failure === undefined) {
      const ended = new CellarError('ABORTED', 'the upload was ended')
      this.#failure = { error: ended }
      for (const { fail } of this.#owed.values()) fail(ended)
      this.#owed.clear()
      await this.#sending.idle()
      await this.#channel.close()
      this.#end.abort(ended)
    }
    await this.#listening
  }
}

/** A promise that is settled from outside. */
interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined
  let reject: (error: unknown) => void = () => undefined
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

/** W7.3: in the same order, each once. */
function isPartOf(part: readonly ChunkId[], ids: readonly ChunkId[]): boolean {
  let at = 0
  for (const id of ids) if (part[at] === id) at++
  return at === part.length
}

function refused({ code, message }: Extract<Message, { type: 'error' }>): CellarError {
  return new CellarError(code, `the peer takes no upload (${message})`)
}

function broken(what: string): CellarError {
  return new CellarError('PEER_PROTOCOL', `a peer broke the rules of an upload: it sent ${what}`)
}
