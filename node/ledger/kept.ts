/**
 * What is kept of the ledger (sync.md §1): each change is durable in the catalog before the state shows it (R1, R10).
 */

import {
  type Clock,
  type DeviceId,
  laneOf,
  liveRoots,
  type Membership,
  type RootId,
  type SignedHead,
  unsaidAdds,
  type View,
} from '../../protocol/index.ts'
import type { Catalog, CatalogChange } from '../../storage/index.ts'
import type { Events } from '../events.ts'
import { joinHeads } from './heads.ts'
import { laneName, type LedgerState } from './load.ts'
import {
  type ChainRecord,
  chainChanges,
  encodeFork,
  encodeUnsaid,
  entryKey,
  forkKey,
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
  readonly clock: Clock
  readonly events: Events
}

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
   */
  async keep(
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
    const seen = this.#newlySeen(view)
    const changes = [...seen.changes, ...this.#unsaid(view, tip)]
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
    this.#show(view, seen.roots)
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

  #show(view: View, roots: readonly RootId[]): void {
    const nowMs = this.#parts.clock.nowMs()
    for (const root of roots) this.#state.seen.set(root, nowMs)
    this.#state.view = view
    this.#parts.events.emit({ kind: 'view' })
  }

  #newlySeen(view: View): { roots: RootId[]; changes: CatalogChange[] } {
    const roots = [...new Set(liveRoots(view, this.#state.membership).map((live) => live.root))].filter(
      (root) => !this.#state.seen.has(root),
    )
    const value = Buffer.from(String(this.#parts.clock.nowMs()))
    return { roots, changes: roots.map((root) => ({ type: 'put', key: seenKey(root), value })) }
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
