/** What peers are told of the ledger (sync.md §2, §3): read from it, never changed. */

import {
  type DeviceId,
  type GetListing,
  hashAt,
  type HeadName,
  type Hello,
  laneOf,
  type ListingHash,
  type Membership,
  vectorOf,
  type View,
  WIRE_VERSION,
} from '../../protocol/index.ts'
import type { Catalog } from '../../storage/index.ts'
import { laneName, type LedgerState } from './load.ts'
import { type ChainRecord, decodeFork, type ForkRecord, headKey, headsKept } from './records.ts'

/** Listings before another branch's newest that are asked for, to see where it left the one that is known. */
const forkReach = 64

const NOTHING: ChainRecord = { heads: [], body: new Uint8Array(0) }

/** The hello of a device that is, or was, of this membership; `program` is its name and version. */
export function helloOf(
  device: DeviceId,
  { mesh, epoch, headHash, members }: Membership,
  program: string,
): Hello {
  const incarnation = members.get(device)?.incarnation ?? 1
  return {
    type: 'hello',
    mesh,
    device,
    incarnation,
    version: WIRE_VERSION,
    epoch,
    membershipHead: headHash,
    program,
  }
}

/** The newest head of every chain of a view; of a fork, of each branch. */
export function headsOf(view: View): HeadName[] {
  const forked = [...view.lanes.values()].flatMap((lane) => lane.fork?.tips ?? [])
  const others = forked.map(({ head: { device, incarnation, seq }, hash }): HeadName => {
    return { device, incarnation, seq, hash }
  })
  return [...vectorOf(view), ...others]
}

/**
 * From which listing on a peer's chain is news here: a number from 1, or undefined when it is none.
 *
 * What is told is a claim: only a listing is proof.
 */
export function newerFrom(view: View, theirs: HeadName): number | undefined {
  const lane = laneOf(view, theirs.device, theirs.incarnation)
  if (lane === undefined) return Math.max(1, theirs.seq - headsKept + 1)
  const known = lane.head.head.seq
  if (theirs.seq > known) return known + 1
  const hash = hashAt(lane, theirs.seq)
  const isOtherBranch =
    hash !== undefined &&
    hash !== theirs.hash &&
    lane.fork?.tips.some((tip) => tip.hash === theirs.hash) !== true
  return isOtherBranch ? Math.max(1, theirs.seq - forkReach) : undefined
}

/**
 * The heads of a chain from `fromSeq` on as far as they are kept, and its newest body; nothing when it is not known.
 */
export function listingSince(
  catalog: Catalog,
  state: LedgerState,
  { device, incarnation, fromSeq, tip }: Omit<GetListing, 'type'>,
): ChainRecord {
  const lane = laneOf(state.view, device, incarnation)
  if (lane === undefined) return NOTHING
  if (tip !== undefined && tip !== lane.head.hash) return branchOf(catalog, state, tip) ?? NOTHING
  const heads: Uint8Array[] = []
  // A chain may begin at any number: what is not kept is not looked for.
  const firstSeq = Math.max(fromSeq, lane.head.head.seq - headsKept + 1)
  for (let seq = firstSeq; seq <= lane.head.head.seq; seq++) {
    const bytes = catalog.get(headKey(device, incarnation, seq))
    if (bytes === undefined)
      heads.length = 0 // an unbroken chain is what counts: begin again behind the gap
    else heads.push(bytes)
  }
  return {
    heads: heads.slice(-headsKept),
    body: state.bodies.get(laneName(device, incarnation)) ?? NOTHING.body,
  }
}

/** The record of another branch of a forked chain, by the hash of its newest head. */
export function branchOf(catalog: Catalog, state: LedgerState, tip: ListingHash): ForkRecord | undefined {
  const key = state.forks.get(tip)
  const value = key === undefined ? undefined : catalog.get(key)
  return value === undefined ? undefined : decodeFork(value)
}
