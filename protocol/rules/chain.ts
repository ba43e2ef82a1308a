/** How a chain of heads stands to what is known of its lane (R1). Pure, and without bodies. */

import { CellarError } from '../errors.ts'
import { headsPerListingMax } from '../limits.ts'
import type { SignedHead } from '../listing/types.ts'
import { closingSpan, memberAt } from '../membership/entitlement.ts'
import { isPaper } from '../membership/paper.ts'
import type { Membership } from '../membership/types.ts'
import { hashAt, type Lane } from './view.ts'

/** Where a chain of heads leads. */
export type Standing =
  /** Nothing was known: the chain is the beginning of what is. */
  | { readonly kind: 'base' }
  /** Its end was known. */
  | { readonly kind: 'known' }
  /** It goes on from the known head; `news` are the heads beyond it. */
  | { readonly kind: 'extends'; readonly news: readonly SignedHead[] }
  /** Heads between the known one and the chain are missing. */
  | { readonly kind: 'gap'; readonly fromSeq: number }
  /** It contradicts what was accepted after `sharedSeq`, if not before. */
  | { readonly kind: 'fork'; readonly sharedSeq: number }

/** The last head of a chain; there is one (see {@link checkChain}). */
export function tipOf(heads: readonly SignedHead[]): SignedHead {
  return heads[heads.length - 1] as SignedHead
}

/**
 * Checks that heads are one unbroken chain of one lane (R1.1).
 *
 * @throws {CellarError} `LISTING_INVALID`
 */
export function checkChain(membership: Membership, heads: readonly SignedHead[]): void {
  const first = heads[0]
  if (first === undefined || heads.length > headsPerListingMax) throw invalid('has no heads, or too many')
  if (first.head.mesh !== membership.mesh) throw invalid('is of another mesh')
  let before = first
  for (const next of heads.slice(1)) {
    const { device, incarnation, seq, prev, epoch, mesh } = next.head
    if (device !== first.head.device || incarnation !== first.head.incarnation || mesh !== first.head.mesh) {
      throw invalid('is of several devices')
    }
    if (seq !== before.head.seq + 1 || prev !== before.hash) throw invalid('is broken')
    if (epoch < before.head.epoch) throw invalid('goes back in its membership')
    before = next
  }
}

/**
 * Checks that the device was a member, as this incarnation, under the epoch of each head (R8). The epochs must not be
 * beyond `membership`.
 *
 * @throws {CellarError} `NOT_A_MEMBER`
 */
export function checkMember(membership: Membership, heads: readonly SignedHead[]): void {
  const { device, incarnation } = tipOf(heads).head
  let checked = -1
  for (const { head } of heads) {
    if (head.epoch === checked) continue
    checked = head.epoch
    const member = memberAt(membership, device, head.epoch)
    // M4.2: nobody runs a paper device; what is signed by its key was signed by whoever found the phrase.
    if (member?.incarnation !== incarnation || isPaper(member)) {
      throw new CellarError('NOT_A_MEMBER', 'a listing is by a device that was no member', {
        device,
        seq: head.seq,
      })
    }
  }
}

/**
 * Checks that a chain has not been closed, or that the keeper who closed it had seen this much of it (R8).
 *
 * @throws {CellarError} `NOT_A_MEMBER`
 */
export function checkOpen(membership: Membership, tip: SignedHead): void {
  const { device, incarnation, seq } = tip.head
  const closing = closingSpan(membership, device, incarnation)
  if (closing !== undefined && seq > (closing.cut?.seq ?? 0)) {
    throw new CellarError('NOT_A_MEMBER', 'a listing goes on after its device was removed or began anew', {
      device,
      seq,
    })
  }
}

/** Compares a checked chain with what is known. */
export function standingOf(lane: Lane | undefined, heads: readonly SignedHead[]): Standing {
  if (lane === undefined) return { kind: 'base' }
  const contradiction = findContradiction(lane, heads)
  if (contradiction !== undefined) return { kind: 'fork', sharedSeq: contradiction - 1 }
  const known = lane.head.head.seq
  if (tipOf(heads).head.seq <= known) return { kind: 'known' }
  const news = heads.filter(({ head }) => head.seq > known)
  if ((news[0] as SignedHead).head.seq > known + 1) return { kind: 'gap', fromSeq: known + 1 }
  return { kind: 'extends', news }
}

/** The lowest number for which the chain names another listing than the one accepted. */
function findContradiction(lane: Lane, heads: readonly SignedHead[]): number | undefined {
  const first = heads[0] as SignedHead
  const before = hashAt(lane, first.head.seq - 1)
  // A head also signs what came before it.
  if (before !== undefined && first.head.prev !== before) return first.head.seq - 1
  for (const { head, hash } of heads) {
    const known = hashAt(lane, head.seq)
    if (known !== undefined && known !== hash) return head.seq
  }
  return undefined
}

/** An error about a chain that nobody may accept. */
export function invalid(reason: string): CellarError {
  return new CellarError('LISTING_INVALID', `a chain of listings ${reason}`)
}
