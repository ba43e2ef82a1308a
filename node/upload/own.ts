/** The uploads of this device: begins sessions, tells holders afterwards what they were for (spec/upload.md §3). */

import { availableParallelism } from 'node:os'
import {
  type ChunkId,
  type Clock,
  deadIndex,
  type DeviceId,
  isCellarError,
  memberNow,
  type Random,
  type RootId,
  standingHolders,
  toHex,
  UPLOAD_PROTOCOL,
  type UploadId,
} from '../../protocol/index.ts'
import type { Catalog, ChunkStore } from '../../storage/index.ts'
import type { Events } from '../events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { abortable, limitTime } from '../mesh/time-limit.ts'
import type { Network } from '../network.ts'
import { Serial } from '../serial.ts'
import { keptFree, packBytesFor } from './bound.ts'
import { UploadClient } from './client.ts'
import { Holders, mayGiveAway } from './holders.ts'
import { type OwnUpload, UploadNotes } from './notes.ts'
import { SessionUpload } from './session.ts'

/** What this room stands on. */
export interface OwnUploadsParts {
  readonly catalog: Catalog
  readonly ledger: Ledger
  readonly store: ChunkStore
  readonly clock: Clock
  readonly random: Random
  readonly events: Events
  /** Goes among the peers, if this device is not yet. */
  readonly connect: () => Promise<{ readonly network: Network }>
}

/** How a session is begun. */
export interface SessionOptions {
  /** Most bytes of own chunks that may wait here; undefined: what the disk has room for. */
  readonly stagingBytes: number | undefined
  readonly signal: AbortSignal
  /** The first time that what is backed up goes to a device before it is a snapshot. */
  readonly onHolder: (device: DeviceId) => void
}

/** Longest time for telling a holder one thing, milliseconds. */
const tellMsMax = 60_000
/** Threads of a backup, at most (hands.ts). */
const threadsMax = 4

/** Uploads of this device, over all its sessions. */
export class OwnUploads {
  readonly #parts: OwnUploadsParts
  readonly #notes: UploadNotes
  /** Open ones that a session goes on with. */
  readonly #used = new Set<UploadId>()
  readonly #settling = new Serial()
  #turn: { readonly over: Promise<void>; readonly leave: () => void } | undefined

  private constructor(parts: OwnUploadsParts, notes: UploadNotes) {
    this.#parts = parts
    this.#notes = notes
  }

  /** Reads them back. What was noted for a root that was never announced is open again. */
  static async open(parts: OwnUploadsParts): Promise<OwnUploads> {
    const notes = await UploadNotes.open(parts.catalog)
    const own = new OwnUploads(parts, notes)
    for (const { upload } of notes.uploads()) await own.#openUnannounced(upload)
    return own
  }

  /**
   * Bounds a session that may lean: it gives away what there is no room for. Closed with {@link end}.
   *
   * @returns undefined where nothing is bounded: a device that keeps all its snapshots, and has no bound set
   */
  async begin(options: SessionOptions): Promise<SessionUpload | undefined> {
    const { ledger } = this.#parts
    if (!mayGiveAway(ledger) && options.stagingBytes === undefined) return undefined
    await this.#enter(options.signal)
    try {
      return await this.#begin(options)
    } catch (error) {
      this.#leave()
      throw error
    }
  }

  /**
   * One session after the other: what one has given away and dropped, another that found it here could not count on.
   */
  async #enter(signal: AbortSignal): Promise<void> {
    while (this.#turn !== undefined) await abortable(this.#turn.over, signal)
    let leave: () => void = () => undefined
    const over = new Promise<void>((resolve) => {
      leave = resolve
    })
    this.#turn = { over, leave }
  }

  #leave(): void {
    const turn = this.#turn
    this.#turn = undefined
    turn?.leave()
  }

  async #begin(options: SessionOptions): Promise<SessionUpload> {
    const { ledger, store, clock, events, connect } = this.#parts
    await this.#forgetSettled()
    const open = this.#notes
      .uploads()
      .find(({ upload, roots }) => roots === undefined && !this.#used.has(upload))
    const upload = open?.upload ?? this.#draw()
    this.#used.add(upload)
    const carried = this.#notes.uploads().filter(({ roots }) => (roots?.length ?? 0) > 0)
    const holders = new Holders({
      ...{ ledger, clock, events, connect, upload, notes: this.#notes, onHolder: options.onHolder },
      carried: carried.map((own) => own.upload),
    })
    try {
      if (mayGiveAway(ledger)) {
        await store.loosen()
        await holders.confirmKnown(options.signal)
      }
      let stagedBytes = 0
      for await (const { length } of store.unused()) stagedBytes += length
      const deadAtFirst = store.stats().deadBytes
      const roomBytes = Math.max(0, store.roomBytes())
      const keptBytes = keptFree(roomBytes + stagedBytes)
      const diskBytes = Math.max(0, stagedBytes + roomBytes - keptBytes)
      const bytesMax = Math.min(options.stagingBytes ?? Infinity, diskBytes)
      const session = new SessionUpload(
        {
          ...{ store, clock, holders, notes: this.#notes },
          onUploaded: (device, chunks, bytes) => {
            events.emit({ kind: 'uploaded', device, chunks, bytes })
          },
          onBad: (id) => {
            events.emit({ kind: 'bad-chunk', id })
          },
        },
        {
          bytesMax,
          packBytes: packBytesFor(bytesMax, Math.min(threadsMax, availableParallelism())),
          diskBytes: () => store.roomBytes() - keptBytes,
          deadBytes: () => Math.max(0, store.stats().deadBytes - deadAtFirst),
        },
      )
      session.addStaged(stagedBytes)
      return session
    } catch (error) {
      this.#used.delete(upload)
      throw error
    }
  }

  /** Ends what {@link begin} began; {@link settle} then tells holders what it was for. */
  async end(session: SessionUpload): Promise<void> {
    try {
      await session.close()
      await this.#openUnannounced(session.upload)
    } finally {
      this.#used.delete(session.upload)
      this.#leave()
    }
  }

  /** Says whether a member but one is noted to keep a chunk for an upload of this device. */
  isKept(id: ChunkId, butBy: DeviceId): boolean {
    const { membership } = this.#parts.ledger
    return this.#notes.uploads().some(({ upload }) => {
      const device = this.#notes.holderOf(upload, id)
      return device !== undefined && device !== butBy && memberNow(membership, device) !== undefined
    })
  }

  /** What interrupted sessions have given away is of no more use, but for what was announced before. */
  async giveUp(): Promise<void> {
    for (const { upload, roots } of this.#notes.uploads())
      if (roots === undefined && !this.#used.has(upload)) await this.#notes.setRoots(upload, this.#unheld())
  }

  /**
   * Notes what a session was for, before it is announced. Own snapshots that nobody holds yet may need what the session
   * has given away and dropped here, too: the upload is for all of them.
   */
  async setRoot(session: SessionUpload, root: RootId): Promise<void> {
    await session.setRoots([...new Set([root, ...this.#unheld()])])
  }

  /** Live roots of which some is here, and that nobody stands by, or not enough yet (R5.4, R5.5). */
  #unheld(): RootId[] {
    const { ledger, store } = this.#parts
    const { view, membership } = ledger
    const leaned = ledger.leaned()
    const isUnheld = (root: RootId) =>
      leaned.has(root) || standingHolders(view, membership, root).length === 0
    return ledger.liveRoots().filter((root) => store.has(root) && !store.isHeld(root) && isUnheld(root))
  }

  /** What was noted for a root that was never announced is open again. */
  async #openUnannounced(upload: UploadId): Promise<void> {
    const { ledger } = this.#parts
    const roots = this.#notes.get(upload)?.roots
    const isKnown = (root: RootId) =>
      ledger.isLive(root) || deadIndex(ledger.view, ledger.membership).has(root)
    if (roots?.every(isKnown) === false) await this.#notes.setRoots(upload, undefined)
  }

  /** Tells holders in reach what uploads were for, and forgets those of which all is told and held. */
  async settle(network: Network, signal: AbortSignal): Promise<void> {
    await this.#settling.run(async () => {
      const connected = new Set(network.connected())
      for (const own of this.#notes.uploads()) {
        if (own.roots === undefined || this.#used.has(own.upload)) continue
        for (const device of own.untold) {
          if (signal.aborted) return
          if (memberNow(this.#parts.ledger.membership, device) === undefined)
            await this.#notes.told(own.upload, device)
          else if (connected.has(device)) await this.#tell(network, own, device, signal)
        }
      }
      await this.#forgetSettled()
    })
  }

  async #tell(network: Network, own: OwnUpload, device: DeviceId, signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
    try {
      await limitTime(
        clock,
        tellMsMax,
        async (within) => {
          const channel = await network.open(device, UPLOAD_PROTOCOL, within)
          const client = await UploadClient.open(channel, clock, own.upload, within)
          try {
            await client.finish(own.roots ?? [])
          } finally {
            await client.close()
          }
        },
        signal,
      )
      await this.#notes.told(own.upload, device)
    } catch (error) {
      if (signal.aborted || !isCellarError(error)) throw error // else: at the next contact
    }
  }

  /** Notes are of use until somebody stands by what they were for: then it is leaned on like any other snapshot. */
  async #forgetSettled(): Promise<void> {
    const { view, membership } = this.#parts.ledger
    const isSettled = (root: RootId) =>
      deadIndex(view, membership).has(root) || standingHolders(view, membership, root).length > 0
    for (const { upload, roots, untold } of this.#notes.uploads()) {
      if (untold.length > 0 || this.#used.has(upload)) continue
      if (roots?.every(isSettled) === true) await this.#notes.forget(upload)
    }
  }

  /** Does so whenever a peer comes into contact, or something was announced, until the signal is aborted. */
  async run(network: Network, signal: AbortSignal): Promise<void> {
    const { events, clock } = this.#parts
    while (!signal.aborted) {
      const isDue = this.#notes.uploads().some(({ roots }) => roots !== undefined)
      if (isDue) {
        await this.settle(network, signal).catch((error: unknown) => {
          if (signal.aborted) return
          if (!isCellarError(error)) throw error
          events.emit({ kind: 'trouble', code: error.code, message: error.message })
        })
      }
      const isNews = ({ kind }: { readonly kind: string }) =>
        kind === 'contact' || kind === 'session' || (isDue && kind === 'view')
      await events.nextWithin(isNews, { clock, ms: 3_600_000, signal }).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
    }
  }

  #draw(): UploadId {
    return toHex(this.#parts.random.bytes(16)) as UploadId
  }
}
