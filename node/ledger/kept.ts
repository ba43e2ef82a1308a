/**
 * What is kept of the ledger (sync.md §1): each change is durable in the catalog before the state shows it (R1, R10).
 */

import {
  type DeviceId,
  type Lane,
  laneOf,
  type Membership,
  type RootId,
  type SignedHead,
  unsaidAdds,
  type View,
} from '../../protocol/index.ts'
import type { Catalog, CatalogChange } from '../../storage/index.ts'
import type { RunningClock } from '../deletion/running-clock.ts'
import type { Events } from '../events.ts'
import { joinHeads } from './heads.ts'
import { laneName, type LedgerState, listingName } from './load.ts'
import {
  type ChainRecord,
  chainChanges,
  encodeFork,
  encodeMoment,
  encodeUnsaid,
  entryKey,
  forkKey,
  hadKey,
  membershipForkKey,
  type Moment,
  rollbackKey,
  seenKey,
  unsaidKey,
  unsaidPrefix,
} from './records.ts'
import { branchOf } from './told.ts'

/** The name of a device in a membership, or the end of its id when it never was a member. */
export function nameIn(membership: Membership, device: DeviceId): string {
  return membership.members.get(device)?.name ?? device.slice(-8)
}

/** Where the writer of a ledger writes, and whom it tells. */
export interface LedgerWriterParts {
  readonly catalog: Catalog
  readonly running: RunningClock
  readonly events: Events
}

/** What goes with an accepted chain. */
export interface KeptWith {
  readonly also: readonly CatalogChange[]
  /** Called once it is durable, in the moment before the new view is seen. */
  readonly onShown: () => void
}

const NOTHING_ELSE: KeptWith = { also: [], onShown: () => undefined }

/** Writes what was accepted; whoever calls sees to it that one change follows another. */
export class LedgerWriter {
  readonly #parts: LedgerWriterParts
  readonly #state: LedgerState

  constructor(parts: LedgerWriterParts, state: LedgerState) {
    this.#parts = parts
    this.#state = state
  }

  /**
   * Takes an accepted chain over: its new heads, the body of the last, and what is to be written with them.
   *
   * @param view - with the chain in it, as `accept` gave it
   * @param with - what is written with it, and what follows in memory in the moment in which the view shows it
   */
  async keep(
    view: View,
    heads: readonly SignedHead[],
    body: Uint8Array,
    { also, onShown }: KeptWith = NOTHING_ELSE,
  ): Promise<void> {
    const last = heads.at(-1) as SignedHead
    const tip = last.head
    const dated = this.#newlySeen(laneOf(view, tip.device, tip.incarnation))
    const changes = [...chainChanges(heads, body), ...this.#unsaid(view, last), ...dated.changes, ...also]
    await this.#parts.catalog.batch(changes, { durable: true })
    this.#noteUnsaid(changes)
    this.#state.bodies.set(laneName(tip.device, tip.incarnation), body)
    onShown()
    this.#show(view, dated)
  }

  /**
   * Keeps another branch of a chain that was signed twice, as the proof of it, and says so (R1).
   *
   * @param tip - the newest head of the branch
   */
  async keepFork(view: View, tip: SignedHead, branch: ChainRecord): Promise<void> {
    const { device, incarnation } = tip.head
    const before = laneOf(this.#state.view, device, incarnation)?.fork?.tips ?? []
    const fork = laneOf(view, device, incarnation)?.fork
    const isKept = (one: SignedHead) => fork?.tips.includes(one) === true
    const dated = this.#newlySeen(laneOf(view, device, incarnation))
    const changes = [...dated.changes, ...this.#unsaid(view, tip)]
    const followed = before.filter((one) => !isKept(one))
    for (const one of followed) changes.push({ type: 'del', key: forkKey(one) })
    if (fork !== undefined && isKept(tip)) {
      const heads = joinHeads(
        followed,
        branch.heads,
        (one) => branchOf(this.#parts.catalog, this.#state, one.hash)?.heads ?? [],
      )
      const value = encodeFork({ heads, body: branch.body, sharedSeq: fork.sharedSeq })
      changes.push({ type: 'put', key: forkKey(tip), value })
    }
    await this.#parts.catalog.batch(changes, { durable: true })
    this.#noteUnsaid(changes)
    for (const one of followed) this.#state.forks.delete(one.hash)
    if (isKept(tip)) this.#state.forks.set(tip.hash, forkKey(tip))
    this.#show(view, dated)
    this.#parts.events.emit({
      kind: 'trouble',
      code: 'LISTING_FORK',
      message: `device ${nameIn(this.#state.membership, device)} has signed two histories`,
      device,
    })
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

  #show(view: View, { roots, had, now }: Dated): void {
    for (const root of roots) this.#state.seen.set(root, now)
    for (const { name } of had) this.#state.had.set(name, now)
    this.#state.view = view
    this.#parts.events.emit({ kind: 'view' })
  }

  /** R9: windows and floors count from when a root, or a forget, came here first, whatever its signer claims. */
  #newlySeen(lane: Lane | undefined): Dated {
    const now = this.#parts.running.now()
    const roots = new Set<RootId>()
    for (const { root, isEntitled } of lane?.adds.values() ?? [])
      if (isEntitled && !this.#state.seen.has(root)) roots.add(root)
    const had = lane === undefined ? [] : newlyHad(this.#state, lane)
    const value = encodeMoment(now)
    const changes = [...[...roots].map(seenKey), ...had.map(({ key }) => key)].map(
      (key): CatalogChange => ({ type: 'put', key, value }),
    )
    if (changes.length > 0) changes.push(this.#parts.running.note())
    return { roots, had, now, changes }
  }

  /** Dates what a record of an older version, or of another branch, left undated: from now on. */
  async dateAll(): Promise<void> {
    const now = this.#parts.running.now()
    const had = [...this.#state.view.lanes.values()].flatMap((lane) => newlyHad(this.#state, lane))
    if (had.length === 0) return
    const value = encodeMoment(now)
    const changes = had.map(({ key }): CatalogChange => ({ type: 'put', key, value }))
    await this.#parts.catalog.batch([...changes, this.#parts.running.note()], { durable: true })
    for (const { name } of had) this.#state.had.set(name, now)
  }

  /** Takes a longer membership log over. */
  async extend(next: Membership): Promise<void> {
    if (next.epoch === this.#state.membership.epoch) return
    const changes = next.entries.slice(this.#state.membership.entries.length).map(
      (value, at): CatalogChange => ({
        type: 'put',
        key: entryKey(this.#state.membership.entries.length + at),
        value,
      }),
    )
    await this.#parts.catalog.batch(changes, { durable: true })
    this.#state.membership = next
    this.#parts.events.emit({ kind: 'view' })
  }

  /** Notes that the membership has two histories: for good, and once. R8: reclaiming and shedding stop. */
  async noteMembershipFork(epoch: number): Promise<void> {
    if (this.#state.isForked) return
    this.#state.isForked = true
    const value = Buffer.from(String(epoch))
    await this.#parts.catalog.batch([{ type: 'put', key: membershipForkKey, value }], { durable: true })
    this.#parts.events.emit({ kind: 'view' })
  }

  /** Notes that peers know listings of this device that it does not know: for good, and once (R11). */
  async noteRollback(theirs: number, known: number): Promise<void> {
    if (this.#state.isRolledBack) return
    this.#state.isRolledBack = true
    const value = Buffer.from(String(theirs))
    await this.#parts.catalog.batch([{ type: 'put', key: rollbackKey, value }], { durable: true })
    const message =
      `a peer knows listing ${String(theirs)} of this device, which has only ${String(known)}: ` +
      'its disk went back in time'
    this.#parts.events.emit({ kind: 'trouble', code: 'LISTING_FORK', message })
  }
}

/** What came for the first time, and when. */
interface Dated {
  readonly roots: Iterable<RootId>
  readonly had: readonly Had[]
  readonly now: Moment
  readonly changes: CatalogChange[]
}

/** Forgets that one listing added: name and key of when they came. */
interface Had {
  readonly name: string
  readonly key: string
}

/** Listings of a lane whose forgets have no date yet: the newest ones, as forgets only ever come behind the others. */
function newlyHad(state: LedgerState, { device, incarnation, forgets }: Lane): Had[] {
  const had = new Map<number, Had>()
  for (let at = forgets.length - 1; at >= 0; at--) {
    const seq = forgets[at]?.seq ?? 0
    const name = listingName(device, incarnation, seq)
    if (state.had.has(name)) break
    had.set(seq, { name, key: hadKey(device, incarnation, seq) })
  }
  return [...had.values()]
}
