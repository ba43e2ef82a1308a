/** Reads the ledger back from its catalog. What stands there was checked when it was written. */

import {
  type AcceptedAdd,
  acceptAgain,
  CellarError,
  type DeviceId,
  emptyView,
  type Horizon,
  type ListingHash,
  type Membership,
  openHead,
  openMembership,
  recall,
  type RootId,
  type View,
} from '../../protocol/index.ts'
import type { Catalog, CatalogChange } from '../../storage/index.ts'
import {
  decodeForget,
  decodeFork,
  decodeMoment,
  decodePending,
  decodeUnsaid,
  forgetKey,
  forgetPrefix,
  forkKey,
  membershipForkKey,
  type Moment,
  type PendingForget,
  type PendingRoot,
  rollbackKey,
  unfinishedKey,
  unsaidPrefix,
} from './records.ts'

/** Why a hold is given up: the root was forgotten (R6), or enough others have it (R7). */
export type WithdrawnFor = 'forgotten' | 'shed'

/** What the ledger has in memory. */
export interface LedgerState {
  membership: Membership
  view: View
  /** Newest body of each chain, by {@link laneName}. */
  readonly bodies: Map<string, Uint8Array>
  /** Keys of the records of other branches of forked chains, by the hash of their newest head. */
  readonly forks: Map<ListingHash, string>
  /** Keys of the announcements that were kept beside the newest bodies. */
  readonly unsaid: Set<string>
  readonly pending: Map<RootId, PendingRoot>
  /** Forgets that no listing has said yet, by {@link forgetKey}. */
  readonly forgets: Map<string, PendingForget>
  /** When each root was first seen here. */
  readonly seen: Map<RootId, Moment>
  /** When the forgets that one listing added came here (R9), by {@link listingName}. */
  readonly had: Map<string, Moment>
  /** Roots that a person pinned on this device. */
  readonly pins: Set<RootId>
  /** Roots whose hold is being given up: no listing says that they are held (R10). */
  readonly withdrawn: Map<RootId, WithdrawnFor>
  /** Roots that this device means to let go (R7). */
  readonly intents: Set<RootId>
  /** Roots of this device that lean, and that not enough others have taken over yet (R5.4). */
  readonly leaned: Set<RootId>
  /** When the newest backup began that did not complete; undefined when the last one did. */
  unfinished: Moment | undefined
  /** What each open session pinned. */
  readonly sessions: Map<string, Horizon>
  /** It was found that the disk of this device went back in time (R11). */
  isRolledBack: boolean
  /** Two histories of the membership have been seen (R8). */
  isForked: boolean
}

/** Names a chain: device and incarnation. */
export function laneName(device: DeviceId, incarnation: number): string {
  return `${device}/${String(incarnation)}`
}

/** Names one listing of a chain. */
export function listingName(device: DeviceId, incarnation: number, seq: number): string {
  return `${device}/${String(incarnation)}/${String(seq)}`
}

/** Newest heads of a chain that are read back: enough to tell a fork from what is known. */
const headsRead = 64

/**
 * Loads the ledger.
 *
 * @throws {CellarError} `STATE_LOST` when the catalog has no membership; `STORE_DAMAGED` when it contradicts itself
 */
export async function loadLedger(catalog: Catalog): Promise<LedgerState> {
  const entries = (await all(catalog, 'entry/')).map(([, value]) => value)
  if (entries.length === 0) {
    const message = 'the key of this device is there, but what it knew of its mesh is gone'
    throw new CellarError('STATE_LOST', message)
  }
  const membership = openMembership(entries)
  await closeDeadSessions(catalog)
  const state: LedgerState = {
    membership,
    view: emptyView(),
    bodies: new Map(),
    forks: new Map(),
    unsaid: new Set(),
    pending: new Map(
      (await all(catalog, 'pending/')).map(([key, value]) => [
        key as RootId,
        decodePending(key as RootId, value),
      ]),
    ),
    forgets: new Map(
      (await all(catalog, forgetPrefix)).map(([, value]) => {
        const forget = decodeForget(value)
        return [forgetKey(forget), forget]
      }),
    ),
    seen: new Map((await all(catalog, 'seen/')).map(([key, value]) => [key as RootId, decodeMoment(value)])),
    had: await loadHad(catalog),
    pins: new Set((await all(catalog, 'pin/')).map(([key]) => key as RootId)),
    withdrawn: new Map(
      (await all(catalog, 'withdrawn/')).map(([key, value]) => [
        key as RootId,
        Buffer.from(value).toString() === 'shed' ? 'shed' : 'forgotten',
      ]),
    ),
    intents: new Set((await all(catalog, 'intent/')).map(([key]) => key as RootId)),
    leaned: new Set((await all(catalog, 'leaned/')).map(([key]) => key as RootId)),
    unfinished: momentAt(catalog, unfinishedKey),
    sessions: new Map(),
    isRolledBack: catalog.get(rollbackKey) !== undefined,
    isForked: catalog.get(membershipForkKey) !== undefined,
  }
  await loadChains(catalog, state)
  await loadForks(catalog, state)
  await loadUnsaid(catalog, state)
  return state
}

async function loadHad(catalog: Catalog): Promise<Map<string, Moment>> {
  return new Map(
    (await all(catalog, 'had/')).map(([key, value]) => {
      const [device = '', incarnation = '', seq = ''] = key.split('/')
      return [listingName(device as DeviceId, Number(incarnation), Number(seq)), decodeMoment(value)]
    }),
  )
}

function momentAt(catalog: Catalog, key: string): Moment | undefined {
  const value = catalog.get(key)
  return value === undefined ? undefined : decodeMoment(value)
}

async function loadChains(catalog: Catalog, state: LedgerState): Promise<void> {
  const chains = new Map<string, Uint8Array[]>()
  for (const [key, value] of await all(catalog, 'head/')) {
    const chain = key.slice(0, key.lastIndexOf('/'))
    const heads = chains.get(chain)
    if (heads === undefined) chains.set(chain, [value])
    else heads.push(value)
  }
  for (const [chain, heads] of chains) {
    const body = catalog.get(`body/${chain}`)
    if (body === undefined) throw damaged(chain)
    const opened = heads.slice(-headsRead).map((bytes) => openHead(bytes))
    const outcome = acceptAgain(state.view, state.membership, opened, body)
    if (outcome.kind !== 'accepted') throw damaged(chain)
    state.view = outcome.view
    state.bodies.set(laneName(outcome.lane.device, outcome.lane.incarnation), body)
  }
}

async function loadForks(catalog: Catalog, state: LedgerState): Promise<void> {
  for (const [, value] of await all(catalog, 'fork/')) {
    const { heads, sharedSeq } = decodeFork(value)
    const last = heads.at(-1)
    if (last === undefined) continue
    const tip = openHead(last)
    state.view = recall(state.view, tip.head, { adds: [], branches: [{ tip, sharedSeq }] })
    state.forks.set(tip.hash, forkKey(tip))
  }
}

/** R2: what the newest listings leave out, and what stands in other branches only, lives on. */
async function loadUnsaid(catalog: Catalog, state: LedgerState): Promise<void> {
  const byLane = new Map<string, AcceptedAdd[]>()
  for (const [key, value] of await all(catalog, unsaidPrefix)) {
    const add = decodeUnsaid(value)
    const lane = laneName(add.dot.device, add.dot.incarnation)
    const others = byLane.get(lane)
    if (others === undefined) byLane.set(lane, [add])
    else others.push(add)
    state.unsaid.add(unsaidPrefix + key)
  }
  for (const adds of byLane.values()) {
    const [first] = adds
    if (first !== undefined) state.view = recall(state.view, first.dot, { adds, branches: [] })
  }
}

/** R4: a session that died with its process is closed at start. */
async function closeDeadSessions(catalog: Catalog): Promise<void> {
  const dead = (await all(catalog, 'session/')).map(
    ([key]): CatalogChange => ({ type: 'del', key: `session/${key}` }),
  )
  if (dead.length > 0) await catalog.batch(dead, { durable: true })
}

function damaged(chain: string): CellarError {
  return new CellarError('STORE_DAMAGED', `the record of the listings of ${chain} contradicts itself`)
}

/** All entries below a prefix, in the order of their keys, without the prefix. */
async function all(catalog: Catalog, prefix: string): Promise<[key: string, value: Uint8Array][]> {
  const found: [string, Uint8Array][] = []
  // '0' comes right after '/' in ASCII.
  for await (const [key, value] of catalog.iterate({ gte: prefix, lt: `${prefix.slice(0, -1)}0` }))
    found.push([key.slice(prefix.length), value])
  return found
}
