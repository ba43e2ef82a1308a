/** A node's life among its peers: follows them, serves them, fetches from them, and tells them what is new. */

import {
  AUDIT_PROTOCOL,
  CHUNKS_PROTOCOL,
  CellarError,
  type ChunkId,
  type Clock,
  type DeviceId,
  decodeHeadNotice,
  encodeHeadNotice,
  isCellarError,
  isPaper,
  memberNow,
  type Random,
  RECOVER_PROTOCOL,
  RESTORE_PROTOCOL,
  SYNC_PROTOCOL,
  UPLOAD_PROTOCOL,
} from '../protocol/index.ts'
import type { ChunkStore } from '../storage/index.ts'
import { Shedder } from './deletion/shedder.ts'
import type { Events } from './events.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { Channel, Network } from './network.ts'
import type { GivenOrders } from './orders/given.ts'
import { serveOrder } from './orders/serve.ts'
import type { TakenOrders } from './orders/taken.ts'
import { Auditor } from './replication/audit.ts'
import { ProofBudgets, serveProofs } from './replication/prover.ts'
import { Replicator } from './replication/replicator.ts'
import { Room } from './replication/room.ts'
import { serveChunks } from './replication/server.ts'
import { sayingOf } from './saying.ts'
import { serveRecovery } from './recovery/exchange.ts'
import { followPeer } from './sync/requester.ts'
import { serveSync } from './sync/responder.ts'
import type { UploadKeeper } from './upload/keeper.ts'
import type { OwnUploads } from './upload/own.ts'
import type { Doubts } from './watching/doubts.ts'

/** Before a broken exchange with a peer that is still linked is begun again, milliseconds. */
const followAgainMs = 2000

/** Before fetching goes on that an error of our own ended, milliseconds. */
const replicateAgainMs = 10_000

/** Before a listing that could not be signed, as the disk was full say, is tried again, milliseconds. */
const publishAgainMs = 30_000

/** What this room stands on. */
export interface OnlineParts {
  readonly ledger: Ledger
  readonly store: ChunkStore
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly events: Events
  /** Lets go of what others hold: only for a node that runs on, and can go through with it. @defaultValue true */
  readonly sheds?: boolean
  /** Remembers who could not prove what. @defaultValue nobody does */
  readonly doubts?: Doubts
  /** What is kept for others before their snapshots are announced, and of this device by others. @defaultValue nothing */
  readonly uploads?: { readonly keeper: UploadKeeper; readonly own: OwnUploads }
  /** Orders to restore, taken and given. @defaultValue none */
  readonly orders?: { readonly taken: TakenOrders; readonly given: GivenOrders }
}

/** Among the peers, until closed. */
export class Online {
  readonly #parts: OnlineParts
  readonly #end = new AbortController()
  readonly #work = new Set<Promise<void>>()
  /** Peers with which heads have been compared on the present link: only then is anything signed (R11). */
  readonly #contacts = new Set<DeviceId>()
  readonly #following = new Set<DeviceId>()
  readonly #offs: (() => void)[] = []
  readonly replicator: Replicator
  /** Whether this device can take more. */
  readonly room: Room
  /** Asks others to prove what they say they hold. */
  readonly auditor: Auditor
  readonly #shedder: Shedder
  readonly #budgets: ProofBudgets
  #isPublishing = false
  #publishing: Promise<void> = Promise.resolve()
  #isPublishDue = false
  #isPublishLater = false

  constructor(parts: OnlineParts) {
    this.#parts = parts
    const { store, network, clock, events } = parts
    this.room = new Room(store, clock, events)
    this.replicator = new Replicator({ ...parts, room: this.room })
    const connected = () => network.connected()
    this.auditor = new Auditor(parts)
    this.#shedder = new Shedder({ ...parts, proofs: this.auditor, connected })
    this.#budgets = new ProofBudgets(clock)
  }

  /** Peers that know what this node knows. */
  get contacts(): ReadonlySet<DeviceId> {
    return this.#contacts
  }

  /** Begins. */
  start(): void {
    const { ledger, store, network, events, uploads, orders } = this.#parts
    const bad = (id: ChunkId) => {
      events.emit({ kind: 'bad-chunk', id })
    }
    this.#offs.push(
      this.#offer(SYNC_PROTOCOL, (channel) => serveSync({ ledger, events }, channel)),
      network.handle(RECOVER_PROTOCOL, 'members', (channel, device) =>
        this.#serve(device, serveRecovery({ ledger, events }, device, channel)),
      ),
      this.#offer(CHUNKS_PROTOCOL, (channel, device) => {
        const served = (bytes: number) => {
          events.emit({ kind: 'served', device, bytes })
        }
        const missing = (ids: readonly ChunkId[]) => {
          events.emit({ kind: 'missing', device, ids })
        }
        return serveChunks(store, channel, { served, bad, missing })
      }),
      this.#offer(AUDIT_PROTOCOL, (channel, device) => {
        const prover = { store, budgets: this.#budgets, self: network.device, bad }
        return serveProofs(prover, device, channel)
      }),
      network.onPeer((device, state) => {
        if (this.#isPaper(device)) return // it has nothing to tell
        events.emit({ kind: 'peer', device, state })
        if (state === 'down') this.#contacts.delete(device)
        else this.#follow(device)
      }),
      network.onNotice((notice, from) => {
        this.#takeNotice(notice, from)
      }),
      events.on((event) => {
        if (event.kind === 'contact') this.#contacts.add(event.device)
        if (event.kind === 'bad-chunk') this.#run(this.#setAside(event.id))
        if (
          event.kind === 'contact' ||
          event.kind === 'held' ||
          event.kind === 'view' ||
          event.kind === 'room'
        )
          this.publishSoon()
      }),
    )
    if (uploads !== undefined) {
      this.#offs.push(
        this.#offer(UPLOAD_PROTOCOL, (channel, device) => uploads.keeper.serve(device, channel, this.room)),
      )
      this.#run(uploads.own.run(network, this.#end.signal))
    }
    if (orders !== undefined) {
      this.#offs.push(
        this.#offer(RESTORE_PROTOCOL, (channel, device) => serveOrder(orders.taken, device, channel)),
      )
      this.#run(orders.given.run(network, this.#end.signal))
    }
    this.#run(this.#replicate())
    this.#run(this.room.watch(this.#end.signal))
    if (this.#parts.sheds !== false) this.#run(this.#shedder.run(this.#end.signal))
    for (const device of network.connected()) this.#follow(device)
  }

  /**
   * Signs what is new and tells the peers, as soon as one is in contact: what is signed alone could contradict what the
   * peers know of this device already (R11). Where there is no other member, there is nothing to contradict.
   */
  publishSoon(): void {
    this.#isPublishDue = true
    if (this.#isPublishing || !this.#maySign) return
    this.#publishing = this.#publish()
    this.#run(this.#publishing)
  }

  /** Does so now. @returns false when nobody is in contact: then it is done later */
  async publishNow(): Promise<boolean> {
    this.publishSoon()
    await this.#publishing
    return this.#maySign
  }

  get #maySign(): boolean {
    return this.#contacts.size > 0 || this.#parts.ledger.isAlone
  }

  /** Ends all work and waits for it. The network is closed by whoever opened it. */
  async close(): Promise<void> {
    for (const off of this.#offs.splice(0)) off()
    this.#end.abort(new CellarError('ABORTED', 'the node is closing'))
    await Promise.all(this.#work)
  }

  /**
   * Serves a protocol to machines only: who has the words on paper gets the membership, and nothing more before it has
   * let a machine in, which all others see (recovery.md §3).
   *
   * @returns ends it
   */
  #offer(protocol: string, serve: (channel: Channel, device: DeviceId) => Promise<void>): () => void {
    return this.#parts.network.handle(protocol, 'members', (channel, device) => {
      const refused = new CellarError('NOT_ENTITLED', 'a paper device asks for more than the membership', {
        device,
      })
      return this.#serve(device, this.#isPaper(device) ? Promise.reject(refused) : serve(channel, device))
    })
  }

  #isPaper(device: DeviceId): boolean {
    const member = memberNow(this.#parts.ledger.membership, device)
    return member !== undefined && isPaper(member)
  }

  /** A peer that breaks the rules is let go, and spoken of. */
  async #serve(device: DeviceId, service: Promise<void>): Promise<void> {
    try {
      await service
    } catch (error) {
      if (isCellarError(error) && error.code !== 'PEER_GONE') {
        this.#parts.events.emit({ kind: 'trouble', code: error.code, message: error.message, device })
      }
      throw error
    }
  }

  /** A chunk that rotted is not handed out again, and what needs it is no longer said to be held (R3). */
  async #setAside(id: ChunkId): Promise<void> {
    if (await this.#parts.store.quarantineIfBad(id)) this.publishSoon()
  }

  async #publish(): Promise<void> {
    const { ledger, store, network } = this.#parts
    this.#isPublishing = true
    try {
      while (this.#isPublishDue && this.#maySign && !this.#end.signal.aborted) {
        this.#isPublishDue = false
        const signed = await ledger.publish(sayingOf(store, this.room.isFull))
        if (signed === undefined) continue
        const { mesh, epoch, device, incarnation, seq } = signed.head
        network.publish(encodeHeadNotice({ mesh, epoch, device, incarnation, seq, hash: signed.hash }))
      }
    } catch (error) {
      this.#isPublishDue = true
      this.#run(this.#publishLater())
      throw error
    } finally {
      this.#isPublishing = false
    }
  }

  /** Fetching goes on for as long as the node does, whatever it came upon. */
  async #replicate(): Promise<void> {
    const { signal } = this.#end
    const isEnded = () => signal.aborted
    while (!isEnded()) {
      await this.replicator.run(signal).catch((error: unknown) => {
        if (!isEnded()) this.#tell(error)
      })
      await this.#parts.clock.sleep(replicateAgainMs, signal).catch(() => undefined) // aborted: the loop sees it
    }
  }

  /** What is due is not forgotten, though nothing else may happen for long. */
  async #publishLater(): Promise<void> {
    if (this.#isPublishLater) return
    this.#isPublishLater = true
    await this.#parts.clock.sleep(publishAgainMs, this.#end.signal).catch(() => undefined)
    this.#isPublishLater = false
    if (!this.#end.signal.aborted) this.publishSoon()
  }

  /**
   * A notice says that there is news: the peers who have it tell so on their own channels; those not yet followed
   * are.
   */
  #takeNotice(notice: Uint8Array, from: DeviceId): void {
    try {
      decodeHeadNotice(notice)
      this.#follow(from)
    } catch (error) {
      if (!isCellarError(error)) throw error
      this.#parts.events.emit({ kind: 'trouble', code: error.code, message: error.message, device: from })
    }
  }

  /** Follows a peer for as long as it is linked; an exchange that breaks off is begun again. */
  #follow(device: DeviceId): void {
    if (this.#following.has(device) || this.#isPaper(device) || this.#end.signal.aborted) return
    this.#following.add(device)
    this.#run(this.#followOn(device).finally(() => this.#following.delete(device)))
  }

  async #followOn(device: DeviceId): Promise<void> {
    const { ledger, network, clock, events } = this.#parts
    const { signal } = this.#end
    const isEnded = () => signal.aborted
    while (!isEnded() && network.connected().includes(device)) {
      try {
        const channel = await network.open(device, SYNC_PROTOCOL, signal)
        const onEnd = () => {
          channel.abort(new CellarError('ABORTED', 'the node is closing'))
        }
        signal.addEventListener('abort', onEnd)
        try {
          await followPeer({ ledger, events, clock }, device, channel)
        } catch (error) {
          channel.abort(error as Error) // a peer that breaks the rules must not go on talking
          throw error
        } finally {
          signal.removeEventListener('abort', onEnd)
          await channel.close()
        }
      } catch (error) {
        if (isEnded()) return
        if (!isCellarError(error)) throw error
        if (error.code !== 'PEER_GONE')
          events.emit({ kind: 'trouble', code: error.code, message: error.message, device })
      }
      this.#contacts.delete(device)
      await clock.sleep(followAgainMs, signal).catch(() => undefined) // aborted: the loop sees it
    }
  }

  #run(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => {
        this.#tell(error)
      })
      .finally(() => this.#work.delete(tracked))
    this.#work.add(tracked)
  }

  /** A failure here is our own bug or the disk's: it must not end the process silently, nor take the node with it. */
  #tell(error: unknown): void {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    const code = isCellarError(error) ? error.code : 'PEER_ERROR'
    this.#parts.events.emit({ kind: 'trouble', code, message })
  }
}

export { heldRoots } from './saying.ts'
