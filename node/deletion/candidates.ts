/** Live snapshots as rules of retention see them: in the order they came, by plausible times (spec/deletion.md §1). */

import {
  type AcceptedAdd,
  compareInChain,
  type DeviceId,
  type Dot,
  isCellarError,
  plausibleTimes,
  type RootId,
  type SnapshotRoot,
  toHex,
} from '../../protocol/index.ts'
import type { NodeParts } from '../parts.ts'
import type { KnownSnapshot } from '../snapshots.ts'

/** What this room needs of a node. */
export type CandidateParts = Pick<NodeParts, 'ledger' | 'store' | 'vault' | 'snapshots' | 'signer'>

/** A root that a device announced, forgotten or not. */
export interface AnnouncedRoot {
  readonly root: RootId
  readonly owner: DeviceId
  /** Of the first announcement of this root by this device: announced anew, a root keeps its place. */
  readonly dot: Dot
  /** Hex. */
  readonly source: string
  /** What its device says, milliseconds since 1970; -Infinity where a device that reads lacks the root chunk. */
  readonly claimedMs: number
  /** When this node first saw it, by its own clock. */
  readonly seenMs: number
  /** The claimed time as far as it can be believed. */
  readonly timeMs: number
  /** Rank by which it came: the same on every node within one chain. */
  readonly order: number
}

/** A live snapshot of one device, with its place among all that were announced. */
export interface RankedSnapshot extends AnnouncedRoot {
  readonly known: KnownSnapshot
  /** Its live announcements by this device. */
  readonly dots: readonly Dot[]
}

/** Every root that a device announced, once for each device, in the order in which they came. */
export function announcedRoots(parts: CandidateParts): AnnouncedRoot[] {
  const first = firstAnnouncements(parts)
  const dated = first.map((add) => {
    const seenMs = parts.ledger.firstSeenMs(add.root)
    // Who reads nothing knows the time of a listing only, which may tell of many days at once.
    const isOfListing = parts.vault === undefined
    return { dot: add.dot, claimedMs: claimedMsOf(parts, add), seenMs, isOfListing }
  })
  const times = plausibleTimes(dated)
  const came = cameInChain(dated)
  return first
    .map(({ dot, root, source }, at) => {
      const { claimedMs, seenMs } = dated[at] ?? { claimedMs: 0, seenMs: 0 }
      const one = { root, owner: dot.device, dot, source: toHex(source), claimedMs, seenMs }
      return { ...one, timeMs: times[at] ?? 0, order: came[at] ?? 0 }
    })
    .sort((a, b) => a.order - b.order || compareText(a.owner, b.owner) || compareInChain(a.dot, b.dot))
    .map((one, order) => ({ ...one, order }))
}

/** The roots that a device announced of one source (hex), forgotten or not, in the order of its chain. */
export function announcedOf(
  parts: CandidateParts,
  owner: DeviceId,
  source: string,
): Pick<AnnouncedRoot, 'root'>[] {
  return firstAnnouncements(parts)
    .filter((add) => add.dot.device === owner && toHex(add.source) === source)
    .sort((a, b) => compareInChain(a.dot, b.dot))
}

/** Puts what was announced beside what is known of live snapshots; in the order in which they came. */
export function rankSnapshots(parts: CandidateParts, known: readonly KnownSnapshot[]): RankedSnapshot[] {
  const byName = new Map<string, { known: KnownSnapshot; dots: Dot[] }>()
  for (const snapshot of known) {
    const { root, owner, dot } = snapshot.live
    const before = byName.get(`${owner}/${root}`)
    if (before === undefined) byName.set(`${owner}/${root}`, { known: snapshot, dots: [dot] })
    else before.dots.push(dot)
  }
  return announcedRoots(parts).flatMap((announced) => {
    const live = byName.get(`${announced.owner}/${announced.root}`)
    return live === undefined ? [] : [{ ...announced, ...live }]
  })
}

/** The root chunk, where it is here and can be read; a damaged one must not stop the others. */
export function readRoot(parts: CandidateParts, root: RootId): SnapshotRoot | undefined {
  try {
    return parts.snapshots.open(root)
  } catch (error) {
    if (isCellarError(error)) return undefined
    throw error
  }
}

type Announcement = Pick<AcceptedAdd, 'dot' | 'root' | 'source'>

/**
 * Of each device the first announcement of each root. One that waits for its listing comes behind all that were
 * signed.
 */
function firstAnnouncements({ ledger }: CandidateParts): Announcement[] {
  const first = new Map<string, Announcement>()
  const take = (add: Announcement) => {
    const key = `${add.dot.device}/${add.root}`
    const before = first.get(key)
    if (before === undefined || compareInChain(add.dot, before.dot) < 0) first.set(key, add)
  }
  for (const lane of ledger.view.lanes.values())
    for (const add of lane.adds.values()) if (add.isEntitled) take(add)
  for (const [n, live] of ledger.live().entries()) {
    if (live.dot.seq === 0) take({ ...live, dot: { ...live.dot, seq: Number.MAX_SAFE_INTEGER, n } })
  }
  return [...first.values()]
}

/**
 * The time of the snapshot where its root can be read. Where nothing can be read that of the listing. A device that
 * reads and lacks one root chunk lets it bound nothing: a listing that tells of many snapshots at once is later than
 * most of them.
 */
function claimedMsOf(parts: CandidateParts, { dot, root }: Announcement): number {
  const { ledger, vault } = parts
  const opened = readRoot(parts, root)
  if (opened !== undefined) return Number(opened.timeNs / 1_000_000n)
  if (vault !== undefined) return Number.NEGATIVE_INFINITY
  return ledger.announcedAtMs(dot) ?? ledger.firstSeenMs(root)
}

/** When each came, never before what its chain had announced earlier: clocks are set back, chains are not. */
function cameInChain(dated: readonly { readonly dot: Dot; readonly seenMs: number }[]): number[] {
  const seen = new Array<number>(dated.length)
  const latest = new Map<DeviceId, number>()
  for (const [at, { dot, seenMs }] of [...dated.entries()].sort(([, a], [, b]) =>
    compareInChain(a.dot, b.dot),
  )) {
    const came = Math.max(seenMs, latest.get(dot.device) ?? 0)
    seen[at] = came
    latest.set(dot.device, came)
  }
  return seen
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
