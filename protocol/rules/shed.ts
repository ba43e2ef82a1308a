/** R7: letting go of a live root that enough others hold (deletion.md §7). */

import { hash } from 'node:crypto'
import { concatBytes, fromHex } from '../bytes.ts'
import type { DeviceId, RootId } from '../ids.ts'
import { memberNow } from '../membership/entitlement.ts'
import type { Membership } from '../membership/types.ts'
import { keyOfDevice } from '../statement.ts'
import { chosenHolders, copyLane, holdersOf, holdsOf, sheddingOf, standingHolders } from './copies.ts'
import { isCovered } from './horizon.ts'
import { isLive } from './live.ts'
import { storingMembers } from './placement.ts'
import { type Blocker, unknownBlockers } from './release.ts'
import { type Lane, laneOf, type View } from './view.ts'

const LABEL = Buffer.from('rootcellar/1/shed\0', 'ascii')

/** What a node knows beside its view. */
export interface ShedFacts {
  /** Whether a device has lately proved that it has chunks of a root. */
  isProven(device: DeviceId, root: RootId): boolean
  /** As of `releaseBlockers`; asked once for each view and object of facts. */
  isCompleteHere(root: RootId): boolean
}

/** What is missing before a root may be let go. */
export type ShedLack =
  /** The intent stands in no listing of this device yet, or this device's chain forked. */
  | { readonly kind: 'intent' }
  /** A holder whose word does not suffice yet. */
  | {
      readonly kind: 'holder'
      readonly device: DeviceId
      readonly why: 'shedding' | 'epoch' | 'horizon' | 'unproven'
    }
  /** So many copies are missing beyond those. */
  | { readonly kind: 'copies'; readonly missing: number }
  /** Enough copies, but in fewer failure domains than they could be. */
  | { readonly kind: 'domains'; readonly missing: number }
  | Extract<Blocker, { kind: 'unknown' }>

/** What becomes of the intent to let a root go. */
export type ShedVerdict =
  /** It may be dropped: these devices hold it for us. */
  | { readonly kind: 'drop'; readonly counted: readonly DeviceId[] }
  | { readonly kind: 'wait'; readonly lacking: readonly ShedLack[] }
  /** The intent is to be taken back; trying again is a new round. */
  | { readonly kind: 'abort'; readonly why: 'forgotten' | 'wanted-here' | 'lost-tie' }

/** How many others must hold a root before one lets it go. */
export function copiesWanted({ copiesGoal }: Membership, chosen: readonly DeviceId[]): number {
  return copiesGoal === 'all' ? chosen.length : copiesGoal
}

/**
 * Whether announcing the intent makes sense: the root lives, this device says it holds it and is not among those that
 * should, and enough others hold it without meaning to let it go.
 */
export function mayIntend(view: View, membership: Membership, self: DeviceId, root: RootId): boolean {
  const lane = ownLane(view, membership, self)
  if (lane === undefined || !holdsOf(lane.body).has(root) || !isLive(view, membership, root)) return false
  const chosen = chosenHolders(view, membership, root)
  if (chosen.includes(self)) return false
  const others = standingHolders(view, membership, root).filter((device) => device !== self)
  return others.length >= Math.max(1, copiesWanted(membership, chosen))
}

/**
 * Judges an announced intent (R7). A fork of the membership freezes shedding: that the node sees for itself.
 *
 * @param intentSeq - the listing of this device that first said so in this round
 */
export function judgeShed(
  view: View,
  membership: Membership,
  self: DeviceId,
  root: RootId,
  intentSeq: number,
  facts: ShedFacts,
): ShedVerdict {
  // Forgotten meanwhile: going on would let go without waiting for those who lean (R6).
  if (!isLive(view, membership, root)) return { kind: 'abort', why: 'forgotten' }
  const chosen = chosenHolders(view, membership, root)
  if (chosen.includes(self)) return { kind: 'abort', why: 'wanted-here' }
  const lane = ownLane(view, membership, self)
  if (lane === undefined || sheddingOf(lane.body).get(root) !== intentSeq)
    return { kind: 'wait', lacking: [{ kind: 'intent' }] }
  const wanted = Math.max(1, copiesWanted(membership, chosen))
  const standing = standingHolders(view, membership, root).filter((device) => device !== self)
  if (standing.length < wanted && isTieLost(view, membership, self, root))
    return { kind: 'abort', why: 'lost-tie' }

  const counted: DeviceId[] = []
  const lacking: ShedLack[] = []
  for (const device of holdersOf(view, membership, root)) {
    if (device === self) continue
    const why = weaknessOf(view, membership, lane, device, root, intentSeq, facts)
    if (why === undefined) counted.push(device)
    else lacking.push({ kind: 'holder', device, why })
  }
  const domains = domainsOf(membership, counted)
  const domainsWanted = Math.min(wanted, domainsOf(membership, chosen))
  if (counted.length < wanted) lacking.push({ kind: 'copies', missing: wanted - counted.length })
  else if (domains < domainsWanted) lacking.push({ kind: 'domains', missing: domainsWanted - domains })
  // R6c: what nobody has whole may need what is let go here.
  const unknown = unknownBlockers(view, membership, self, (id) => facts.isCompleteHere(id), facts)
  for (const blocker of unknown) if (blocker.kind === 'unknown') lacking.push(blocker)
  const isEnough = counted.length >= wanted && domains >= domainsWanted && unknown.length === 0
  return isEnough ? { kind: 'drop', counted } : { kind: 'wait', lacking }
}

/** Own newest listing, whose word must count: of a chain that forked nobody knows what was said. */
function ownLane(view: View, membership: Membership, self: DeviceId): Lane | undefined {
  const member = memberNow(membership, self)
  const lane = member && laneOf(view, self, member.incarnation)
  return lane?.fork === undefined ? lane : undefined
}

/** Why the word of a holder does not suffice; undefined when it does. */
function weaknessOf(
  view: View,
  membership: Membership,
  own: Lane,
  device: DeviceId,
  root: RootId,
  intentSeq: number,
  facts: ShedFacts,
): Extract<ShedLack, { kind: 'holder' }>['why'] | undefined {
  const lane = copyLane(view, membership, device)
  // A peer with an intent of its own never counts: both would let go.
  if (lane === undefined || sheddingOf(lane.body).has(root)) return 'shedding'
  // Who knows less of the membership does not wait for those who joined since.
  if (lane.head.head.epoch < membership.epoch) return 'epoch'
  // It has seen this round's intent, and still says that it holds the root.
  const { device: self, incarnation } = own
  if (!isCovered(view, lane.body, { device: self, incarnation, seq: intentSeq })) return 'horizon'
  return facts.isProven(device, root) ? undefined : 'unproven'
}

/** Of several that mean to let go of a root which too few others hold, the one with the lowest hash may; all others stop. */
function isTieLost(view: View, membership: Membership, self: DeviceId, root: RootId): boolean {
  const own = shedRank(self, root)
  return holdersOf(view, membership, root).some((device) => {
    const lane = device === self ? undefined : copyLane(view, membership, device)
    return lane !== undefined && sheddingOf(lane.body).has(root) && shedRank(device, root) < own
  })
}

/** The draw of a device for a root: the same at every node. */
export function shedRank(device: DeviceId, root: RootId): string {
  return hash('sha256', concatBytes([LABEL, keyOfDevice(device), fromHex(root)]), 'hex')
}

/** How many failure domains devices stand for; one without a domain is a domain of its own. */
export function domainsOf(membership: Membership, devices: readonly DeviceId[]): number {
  const storing = new Map(storingMembers(membership).map((member) => [member.device, member]))
  return new Set(devices.map((device) => storing.get(device)?.domain ?? `/${device}`)).size
}
