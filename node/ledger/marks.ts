/**
 * What this device has made up its mind about and keeps beside its listings: forgets that wait to be signed, pins,
 * roots whose hold is given up, and roots it means to let go. Each change is durable before it counts.
 */

import type { RootId } from '../../protocol/index.ts'
import type { Catalog, CatalogChange } from '../../storage/index.ts'
import type { RunningClock } from '../deletion/running-clock.ts'
import type { Events } from '../events.ts'
import type { LedgerState, WithdrawnFor } from './load.ts'
import {
  encodeForget,
  encodeMoment,
  encodePending,
  forgetKey,
  intentKey,
  leanedKey,
  type PendingForget,
  type PendingRoot,
  pendingKey,
  pinKey,
  seenKey,
  unfinishedKey,
  withdrawnKey,
} from './records.ts'

/** Where marks are written, and whom they are told. */
export interface MarksParts {
  readonly catalog: Catalog
  readonly running: RunningClock
  readonly events: Events
}

const EMPTY = new Uint8Array(0)

/** Writes marks; whoever calls sees to it that one change follows another. */
export class LedgerMarks {
  readonly #parts: MarksParts
  readonly #state: LedgerState

  constructor(parts: MarksParts, state: LedgerState) {
    this.#parts = parts
    this.#state = state
  }

  /**
   * A root to be announced; one whose hold was being given up is held again.
   *
   * @param leans - it is not whole here
   */
  async announce(pending: PendingRoot, leans: boolean): Promise<void> {
    const { state, now } = { state: this.#state, now: this.#parts.running.now() }
    const { root } = pending
    // The announcement that a person took back before it was signed, and wants again.
    const takenBack = [...state.forgets.values()].filter((one) => one.root === root && one.dot.seq === 0)
    await this.#write([
      { type: 'put', key: pendingKey(root), value: encodePending(pending) },
      ...(leans ? [{ type: 'put', key: leanedKey(root), value: EMPTY } as const] : []),
      ...(state.seen.has(root)
        ? []
        : [
            { type: 'put', key: seenKey(root), value: encodeMoment(now) } as const,
            this.#parts.running.note(),
          ]),
      ...takenBack.map((forget): CatalogChange => ({ type: 'del', key: forgetKey(forget) })),
      ...(state.withdrawn.has(root) ? [{ type: 'del', key: withdrawnKey(root) } as const] : []),
    ])
    state.pending.set(root, pending)
    if (leans) state.leaned.add(root)
    if (!state.seen.has(root)) state.seen.set(root, now)
    for (const forget of takenBack) state.forgets.delete(forgetKey(forget))
    state.withdrawn.delete(root)
    this.#tell()
  }

  /** Forgets that go into the next listing. */
  async forget(forgets: readonly PendingForget[]): Promise<void> {
    const news = forgets.filter((forget) => this.#state.forgets.get(forgetKey(forget))?.reason !== 'person')
    if (news.length === 0) return
    await this.#write(
      news.map((forget) => ({ type: 'put', key: forgetKey(forget), value: encodeForget(forget) })),
    )
    for (const forget of news) this.#state.forgets.set(forgetKey(forget), forget)
    this.#tell()
  }

  /** Sets or takes away pins of this device. */
  async pin(roots: readonly RootId[], isPinned: boolean): Promise<void> {
    await this.#set(this.#state.pins, roots, pinKey, isPinned)
  }

  /** Sets or takes away that this device means to let roots go. */
  async intend(roots: readonly RootId[], isIntended: boolean): Promise<void> {
    await this.#set(this.#state.intents, roots, intentKey, isIntended)
  }

  async #set(
    marks: Set<RootId>,
    roots: readonly RootId[],
    keyOf: (root: RootId) => string,
    isSet: boolean,
  ): Promise<void> {
    const news = roots.filter((root) => marks.has(root) !== isSet)
    if (news.length === 0) return
    await this.#write(
      news.map((root) =>
        isSet ? { type: 'put', key: keyOf(root), value: EMPTY } : { type: 'del', key: keyOf(root) },
      ),
    )
    for (const root of news) {
      if (isSet) marks.add(root)
      else marks.delete(root)
    }
    this.#tell()
  }

  /** Notes that enough others have taken over roots that lean. */
  async handedOver(roots: readonly RootId[]): Promise<void> {
    await this.#set(this.#state.leaned, roots, leanedKey, false)
  }

  /** Notes that the hold of roots is given up: from now on no listing says that they are held (R10). */
  async withdraw(roots: readonly RootId[], why: WithdrawnFor): Promise<void> {
    const news = roots.filter((root) => this.#state.withdrawn.get(root) !== why)
    if (news.length === 0) return
    const value = Buffer.from(why)
    // The intent has done its work: a listing may say that a root is let go only while it is held (L3.5).
    await this.#write([
      ...news.map((root): CatalogChange => ({ type: 'put', key: withdrawnKey(root), value })),
      ...news.map((root): CatalogChange => ({ type: 'del', key: intentKey(root) })),
    ])
    for (const root of news) {
      this.#state.withdrawn.set(root, why)
      this.#state.intents.delete(root)
    }
    this.#tell()
  }

  /** Ends that, as the hold is gone or the root is to be held again. */
  async endWithdrawal(roots: readonly RootId[]): Promise<void> {
    const news = roots.filter((root) => this.#state.withdrawn.has(root))
    if (news.length === 0) return
    await this.#write(news.map((root) => ({ type: 'del', key: withdrawnKey(root) })))
    for (const root of news) this.#state.withdrawn.delete(root)
    this.#tell()
  }

  /** Forgets that a backup was interrupted. */
  async endUnfinished(): Promise<void> {
    if (this.#state.unfinished === undefined) return
    await this.#write([{ type: 'del', key: unfinishedKey }])
    this.#state.unfinished = undefined
    this.#tell()
  }

  async #write(changes: readonly CatalogChange[]): Promise<void> {
    await this.#parts.catalog.batch(changes, { durable: true })
  }

  #tell(): void {
    this.#parts.events.emit({ kind: 'view' })
  }
}
