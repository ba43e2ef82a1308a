/** Whether this node may let go of forgotten roots: all of R6 and R9 that concerns a root, and what it waits for. */

import {
  type Blocker,
  deadIndex,
  type DeadRoot,
  type EffectFacts,
  judgeEffect,
  memberNow,
  releaseBlockers,
  type RootId,
} from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import type { Ledger } from '../ledger/ledger.ts'
import { type DeletionSettings, effectFacts } from './facts.ts'

/** What a forgotten root waits for. */
export type Wait =
  | Blocker
  | { readonly kind: 'hold-window' | 'floor-age'; readonly remainingMs: number }
  | { readonly kind: 'floor-newest' | 'pinned' }
  /** The membership has two histories (R8). */
  | { readonly kind: 'membership-fork' }
  /** The disk of this device went back in time, or it was removed: it signs nothing. */
  | { readonly kind: 'rolled-back' | 'removed' }
  /** The forget, or the listing without the root, can only be signed when a peer is in contact (R11). */
  | { readonly kind: 'contact' }
  /** A backup or a restore is under way here (R6a). */
  | { readonly kind: 'session' }

/** What one root waits for; nothing: it may go. */
export interface Judged {
  readonly root: RootId
  readonly waits: readonly Wait[]
}

/** One round of judgements by the view of this moment. */
export class Judge {
  readonly #ledger: Ledger
  readonly #facts: EffectFacts
  /** One function for the round: what it says of a view is remembered with it. */
  readonly #isCompleteHere: (root: RootId) => boolean
  #dead: ReadonlyMap<RootId, DeadRoot>

  constructor(ledger: Ledger, store: Pick<ChunkStore, 'isHeld' | 'isComplete'>, settings: DeletionSettings) {
    this.#ledger = ledger
    this.#facts = effectFacts(ledger, store, settings)
    this.#isCompleteHere = (root) => store.isComplete(root)
    this.#dead = deadIndex(ledger.view, ledger.membership)
  }

  /** What holds for all roots alike. */
  common(): Wait[] {
    const waits: Wait[] = []
    if (this.#ledger.isMembershipForked) waits.push({ kind: 'membership-fork' })
    if (this.#ledger.isRolledBack) waits.push({ kind: 'rolled-back' })
    if (memberNow(this.#ledger.membership, this.#ledger.device) === undefined) waits.push({ kind: 'removed' })
    return waits
  }

  /** Judges a root of the trash. */
  judge(root: RootId): Judged {
    const waits = this.common()
    const dead = this.#dead.get(root)
    if (dead === undefined) return { root, waits: [...waits, { kind: 'contact' }] }
    const effect = judgeEffect(dead, this.#facts)
    if (!effect.isEffective) {
      if (effect.why === 'floor-newest' || effect.why === 'pinned') waits.push({ kind: effect.why })
      else waits.push({ kind: effect.why, remainingMs: effect.remainingMs ?? 0 })
    }
    const { view, membership, device } = this.#ledger
    waits.push(...releaseBlockers(view, membership, device, dead, this.#isCompleteHere))
    return { root, waits }
  }

  /** Says whether a root may go now: it is still dead, and waits for nothing. By the newest view, whenever asked. */
  mayRelease(root: RootId): boolean {
    const { view, membership } = this.#ledger
    this.#dead = deadIndex(view, membership)
    return !this.#ledger.isLive(root) && this.judge(root).waits.length === 0
  }
}
