/**
 * Puts the parts of a node together from what it is given: a catalog, a store, keys, a world, and a way to its peers.
 * Knows no files, no system clock and no libp2p: a simulation runs the same node.
 */

import { memberNow, signerFromSeed, type World } from '../protocol/index.ts'
import type { Catalog, ChunkStore } from '../storage/index.ts'
import type { Config } from './config.ts'
import type { ConnectedNode } from './connect.ts'
import { Events } from './events.ts'
import type { HomeKeys, HomePaths } from './home.ts'
import { Jobs } from './jobs.ts'
import { Ledger } from './ledger/ledger.ts'
import type { NodeParts } from './parts.ts'
import type { RateLimits } from './replication/rate.ts'
import { Snapshots } from './snapshots.ts'
import { Troubles } from './troubles.ts'
import type { Vault } from './vault.ts'
import { PROGRAM } from './version.ts'

/** What a node is put together from. */
export interface NodeGiven {
  readonly home: HomePaths
  readonly config: Config
  readonly limits: RateLimits
  readonly keys: HomeKeys
  readonly world: World
  /** Closed with the node. */
  readonly catalog: Catalog
  readonly storePath: string
  /** Opens the store, once it is known how much it may take; closed with the node. */
  readonly openStore: (quotaBytes: number | undefined) => Promise<ChunkStore>
  /** Opens the vault of a device that may read. */
  readonly openVault: (vaultKey: Uint8Array) => Promise<Vault>
  readonly isRunning: boolean
  /** Goes among the peers; called once at most. */
  readonly connect: (parts: NodeParts) => Promise<ConnectedNode>
}

/** Ends one part of a node. */
export type Closer = () => Promise<void>

/**
 * Puts a node together; it is not among its peers yet.
 *
 * @param closers - what is to be closed is added, to be called in the opposite order; also when this throws
 * @throws {CellarError} `STATE_LOST`, `STORE_IN_USE`, `STORE_DAMAGED`
 */
export async function assembleNode(given: NodeGiven, closers: Closer[]): Promise<NodeParts> {
  const { home, config, limits, keys, world, catalog, storePath, isRunning } = given
  closers.push(() => catalog.close())
  const signer = signerFromSeed(keys.device)
  const events = new Events()
  const ledger = await Ledger.open({
    catalog: catalog.sub('ledger'),
    signer,
    clock: world.clock,
    events,
    program: PROGRAM,
  })
  const store = await given.openStore(memberNow(ledger.membership, signer.device)?.quotaBytes)
  closers.push(
    () => store.close(),
    () => ledger.idle(),
  )
  const vault = keys.vault === undefined ? undefined : await given.openVault(keys.vault)
  let connected: Promise<ConnectedNode> | undefined
  let current: ConnectedNode | undefined
  closers.push(async () => {
    await connected?.catch(() => undefined) // whoever asked for it was told
    await current?.close()
  })
  const parts: NodeParts = {
    home,
    config,
    limits,
    keys,
    world,
    signer,
    events,
    jobs: new Jobs(),
    troubles: new Troubles(events, world.clock, (device) => ledger.nameOf(device)),
    catalog,
    store,
    storePath,
    ledger,
    vault,
    snapshots: new Snapshots({ ledger, store, cache: catalog.sub('roots'), vault }),
    isRunning,
    startedMs: world.clock.nowMs(),
    connect: () =>
      (connected ??= given.connect(parts).then((node) => {
        current = node
        return node
      })),
    connected: () => current,
  }
  return parts
}

/** Closes in the opposite order of opening, all of it, even when one part fails. */
export async function closeAll(closers: Closer[]): Promise<void> {
  const failures: unknown[] = []
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) {
    try {
      await close()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
