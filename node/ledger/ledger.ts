/**
 * What this node knows of the mesh, kept on disk: the membership log, the newest listings of all devices, and its own
 * chain, which only this file signs (sync.md §1). Every change is durable before anybody sees it (R1, R10).
 */

import {
  accept,
  CellarError,
  type Clock,
  type Copies,
  copiesOf,
  type DeviceId,
  extendMembership,
  type GetListing,
  type HeadName,
  type Hello,
  horizonOf,
  laneOf,
  type LiveRoot,
  liveRoots,
  type Member,
  type Membership,
  memberNow,
  nextListing,
  type Outcome,
  type RootId,
  type Signer,
  shouldHold,
  type SignedHead,
  type View,
  vectorOf,
} from '../../protocol/index.ts'
import type { Catalog, CatalogChange } from '../../storage/index.ts'
import type { Events } from '../events.ts'
import { Serial } from '../serial.ts'
import { openHeads } from './heads.ts'
import { LedgerWriter, nameIn } from './kept.ts'
import { loadLedger, type LedgerState } from './load.ts'
import { hasNews, keepGrowing, newestListing } from './own.ts'
import {
  type ChainRecord,
  encodePending,
  encodeVector,
  type PendingRoot,
  pendingKey,
  seenKey,
  sessionKey,
} from './records.ts'
import { headsOf, helloOf, listingSince, newerFrom } from './told.ts'

/** What a ledger stands on. */
export interface LedgerParts {
  readonly catalog: Catalog
  readonly signer: Signer
  readonly clock: Clock
  readonly events: Events
  /** Name and version of this program, told to peers. */
  readonly program: string
}

/** An open backup session: what it pinned holds the horizon back until it is closed (R4). */
export interface Session {
  readonly id: string
}

/** One device's knowledge of the mesh. */
export class Ledger {
  readonly #parts: LedgerParts
  readonly #serial = new Serial()
  readonly #state: LedgerState
  readonly #writer: LedgerWriter

  private constructor(parts: LedgerParts, state: LedgerState) {
    this.#parts = parts
    this.#state = state
    this.#writer = new LedgerWriter(parts, state)
  }

  /** Opens the ledger in a catalog; sessions that died with their process are closed (R4). */
  static async open(parts: LedgerParts): Promise<Ledger> {
    return new Ledger(parts, await loadLedger(parts.catalog))
  }

  get device(): DeviceId {
    return this.#parts.signer.device
  }

  get membership(): Membership {
    return this.#state.membership
  }

  get view(): View {
    return this.#state.view
  }

  /** A peer knew a newer listing of this device than this device did: its disk went back (R11). */
  get isRolledBack(): boolean {
    return this.#state.isRolledBack
  }

  /** This device as a member. @throws {CellarError} `NOT_A_MEMBER` once it has been removed */
  get self(): Member {
    const member = memberNow(this.membership, this.device)
    if (member === undefined) throw new CellarError('NOT_A_MEMBER', 'this device was removed from its mesh')
    return member
  }

  /** Of this device, also once it has been removed: what it announced stays its own. */
  get #incarnation(): number {
    return this.membership.members.get(this.device)?.incarnation ?? 1
  }

  /** The name of a device, or the end of its id when it never was a member. */
  nameOf(device: DeviceId): string {
    return nameIn(this.membership, device)
  }

  /** Live roots, those too that this device has not announced yet, the oldest first as far as this node saw them. */
  live(): LiveRoot[] {
    const announced = liveRoots(this.view, this.membership)
    const pending = [...this.#state.pending.values()].map(({ root, source, sizeClass }): LiveRoot => {
      return {
        dot: { device: this.device, incarnation: this.#incarnation, seq: 0, n: 0 },
        root,
        owner: this.device,
        source,
        sizeClass,
      }
    })
    return [...announced, ...pending].sort(
      (a, b) => this.firstSeenMs(a.root) - this.firstSeenMs(b.root) || (a.root < b.root ? -1 : 1),
    )
  }

  /** When this node first saw a root, milliseconds since 1970; 0 when it never did. */
  firstSeenMs(root: RootId): number {
    return this.#state.seen.get(root) ?? 0
  }

  /** Who holds a root, and who should. */
  copies(root: RootId): Copies {
    return copiesOf(this.view, this.membership, root)
  }

  /** Whether the copies goal wants this device to hold a root. */
  isWanted(root: RootId): boolean {
    return shouldHold(this.membership, this.device, root)
  }

  /** The newest head of a device, or undefined when none is known. */
  headOf(device: DeviceId): SignedHead | undefined {
    const incarnation = this.membership.members.get(device)?.incarnation ?? 1
    return laneOf(this.view, device, incarnation)?.head
  }

  // ---- what peers are told

  /** The hello of this node. */
  hello(): Hello {
    return helloOf(this.device, this.membership, this.#parts.program)
  }

  /** The newest head of every chain known here; of a fork, of each branch. */
  heads(): HeadName[] {
    return headsOf(this.view)
  }

  /** From which listing on a peer's chain is news here: a number from 1, or undefined when it is none. */
  newerFrom(theirs: HeadName): number | undefined {
    return newerFrom(this.view, theirs)
  }

  /**
   * The heads of a chain from `fromSeq` on as far as they are kept, and its newest body; nothing when it is not
   * known.
   */
  listingSince(wanted: Omit<GetListing, 'type'>): ChainRecord {
    return listingSince(this.#parts.catalog, this.#state, wanted)
  }

  // ---- what peers tell

  /**
   * Offers a chain and its newest body to the view (R1). What is accepted is durable before it counts.
   *
   * A listing of this device that it does not know says that its disk went back (R11): nothing is signed any more.
   *
   * @throws {CellarError} `LISTING_INVALID`, `NOT_A_MEMBER`
   */
  async acceptListing(headBytes: readonly Uint8Array[], body: Uint8Array): Promise<Outcome['kind']> {
    if (headBytes.length === 0) return 'known'
    const heads = await openHeads(headBytes)
    return await this.#serial.run(async () => {
      const ownSeq = this.headOf(this.device)?.head.seq ?? 0
      const outcome = accept(this.view, this.membership, heads, body)
      const { device, incarnation, seq } = (heads.at(-1) as SignedHead).head
      const isOwn = device === this.device && incarnation === this.#incarnation && seq > ownSeq
      // Its own signature is proof, also on what does not join what is known here. This is noted first, or a restart
      // would go on from what it takes over now.
      if (isOwn && outcome.kind !== 'known') await this.#writer.noteRollback(seq, ownSeq)
      if (outcome.kind === 'accepted') {
        await this.#writer.keep(outcome.view, heads, body)
      } else if (outcome.kind === 'fork') {
        await this.#writer.keepFork(outcome.view, heads.at(-1) as SignedHead, { heads: headBytes, body })
      }
      return outcome.kind
    })
  }

  /**
   * Adds entries to the membership log.
   *
   * @throws {CellarError} `MEMBERSHIP_FORK`, `MEMBERSHIP_INVALID`, `NOT_ENTITLED`
   */
  async acceptMembership(entries: readonly Uint8Array[]): Promise<void> {
    await this.#serial.run(() => this.#writer.extend(extendMembership(this.membership, entries)))
  }

  /** Changes the membership by an entry that `change` signs. @throws as the function given */
  async changeMembership(
    change: (membership: Membership, signer: Signer) => Membership,
  ): Promise<Membership> {
    await this.#serial.run(() => this.#writer.extend(change(this.membership, this.#parts.signer)))
    return this.membership
  }

  // ---- this device's own statements

  /** Opens a backup session: pins what is known now, durably, before the first look-up (R4). */
  async openSession(id: string): Promise<Session> {
    const pin = vectorOf(this.view)
    // At once, as well: a listing signed while the pin is being written must not go beyond it.
    this.#state.sessions.set(id, pin)
    try {
      const value = encodeVector(pin)
      await this.#parts.catalog.batch([{ type: 'put', key: sessionKey(id), value }], { durable: true })
    } catch (error) {
      this.#state.sessions.delete(id)
      throw error
    }
    return { id }
  }

  /** Closes a session, after its root was announced or given up (R4). */
  async closeSession(session: Session): Promise<void> {
    await this.#parts.catalog.batch([{ type: 'del', key: sessionKey(session.id) }], { durable: true })
    this.#state.sessions.delete(session.id)
  }

  /** Records a root of this device, held here already: it goes into the next listing. Durable once it resolves. */
  async announce(pending: PendingRoot): Promise<void> {
    const nowMs = this.#parts.clock.nowMs()
    await this.#parts.catalog.batch(
      [
        { type: 'put', key: pendingKey(pending.root), value: encodePending(pending) },
        { type: 'put', key: seenKey(pending.root), value: Buffer.from(String(nowMs)) },
      ],
      { durable: true },
    )
    this.#state.pending.set(pending.root, pending)
    this.#state.seen.set(pending.root, nowMs)
    this.#parts.events.emit({ kind: 'view' })
  }

  /**
   * Signs the next listing if there is something new to say, and makes it durable before anybody can see it (R1).
   *
   * @param holds - all roots whose whole closure is here (R3)
   * @returns the new head, or undefined when all was said already, or when this device may not sign
   */
  async publish(holds: readonly RootId[]): Promise<SignedHead | undefined> {
    return await this.#serial.run(async () => {
      if (this.#state.isRolledBack || memberNow(this.membership, this.device) === undefined) return undefined
      const previous = newestListing(this.#state, this.device, this.self.incarnation)
      const pending = [...this.#state.pending.values()]
      const horizon = horizonOf(this.view, [...this.#state.sessions.values()])
      if (previous !== undefined && !hasNews(this.#state, previous, holds, horizon.length)) return undefined
      const listing = nextListing(
        previous,
        {
          mesh: this.membership.mesh,
          incarnation: this.self.incarnation,
          epoch: this.membership.epoch,
          atMs: this.#parts.clock.nowMs(),
          adds: pending.map(({ root, source, sizeClass }) => ({ root, source, sizeClass })),
          holds,
          horizon: keepGrowing(previous, horizon),
          leans: false,
        },
        this.#parts.signer,
      )
      const outcome = accept(this.view, this.membership, [listing.signed], listing.bodyBytes)
      if (outcome.kind !== 'accepted')
        throw new CellarError('LISTING_INVALID', `this device refuses its own listing (${outcome.kind})`)
      const done = pending.map(({ root }): CatalogChange => ({ type: 'del', key: pendingKey(root) }))
      await this.#writer.keep(outcome.view, [listing.signed], listing.bodyBytes, done)
      for (const { root } of pending) this.#state.pending.delete(root)
      return listing.signed
    })
  }

  /** Waits until nothing is being written. */
  async idle(): Promise<void> {
    await this.#serial.idle()
  }
}
