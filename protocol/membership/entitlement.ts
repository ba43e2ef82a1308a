/** Who may do what, now and where a statement stands (membership.md §4). Pure. */

import type { DeviceId } from '../ids.ts'
import type { DeviceIncarnation, Horizon, HorizonEntry } from '../listing/types.ts'
import type { Capability, Member, Membership, MemberSpan } from './types.ts'

/** The member with this id, unless it was removed or never was one. */
export function memberNow(membership: Membership, device: DeviceId): Member | undefined {
  const member = membership.members.get(device)
  return member?.removedEpoch === undefined ? member : undefined
}

/** Whether a device may do something under the newest membership known here. */
export function isEntitled(membership: Membership, device: DeviceId, capability: Capability): boolean {
  return memberNow(membership, device)?.capabilities.has(capability) === true
}

/** Whether a device may sign forgets that count (R2). */
export function mayForget(membership: Membership, device: DeviceId): boolean {
  return isEntitled(membership, device, 'forget')
}

/** The member as it was at an epoch, if it then was one. */
export function memberAt(membership: Membership, device: DeviceId, epoch: number): Member | undefined {
  let found: MemberSpan | undefined
  for (const span of membership.spans.get(device) ?? []) {
    if (span.epoch <= epoch) found = span
  }
  return found?.member.removedEpoch === undefined ? found?.member : undefined
}

/** Where a statement stands: a listing of a chain, signed under an epoch. */
export interface Place extends DeviceIncarnation {
  readonly seq: number
  readonly epoch: number
}

/** Whether the device had a capability where the statement stands, as this incarnation. */
export function wasEntitled(
  membership: Membership,
  place: Omit<Place, 'seq'>,
  capability: Capability,
): boolean {
  const member = memberAt(membership, place.device, place.epoch)
  return member?.incarnation === place.incarnation && member.capabilities.has(capability)
}

/** Whether the device had a capability, as this incarnation, at any epoch up to this one. */
export function wasEverEntitled(
  membership: Membership,
  place: Omit<Place, 'seq'>,
  capability: Capability,
): boolean {
  return (membership.spans.get(place.device) ?? []).some(
    ({ epoch, member }) =>
      epoch <= place.epoch && member.incarnation === place.incarnation && member.capabilities.has(capability),
  )
}

/**
 * Whether a forget that stands there is in force (R2).
 *
 * The epoch of a listing is its signer's claim. One who has lost the right could go on to claim an old epoch, so the
 * entry that takes the right away names the newest listing known then, and nothing after it counts (M4.3).
 */
export function isForgetEntitled(membership: Membership, place: Place): boolean {
  if (!wasEntitled(membership, place, 'forget')) return false
  for (const span of membership.spans.get(place.device) ?? []) {
    const { cut } = span
    if (cut === undefined) continue
    const isClosed = closesChain(span, place.incarnation)
    // R1: a chain that forked is settled by the entry that closes it, for every node alike.
    if (isClosed && cut.forkedAfter !== undefined && place.seq > cut.forkedAfter) return false
    if (span.epoch <= place.epoch || place.seq <= cut.seq) continue
    if (isClosed || !span.member.capabilities.has('forget')) return false
  }
  return true
}

/** The statement that closed the chain of one incarnation: a removal, or the admission of the next. */
export function closingSpan(
  membership: Membership,
  device: DeviceId,
  incarnation: number,
): MemberSpan | undefined {
  return membership.spans.get(device)?.find((span) => closesChain(span, incarnation))
}

/** Where the chains that were closed by an epoch end: each at its cut, if a keeper knew of any listing. */
export function chainEnds(membership: Membership, epoch: number): Horizon {
  const known = ENDS.get(membership) ?? findChainEnds(membership)
  ENDS.set(membership, known)
  return known.filter((end) => end.epoch <= epoch)
}

type ChainEnd = HorizonEntry & Pick<MemberSpan, 'epoch'>
const ENDS = new WeakMap<Membership, readonly ChainEnd[]>()

function findChainEnds(membership: Membership): ChainEnd[] {
  return [...membership.spans].flatMap(([device, spans]) =>
    [...new Set(spans.map(({ member }) => member.incarnation))].flatMap((incarnation) => {
      const { epoch, cut } = closingSpan(membership, device, incarnation) ?? {}
      if (epoch === undefined || cut === undefined) return []
      return [{ epoch, device, incarnation, seq: cut.seq, hash: cut.hash }]
    }),
  )
}

function closesChain(span: MemberSpan, incarnation: number): boolean {
  return (
    span.member.incarnation > incarnation ||
    (span.member.incarnation === incarnation && span.member.removedEpoch !== undefined)
  )
}
