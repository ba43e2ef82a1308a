/**
 * Mends chunks that are damaged or gone: from peers, else by sealing the source again (spec/watching.md §2). In a node
 * that runs it does so by itself, as soon as a chunk is found bad, and again whenever there is new hope.
 */

import { CellarError, type ChunkId, type Clock, isCellarError } from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import type { ChunkSource } from '../chunk-source.ts'
import type { Events, NodeEvent } from '../events.ts'
import { Serial } from '../serial.ts'
import { sayLost, sayMended } from './saying.ts'

/** After a chunk was found bad, before anything is done: more may be found, and fetching may mend it meanwhile. */
export const gatherMs = 2000
/** What nobody could give is asked for again so often, milliseconds; and whenever a peer comes. */
export const againMs = 3_600_000
/** Sealing the sources reads all of their files: for the same chunks not more often than this, milliseconds. */
export const sourceEveryMs = 6 * 3_600_000
/** And for others not before; nor so soon after a start, when peers have not been met yet. */
export const sourceRestMs = 60_000
/** Chunks asked of peers side by side, and made durable together. */
const atOnce = 64

/** Peers to ask, until closed. */
export interface Peers extends ChunkSource {
  /** Lets go of them. */
  close(): Promise<void>
}

/** What a mender stands on. */
export interface MenderParts {
  readonly store: ChunkStore
  readonly events: Events
  readonly clock: Clock
  /** Those in reach. @param waits - for some to come into reach @returns undefined when there are none */
  readonly openPeers: (waits: boolean, signal: AbortSignal) => Promise<Peers | undefined>
  /**
   * Seals what this device has backed up again, as far as it is still there, until it is enough: equal content makes
   * equal chunks. Undefined on a device that cannot.
   */
  readonly sealSources: ((isEnough: () => boolean, signal: AbortSignal) => Promise<void>) | undefined
  /** Signs what is new, if that may be. */
  readonly publish: () => Promise<boolean>
  /** Notes how many were found bad, and how many are good again. */
  readonly note: (counts: { readonly bad: number; readonly mended: number }) => Promise<void>
}

/** How one mends. */
export interface MendOptions {
  readonly signal: AbortSignal
  /** A person waits: peers are waited for, and the source is read however lately it was. */
  readonly isAsked: boolean
  /** Is told of each chunk that is whole again, and where it came from. */
  readonly onMended?: (chunk: ChunkId, from: 'peer' | 'source') => void
}

/** Mends; one try at a time. */
export class Mender {
  readonly #parts: MenderParts
  readonly #turn = new Serial()
  /** Chunks found bad since the start, and not good again. */
  readonly #open = new Set<ChunkId>()
  /** Those of which a person was told that nobody has them. */
  readonly #told = new Set<ChunkId>()
  readonly #off: () => void
  #setAside: Promise<void> = Promise.resolve()
  #sourceAtMs: number
  #sourceTriedMs: number
  #news = 0

  constructor(parts: MenderParts) {
    this.#parts = parts
    for (const id of parts.store.quarantined()) this.#open.add(id)
    const isLeftOver = this.#open.size > 0
    this.#sourceTriedMs = isLeftOver ? parts.clock.monotonicMs() : -Infinity
    this.#sourceAtMs = this.#sourceTriedMs + sourceRestMs
    this.#off = parts.events.on((event) => {
      if (event.kind === 'bad-chunk') this.#found(event.id)
    })
  }

  /** R3: it is not handed out again from now on, in a node too that is open for one command only. */
  #found(id: ChunkId): void {
    this.#news++
    if (this.#open.has(id)) return
    this.#open.add(id)
    this.#sourceAtMs = Math.min(this.#sourceAtMs, this.#sourceTriedMs + sourceRestMs)
    const { store, note } = this.#parts
    // At once, not after what was found before has been noted: by then it may have been fetched.
    const isSetAside = store.quarantineIfBad(id)
    const noted = async () => {
      if (!(await isSetAside) && store.has(id)) this.#open.delete(id)
      else await note({ bad: 1, mended: 0 })
    }
    this.#setAside = Promise.all([this.#setAside, isSetAside])
      .then(noted)
      .catch((error: unknown) => {
        this.#tell(error)
      })
  }

  /**
   * Mends chunks that were told of as `bad-chunk`. What no peer has and no source gives stays as it was: marked, and
   * never handed out.
   *
   * @returns those of the chunks that are good again
   * @throws {CellarError} `STORE_FULL`; the signal's reason
   */
  async mend(bad: readonly ChunkId[], options: MendOptions): Promise<ChunkId[]> {
    return await this.#turn.run(() => this.#mend(bad, options))
  }

  /** Works until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, events } = this.#parts
    const off = events.on((event) => {
      if (isHope(event)) this.#news++
    })
    try {
      while (!signal.aborted) {
        const seen = this.#news
        await this.#round(signal).catch((error: unknown) => {
          if (!signal.aborted) this.#tell(error)
        })
        const isNews = (event: NodeEvent) =>
          event.kind === 'bad-chunk' || (this.#open.size > 0 && isHope(event))
        if (this.#news === seen) await events.nextWithin(isNews, { clock, ms: this.#againInMs, signal })
        await clock.sleep(gatherMs, signal)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      off()
    }
  }

  /** Stops listening, and waits for what is being noted. */
  async close(): Promise<void> {
    this.#off()
    await this.#setAside
    await this.#turn.idle()
  }

  /** When the next try is due though nothing happens, milliseconds from now. */
  get #againInMs(): number {
    if (this.#open.size === 0) return 24 * againMs
    const sourceInMs = this.#sourceAtMs - this.#parts.clock.monotonicMs()
    return this.#parts.sealSources === undefined || sourceInMs <= 0 ? againMs : Math.min(againMs, sourceInMs)
  }

  /** One try with all that is bad. */
  async #round(signal: AbortSignal): Promise<void> {
    if (this.#open.size === 0) return
    await this.mend([...this.#open], { signal, isAsked: false })
  }

  async #mend(all: readonly ChunkId[], { signal, isAsked, onMended }: MendOptions): Promise<ChunkId[]> {
    const { store, events, clock, sealSources } = this.#parts
    await this.#setAside
    // What another try has mended meanwhile is done.
    const bad = all.filter((id) => this.#open.has(id))
    const done = new Map<ChunkId, 'peer' | 'source'>()
    const note = (from: 'peer' | 'source') => {
      for (const id of bad) {
        if (done.has(id) || !store.has(id)) continue
        done.set(id, from)
        this.#open.delete(id)
        this.#told.delete(id)
        events.emit({ kind: 'mended', id, from })
        onMended?.(id, from)
      }
    }
    // What fetching has brought meanwhile came from a peer, too.
    note('peer')
    const lacking = () => bad.filter((id) => !done.has(id))
    if (lacking().length > 0) await this.#fromPeers(lacking(), isAsked, signal)
    note('peer')
    const mayRead = isAsked || clock.monotonicMs() >= this.#sourceAtMs
    if (lacking().length > 0 && sealSources !== undefined && mayRead) {
      await sealSources(() => lacking().every((id) => store.has(id)), signal)
      await store.commit()
      this.#sourceTriedMs = clock.monotonicMs()
      this.#sourceAtMs = this.#sourceTriedMs + sourceEveryMs
      note('source')
    }
    await this.#end(bad, done.size)
    if (done.size > 0)
      events.emit({ kind: 'trouble', code: 'DISK_ROTS', message: sayMended([...done.values()]) })
    this.#tellLost()
    return all.filter((id) => store.has(id))
  }

  async #fromPeers(bad: readonly ChunkId[], waits: boolean, signal: AbortSignal): Promise<void> {
    const peers = await this.#parts.openPeers(waits, signal)
    if (peers === undefined) return
    const { store } = this.#parts
    try {
      for (let at = 0; at < bad.length; at += atOnce) {
        const ids = bad.slice(at, at + atOnce)
        await Promise.all(
          ids.map(async (id) => {
            const bytes = await peers.get(id, signal).catch((error: unknown) => {
              signal.throwIfAborted()
              if (!isCellarError(error)) throw error
              return undefined // nobody in reach has it
            })
            if (bytes !== undefined) await store.put(id, bytes)
          }),
        )
        await store.commit()
      }
    } finally {
      await peers.close()
    }
  }

  /** What lacked a chunk below it becomes whole again, and is said to be held again (R3). */
  async #end(bad: readonly ChunkId[], mended: number): Promise<void> {
    const { store, note, publish } = this.#parts
    // What is neither good nor marked bad is gone: nothing needed it any more.
    const quarantined = new Set(store.quarantined())
    for (const id of bad) if (!quarantined.has(id)) this.#open.delete(id)
    if (mended === 0) return
    for (const root of store.holds())
      if (!store.isComplete(root)) await store.hold(root).catch(ignoreIncomplete)
    await note({ bad: 0, mended })
    await publish()
  }

  /** Each chunk once, until it is good. */
  #tellLost(): void {
    const { store, events } = this.#parts
    const left = store.quarantined()
    if (left.every((id) => this.#told.has(id))) return
    for (const id of left) this.#told.add(id)
    const broken = store.holds().filter((root) => !store.isComplete(root))
    events.emit({ kind: 'trouble', code: 'CHUNK_LOST', message: sayLost(left.length, broken) })
  }

  #tell(error: unknown): void {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    this.#parts.events.emit({
      kind: 'trouble',
      code: isCellarError(error) ? error.code : 'INTERNAL',
      message: isCellarError(error) ? error.message : message,
    })
  }
}

/** Somebody came who may have what is lacking. */
function isHope({ kind }: NodeEvent): boolean {
  return kind === 'contact'
}

function ignoreIncomplete(error: unknown): void {
  if (!(error instanceof CellarError) || error.code !== 'CLOSURE_INCOMPLETE') throw error
}
