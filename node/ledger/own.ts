/** When this device has something to say, and what its next listing says; pure. */

import {
  chainEnds,
  type DeviceId,
  type Dot,
  endAtCuts,
  type Horizon,
  horizonOf,
  laneOf,
  type Listing,
  type ListingDraft,
  type Member,
  type RootId,
  type View,
} from '../../protocol/index.ts'
import { laneName, type LedgerState } from './load.ts'
import type { PendingForget, PendingRoot } from './records.ts'

/** What a device says of itself besides what its ledger knows. */
export interface Saying {
  /** All roots whose whole closure is here (R3); those whose hold is being given up are left out. */
  readonly holds: readonly RootId[]
  /** Nothing more can be stored here. */
  readonly isFull: boolean
  /** It refers to chunks that it cannot supply; said only by a device that may (R5). */
  readonly leans: boolean
}

/** The newest listing of a chain, with its body; undefined before the first. */
export function newestListing(
  state: LedgerState,
  device: DeviceId,
  incarnation: number,
): Listing | undefined {
  const lane = laneOf(state.view, device, incarnation)
  const bodyBytes = state.bodies.get(laneName(device, incarnation))
  return lane === undefined || bodyBytes === undefined
    ? undefined
    : { signed: lane.head, body: lane.body, bodyBytes }
}

/** The next listing, and what of that which waited stands in it. */
export interface Statement {
  readonly draft: ListingDraft
  readonly adds: readonly PendingRoot[]
  readonly forgets: readonly PendingForget[]
  /** Others reclaim nothing before this device has said that it takes account of the forgets (R6). */
  readonly isWaitedFor: boolean
}

/** What the next listing of this device says. */
export function nextStatement(
  state: LedgerState,
  self: Member,
  previous: Listing | undefined,
  saying: Saying & { readonly atMs: number },
): Statement {
  const { device, incarnation, capabilities } = self
  const adds = [...state.pending.values()]
  const seq = (previous?.signed.head.seq ?? 0) + 1
  const places = new Map(adds.map(({ root }, n) => [root, { device, incarnation, seq, n }]))
  const holds = saying.holds.filter((root) => !state.withdrawn.has(root))
  const held = new Set(holds)
  const dotOf = ({ dot, root }: PendingForget): Dot | undefined => (dot.seq > 0 ? dot : places.get(root))
  // R2: of a device that may not forget they would be void; they wait until it may.
  const forgets = capabilities.has('forget')
    ? [...state.forgets.values()].filter((forget) => dotOf(forget) !== undefined)
    : []
  const draft: ListingDraft = {
    mesh: state.membership.mesh,
    incarnation,
    epoch: state.membership.epoch,
    atMs: saying.atMs,
    adds: adds.map(({ root, source, sizeClass }) => ({ root, source, sizeClass })),
    forgets: forgets.map((forget) => ({ ...forget, dot: dotOf(forget) ?? forget.dot })),
    holds,
    shedding: [...state.intents].filter((root) => held.has(root)),
    horizon: endAtCuts(
      state.view,
      state.membership,
      keepGrowing(previous, horizonOf(state.view, [...state.sessions.values()])),
    ),
    closed: chainEnds(state.membership, state.membership.epoch),
    leans: (saying.leans || state.leaned.size > 0) && capabilities.has('lean'),
    full: saying.isFull,
    // Only who can read what it pins may keep others from forgetting it.
    pins: capabilities.has('read') ? [...state.pins] : [],
  }
  return { draft, adds, forgets, isWaitedFor: capabilities.has('lean') }
}

/** Says whether a listing is worth a signature: for what people or deletion wait for. */
export function hasNews(state: LedgerState, previous: Listing, { draft, isWaitedFor }: Statement): boolean {
  const { head } = previous.signed
  const { body } = previous
  return (
    (draft.adds?.length ?? 0) > 0 ||
    (draft.forgets?.length ?? 0) > 0 ||
    head.epoch !== draft.epoch ||
    body.leans !== draft.leans ||
    body.full !== draft.full ||
    isOther(body.holds, draft.holds) ||
    isOther(body.pins, draft.pins ?? []) ||
    isOther(
      body.shedding.map(({ root }) => root),
      draft.shedding ?? [],
    ) ||
    isHorizonAwaited(state.view, previous, draft, isWaitedFor)
  )
}

function isOther(said: readonly RootId[], now: readonly RootId[]): boolean {
  if (said.length !== now.length) return true
  const sorted = [...now].sort()
  return said.some((root, at) => sorted[at] !== root)
}

/**
 * The horizon alone is no news, or two devices would tell each other for ever how far they are: it travels with the
 * next listing. But where others wait for it, it is: a device that they may reclaim nothing before has not said yet
 * that it takes account of a forget (R6), or a holder has not said that it has seen the round of a shedding (R7).
 */
function isHorizonAwaited(view: View, previous: Listing, draft: ListingDraft, mayLean: boolean): boolean {
  if (previous.body.horizon.length < draft.horizon.length - 1) return true
  const said = new Map(
    previous.body.horizon.map((entry) => [laneName(entry.device, entry.incarnation), entry.seq]),
  )
  const held = new Set(draft.holds)
  return draft.horizon.some(({ device, incarnation, seq }) => {
    const before = said.get(laneName(device, incarnation)) ?? 0
    const lane = laneOf(view, device, incarnation)
    if (seq <= before || lane === undefined) return false
    const isNew = (at: number) => at > before && at <= seq
    if (mayLean && isNew(lane.forgets.findLast((forget) => forget.seq <= seq)?.seq ?? 0)) return true
    return lane.body.shedding.some((one) => isNew(one.seq) && held.has(one.root))
  })
}

/** The horizon never goes back (I6): what an open session holds back stays where it was said to be. */
export function keepGrowing(previous: Listing | undefined, horizon: Horizon): Horizon {
  const merged = new Map(horizon.map((entry) => [laneName(entry.device, entry.incarnation), entry]))
  for (const old of previous?.body.horizon ?? []) {
    const now = merged.get(laneName(old.device, old.incarnation))
    if (now === undefined || now.seq < old.seq) merged.set(laneName(old.device, old.incarnation), old)
  }
  return [...merged.values()]
}
