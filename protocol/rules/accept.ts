/** R1: which listings a node takes into its view, and what it makes of a fork (rules.md §2). */

import { forkBranchesMax, hashesKeptMax, rootsPerListingMax } from '../limits.ts'
import { openBody } from '../listing/body.ts'
import { digestSteps } from '../listing/forgets.ts'
import { findHorizonLoss } from '../listing/listing.ts'
import type { Add, DeviceIncarnation, ListingBody, SignedHead } from '../listing/types.ts'
import { chainEnds, wasEntitled, wasEverEntitled } from '../membership/entitlement.ts'
import type { Membership } from '../membership/types.ts'
import { checkChain, checkMember, checkOpen, invalid, standingOf, tipOf } from './chain.ts'
import { type AcceptedAdd, addKey, type Fork, type Lane, laneOf, type View, withLane } from './view.ts'

/** What became of a listing that was offered. */
export type Outcome =
  /** The view has grown. */
  | { readonly kind: 'accepted'; readonly view: View; readonly lane: Lane }
  /** Nothing new. */
  | { readonly kind: 'known' }
  /** Heads from `fromSeq` on are missing: ask for them. */
  | ({ readonly kind: 'gap'; readonly fromSeq: number } & DeviceIncarnation)
  /** Another branch: its announcements live from now on, and its head is kept as proof, to be gossiped. */
  | { readonly kind: 'fork'; readonly view: View; readonly lane: Lane }
  /** Signed under a membership that is not known here yet: ask for it, then offer the listing again. */
  | { readonly kind: 'wait'; readonly epoch: number }

/**
 * Offers a listing to a view (R1, R2, R8).
 *
 * @param heads - an unbroken chain, oldest first, that ends with the head of the offered listing; it should begin at or
 *   before the listing after the known head. Signatures have been verified by `openHead`.
 * @param bodyBytes - the body of the last head; borrowed, and only looked at when the chain is news
 * @throws {CellarError} `LISTING_INVALID` for what no honest device signs; `NOT_A_MEMBER`; the view stays as it was
 */
export function accept(
  view: View,
  membership: Membership,
  heads: readonly SignedHead[],
  bodyBytes: Uint8Array,
): Outcome {
  return take(view, membership, { heads, bodyBytes, isNew: true })
}

/**
 * As {@link accept}, for what this node accepted before and reads back from its own record: a device that was removed
 * since, or began anew, keeps what it had said by then, however much more that is than a keeper had seen (R2).
 */
export function acceptAgain(
  view: View,
  membership: Membership,
  heads: readonly SignedHead[],
  bodyBytes: Uint8Array,
): Outcome {
  return take(view, membership, { heads, bodyBytes, isNew: false })
}

interface Offer {
  readonly heads: readonly SignedHead[]
  readonly bodyBytes: Uint8Array
  readonly isNew: boolean
}

function take(view: View, membership: Membership, { heads, bodyBytes, isNew }: Offer): Outcome {
  checkChain(membership, heads)
  const tip = tipOf(heads)
  const { device, incarnation, epoch } = tip.head
  const lane = laneOf(view, device, incarnation)
  if (lane?.fork?.tips.some((other) => other.hash === tip.hash) === true) return { kind: 'known' }
  const standing = standingOf(lane, heads)
  if (standing.kind === 'known') return standing
  // R8: who may sign is read from the membership that the signer knew.
  if (epoch > membership.epoch) return { kind: 'wait', epoch }
  checkMember(membership, heads)
  if (isNew) checkOpen(membership, tip)
  if (lane === undefined || standing.kind === 'base') return takeBase(view, membership, heads, bodyBytes)
  const followed = (lane.fork?.tips ?? []).filter((other) => isWithin(other, heads))
  if (standing.kind === 'fork' || followed.length > 0) {
    const sharedSeq = Math.min(
      lane.fork?.sharedSeq ?? Infinity,
      standing.kind === 'fork' ? standing.sharedSeq : Infinity,
    )
    return takeBranch(view, membership, { lane, heads, bodyBytes, sharedSeq, followed })
  }
  if (standing.kind === 'gap') return { kind: 'gap', device, incarnation, fromSeq: standing.fromSeq }
  return takeNews(view, membership, { lane, news: standing.news, bodyBytes })
}

/** The first listing known of a lane: nothing to compare it with, all of its body is news. */
function takeBase(
  view: View,
  membership: Membership,
  heads: readonly SignedHead[],
  bodyBytes: Uint8Array,
): Outcome {
  const head = tipOf(heads)
  const body = openBody(head.head, bodyBytes)
  checkDigests(body, heads)
  const lane: Lane = {
    device: head.head.device,
    incarnation: head.head.incarnation,
    head,
    body,
    ...keepHashes(undefined, heads),
    adds: mergeAdds(new Map(), body.adds, newAddReader(membership, heads)),
    forgets: body.forgets,
    fork: undefined,
  }
  return {
    kind: 'accepted',
    view: withLane(view, lane, body.forgets.length > 0 ? {} : view.forgetsMark),
    lane,
  }
}

/** Listings that follow the known head. */
interface News {
  readonly lane: Lane
  readonly news: readonly SignedHead[]
  readonly bodyBytes: Uint8Array
}

function takeNews(view: View, membership: Membership, { lane, news, bodyBytes }: News): Outcome {
  const known = lane.head.head
  const head = tipOf(news)
  if ((news[0] as SignedHead).head.epoch < known.epoch) throw invalid('goes back in its membership')
  const body = openBody(head.head, bodyBytes)
  // Forgets that were dropped before this node saw them cannot be honoured by it.
  if (body.forgetBase.seq > known.seq) throw invalid('no longer spells out forgets that are unknown here')
  checkDigests(body, [lane.head, ...news])
  // I6: horizons never go back, but to where a chain was closed, by who knew that it was.
  const closed = chainEnds(membership, head.head.epoch)
  if (findHorizonLoss(lane.body.horizon, body.horizon, closed) !== undefined)
    throw invalid('takes back a horizon')
  const fresh = body.forgets.filter((forget) => forget.seq > known.seq)
  const read = newAddReader(membership, news)
  const next: Lane = {
    ...lane,
    head,
    body,
    ...keepHashes(lane, news),
    adds: mergeAdds(lane.adds, body.adds, (add) => {
      // R1: what an older listing announced stood in it.
      if (add.seq <= known.seq) throw invalid('announces a root as of a listing that did not have it')
      return read(add)
    }),
    forgets: fresh.length > 0 ? [...lane.forgets, ...fresh] : lane.forgets,
  }
  return {
    kind: 'accepted',
    view: withLane(view, next, fresh.length > 0 ? {} : view.forgetsMark),
    lane: next,
  }
}

/** A chain that contradicts the accepted one. */
interface Branch {
  readonly lane: Lane
  readonly heads: readonly SignedHead[]
  readonly bodyBytes: Uint8Array
  readonly sharedSeq: number
  /** The known tips that it goes on from, if it does. */
  readonly followed: readonly SignedHead[]
}

/** Whether a chain goes on from a head, or has it within. */
function isWithin(known: SignedHead, heads: readonly SignedHead[]): boolean {
  return heads[0]?.head.prev === known.hash || heads.some(({ hash }) => hash === known.hash)
}

/** R1: the announcements of both branches live; the head is proof; of its other statements none counts. */
function takeBranch(
  view: View,
  membership: Membership,
  { lane, heads, bodyBytes, sharedSeq, followed }: Branch,
): Outcome {
  const tip = tipOf(heads)
  const body = openBody(tip.head, bodyBytes)
  const others = (lane.fork?.tips ?? []).filter((other) => !followed.includes(other))
  // Some branches prove a fork as well as many: of one more only the announcements count.
  const tips = others.length < forkBranchesMax ? [...others, tip] : others
  const fork: Fork = { sharedSeq, tips }
  const adds = mergeAdds(lane.adds, body.adds, newAddReader(membership, heads))
  if (tips === others && adds === lane.adds && sharedSeq === lane.fork?.sharedSeq) return { kind: 'known' }
  const next: Lane = { ...lane, adds, fork }
  const isSameForgets = lane.fork?.sharedSeq === sharedSeq
  return { kind: 'fork', view: withLane(view, next, isSameForgets ? view.forgetsMark : {}), lane: next }
}

/** R2: every head must carry the digest of exactly the forgets that the newest body dates up to it. */
function checkDigests(body: ListingBody, heads: readonly SignedHead[]): void {
  const steps = digestSteps(body.forgetBase, body.forgets)
  const epochs = new Map(body.forgets.map((forget) => [forget.seq, forget.epoch]))
  for (const { head } of heads) {
    const digest = steps.at(head.seq)
    if (digest !== undefined && digest !== head.forgetsDigest) throw invalid('dates a forget wrongly')
    const epoch = epochs.get(head.seq)
    if (epoch !== undefined && epoch !== head.epoch) throw invalid('dates a forget to another membership')
  }
}

/** Judges announcements by the epoch of the listing that first had them, where the chain shows it. */
function newAddReader(membership: Membership, heads: readonly SignedHead[]): (add: Add) => AcceptedAdd {
  const { device, incarnation, epoch } = tipOf(heads).head
  const first = (heads[0] as SignedHead).head.seq
  return ({ seq, n, root, source, sizeClass }) => {
    const at = heads[seq - first]
    const isEntitled =
      at === undefined
        ? wasEverEntitled(membership, { device, incarnation, epoch }, 'backup')
        : wasEntitled(membership, at.head, 'backup')
    return { dot: { device, incarnation, seq, n }, root, source, sizeClass, isEntitled }
  }
}

/** All that was accepted, and what is new in `adds`; the same map when nothing is. */
function mergeAdds(
  known: ReadonlyMap<string, AcceptedAdd>,
  adds: readonly Add[],
  read: (add: Add) => AcceptedAdd,
): ReadonlyMap<string, AcceptedAdd> {
  let merged: Map<string, AcceptedAdd> | undefined
  for (const add of adds) {
    const key = addKey(add.seq, add.n, add.root)
    if (known.has(key)) continue
    merged ??= new Map(known)
    merged.set(key, read(add))
    // Announcements live on when later listings leave them out: without a bound one device could fill every other.
    if (merged.size > rootsPerListingMax) throw invalid('announces more roots than a device may')
  }
  return merged ?? known
}

function keepHashes(lane: Lane | undefined, news: readonly SignedHead[]): Pick<Lane, 'firstSeq' | 'hashes'> {
  const hashes = [...(lane?.hashes ?? []), ...news.map((head) => head.hash)].slice(-hashesKeptMax)
  return { hashes, firstSeq: tipOf(news).head.seq - hashes.length + 1 }
}
