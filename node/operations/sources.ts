/** Where the chunks of a snapshot can be read: here, or at peers that hold it. */

import {
  CellarError,
  type DeviceId,
  holdersOf,
  isCellarError,
  type RootId,
  storingMembers,
} from '../../protocol/index.ts'
import { type ChunkSource, eitherSource, storeSource } from '../chunk-source.ts'
import type { NodeParts } from '../parts.ts'
import { PeerSource } from '../replication/peer-source.ts'
import { isThin } from '../thin/thin.ts'
import { findDevice } from './devices.ts'

/** How long a peer that is needed is waited for, milliseconds. */
const seekMs = 30_000

/** How long a device that lacks a snapshot waits for a peer to tell it of news, milliseconds. */
const newsMs = 10_000

/** What will be read: names and metadata, or what is in the files too. */
export type Needs = 'trees' | 'contents'

/** A source, and the end of what it opened. */
export interface OpenSource {
  readonly source: ChunkSource
  /** Ends the channels that were opened for it. */
  readonly close: () => Promise<void>
}

/**
 * Opens the source of a snapshot's chunks. Until it is closed, nothing is reclaimed here (R6a).
 *
 * @param from - a device that a person named: then nothing is read from anywhere else
 * @param needs - of `trees` a thin device has enough, and calls others only for what is not here after all
 * @throws {CellarError} `NO_PEER` when nobody in reach has it, `DEVICE_NOT_FOUND`, `SNAPSHOT_NOT_FOUND`
 */
export async function openSource(
  parts: NodeParts,
  root: RootId,
  from: string | undefined,
  signal: AbortSignal,
  needs: Needs = 'contents',
): Promise<OpenSource> {
  const end = parts.jobs.beginRead()
  try {
    const { source, close } = await findSource(parts, root, from, signal, needs)
    return {
      source,
      close: async () => {
        end()
        await close()
      },
    }
  } catch (error) {
    end()
    throw error
  }
}

/** The own store alone, from which nothing is reclaimed until it is closed. */
export function sourceHere(parts: NodeParts): OpenSource {
  const end = parts.jobs.beginRead()
  const close = () => {
    end()
    return Promise.resolve()
  }
  return { source: ownSource(parts), close }
}

/** The own store and the peers in reach at this moment, for reading of many snapshots: nobody is waited for. */
export interface SourceInReach extends OpenSource {
  /** Whether the trees of a snapshot are likely to be found. */
  readonly has: (root: RootId) => boolean
}

/** Opens it; until it is closed, nothing is reclaimed here (R6a). */
export function sourceInReach(parts: NodeParts): SourceInReach {
  const { store, ledger, signer } = parts
  const network = parts.connected()?.network
  const peers = (network?.connected() ?? []).filter((device) => device !== signer.device)
  const isThinHere = isThin(ledger.membership, signer.device)
  const own = sourceHere(parts)
  let remote: PeerSource | undefined
  const peersSource: ChunkSource = {
    get: async (id, signal) => {
      if (network === undefined || peers.length === 0)
        throw new CellarError('CHUNK_NOT_FOUND', `no peer in reach has chunk ${id}`, { id })
      remote ??= new PeerSource({ network, clock: parts.world.clock, peers })
      return await remote.get(id, signal)
    },
  }
  return {
    source: eitherSource(own.source, peersSource),
    has: (root) =>
      wasWhole(parts, root) ||
      (isThinHere && store.has(root)) ||
      ledger.leaned().has(root) ||
      holdersOf(ledger.view, ledger.membership, root).some((device) => peers.includes(device)),
    close: async () => {
      await own.close()
      await remote?.close()
    },
  }
}

/** Who has a snapshot, and who else may have parts of it. */
interface Whereabouts {
  readonly holders: readonly DeviceId[]
  readonly others: readonly DeviceId[]
}

/** While nobody says that it holds it: until others have it a thin device keeps what it announced, but for what it leaned on. */
function whoHas({ ledger }: NodeParts, root: RootId): Whereabouts {
  const holders = holdersOf(ledger.view, ledger.membership, root)
  if (holders.length > 0) return { holders, others: [] }
  const owners = ledger.live().flatMap((live) => (live.root === root ? [live.owner] : []))
  return { holders: owners, others: storingMembers(ledger.membership).map(({ device }) => device) }
}

async function findSource(
  parts: NodeParts,
  root: RootId,
  from: string | undefined,
  signal: AbortSignal,
  needs: Needs,
): Promise<OpenSource> {
  const { store, ledger, signer } = parts
  const named = from === undefined ? undefined : findDevice(parts, from).device
  if (named === signer.device) return { source: ownSource(parts), close: () => Promise.resolve() }
  // A thin device looks at its trees without anybody, and at what nobody else has yet.
  const isThinHere = isThin(ledger.membership, signer.device) && store.has(root)
  const isEnoughHere = isThinHere && (needs === 'trees' || ledger.leaned().has(root))
  if (named === undefined && (wasWhole(parts, root) || isEnoughHere))
    return mendingSource(parts, root, signal)
  const { network } = await parts.connect()
  const inReach = (devices: readonly DeviceId[]): DeviceId[] => {
    const connected = new Set(network.connected())
    return devices.filter((device) => device !== signer.device && connected.has(device))
  }
  const wanted = () => (named === undefined ? whoHas(parts, root).holders : [named])
  const reachable = () => inReach(wanted())
  if (!ledger.isAlone) await waitFor(parts, () => reachable().length > 0, signal)
  const peers = reachable()
  if (peers.length === 0)
    throw named === undefined ? noPeer(parts, root, wanted()) : notInReach(parts, root, named)
  const others = named === undefined ? inReach(whoHas(parts, root).others) : []
  const remote = new PeerSource({
    network,
    clock: parts.world.clock,
    peers: [...new Set([...peers, ...others])],
  })
  // Asked to read from one device, a person wants to know that it can: what is here must not help.
  const source = named === undefined ? eitherSource(ownSource(parts), remote) : remote
  return { source, close: () => remote.close() }
}

/** The own store; and what is not in it, or turns out to be damaged, from the peers, who are called only then. */
function mendingSource(parts: NodeParts, root: RootId, signal: AbortSignal): OpenSource {
  const { ledger, signer } = parts
  const holders = () => {
    const found = ledger.leaned().has(root)
      ? // Whole nowhere yet: this device has some of it, and others have what it leaned on.
        storingMembers(ledger.membership).map(({ device }) => device)
      : holdersOf(ledger.view, ledger.membership, root)
    return found.filter((device) => device !== signer.device)
  }
  if (holders().length === 0 && wasWhole(parts, root))
    return { source: ownSource(parts), close: () => Promise.resolve() }
  let remote: Promise<PeerSource | undefined> | undefined
  const callPeers = async () => {
    const { network } = await parts.connect()
    const connected = () => holders().filter((device) => network.connected().includes(device))
    await waitFor(parts, () => connected().length > 0, signal)
    const peers = connected()
    if (peers.length > 0) return new PeerSource({ network, clock: parts.world.clock, peers })
    if (!wasWhole(parts, root)) throw noPeer(parts, root, holders())
    return undefined
  }
  const peersSource: ChunkSource = {
    get: async (id, within) => {
      const source = await (remote ??= callPeers())
      if (source === undefined)
        throw new CellarError('CHUNK_NOT_FOUND', `no peer in reach has chunk ${id}`, { id })
      return await source.get(id, within)
    },
  }
  return {
    source: eitherSource(ownSource(parts), peersSource),
    close: async () => {
      const source = await remote?.catch(() => undefined) // whoever asked for it was told
      await source?.close()
    },
  }
}

/** What is held was whole once: if some of it has rotted since, the rest is still here, with nobody else in reach too. */
function wasWhole({ store }: NodeParts, root: RootId): boolean {
  return store.isComplete(root) || (store.isHeld(root) && store.has(root))
}

/** The own store. What turns out to be damaged in it is told, so that it is set aside and mended. */
function ownSource({ store, events }: Pick<NodeParts, 'store' | 'events'>): ChunkSource {
  const source = storeSource(store)
  return {
    ...source,
    get: async (id, signal) => {
      try {
        return await source.get(id, signal)
      } catch (error) {
        if (isCellarError(error, 'CHUNK_CORRUPT')) events.emit({ kind: 'bad-chunk', id })
        throw error
      }
    },
  }
}

/**
 * Fetches the root chunks of snapshots that are not here, so that they can be listed. Without peers it does nothing.
 *
 * @param options - without `waits` only peers are asked that are in reach at this moment
 */
export async function fetchRootChunks(
  parts: NodeParts,
  signal: AbortSignal,
  { waits }: { readonly waits: boolean } = { waits: true },
): Promise<void> {
  const missing = parts.vault === undefined ? [] : parts.snapshots.unseen()
  const holders = new Set(
    missing.flatMap(({ root }) => holdersOf(parts.ledger.view, parts.ledger.membership, root)),
  )
  holders.delete(parts.signer.device)
  if (holders.size === 0 || (!waits && parts.connected() === undefined)) return
  const { network } = await parts.connect()
  const reachable = () => network.connected().filter((device) => holders.has(device))
  if (waits) await waitFor(parts, () => reachable().length > 0, signal)
  if (reachable().length === 0) return
  const source = new PeerSource({ network, clock: parts.world.clock, peers: reachable() })
  try {
    await Promise.all(
      missing.map(async ({ root }) => {
        // One that nobody has now is listed without details.
        const bytes = await source.get(root, signal).catch(() => undefined)
        if (bytes !== undefined) await parts.snapshots.remember(root, bytes)
      }),
    )
  } finally {
    await source.close()
  }
}

/**
 * Waits until a peer has told all it knows: who has just joined has heard of nothing, who was away not of the newest.
 */
export async function hearNews(parts: NodeParts, signal: AbortSignal): Promise<void> {
  if (parts.ledger.isAlone) return
  const { online } = await parts.connect()
  await waitFor(parts, () => online.contacts.size > 0, signal, newsMs)
}

/** Waits until something is so, at most `forMs` milliseconds. @throws the signal's reason */
export async function waitFor(
  parts: NodeParts,
  isSo: () => boolean,
  signal: AbortSignal,
  forMs = seekMs,
): Promise<void> {
  const { clock } = parts.world
  const endMs = clock.monotonicMs() + forMs
  while (!isSo() && clock.monotonicMs() < endMs) {
    await parts.events.nextWithin(
      (event) => event.kind === 'peer' || event.kind === 'view' || event.kind === 'contact',
      { clock, ms: Math.max(1, endMs - clock.monotonicMs()), signal },
    )
  }
}

/** The one device that a person named is away, which says nothing about where else the snapshot is. */
function notInReach(parts: NodeParts, root: RootId, device: DeviceId): CellarError {
  const isHere = parts.store.isComplete(root)
  const hint = isHere ? 'leave out --from: the snapshot is here' : 'without --from others are asked too'
  return new CellarError('NO_PEER', `${parts.ledger.nameOf(device)} cannot be reached; ${hint}`, { root })
}

function noPeer(parts: NodeParts, root: RootId, wanted: readonly DeviceId[]): CellarError {
  const names = wanted.map((device) => parts.ledger.nameOf(device)).join(', ')
  const who = names === '' ? 'no device is known to hold it' : `it is on ${names}, which cannot be reached`
  return new CellarError('NO_PEER', `snapshot ${root.slice(0, 8)} is not here: ${who}`, { root })
}
