/** Finds a device that takes what a session gives away, and goes on with another when it is gone or full. */

import {
  CellarError,
  type ChunkId,
  type Clock,
  copyLane,
  type DeviceId,
  idsPerMessageMax,
  isCellarError,
  memberNow,
  type RootId,
  UPLOAD_PROTOCOL,
  type UploadId,
} from '../../protocol/index.ts'
import type { Events } from '../events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { limitTime } from '../mesh/time-limit.ts'
import type { Network } from '../network.ts'
import { isThin } from '../thin/thin.ts'
import { UploadClient } from './client.ts'
import type { UploadNotes } from './notes.ts'

/** What finding stands on. */
export interface HoldersParts {
  readonly ledger: Ledger
  readonly clock: Clock
  readonly events: Events
  readonly notes: UploadNotes
  /** Goes among the peers, if this device is not yet. */
  readonly connect: () => Promise<{ readonly network: Network }>
  /** The upload of this session. */
  readonly upload: UploadId
  /** Earlier uploads whose notes are of use, as what they were for is not held by anybody yet. */
  readonly carried: readonly UploadId[]
  /** The first time that a device takes something. */
  readonly onHolder: (device: DeviceId) => void
}

/** A device that takes chunks, and the channel to it. */
export interface Holder {
  readonly device: DeviceId
  readonly client: UploadClient
}

/** With nobody in reach who takes anything, waiting ends after so long, milliseconds. */
const nobodyMsMax = 30_000
/** After somebody has taken something: he may be starting again. */
const goneMsMax = 300_000
/** For so long holders of earlier sessions are looked for before a session begins, milliseconds. */
const knownMsMax = 10_000
/** A device that could not be given anything is left alone for so long, milliseconds. */
const restMs = 10_000
/** Longest time for opening a channel, milliseconds. */
const openMsMax = 15_000
/** Who can store less than this takes nothing, bytes. */
const roomBytesMin = 16 * 1024 * 1024
const checkEveryMs = 1000

/** The holders of one session. */
export class Holders {
  readonly #parts: HoldersParts
  /** Those that have confirmed what is noted of them, since the session began. */
  readonly #confirmed = new Set<DeviceId>()
  readonly #rests = new Map<DeviceId, number>()
  #current: Holder | undefined
  #wasFull = false
  #lastFailure: unknown
  #isBegun: boolean

  constructor(parts: HoldersParts) {
    this.#parts = parts
    this.#isBegun = parts.notes.get(parts.upload) !== undefined
  }

  /** The upload of this session. */
  get upload(): UploadId {
    return this.#parts.upload
  }

  /** Says whether a chunk is kept for this session, confirmed since it began. */
  isKept(id: ChunkId): boolean {
    if (!this.#isBegun) return false
    const device = this.#parts.notes.holderOf(this.upload, id)
    return device !== undefined && this.#confirmed.has(device)
  }

  /** See `SessionUpload.setRoots`. */
  async setRoots(roots: readonly RootId[] | undefined): Promise<void> {
    if (this.#isBegun) await this.#parts.notes.setRoots(this.upload, roots)
  }

  /** Has those confirm what is noted of them who are in reach; what is not confirmed is made again. */
  async confirmKnown(signal: AbortSignal): Promise<void> {
    const { notes, clock, events, connect } = this.#parts
    const isNoted = (upload: UploadId) => upload === this.upload || this.#parts.carried.includes(upload)
    const devices = new Set(notes.uploads().flatMap((own) => (isNoted(own.upload) ? own.holders : [])))
    for (const device of [...devices]) if (!this.#mayTake(device)) devices.delete(device)
    if (devices.size === 0) return
    const { network } = await connect()
    const untilMs = clock.monotonicMs() + knownMsMax
    while (devices.size > 0 && clock.monotonicMs() < untilMs) {
      for (const device of network.connected()) {
        if (!devices.delete(device)) continue
        const client = await this.#tryOpen(network, device, signal)
        await client?.close()
      }
      if (devices.size === 0) return
      await events.nextWithin(({ kind }) => kind === 'peer', { clock, ms: checkEveryMs, signal })
    }
  }

  /**
   * A device that takes what is given to it: the one it was before, as long as it does.
   *
   * @throws {CellarError} `NO_PEER`, `STORE_FULL` when all in reach are full, `NOT_ENTITLED` when this device may not
   *   lean; the signal's reason
   */
  async acquire(signal: AbortSignal): Promise<Holder> {
    const { ledger, clock, events, connect, onHolder } = this.#parts
    const current = this.#current
    if (current !== undefined && !current.client.hasFailed && current.client.roomBytes >= roomBytesMin)
      return current
    await this.close()
    const { network } = await connect()
    const beganMs = clock.monotonicMs()
    for (;;) {
      signal.throwIfAborted()
      if (!mayGiveAway(ledger)) throw mayNot(ledger)
      for (const device of this.#candidates(network)) {
        const client = await this.#tryOpen(network, device, signal)
        if (client === undefined) continue
        if (client.roomBytes >= roomBytesMin) {
          if (!this.#isKnown(device)) onHolder(device)
          this.#current = { device, client }
          return this.#current
        }
        this.#wasFull = true
        this.#rest(device)
        await client.close()
      }
      const isOver = clock.monotonicMs() - beganMs > (this.#told.size > 0 ? goneMsMax : nobodyMsMax)
      if (isOver || !this.#hasOthers()) throw this.#nobody()
      const limit = { clock, ms: checkEveryMs, signal }
      await events.nextWithin(({ kind }) => kind === 'peer' || kind === 'contact', limit)
    }
  }

  readonly #told = new Set<DeviceId>()

  #isKnown(device: DeviceId): boolean {
    const isKnown = this.#told.has(device)
    this.#told.add(device)
    return isKnown
  }

  /** A channel broke off, or was ended by the other side. */
  failed(device: DeviceId, error: unknown): void {
    this.#lastFailure = error
    if (isCellarError(error, 'STORE_FULL') || isCellarError(error, 'QUOTA_EXCEEDED')) this.#wasFull = true
    this.#rest(device)
  }

  #rest(device: DeviceId): void {
    this.#rests.set(device, this.#parts.clock.monotonicMs() + restMs)
  }

  #mayTake(device: DeviceId): boolean {
    const { membership, device: self } = this.#parts.ledger
    return device !== self && memberNow(membership, device)?.capabilities.has('store') === true
  }

  #hasOthers(): boolean {
    const { members } = this.#parts.ledger.membership
    return [...members.keys()].some((device) => this.#mayTake(device))
  }

  /** Those in reach that may have room, first who keeps something for this session already. */
  #candidates(network: Network): DeviceId[] {
    const { ledger, clock } = this.#parts
    const nowMs = clock.monotonicMs()
    const isFull = (device: DeviceId) => copyLane(ledger.view, ledger.membership, device)?.body.full === true
    const inReach = network.connected().filter((device) => this.#mayTake(device))
    if (inReach.some(isFull)) this.#wasFull = true
    return inReach
      .filter((device) => !isFull(device) && (this.#rests.get(device) ?? 0) <= nowMs)
      .sort((a, b) => Number(this.#confirmed.has(b)) - Number(this.#confirmed.has(a)))
  }

  async #tryOpen(network: Network, device: DeviceId, signal: AbortSignal): Promise<UploadClient | undefined> {
    const { clock, notes } = this.#parts
    let client: UploadClient | undefined
    try {
      client = await limitTime(
        clock,
        openMsMax,
        async (within) => {
          const channel = await network.open(device, UPLOAD_PROTOCOL, within)
          return await UploadClient.open(channel, clock, this.upload, within)
        },
        signal,
      )
      if (!this.#isBegun) await notes.begin(this.upload)
      this.#isBegun = true
      await notes.addHolder(this.upload, device)
      await this.#confirm(client, device)
      return client
    } catch (error) {
      await client?.close()
      if (signal.aborted || !isCellarError(error)) throw error
      this.failed(device, error)
      return undefined
    }
  }

  /** Asks a device for what is noted of it; what it has no more is noted no more. */
  async #confirm(client: UploadClient, device: DeviceId): Promise<void> {
    const { notes, carried } = this.#parts
    if (this.#confirmed.has(device)) return
    for (const upload of [this.upload, ...carried]) {
      for await (const ids of notes.noted(upload, device, idsPerMessageMax)) {
        const kept = new Set(await client.deposit(ids, () => undefined))
        if (upload !== this.upload) await notes.note(this.upload, device, [...kept])
        const lost = ids.filter((id) => !kept.has(id))
        if (lost.length > 0) await notes.unnote(upload, lost)
      }
    }
    this.#confirmed.add(device)
  }

  #nobody(): CellarError {
    const { ledger } = this.#parts
    const here = `${ledger.nameOf(ledger.device)} has no room for more`
    if (this.#wasFull)
      return new CellarError('STORE_FULL', `${here}, nor has any device in reach that stores for others`)
    const options = this.#lastFailure === undefined ? undefined : { cause: this.#lastFailure }
    return new CellarError(
      'NO_PEER',
      `${here}, and no device is in reach that takes what waits here`,
      {},
      options,
    )
  }

  /** Ends the channel; the upload stays open. */
  async close(): Promise<void> {
    const current = this.#current
    this.#current = undefined
    await current?.client.close()
  }
}

/** Only a thin device gives away what it backs up: one that stores for others would fetch it all back (thin.md). */
export function mayGiveAway(ledger: Pick<Ledger, 'mayLean' | 'membership' | 'device'>): boolean {
  return ledger.mayLean && isThin(ledger.membership, ledger.device)
}

function mayNot(ledger: Ledger): CellarError {
  const name = ledger.nameOf(ledger.device)
  const how = `let a keeper make it thin (cellar devices thin ${name}), and it leaves its snapshots to others`
  const message = `${name} has no room for more; ${how}`
  return new CellarError('STORE_FULL', message)
}
