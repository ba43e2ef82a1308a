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
  hashAt,
  type GetListing,
  type HeadName,
  type Hello,
  horizonOf,
  laneOf,
  type Listing,
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
  unsaidAdds,
  type View,
  WIRE_VERSION,
  vectorOf,
} from '../../protocol/index.ts'
import type { Catalog, CatalogChange } from '../../storage/index.ts'
import type { Events } from '../events.ts'
import { Serial } from '../serial.ts'
import { joinHeads, openHeads } from './heads.ts'
import { laneName, loadLedger, type LedgerState } from './load.ts'
import {
  type ChainRecord,
  chainChanges,
  decodeFork,
  encodeFork,
  encodePending,
  encodeUnsaid,
  encodeVector,
  entryKey,
  type ForkRecord,
  forkKey,
  headKey,
  headsKept,
  type PendingRoot,
  pendingKey,
  rollbackKey,
  seenKey,
  sessionKey,
  unsaidKey,
  unsaidPrefix,
} from './records.ts'

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
  /** Set when a peer knows a newer listing of this device than this device does: its disk went back (R11). */
  #isRolledBack = false

  private constructor(parts: LedgerParts, state: LedgerState) {
    this.#parts = parts
    this.#state = state
    this.#isRolledBack = state.isRolledBack
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

  get isRolledBack(): boolean {
    return this.#isRolledBack
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
    return this.membership.members.get(device)?.name ?? device.slice(-8)
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
    const { mesh, epoch, headHash } = this.membership
    const incarnation = this.#incarnation
    return {
      type: 'hello',
      mesh,
      device: this.device,
      incarnation,
      version: WIRE_VERSION,
      epoch,
      membershipHead: headHash,
      program: this.#parts.program,
    }
  }

  /** The newest head of every chain known here; of a fork, of each branch. */
  heads(): HeadName[] {
    const forked = [...this.view.lanes.values()].flatMap((lane) => lane.fork?.tips ?? [])
    const others = forked.map(
      ({ head, hash }): HeadName => ({
        device: head.device,
        incarnation: head.incarnation,
        seq: head.seq,
        hash,
      }),
    )
    return [...vectorOf(this.view), ...others]
  }

  /**
   * From which listing on a peer's chain is news here: undefined when it is none. What is told is a claim: only a listing is proof.
   */
  newerFrom(theirs: HeadName): number | undefined {
    const lane = laneOf(this.view, theirs.device, theirs.incarnation)
    if (lane === undefined) return Math.max(1, theirs.seq - headsKept + 1)
    const known = lane.head.head.seq
    if (theirs.seq > known) return known + 1
    const hash = hashAt(lane, theirs.seq)
    const isOtherBranch =
      hash !== undefined &&
      hash !== theirs.hash &&
      lane.fork?.tips.some((tip) => tip.hash === theirs.hash) !== true
    return isOtherBranch ? Math.max(1, theirs.seq - 64) : undefined
  }

  /** The heads of a chain from `fromSeq` on as far as they are kept, and its newest body; nothing when it is not known. */
  listingSince(wanted: Omit<GetListing, 'type'>): ChainRecord {
    const { device, incarnation, fromSeq, tip } = wanted
    const lane = laneOf(this.view, device, incarnation)
    if (lane === undefined) return NOTHING
    if (tip !== undefined && tip !== lane.head.hash) return this.#branch(tip) ?? NOTHING
    const heads: Uint8Array[] = []
    // A chain may begin at any number: what is not kept is not looked for.
    const firstSeq = Math.max(fromSeq, lane.head.head.seq - headsKept + 1)
    for (let seq = firstSeq; seq <= lane.head.head.seq; seq++) {
      const bytes = this.#parts.catalog.get(headKey(device, incarnation, seq))
      if (bytes === undefined)
        heads.length = 0 // an unbroken chain is what counts: begin again behind the gap
      else heads.push(bytes)
    }
    return {
      heads: heads.slice(-headsKept),
      body: this.#state.bodies.get(laneName(device, incarnation)) ?? NOTHING.body,
    }
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
      if (isOwn && (outcome.kind === 'accepted' || outcome.kind === 'fork'))
        await this.#noteRollback(seq, ownSeq) // first, or a restart would go on from what it takes over now
      if (outcome.kind === 'accepted') {
        await this.#keep(outcome.view, heads, body)
      } else if (outcome.kind === 'fork') {
        await this.#keepFork(outcome.view, heads.at(-1) as SignedHead, { heads: headBytes, body })
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
    await this.#serial.run(() => this.#extend(extendMembership(this.membership, entries)))
  }

  /** Changes the membership by an entry that `change` signs. @throws as the function given */
  async changeMembership(
    change: (membership: Membership, signer: Signer) => Membership,
  ): Promise<Membership> {
    await this.#serial.run(() => this.#extend(change(this.membership, this.#parts.signer)))
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
      if (this.#isRolledBack || memberNow(this.membership, this.device) === undefined) return undefined
      const previous = this.#ownListing()
      const pending = [...this.#state.pending.values()]
      const horizon = horizonOf(this.view, [...this.#state.sessions.values()])
      if (previous !== undefined && !this.#hasNews(previous, pending, holds, horizon.length)) return undefined
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
      await this.#keep(outcome.view, [listing.signed], listing.bodyBytes, done)
      for (const { root } of pending) this.#state.pending.delete(root)
      return listing.signed
    })
  }

  /** Waits until nothing is being written. */
  async idle(): Promise<void> {
    await this.#serial.idle()
  }

  #ownListing(): Listing | undefined {
    const { incarnation } = this.self
    const lane = laneOf(this.view, this.device, incarnation)
    const bodyBytes = this.#state.bodies.get(laneName(this.device, incarnation))
    return lane === undefined || bodyBytes === undefined
      ? undefined
      : { signed: lane.head, body: lane.body, bodyBytes }
  }

  /** A listing is signed for what people or deletion wait for; the horizon alone travels with the next one. */
  #hasNews(
    previous: Listing,
    pending: readonly PendingRoot[],
    holds: readonly RootId[],
    lanes: number,
  ): boolean {
    if (pending.length > 0 || previous.signed.head.epoch !== this.membership.epoch) return true
    const said = previous.body.holds
    return (
      said.length !== holds.length ||
      holds.some((root, at) => said[at] !== root) ||
      previous.body.horizon.length < lanes - 1
    )
  }

  async #keep(
    view: View,
    heads: readonly SignedHead[],
    body: Uint8Array,
    also: readonly CatalogChange[] = [],
  ): Promise<void> {
    const last = heads.at(-1) as SignedHead
    const tip = last.head
    const seen = this.#newlySeen(view)
    const changes = [...chainChanges(heads, body), ...this.#unsaid(view, last), ...seen.changes, ...also]
    await this.#parts.catalog.batch(changes, { durable: true })
    this.#noteUnsaid(changes)
    this.#state.bodies.set(laneName(tip.device, tip.incarnation), body)
    this.#show(view, seen.roots)
  }

  async #keepFork(view: View, tip: SignedHead, branch: ChainRecord): Promise<void> {
    const { device, incarnation } = tip.head
    const before = laneOf(this.view, device, incarnation)?.fork?.tips ?? []
    const fork = laneOf(view, device, incarnation)?.fork
    const isKept = (one: SignedHead) => fork?.tips.includes(one) === true
    const seen = this.#newlySeen(view)
    const changes = [...seen.changes, ...this.#unsaid(view, tip)]
    const followed = before.filter((one) => !isKept(one))
    for (const one of followed) changes.push({ type: 'del', key: forkKey(one) })
    if (fork !== undefined && isKept(tip)) {
      const heads = joinHeads(followed, branch.heads, (one) => this.#branch(one.hash)?.heads ?? [])
      const value = encodeFork({ heads, body: branch.body, sharedSeq: fork.sharedSeq })
      changes.push({ type: 'put', key: forkKey(tip), value })
    }
    await this.#parts.catalog.batch(changes, { durable: true })
    this.#noteUnsaid(changes)
    for (const one of followed) this.#state.forks.delete(one.hash)
    if (isKept(tip)) this.#state.forks.set(tip.hash, forkKey(tip))
    this.#show(view, seen.roots)
    this.#parts.events.emit({
      kind: 'trouble',
      code: 'LISTING_FORK',
      message: `device ${this.nameOf(device)} has signed two histories`,
      device,
    })
  }

  /** The record of another branch of a forked chain, by the hash of its newest head. */
  #branch(tip: SignedHead['hash']): ForkRecord | undefined {
    const key = this.#state.forks.get(tip)
    const value = key === undefined ? undefined : this.#parts.catalog.get(key)
    return value === undefined ? undefined : decodeFork(value)
  }

  /** R2: keeps beside the body what a chain announced and its newest listing does not say. */
  #unsaid(view: View, { head }: SignedHead): CatalogChange[] {
    const lane = laneOf(view, head.device, head.incarnation)
    const changes: CatalogChange[] = []
    for (const add of lane === undefined ? [] : unsaidAdds(lane)) {
      const key = unsaidKey(add)
      if (!this.#state.unsaid.has(key)) changes.push({ type: 'put', key, value: encodeUnsaid(add) })
    }
    return changes
  }

  #noteUnsaid(changes: readonly CatalogChange[]): void {
    for (const { key } of changes) if (key.startsWith(unsaidPrefix)) this.#state.unsaid.add(key)
  }

  #show(view: View, roots: readonly RootId[]): void {
    const nowMs = this.#parts.clock.nowMs()
    for (const root of roots) this.#state.seen.set(root, nowMs)
    this.#state.view = view
    this.#parts.events.emit({ kind: 'view' })
  }

  #newlySeen(view: View): { roots: RootId[]; changes: CatalogChange[] } {
    const roots = [...new Set(liveRoots(view, this.membership).map((live) => live.root))].filter(
      (root) => !this.#state.seen.has(root),
    )
    const value = Buffer.from(String(this.#parts.clock.nowMs()))
    return { roots, changes: roots.map((root) => ({ type: 'put', key: seenKey(root), value })) }
  }

  async #extend(next: Membership): Promise<void> {
    if (next.epoch === this.membership.epoch) return
    const changes = next.entries.slice(this.membership.entries.length).map(
      (value, at): CatalogChange => ({
        type: 'put',
        key: entryKey(this.membership.entries.length + at),
        value,
      }),
    )
    await this.#parts.catalog.batch(changes, { durable: true })
    this.#state.membership = next
    this.#parts.events.emit({ kind: 'view' })
  }

  async #noteRollback(theirs: number, known: number): Promise<void> {
    if (this.#isRolledBack) return
    this.#isRolledBack = true
    const value = Buffer.from(String(theirs))
    await this.#parts.catalog.batch([{ type: 'put', key: rollbackKey, value }], { durable: true })
    const message = `a peer knows listing ${String(theirs)} of this device, which has only ${String(known)}: its disk went back in time`
    this.#parts.events.emit({ kind: 'trouble', code: 'LISTING_FORK', message })
  }
}

/** The horizon never goes back (I6): what an open session holds back stays where it was said to be. */
function keepGrowing(
  previous: Listing | undefined,
  horizon: readonly Listing['body']['horizon'][number][],
): Listing['body']['horizon'] {
  const merged = new Map(horizon.map((entry) => [laneName(entry.device, entry.incarnation), entry]))
  for (const old of previous?.body.horizon ?? []) {
    const now = merged.get(laneName(old.device, old.incarnation))
    if (now === undefined || now.seq < old.seq) merged.set(laneName(old.device, old.incarnation), old)
  }
  return [...merged.values()]
}

const NOTHING: ChainRecord = { heads: [], body: new Uint8Array(0) }
