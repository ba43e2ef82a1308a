/** What a ledger can be asked: all of it follows from what was accepted and decided, and changes nothing. */

import {
  CellarError,
  type Clock,
  type Copies,
  copiesOf,
  type DeviceId,
  type Dot,
  type GetListing,
  type HeadName,
  type Hello,
  holdsOf,
  isChosen,
  laneOf,
  type LiveRoot,
  liveIndex,
  machinesOf,
  type Member,
  type Membership,
  memberNow,
  openHead,
  pinnedRoots,
  type RootId,
  type SignedForget,
  type Signer,
  type SignedHead,
  type View,
} from '../../protocol/index.ts'
import type { Catalog } from '../../storage/index.ts'
import { RunningClock } from '../deletion/running-clock.ts'
import type { Events } from '../events.ts'
import { nameIn } from './kept.ts'
import type { LedgerState, WithdrawnFor } from './load.ts'
import { type ChainRecord, headKey, type Moment } from './records.ts'
import { headsOf, helloOf, listingSince, newerFrom } from './told.ts'
import { type DeadEntry, deadHere, hadAt, isLiveHere, liveHere, type Self } from './trash.ts'

/** What a ledger stands on. */
export interface LedgerParts {
  readonly catalog: Catalog
  readonly signer: Signer
  readonly clock: Clock
  readonly events: Events
  /** Name and version of this program, told to peers. */
  readonly program: string
}

/** The reading half of a ledger. */
export abstract class Knowledge {
  protected readonly parts: LedgerParts
  protected readonly state: LedgerState
  protected readonly running: RunningClock
  readonly #claimed = new Map<string, number>()

  protected constructor(parts: LedgerParts, state: LedgerState) {
    this.parts = parts
    this.state = state
    this.running = RunningClock.open(parts.catalog, parts.clock)
  }

  get device(): DeviceId {
    return this.parts.signer.device
  }

  get membership(): Membership {
    return this.state.membership
  }

  get view(): View {
    return this.state.view
  }

  /** A peer knew a newer listing of this device than this device did: its disk went back (R11). */
  get isRolledBack(): boolean {
    return this.state.isRolledBack
  }

  /** Two histories of the membership have been seen: reclaiming and shedding stop (R8). */
  get isMembershipForked(): boolean {
    return this.state.isForked
  }

  /**
   * R5.1: this device may refer to what it cannot supply: it has the capability, its chain has not forked, its disk did
   * not go back, and it knows of no fork of the membership.
   */
  get mayLean(): boolean {
    if (this.isMembershipForked || this.isRolledBack) return false
    const member = memberNow(this.membership, this.device)
    if (member?.capabilities.has('lean') !== true) return false
    return laneOf(this.view, this.device, member.incarnation)?.fork === undefined
  }

  /** The mesh has no other machine now: there is nobody whom signing could wait for (R11). */
  get isAlone(): boolean {
    if (memberNow(this.membership, this.device) === undefined) return false
    return machinesOf(this.membership).every(({ device }) => device === this.device)
  }

  /** This device as a member. @throws {CellarError} `NOT_A_MEMBER` once it has been removed */
  get self(): Member {
    const member = memberNow(this.membership, this.device)
    if (member === undefined) throw new CellarError('NOT_A_MEMBER', 'this device was removed from its mesh')
    return member
  }

  /** Of this device, also once it has been removed: what it announced stays its own. */
  protected get incarnation(): number {
    return this.membership.members.get(this.device)?.incarnation ?? 1
  }

  get #self(): Self {
    return { device: this.device, incarnation: this.incarnation }
  }

  /** The name of a device, or the end of its id when it never was a member. */
  nameOf(device: DeviceId): string {
    return nameIn(this.membership, device)
  }

  /**
   * Live roots, the oldest first as far as this node saw them: those too that this device has not announced yet, and
   * without those that it has forgotten and not said so yet.
   */
  live(): LiveRoot[] {
    return liveHere(this.state, this.#self).sort(
      (a, b) => this.firstSeenMs(a.root) - this.firstSeenMs(b.root) || (a.root < b.root ? -1 : 1),
    )
  }

  /** The roots of {@link live}, each once, in no order: for looking at all of them often. */
  liveRoots(): RootId[] {
    const announced = liveIndex(this.view, this.membership)
    const pending = [...this.state.pending.keys()].filter((root) => !announced.has(root))
    const all = [...announced.keys(), ...pending]
    return this.state.forgets.size === 0 ? all : all.filter((root) => this.isLive(root))
  }

  /** Says whether a root is in {@link live}; costs nothing. */
  isLive(root: RootId): boolean {
    const announced = liveIndex(this.view, this.membership).get(root)
    return isLiveHere(this.state, this.#self, announced, root)
  }

  /** The trash: roots forgotten by whoever may, those too that this device has forgotten and not said so yet. */
  dead(): DeadEntry[] {
    return deadHere(this.state, this.#self)
  }

  /** For how long this node has been running in all, milliseconds (R9). */
  get runningMs(): number {
    return this.running.nowMs
  }

  /** When this node first saw a root, milliseconds since 1970; 0 when it never did. */
  firstSeenMs(root: RootId): number {
    return this.state.seen.get(root)?.wallMs ?? 0
  }

  /** When the listing that announced something claims to be from, milliseconds since 1970; undefined when not kept. */
  announcedAtMs({ device, incarnation, seq }: Dot): number | undefined {
    const key = headKey(device, incarnation, seq)
    const known = this.#claimed.get(key)
    if (known !== undefined) return known
    const bytes = seq === 0 ? undefined : this.parts.catalog.get(key)
    if (bytes === undefined) return undefined
    const { atMs } = openHead(bytes).head
    this.#claimed.set(key, atMs)
    return atMs
  }

  /** For how long this node has known a root, by its own running time (R9); 0 when it never saw it. */
  seenForMs(root: RootId): number {
    return this.#since(this.state.seen.get(root))
  }

  /** For how long this node has had a forget, by its own running time (R9). */
  hadForMs(forget: SignedForget): number {
    return this.#since(hadAt(this.state, forget))
  }

  #since(moment: Moment | undefined): number {
    return moment === undefined ? 0 : Math.max(0, this.running.nowMs - moment.runningMs)
  }

  /** Roots that somebody who may read pinned, and who: as the newest listings say, of this device as it will say. */
  pinned(): ReadonlyMap<RootId, readonly DeviceId[]> {
    const pinned = new Map(
      [...pinnedRoots(this.view, this.membership)].map(([root, by]) => [
        root,
        by.filter((device) => device !== this.device),
      ]),
    )
    for (const root of this.state.pins) pinned.set(root, [...(pinned.get(root) ?? []), this.device])
    for (const [root, by] of pinned) if (by.length === 0) pinned.delete(root)
    return pinned
  }

  /** Roots whose hold is being given up, and why: no listing of this device says any more that they are held (R10). */
  withdrawn(): ReadonlyMap<RootId, WithdrawnFor> {
    return this.state.withdrawn
  }

  /** Says whether the newest listing of this device has a root among those held. */
  saysHeld(root: RootId): boolean {
    const lane = laneOf(this.view, this.device, this.incarnation)
    return lane !== undefined && holdsOf(lane.body).has(root)
  }

  /**
   * Roots that this device means to let go (R7), each with the listing that first said so in this round; undefined as
   * long as none has.
   */
  intents(): ReadonlyMap<RootId, number | undefined> {
    const said = laneOf(this.view, this.device, this.incarnation)?.body.shedding ?? []
    const seqs = new Map(said.map(({ root, seq }) => [root, seq]))
    return new Map([...this.state.intents].map((root) => [root, seqs.get(root)]))
  }

  /**
   * Roots of this device that lean: announced without being whole here, and not yet taken over by enough others. What
   * is here of them stays (R5.4).
   */
  leaned(): ReadonlySet<RootId> {
    return this.state.leaned
  }

  /** A backup session is open: what it looked up must stay (R4, R6a). */
  get hasSession(): boolean {
    return this.state.sessions.size > 0
  }

  /** How long ago the last backup began if it did not complete, by running time; undefined when it did. */
  get unfinishedForMs(): number | undefined {
    const { unfinished } = this.state
    return unfinished === undefined ? undefined : this.#since(unfinished)
  }

  /** Who holds a root, and who should. */
  copies(root: RootId): Copies {
    return copiesOf(this.view, this.membership, root)
  }

  /** Whether the copies goal wants this device to hold a root. */
  isWanted(root: RootId): boolean {
    return isChosen(this.view, this.membership, this.device, root)
  }

  /** The newest head of a device, or undefined when none is known. */
  headOf(device: DeviceId): SignedHead | undefined {
    const incarnation = this.membership.members.get(device)?.incarnation ?? 1
    return laneOf(this.view, device, incarnation)?.head
  }

  // ---- what peers are told

  /** The hello of this node. */
  hello(): Hello {
    return helloOf(this.device, this.membership, this.parts.program)
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
    return listingSince(this.parts.catalog, this.state, wanted)
  }
}
