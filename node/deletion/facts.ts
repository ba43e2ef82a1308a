/** What this node knows of forgotten roots beside its view (R9): how long it has had them, and which are the newest. */

import {
  compareDots,
  type DeviceId,
  type Dot,
  type EffectFacts,
  liveRoots,
  type RootId,
} from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import type { Ledger } from '../ledger/ledger.ts'

/** What a person has set for this node. */
export interface DeletionSettings {
  readonly holdWindowMs: number
  readonly floorAgeMs: number
  readonly floorNewest: number
}

/** The facts of this moment; to be made anew for each round of judgements. */
export function effectFacts(
  ledger: Ledger,
  store: Pick<ChunkStore, 'isHeld'>,
  settings: DeletionSettings,
): EffectFacts {
  const pinned = ledger.pinned()
  let newest: ReadonlyMap<string, ReadonlySet<RootId>> | undefined
  return {
    hadForMs: (forget) => ledger.hadForMs(forget),
    seenForMs: (root) => ledger.seenForMs(root),
    isPinned: (root) => pinned.has(root),
    isAmongNewest: (root, owner, source) => {
      newest ??= newestHeld(ledger, store, settings.floorNewest)
      return newest.get(sourceKey(owner, source))?.has(root) === true
    },
    holdWindowMs: settings.holdWindowMs,
    floorAgeMs: settings.floorAgeMs,
  }
}

/** A held root, as it is ranked. */
interface Ranked {
  readonly root: RootId
  readonly dot: Dot
  readonly seenForMs: number
}

/**
 * The newest few of each source that are held here, by when this node saw them first; what came at once, by the order
 * in its chain. Those that a person forgot are not counted: they are going, and keep nothing.
 */
function newestHeld(
  ledger: Ledger,
  store: Pick<ChunkStore, 'isHeld'>,
  count: number,
): ReadonlyMap<string, ReadonlySet<RootId>> {
  const bySource = new Map<string, Ranked[]>()
  const rank = (held: Ranked[], root: RootId, dot: Dot) => {
    if (store.isHeld(root)) held.push({ root, dot, seenForMs: ledger.seenForMs(root) })
  }
  for (const { root, reason, announcements } of ledger.dead()) {
    if (reason !== 'retention') continue
    for (const { dot, source } of announcements) {
      const key = sourceKey(dot.device, source)
      const held = bySource.get(key) ?? []
      bySource.set(key, held)
      rank(held, root, dot)
    }
  }
  // Of sources from which no rule took anything, nobody asks.
  for (const { root, dot, source } of liveRoots(ledger.view, ledger.membership)) {
    const held = bySource.get(sourceKey(dot.device, source))
    if (held !== undefined && ledger.isLive(root)) rank(held, root, dot)
  }
  const newest = new Map<string, ReadonlySet<RootId>>()
  for (const [key, held] of bySource) {
    held.sort((a, b) => a.seenForMs - b.seenForMs || compareDots(b.dot, a.dot))
    newest.set(key, new Set(held.slice(0, count).map(({ root }) => root)))
  }
  return newest
}

function sourceKey(owner: DeviceId, source: Uint8Array): string {
  return `${owner} ${Buffer.from(source).toString('latin1')}`
}
