/**
 * What lives and what is in the trash, as this node says it: with the announcements and forgets of its own that no
 * listing has said yet. Read from the ledger, never changed.
 */

import {
  addKey,
  type DeadRoot,
  type DeviceId,
  type Dot,
  deadRoots,
  type ForgetReason,
  laneOf,
  type LiveRoot,
  liveRoots,
  type RootId,
  type SignedForget,
} from '../../protocol/index.ts'
import { type LedgerState, listingName } from './load.ts'
import { forgetKey, type Moment, type PendingForget } from './records.ts'

/** One device and one beginning of it: this node. */
export interface Self {
  readonly device: DeviceId
  readonly incarnation: number
}

/** A root that is in the trash here: each of its announcements is forgotten. */
export interface DeadEntry {
  readonly root: RootId
  readonly announcements: readonly Omit<LiveRoot, 'root'>[]
  readonly dots: readonly Dot[]
  /** `retention` only where no person forgot any of its announcements. */
  readonly reason: ForgetReason
  /** Who signed the forget that was the last to come. */
  readonly by: DeviceId
  /** When that one came here, milliseconds since 1970. */
  readonly forgottenAtMs: number
  /** False while one of the forgets waits for the next listing of this device: nothing is reclaimed for it (R6). */
  readonly isSigned: boolean
}

/** Announcements that live for this node, in no order. */
export function liveHere(state: LedgerState, self: Self): LiveRoot[] {
  const announced = liveRoots(state.view, state.membership)
  const pending = [...state.pending.values()].map(({ root, source, sizeClass }): LiveRoot => {
    return { dot: { ...self, seq: 0, n: 0 }, root, owner: self.device, source, sizeClass }
  })
  const all = [...announced, ...pending]
  return state.forgets.size === 0 ? all : all.filter((live) => !state.forgets.has(forgetKey(live)))
}

/** Says whether a root lives for this node; costs no more than what waits to be signed. */
export function isLiveHere(
  state: LedgerState,
  self: Self,
  announced: readonly LiveRoot[] | undefined,
  root: RootId,
): boolean {
  const own = state.pending.has(root) ? [{ dot: { ...self, seq: 0, n: 0 }, root }] : []
  return [...(announced ?? []), ...own].some((live) => !state.forgets.has(forgetKey(live)))
}

/** The trash of this node. */
export function deadHere(state: LedgerState, self: Self): DeadEntry[] {
  const live = state.forgets.size + state.pending.size === 0 ? undefined : liveHere(state, self)
  const alive = new Set(live?.map(({ root }) => root))
  const inTrash = deadRoots(state.view, state.membership).filter(({ root }) => !alive.has(root))
  const dead = inTrash.map((one) => signedEntry(state, one))
  if (state.forgets.size === 0) return dead
  const known = new Set(inTrash.map(({ root }) => root))
  const unsigned = new Map<RootId, PendingForget[]>()
  for (const forget of state.forgets.values()) {
    if (alive.has(forget.root) || known.has(forget.root)) continue
    unsigned.set(forget.root, [...(unsigned.get(forget.root) ?? []), forget])
  }
  for (const [root, forgets] of unsigned) dead.push(unsignedEntry(state, self, root, forgets))
  return dead
}

/** Looked at whenever something changes, and nearly always the same. */
const ENTRIES = new WeakMap<LedgerState, WeakMap<DeadRoot, DeadEntry>>()

function signedEntry(state: LedgerState, dead: DeadRoot): DeadEntry {
  const entries = ENTRIES.get(state) ?? new WeakMap<DeadRoot, DeadEntry>()
  ENTRIES.set(state, entries)
  const known = entries.get(dead)
  if (known !== undefined) return known
  const entry = makeEntry(state, dead)
  entries.set(dead, entry)
  return entry
}

function makeEntry(state: LedgerState, { root, announcements }: DeadRoot): DeadEntry {
  const first = announcements.map(({ forgets }) => firstOf(state, forgets))
  const last = first.reduce((a, b) => (b.had.wallMs > a.had.wallMs ? b : a))
  return {
    root,
    announcements: announcements.map(({ dot, owner, source, sizeClass }) => ({
      dot,
      owner,
      source,
      sizeClass,
    })),
    dots: announcements.map(({ dot }) => dot),
    reason: announcements.every(({ forgets }) => forgets.every(({ reason }) => reason === 'retention'))
      ? 'retention'
      : 'person',
    by: last.forget.by,
    forgottenAtMs: last.had.wallMs,
    isSigned: true,
  }
}

/** The first of several forgets of one announcement that came here. */
function firstOf(
  state: LedgerState,
  forgets: readonly SignedForget[],
): { forget: SignedForget; had: Moment } {
  return forgets
    .map((forget) => ({ forget, had: hadAt(state, forget) ?? { wallMs: 0, runningMs: 0 } }))
    .reduce((a, b) => (b.had.wallMs < a.had.wallMs ? b : a))
}

/** When a forget came here; undefined when it never did. */
export function hadAt(state: LedgerState, { by, incarnation, seq }: SignedForget): Moment | undefined {
  return state.had.get(listingName(by, incarnation, seq))
}

function unsignedEntry(
  state: LedgerState,
  self: Self,
  root: RootId,
  forgets: readonly PendingForget[],
): DeadEntry {
  const announcements = forgets.map(({ dot }) => ({
    dot,
    owner: dot.device,
    ...announcedAs(state, dot, root),
  }))
  return {
    root,
    announcements,
    dots: forgets.map(({ dot }) => dot),
    reason: forgets.every(({ reason }) => reason === 'retention') ? 'retention' : 'person',
    by: self.device,
    forgottenAtMs: Math.max(...forgets.map(({ atMs }) => atMs)),
    isSigned: false,
  }
}

/** What an announcement said besides the root. */
function announcedAs(
  state: LedgerState,
  { device, incarnation, seq, n }: Dot,
  root: RootId,
): Pick<LiveRoot, 'source' | 'sizeClass'> {
  const pending = seq === 0 ? state.pending.get(root) : undefined
  const add = laneOf(state.view, device, incarnation)?.adds.get(addKey(seq, n, root))
  const { source, sizeClass } = pending ?? add ?? { source: new Uint8Array(16), sizeClass: 0 }
  return { source, sizeClass }
}
