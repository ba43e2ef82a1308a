/**
 * What this node knows of the mesh, kept on disk: the membership log, the newest listings of all devices, and its own
 * chain, which only this file signs (sync.md §1). Every change is durable before anybody sees it (R1, R10).
 */

import {
  accept,
  CellarError,
  type Dot,
  extendMembership,
  type ForgetReason,
  isCellarError,
  leanableRoots,
  type Membership,
  mayForget,
  memberNow,
  nextListing,
  type Outcome,
  type RootId,
  type Signer,
  type SignedHead,
  vectorOf,
} from '../../protocol/index.ts'
import type { CatalogChange } from '../../storage/index.ts'
import { Serial } from '../serial.ts'
import { openHeads } from './heads.ts'
import { LedgerWriter } from './kept.ts'
import { Knowledge, type LedgerParts } from './knowledge.ts'
import { loadLedger, type LedgerState, type WithdrawnFor } from './load.ts'
import { LedgerMarks } from './marks.ts'
import { isForkProven } from './membership-fork.ts'
import { hasNews, newestListing, nextStatement, type Saying } from './own.ts'
import {
  encodeMoment,
  encodeVector,
  forgetKey,
  type PendingRoot,
  pendingKey,
  sessionKey,
  unfinishedKey,
} from './records.ts'

export type { LedgerParts } from './knowledge.ts'

/** An open backup session: what it pinned holds the horizon back until it is closed (R4). */
export interface Session {
  readonly id: string
  /** Roots that it may lean on: by what it pinned, and never anew while it is open (R5). */
  readonly leanable: ReadonlySet<RootId>
}

/** One device's knowledge of the mesh, and what it says itself. */
export class Ledger extends Knowledge {
  readonly #serial = new Serial()
  readonly #writer: LedgerWriter
  readonly #marks: LedgerMarks

  private constructor(parts: LedgerParts, state: LedgerState) {
    super(parts, state)
    const writing = { catalog: parts.catalog, events: parts.events, running: this.running }
    this.#writer = new LedgerWriter(writing, state)
    this.#marks = new LedgerMarks(writing, state)
  }

  /** Opens the ledger in a catalog; sessions that died with their process are closed (R4). */
  static async open(parts: LedgerParts): Promise<Ledger> {
    const ledger = new Ledger(parts, await loadLedger(parts.catalog))
    await ledger.#writer.dateAll()
    return ledger
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
      const isOwn = device === this.device && incarnation === this.incarnation && seq > ownSeq
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
    await this.#serial.run(async () => {
      try {
        await this.#writer.extend(extendMembership(this.membership, entries))
      } catch (error) {
        if (!isCellarError(error, 'MEMBERSHIP_FORK') || this.state.isForked) throw error
        const epoch = Number(error.context['epoch'])
        if (isForkProven(this.membership, entries, epoch)) await this.#writer.noteMembershipFork(epoch)
        throw error
      }
    })
  }

  /** Changes the membership by an entry that `change` signs. @throws as the function given */
  async changeMembership(
    change: (membership: Membership, signer: Signer) => Membership,
  ): Promise<Membership> {
    await this.#serial.run(() => this.#writer.extend(change(this.membership, this.parts.signer)))
    return this.membership
  }

  // ---- this device's own statements

  /** Opens a backup session: pins what is known now, durably, before the first look-up (R4). */
  async openSession(id: string): Promise<Session> {
    const pin = vectorOf(this.view)
    const leanable = this.leanable()
    // At once, as well: a listing signed while the pin is being written must not go beyond it, and nothing may be
    // reclaimed from now on.
    this.state.sessions.set(id, pin)
    this.parts.events.emit({ kind: 'session' })
    const now = this.running.now()
    try {
      await this.parts.catalog.batch(
        [
          { type: 'put', key: sessionKey(id), value: encodeVector(pin) },
          { type: 'put', key: unfinishedKey, value: encodeMoment(now) },
        ],
        { durable: true },
      )
    } catch (error) {
      this.state.sessions.delete(id)
      this.parts.events.emit({ kind: 'session' })
      throw error
    }
    this.state.unfinished = now
    return { id, leanable }
  }

  /**
   * What a session opened in this moment might lean on (R5). What this device has forgotten itself, and not said so
   * yet, is left out.
   */
  leanable(): ReadonlySet<RootId> {
    if (!this.mayLean) return new Set()
    const leanable = leanableRoots(this.view, this.membership, this.device)
    return new Set([...leanable].filter((root) => this.isLive(root)))
  }

  /**
   * Closes a session, after its root was announced or given up (R4).
   *
   * @param isComplete - the backup did all it should: what interrupted ones have stored is of no more use
   */
  async closeSession(session: Pick<Session, 'id'>, isComplete = false): Promise<void> {
    // One that goes on beside it may still be interrupted.
    const isLast = isComplete && [...this.state.sessions.keys()].every((id) => id === session.id)
    await this.parts.catalog.batch(
      [
        { type: 'del', key: sessionKey(session.id) },
        ...(isLast ? [{ type: 'del', key: unfinishedKey } as const] : []),
      ],
      { durable: true },
    )
    this.state.sessions.delete(session.id)
    if (isLast && this.state.sessions.size === 0) this.state.unfinished = undefined
    this.parts.events.emit({ kind: 'session' })
  }

  /** What interrupted backups have stored is of no more use. */
  async endUnfinished(): Promise<void> {
    await this.#serial.run(() => this.#marks.endUnfinished())
  }

  /**
   * Records a root of this device, held here already: it goes into the next listing. Durable once it resolves. Undoing
   * a forget is just that: announcing the same root anew (R2).
   *
   * @param leans - it is not whole here: what this device has stored for it stays until others have it (R5.4)
   * @returns false when it leans and this device may not, or not any more; nothing is recorded then
   */
  async announce(pending: PendingRoot, leans = false): Promise<boolean> {
    return await this.#serial.run(async () => {
      // R5.1, in the moment in which no change of the membership can slip between.
      if (leans && !this.mayLean) return false
      await this.#marks.announce(pending, leans)
      return true
    })
  }

  /** Notes that enough others have taken over roots that lean, judged once more by the newest view (R5.4). */
  async handOver(roots: readonly RootId[], may: (root: RootId) => boolean): Promise<void> {
    await this.#serial.run(() => this.#marks.handedOver(roots.filter((root) => may(root))))
  }

  /**
   * Forgets announcements: they go into the next listing, and live here no more from now on. Durable once it resolves.
   *
   * @param forgets - dots as `live` has them
   * @throws {CellarError} `NOT_ENTITLED`, and nothing is forgotten then
   */
  async forget(
    forgets: readonly { readonly dot: Dot; readonly root: RootId; readonly reason: ForgetReason }[],
  ): Promise<void> {
    await this.#serial.run(async () => {
      if (!mayForget(this.membership, this.device)) {
        const who = memberNow(this.membership, this.device)
        const message =
          who === undefined
            ? 'this device was removed from its mesh and forgets nothing'
            : `${who.name} is a ${who.role}: it may not forget snapshots`
        throw new CellarError('NOT_ENTITLED', message)
      }
      const atMs = this.parts.clock.nowMs()
      await this.#marks.forget(forgets.map(({ dot, root, reason }) => ({ dot, root, reason, atMs })))
    })
  }

  /** Sets or takes away pins of this device; the next listing says so. Durable once it resolves. */
  async setPinned(roots: readonly RootId[], isPinned: boolean): Promise<void> {
    await this.#serial.run(() => this.#marks.pin(roots, isPinned))
  }

  /** Notes that this device means to let roots go: the next listing says so (R7). */
  async intend(...roots: readonly RootId[]): Promise<void> {
    await this.#serial.run(() => this.#marks.intend(roots, true))
  }

  /** Takes that back. */
  async retract(...roots: readonly RootId[]): Promise<void> {
    await this.#serial.run(() => this.#marks.intend(roots, false))
  }

  /**
   * Gives up the hold of roots (R10): once this resolves, no listing of this device says that they are held, and the
   * hold may be released as soon as the newest listing has left them out ({@link saysHeld}).
   *
   * @param may - judges once more, by the newest view, in the moment in which nothing new can slip between
   * @returns those given up
   */
  async withdraw(
    roots: readonly RootId[],
    why: WithdrawnFor,
    may: (root: RootId) => boolean,
  ): Promise<RootId[]> {
    return await this.#serial.run(async () => {
      const granted = roots.filter((root) => may(root))
      await this.#marks.withdraw(granted, why)
      return granted
    })
  }

  /** Ends giving up: the hold is gone, or is to be kept. */
  async endWithdrawal(roots: readonly RootId[]): Promise<void> {
    await this.#serial.run(() => this.#marks.endWithdrawal(roots))
  }

  /**
   * Signs the next listing if there is something new to say, and makes it durable before anybody can see it (R1).
   *
   * @returns the new head, or undefined when all was said already, or when this device may not sign
   */
  async publish(saying: Saying): Promise<SignedHead | undefined> {
    return await this.#serial.run(async () => {
      if (this.state.isRolledBack || memberNow(this.membership, this.device) === undefined) return undefined
      const previous = newestListing(this.state, this.device, this.self.incarnation)
      const atMs = this.parts.clock.nowMs()
      const statement = nextStatement(this.state, this.self, previous, { ...saying, atMs })
      if (previous !== undefined && !hasNews(this.state, previous, statement)) return undefined
      const listing = nextListing(previous, statement.draft, this.parts.signer)
      const outcome = accept(this.view, this.membership, [listing.signed], listing.bodyBytes)
      if (outcome.kind !== 'accepted')
        throw new CellarError('LISTING_INVALID', `this device refuses its own listing (${outcome.kind})`)
      const { adds, forgets } = statement
      const done = [...adds.map(({ root }) => pendingKey(root)), ...forgets.map(forgetKey)]
      // What waited counts as said at once with the view that has it: in between it would be neither.
      const onShown = () => {
        for (const { root } of adds) this.state.pending.delete(root)
        for (const forget of forgets) this.state.forgets.delete(forgetKey(forget))
      }
      await this.#writer.keep(outcome.view, [listing.signed], listing.bodyBytes, {
        also: done.map((key): CatalogChange => ({ type: 'del', key })),
        onShown,
      })
      return listing.signed
    })
  }

  /** Notes how long this node has been running: what is not noted when it ends counts as a gap (R9). */
  async noteTime(): Promise<void> {
    await this.parts.catalog.batch([this.running.note()], { durable: true })
  }

  /** Waits until nothing is being written. */
  async idle(): Promise<void> {
    await this.#serial.idle()
  }
}
