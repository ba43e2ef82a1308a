/** How many devices hold a root, by their own signed word (rules.md §5). */

import type { DeviceId, RootId } from '../ids.ts'
import type { ListingBody } from '../listing/types.ts'
import { memberNow } from '../membership/entitlement.ts'
import type { Membership } from '../membership/types.ts'
import { liveIndex } from './live.ts'
import { goalHolders, storingMembers } from './placement.ts'
import { type Lane, laneOf, type View } from './view.ts'

/** What a person wants to know of the copies of one root. */
export interface Copies {
  /** Devices that say they hold all of it. */
  readonly holders: readonly DeviceId[]
  /** Those of them that did not announce it: a snapshot only on its own device is not a finished backup. */
  readonly away: readonly DeviceId[]
  /** How many should hold it, under the membership known here. */
  readonly goal: number
  /** Devices chosen to hold it that do not say so yet. */
  readonly missing: readonly DeviceId[]
}

/**
 * The lane whose word counts as a copy: that of the newest incarnation of a device that stores, and has not forked.
 * R1: what the device of a fork holds counts as no copy.
 */
export function copyLane(view: View, membership: Membership, device: DeviceId): Lane | undefined {
  const member = memberNow(membership, device)
  if (member?.capabilities.has('store') !== true) return undefined
  const lane = laneOf(view, device, member.incarnation)
  return lane?.fork === undefined ? lane : undefined
}

/** Devices that say they hold a root and whose word counts; those that mean to let it go are among them. */
export function holdersOf(view: View, membership: Membership, root: RootId): DeviceId[] {
  const known = whatCounts(view, membership)
  if (known.index === undefined && ++known.asked > ASKED_MAX) known.index = indexOf(known.words)
  if (known.index !== undefined) return [...(known.index.get(root) ?? [])]
  const holders: DeviceId[] = []
  for (const { device, holds } of known.words) if (holds.has(root)) holders.push(device)
  return holders
}

/** Who asks for so many roots of one view asks for all of them: then one pass over what all hold costs less. */
const ASKED_MAX = 64

function indexOf(words: readonly Word[]): ReadonlyMap<RootId, readonly DeviceId[]> {
  const index = new Map<RootId, DeviceId[]>()
  for (const { device, holds } of words) {
    for (const root of holds) {
      const others = index.get(root)
      if (others === undefined) index.set(root, [device])
      else others.push(device)
    }
  }
  return index
}

/** What a device whose word counts says that it holds. */
interface Word {
  readonly device: DeviceId
  readonly holds: ReadonlySet<RootId>
  readonly shedding: ReadonlyMap<RootId, number>
  readonly full: boolean
}

/** As {@link holdersOf}, without those that mean to let the root go: whom one may count on. */
export function standingHolders(view: View, membership: Membership, root: RootId): DeviceId[] {
  const holders: DeviceId[] = []
  for (const { device, holds, shedding } of wordsThatCount(view, membership))
    if (holds.has(root) && !shedding.has(root)) holders.push(device)
  return holders
}

/** Gathered once for a view: copies are counted for all roots at a time. */
interface Counting {
  readonly membership: Membership
  readonly words: readonly Word[]
  /** How many roots were asked for, until there is an index: who holds each root, in the order of the words. */
  asked: number
  index: ReadonlyMap<RootId, readonly DeviceId[]> | undefined
}

function whatCounts(view: View, membership: Membership): Counting {
  const known = WORDS.get(view)
  if (known?.membership === membership) return known
  const words = storingMembers(membership).flatMap(({ device }): Word[] => {
    const lane = copyLane(view, membership, device)
    return lane === undefined ? [] : [wordOf(device, lane.body)]
  })
  const counting: Counting = { membership, words, asked: 0, index: undefined }
  WORDS.set(view, counting)
  return counting
}

function wordsThatCount(view: View, membership: Membership): readonly Word[] {
  return whatCounts(view, membership).words
}

const WORDS = new WeakMap<View, Counting>()

function wordOf(device: DeviceId, body: ListingBody): Word {
  return { device, holds: holdsOf(body), shedding: sheddingOf(body), full: body.full }
}

/**
 * The devices that should hold a root, as things are: where a number of copies is wanted, a device that says it is full
 * and does not hold the root gives its place to the next (R12).
 */
export function chosenHolders(view: View, membership: Membership, root: RootId): DeviceId[] {
  const full = wordsThatCount(view, membership).filter((word) => word.full && !word.holds.has(root))
  return goalHolders(membership, root, membership.copiesGoal, (device) =>
    full.some((word) => word.device === device),
  )
}

/** Counts the copies of a root. */
export function copiesOf(view: View, membership: Membership, root: RootId): Copies {
  const holders = holdersOf(view, membership, root)
  const announced = liveIndex(view, membership).get(root) ?? []
  const chosen = chosenHolders(view, membership, root)
  const held = new Set(holders)
  return {
    holders,
    away: holders.filter((device) => !announced.some((live) => live.owner === device)),
    goal: chosen.length,
    missing: chosen.filter((device) => !held.has(device)),
  }
}

/**
 * Whether a root has the copies that were asked for, one at least of them on another device. For a number it matters
 * how many hold it, not that they are the chosen ones.
 */
export function isReplicated(view: View, membership: Membership, root: RootId): boolean {
  const { holders, away, goal } = copiesOf(view, membership, root)
  return holders.length >= goal && (away.length > 0 || holders.length > 1)
}

/** Whether the copies goal wants a device to hold a root; see {@link isChosen} for how it is while devices are full. */
export function shouldHold(membership: Membership, device: DeviceId, root: RootId): boolean {
  return goalHolders(membership, root).includes(device)
}

/** Whether a device is among those that should hold a root as things are. */
export function isChosen(view: View, membership: Membership, device: DeviceId, root: RootId): boolean {
  return chosenHolders(view, membership, root).includes(device)
}

const HELD = new WeakMap<ListingBody, ReadonlySet<RootId>>()

/** The roots that a body says are held, as a set that is made once. */
export function holdsOf(body: ListingBody): ReadonlySet<RootId> {
  const known = HELD.get(body)
  if (known !== undefined) return known
  const held = new Set(body.holds)
  HELD.set(body, held)
  return held
}

const SHEDDING = new WeakMap<ListingBody, ReadonlyMap<RootId, number>>()

/** The roots that a body means to let go, each with the listing that first said so. */
export function sheddingOf(body: ListingBody): ReadonlyMap<RootId, number> {
  const known = SHEDDING.get(body)
  if (known !== undefined) return known
  const shedding = new Map(body.shedding.map(({ root, seq }) => [root, seq]))
  SHEDDING.set(body, shedding)
  return shedding
}
