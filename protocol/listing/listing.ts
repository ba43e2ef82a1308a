/** Whole listings: signing the next one, opening one that was sent (listing.md §5). */

import type { Signer } from '../crypto/keys.ts'
import type { MeshId, RootId } from '../ids.ts'
import { sha256Hex } from '../statement.ts'
import { compareForgets, compareLanes, encodeBody, openBody } from './body.ts'
import { digestSteps, NO_BASE } from './forgets.ts'
import { openHead, signHead } from './head.ts'
import type {
  Add,
  Dot,
  Forget,
  ForgetReason,
  Horizon,
  HorizonEntry,
  Listing,
  ListingBody,
  ListingHead,
  Shedding,
} from './types.ts'

/** The fields of a listing that its signer chooses; the rest follows from them. */
export interface ListingFields extends Omit<ListingHead, 'device' | 'forgetsDigest' | 'bodyHash'> {
  /** Its lists sorted as the wire wants them. */
  readonly body: ListingBody
}

/**
 * Signs a listing field by field. Nodes use {@link nextListing}, which cannot break the chain.
 *
 * @returns the listing; its head must be durable before its first byte is sent (R1)
 */
export function signListing(fields: ListingFields, signer: Signer): Listing {
  const { body, ...chosen } = fields
  const bodyBytes = encodeBody(body)
  const forgetsDigest = digestSteps(body.forgetBase, body.forgets).at(fields.seq)
  if (forgetsDigest === undefined)
    throw new RangeError('forgets were dropped that this listing could still add')
  const head: ListingHead = {
    ...chosen,
    device: signer.device,
    forgetsDigest,
    bodyHash: sha256Hex(bodyBytes),
  }
  return { signed: signHead(head, signer), body, bodyBytes }
}

/**
 * Opens a listing: verifies the signature of its head, and that the body belongs to it.
 *
 * @param headBytes - kept
 * @param bodyBytes - kept
 * @throws {CellarError} `LISTING_INVALID`, `VERSION_UNKNOWN`
 */
export function openListing(headBytes: Uint8Array, bodyBytes: Uint8Array): Listing {
  const signed = openHead(headBytes)
  return { signed, body: openBody(signed.head, bodyBytes), bodyBytes }
}

/** What a device states next: news for the growing lists, the whole for the others. */
export interface ListingDraft {
  readonly mesh: MeshId
  readonly incarnation: number
  readonly epoch: number
  readonly atMs: number
  /** Roots announced now, for the first time or again. */
  readonly adds?: readonly Omit<Add, 'seq' | 'n'>[]
  /** Announcements forgotten now. */
  readonly forgets?: readonly { readonly dot: Dot; readonly root: RootId; readonly reason: ForgetReason }[]
  /** All roots held, in any order. */
  readonly holds: readonly RootId[]
  /** All roots the device means to let go; one that stays keeps the listing that first said so. */
  readonly shedding?: readonly RootId[]
  /** From `horizonOf` (R4). */
  readonly horizon: Horizon
  /** Where chains were closed: back to there the horizon may go (R4.2). @defaultValue none */
  readonly closed?: Horizon
  /** Whether this device refers to chunks of others (R5); false without the capability. */
  readonly leans: boolean
  /** @defaultValue false */
  readonly full?: boolean
  /** All roots that a person pinned here, in any order. @defaultValue none */
  readonly pins?: readonly RootId[]
}

/**
 * Signs the listing after `previous`, or the first of an incarnation.
 *
 * @param previous - the newest listing signed by this device in this incarnation
 * @returns the listing; its head must be durable before its first byte is sent (R1)
 * @throws {RangeError} when the horizon or the epoch would go back (I6): a bug of the caller
 * @throws {CellarError} `LISTING_INVALID` when it has grown too large
 */
export function nextListing(previous: Listing | undefined, draft: ListingDraft, signer: Signer): Listing {
  const before = previous?.signed
  if (before !== undefined) checkSuccession(before.head, draft, signer)
  const seq = (before?.head.seq ?? 0) + 1
  const horizon = [...draft.horizon].sort(compareLanes)
  const loss = previous && findHorizonLoss(previous.body.horizon, horizon, draft.closed)
  if (loss !== undefined) throw new RangeError(`the horizon for ${loss} would go back`)
  const holds = [...new Set(draft.holds)].sort()
  const body: ListingBody = {
    adds: [...(previous?.body.adds ?? []), ...(draft.adds ?? []).map((add, n) => ({ ...add, seq, n }))],
    forgetBase: previous?.body.forgetBase ?? NO_BASE,
    forgets: [...(previous?.body.forgets ?? []), ...newForgets(draft, seq)],
    holds,
    shedding: nextShedding(previous?.body.shedding ?? [], draft.shedding ?? [], seq),
    horizon,
    leans: draft.leans,
    full: draft.full ?? false,
    pins: [...new Set(draft.pins)].sort(),
  }
  const { mesh, incarnation, epoch, atMs } = draft
  return signListing({ mesh, incarnation, seq, prev: before?.hash, epoch, atMs, body }, signer)
}

function checkSuccession(before: ListingHead, draft: ListingDraft, signer: Signer): void {
  if (
    before.mesh !== draft.mesh ||
    before.incarnation !== draft.incarnation ||
    before.device !== signer.device
  ) {
    throw new RangeError('a chain belongs to one mesh, device and incarnation')
  }
  if (before.epoch > draft.epoch) throw new RangeError('the epoch would go back')
}

function newForgets(draft: ListingDraft, seq: number): Forget[] {
  const sorted = (draft.forgets ?? [])
    .map((forget) => ({ ...forget, seq, epoch: draft.epoch }))
    .sort(compareForgets)
  return sorted.filter((forget, at) => at === 0 || compareForgets(sorted[at - 1] as Forget, forget) !== 0)
}

/** A root that stays keeps its round; one that comes back after a pause starts a new one (R7). */
function nextShedding(before: readonly Shedding[], roots: readonly RootId[], seq: number): Shedding[] {
  const rounds = new Map(before.map((one) => [one.root, one.seq]))
  return [...new Set(roots)].sort().map((root) => ({ root, seq: rounds.get(root) ?? seq }))
}

/**
 * Names a device for which `after` says less than `before` did; undefined when there is none (I6).
 *
 * @param closed - where chains were closed: back to there it may go, for nothing beyond counts (R4.2)
 */
export function findHorizonLoss(before: Horizon, after: Horizon, closed: Horizon = []): string | undefined {
  const isEnd = ({ device, incarnation, seq, hash }: HorizonEntry): boolean =>
    closed.some(
      (end) =>
        end.device === device && end.incarnation === incarnation && end.seq === seq && end.hash === hash,
    )
  const now = new Map(after.map((entry) => [`${entry.device}/${entry.incarnation}`, entry]))
  for (const old of before) {
    const entry = now.get(`${old.device}/${old.incarnation}`)
    if (entry === undefined || (entry.seq < old.seq && !isEnd(entry))) return old.device
    if (entry.seq === old.seq && entry.hash !== old.hash) return old.device
  }
  return undefined
}
