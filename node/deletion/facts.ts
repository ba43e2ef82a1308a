/** What this node knows of forgotten roots beside its view (R9): how long it has had them, and which are the newest. */

import {
  type AcceptedAdd,
  type DeviceId,
  type EffectFacts,
  liveRoots,
  type RootId,
  toHex,
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

type Announced = Pick<AcceptedAdd, 'dot' | 'root' | 'source'>

/**
 * The newest few of each source that are held here, by when this node saw them first; what came at once, by the order
 * in its chain. Those that a person forgot are not counted: they are going, and keep nothing.
 */
function newestHeld(
  ledger: Ledger,
  store: Pick<ChunkStore, 'isHeld'>,
  count: number,
): ReadonlyMap<string, ReadonlySet<RootId>> {
  const bySource = new Map<string, Announced[]>()
  const add = (announced: Announced) => {
    if (!store.isHeld(announced.root)) return
    const key = sourceKey(announced.dot.device, announced.source)
    const others = bySource.get(key)
    if (others === undefined) bySource.set(key, [announced])
    else others.push(announced)
  }
  for (const live of liveRoots(ledger.view, ledger.membership)) if (ledger.isLive(live.root)) add(live)
  for (const { root, reason, announcements } of ledger.dead()) {
    if (reason === 'retention') for (const { dot, source } of announcements) add({ dot, root, source })
  }
  const newest = new Map<string, ReadonlySet<RootId>>()
  for (const [key, announced] of bySource) {
    announced.sort((a, b) => ledger.seenForMs(a.root) - ledger.seenForMs(b.root) || -inChain(a, b))
    newest.set(key, new Set(announced.slice(0, count).map(({ root }) => root)))
  }
  return newest
}

function inChain({ dot: a }: Announced, { dot: b }: Announced): number {
  return a.incarnation - b.incarnation || a.seq - b.seq || a.n - b.n
}

function sourceKey(owner: DeviceId, source: Uint8Array): string {
  return `${owner} ${toHex(source)}`
}
