/**
 * Lets go of live roots that this device need not hold, once enough others have shown that they do (R7;
 * spec/replication.md §7). What follows on the decision is the reaper's: the listing without the root, the end of the
 * hold, and the space.
 */

import {
  type Clock,
  type DeviceId,
  isCellarError,
  isLive,
  judgeHandOver,
  judgeShed,
  liveRoots,
  mayIntend,
  memberNow,
  type Membership,
  type RootId,
  type ShedVerdict,
  type View,
} from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import type { Events, NodeEvent } from '../events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { pause } from '../pause.ts'
import type { AuditOutcome } from '../replication/audit.ts'
import { isThin } from '../thin/thin.ts'
import { intentsMax, keptAsParents, proofsWanted, roundMsMax, roundRestMs } from './shed-plan.ts'

/** Proofs of possession, as the shedder asks for them. */
export interface Proofs {
  /** Whether a device has proven lately that it has a root. */
  isProven(device: DeviceId, root: RootId): boolean
  /** In how many milliseconds a device may be asked about a root. */
  restMs(device: DeviceId, root: RootId): number
  /** Asks it. */
  audit(device: DeviceId, root: RootId, signal: AbortSignal): Promise<AuditOutcome>
}

/** What a shedder stands on. */
export interface ShedderParts {
  readonly ledger: Ledger
  readonly store: ChunkStore
  readonly clock: Clock
  readonly events: Events
  readonly proofs: Proofs
  /** Members that are linked now. */
  readonly connected: () => readonly DeviceId[]
}

/** Between two searches for roots to let go, milliseconds: nothing waits for it. */
export const searchEveryMs = 60_000
/** A thin device looks more often: it has little, and its disk may be small. */
export const thinSearchEveryMs = 5000
/** Roots looked at before others have their turn. */
const rootsAtOnce = 128

/** One try to let a root go. */
interface Round {
  readonly beganMs: number
  /** Rounds of this root that came to nothing before. */
  readonly before: number
}

/** Lets go of what others hold, until stopped. */
export class Shedder {
  readonly #parts: ShedderParts
  readonly #rounds = new Map<RootId, Round>()
  /** Roots whose last round came to nothing: how often in a row, and when the next may begin. */
  readonly #rests = new Map<RootId, { readonly rounds: number; readonly untilMs: number }>()
  /** When what to let go was looked for last; -Infinity: it is to be now. */
  #searchedMs = -Infinity
  #kept:
    | { readonly view: View; readonly membership: Membership; readonly roots: ReadonlySet<RootId> }
    | undefined
  /** Something happened since the intents were judged. */
  #isStale = true

  constructor(parts: ShedderParts) {
    this.#parts = parts
  }

  /** Works until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { events } = this.#parts
    const off = events.on((event) => {
      if (event.kind === 'view' || event.kind === 'peer') this.#isStale = true
    })
    try {
      while (!signal.aborted) {
        this.#isStale = false
        await this.step(signal).catch((error: unknown) => {
          if (!signal.aborted) this.#tell(error)
        })
        await this.#rest(signal)
      }
    } finally {
      off()
    }
  }

  /** Goes on with what is being let go, and begins anew where it may. */
  async step(signal: AbortSignal): Promise<void> {
    if (this.#isFrozen) return
    await this.#handOver(signal)
    await this.#goOn(signal)
    const nowMs = this.#parts.clock.monotonicMs()
    if (nowMs - this.#searchedMs < this.#everyMs || signal.aborted) return
    this.#searchedMs = nowMs
    await this.#begin(signal)
  }

  /** R8, R11: who does not know for sure who is a member, or what it has said itself, lets nothing go. */
  get #isFrozen(): boolean {
    const { ledger } = this.#parts
    if (ledger.isMembershipForked || ledger.isRolledBack) return true
    return memberNow(ledger.membership, ledger.device) === undefined
  }

  get #everyMs(): number {
    const { membership, device } = this.#parts.ledger
    return isThin(membership, device) ? thinSearchEveryMs : searchEveryMs
  }

  /** R5.4: what this device announced without having all of it, and enough others have proven that they have now. */
  async #handOver(signal: AbortSignal): Promise<void> {
    const { ledger } = this.#parts
    const done: RootId[] = []
    for (const root of ledger.leaned()) {
      const judge = () => this.#judgeHandOver(root)
      const verdict = await this.#prove(root, judge(), judge, signal)
      if (signal.aborted) return
      if (verdict.kind !== 'wait') done.push(root)
    }
    if (done.length > 0)
      await ledger.handOver(done, (root) => !this.#isFrozen && this.#judgeHandOver(root).kind !== 'wait')
  }

  #judgeHandOver(root: RootId): ShedVerdict {
    const { ledger, proofs } = this.#parts
    const { view, membership, device } = ledger
    // One that no listing has announced yet nobody can have taken over.
    if (ledger.isLive(root) && !isLive(view, membership, root)) return { kind: 'wait', lacking: [] }
    const isProven = (holder: DeviceId, of: RootId) => proofs.isProven(holder, of)
    return judgeHandOver(view, membership, device, root, { isProven })
  }

  /** Judges what this device means to let go, asks for proofs where only they are missing, and decides. */
  async #goOn(signal: AbortSignal): Promise<void> {
    const { ledger, clock } = this.#parts
    const intents = ledger.intents()
    for (const root of this.#rounds.keys()) if (!intents.has(root)) this.#rounds.delete(root)
    const judge = this.#judge()
    const ready: RootId[] = []
    const ended: RootId[] = []
    let looked = 0
    for (const [root, seq] of intents) {
      if (++looked % rootsAtOnce === 0) await pause()
      const verdict = await this.#prove(root, judge(root, seq), () => this.#judge()(root, seq), signal)
      if (signal.aborted) return
      // What a restart has left goes on as a round that begins now.
      const round = this.#rounds.get(root) ?? { beganMs: clock.monotonicMs(), before: 0 }
      this.#rounds.set(root, round)
      if (verdict.kind === 'drop') ready.push(root)
      else if (verdict.kind === 'abort' || clock.monotonicMs() - round.beganMs >= roundMsMax) {
        this.#end(root, verdict.kind === 'wait' || verdict.why === 'lost-tie')
        ended.push(root)
      }
    }
    // Trying again is a new round, with a listing between that does not have the intent.
    if (ended.length > 0) await ledger.retract(...ended)
    if (ready.length > 0) await this.#letGo(ready)
  }

  /** Asks those who have not proven that they hold a root, one after the other, until it is enough. */
  async #prove(
    root: RootId,
    first: ShedVerdict,
    judge: () => ShedVerdict,
    signal: AbortSignal,
  ): Promise<ShedVerdict> {
    const { proofs, connected } = this.#parts
    const inReach = new Set(connected())
    const mayAsk = (device: DeviceId) => inReach.has(device) && proofs.restMs(device, root) === 0
    let verdict = first
    for (const device of proofsWanted(first, mayAsk)) {
      await proofs.audit(device, root, signal)
      verdict = judge()
      if (verdict.kind !== 'wait' || signal.aborted) break
    }
    return verdict
  }

  /** R7, R10: decided once more by the newest view, in the moment in which nothing new can slip between. */
  async #letGo(roots: readonly RootId[]): Promise<void> {
    const { ledger } = this.#parts
    const judge = this.#judge()
    let intents: ReadonlyMap<RootId, number | undefined> | undefined
    const gone = await ledger.withdraw(roots, 'shed', (root) => {
      intents ??= ledger.intents()
      return !this.#isFrozen && judge(root, intents.get(root)).kind === 'drop'
    })
    for (const root of gone) {
      this.#rounds.delete(root)
      this.#rests.delete(root)
    }
    // There is place for the next.
    if (gone.length > 0) this.#searchedMs = -Infinity
  }

  /** Ends a round that came to nothing. */
  #end(root: RootId, mayTryAgain: boolean): void {
    const rounds = (this.#rounds.get(root)?.before ?? 0) + 1
    this.#rounds.delete(root)
    if (mayTryAgain)
      this.#rests.set(root, { rounds, untilMs: this.#parts.clock.monotonicMs() + roundRestMs(rounds) })
    else this.#rests.delete(root)
  }

  /** Begins rounds for roots that others should hold, and do. */
  async #begin(signal: AbortSignal): Promise<void> {
    const { ledger, store, clock } = this.#parts
    const intents = ledger.intents()
    const begun: RootId[] = []
    const parents = this.#parents()
    const nowMs = clock.monotonicMs()
    let looked = 0
    for (const root of store.holds()) {
      if (signal.aborted) return
      if (begun.length >= intentsMax - intents.size) break
      if (++looked % rootsAtOnce === 0) await pause()
      const rest = this.#rests.get(root)
      if (intents.has(root) || parents.has(root) || (rest?.untilMs ?? 0) > nowMs) continue
      if (!mayIntend(ledger.view, ledger.membership, ledger.device, root) || !store.isComplete(root)) continue
      begun.push(root)
    }
    if (begun.length === 0) return
    for (const root of begun) {
      this.#rounds.set(root, { beganMs: nowMs, before: this.#rests.get(root)?.rounds ?? 0 })
      this.#rests.delete(root)
    }
    await ledger.intend(...begun) // in one listing
  }

  /**
   * Judges by the view as it is when asked. What is whole here is asked once for each root and judge: make a new judge
   * for a new round of judgements.
   */
  #judge(): (root: RootId, seq: number | undefined) => ShedVerdict {
    const { ledger, store, proofs } = this.#parts
    const facts = {
      isProven: (device: DeviceId, root: RootId) => proofs.isProven(device, root),
      isCompleteHere: (root: RootId) => store.isComplete(root),
    }
    return (root, seq) => {
      const { view, membership, device } = ledger
      if (!ledger.isLive(root)) return { kind: 'abort', why: 'forgotten' } // here, and not said yet, too
      if (this.#parents().has(root)) return { kind: 'abort', why: 'wanted-here' }
      return judgeShed(view, membership, device, root, seq ?? 0, facts)
    }
  }

  /** What is kept for the next backups; made once for each view. */
  #parents(): ReadonlySet<RootId> {
    const { ledger } = this.#parts
    const { view, membership, device } = ledger
    if (this.#kept?.view !== view || this.#kept.membership !== membership) {
      const roots = isThin(membership, device)
        ? new Set<RootId>()
        : keptAsParents(liveRoots(view, membership), device, (root) => ledger.firstSeenMs(root))
      this.#kept = { view, membership, roots }
    }
    return this.#kept.roots
  }

  /** What fails here, the disk perhaps, must not end letting go for good. */
  #tell(error: unknown): void {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    const code = isCellarError(error) ? error.code : 'INTERNAL'
    this.#parts.events.emit({
      kind: 'trouble',
      code,
      message: isCellarError(error) ? error.message : message,
    })
  }

  /** Rests until something happens, or it is time to search again. */
  async #rest(signal: AbortSignal): Promise<void> {
    if (this.#isStale) return
    const { clock, events } = this.#parts
    const ms = this.#searchedMs + this.#everyMs - clock.monotonicMs()
    const limit = { clock, ms: ms > 0 ? ms : this.#everyMs, signal }
    const isNews = (event: NodeEvent) => event.kind === 'view' || event.kind === 'peer'
    await events.nextWithin(isNews, limit).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }
}
