/**
 * Puts the parts of a node together from what it is given: a catalog, a store, keys, a world, and a way to its peers.
 * Knows no files, no system clock and no libp2p: a simulation runs the same node.
 */

import { CellarError, isCellarError, memberNow, signerFromSeed, type World } from '../protocol/index.ts'
import type { Catalog, ChunkStore } from '../storage/index.ts'
import { Settings } from './config/settings.ts'
import type { Config } from './config/types.ts'
import type { ConnectedNode } from './connect.ts'
import { Reaper } from './deletion/reaper.ts'
import { Events } from './events.ts'
import type { HomeKeys, HomePaths } from './home.ts'
import { Jobs } from './jobs.ts'
import { openRing } from './keys/open-ring.ts'
import { Ledger } from './ledger/ledger.ts'
import type { NodeParts } from './parts.ts'
import type { RateLimits } from './replication/rate.ts'
import { Scheduler } from './schedule/scheduler.ts'
import { AT_HOME, type Surroundings } from './schedule/surroundings.ts'
import { sayingOf } from './saying.ts'
import { Snapshots } from './snapshots.ts'
import type { Outside } from './telling/outside.ts'
import { openTelling } from './telling/open.ts'
import { KeptTrees, treesToKeep } from './thin/kept-trees.ts'
import { Troubles } from './troubles.ts'
import { UploadKeeper } from './upload/keeper.ts'
import { OwnUploads } from './upload/own.ts'
import type { Vault } from './vault.ts'
import { PROGRAM } from './version.ts'
import type { SealAgain } from './watching/mend-from.ts'
import { beginWatching } from './watching/begin.ts'
import { openWatching } from './watching/watching.ts'

/** What a node is put together from. */
export interface NodeGiven {
  readonly home: HomePaths
  readonly config: Config
  /** Reads the settings again; left out: they stay. @throws {CellarError} `CONFIG_INVALID` */
  readonly readConfig?: () => Config
  /** Of the command line: they go before the settings. */
  readonly limits: RateLimits
  readonly keys: HomeKeys
  readonly world: World
  /** Closed with the node. */
  readonly catalog: Catalog
  readonly storePath: string
  /** Opens the store, once it is known how much it may take; closed with the node. */
  readonly openStore: (quotaBytes: number | undefined) => Promise<ChunkStore>
  /** Opens the vault of a device that may read, with the keys of the vaults before (vault.ts). */
  readonly openVault: (vaultKey: Uint8Array, before: readonly Uint8Array[]) => Promise<Vault>
  readonly isRunning: boolean
  /** Battery and network of the machine. @defaultValue power from the wall, and a network without a price */
  readonly surroundings?: Surroundings
  /** Web, mail, programs and files, for telling what happens. @defaultValue none: hooks fail */
  readonly outside?: () => Promise<Outside>
  /** Seals what was backed up again, to mend chunks that nobody has. @defaultValue that cannot be done */
  readonly sealAgain?: SealAgain
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
  const { home, limits, keys, world, catalog, storePath, isRunning } = given
  const settings = new Settings(given.config, given.readConfig)
  closers.push(() => catalog.close())
  const signer = signerFromSeed(keys.device)
  const events = new Events()
  settings.onChange(() => {
    events.emit({ kind: 'settings' })
  })
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
    // R9: what is not noted counts as a gap; on a full disk it does.
    () => ledger.noteTime().catch(() => undefined),
  )
  const telling = await openTelling({ settings, world, events, catalog, ledger, isRunning }, given.outside)
  closers.push(() => telling.close())
  const ring = await openRing({ keys, ledger, events, openVault: given.openVault })
  const watching = beginWatching(await openWatching(catalog), {
    store,
    events,
    world,
    parts: () => parts,
    sealAgain: given.sealAgain,
  })
  closers.push(() => watching.mender.close())
  let connected: Promise<ConnectedNode> | undefined
  let current: ConnectedNode | undefined
  closers.push(async () => {
    await connected?.catch(() => undefined) // whoever asked for it was told
    await current?.close()
  })
  const jobs = new Jobs(events)
  const publish = async () => {
    if (current !== undefined) return await current.online.publishNow()
    return ledger.isAlone && (await publishAlone(ledger, store))
  }
  const tellTrouble = (error: unknown) => {
    if (!isCellarError(error)) throw error
    events.emit({ kind: 'trouble', code: error.code, message: error.message })
    return false
  }
  const trees = new KeptTrees(store, () => ring.vault)
  const { clock } = world
  const keeper = await UploadKeeper.open({ catalog: catalog.sub('uploads'), ledger, store, clock, events })
  const own = await OwnUploads.open({
    ...{ catalog: catalog.sub('own-uploads'), ledger, store, clock, events, random: world.random },
    connect: () => parts.connect(),
  })
  closers.push(() => keeper.idle())
  const reaper = new Reaper({
    isPromised: (id) => keeper.isPromised(id),
    treesToKeep: () => treesToKeep(ledger, trees),
    ledger,
    store,
    clock: world.clock,
    events,
    settings: {
      get holdWindowMs() {
        return settings.current.holdWindowMs
      },
      get floorAgeMs() {
        return settings.current.floorAgeMs
      },
      get floorNewest() {
        return settings.current.floorNewest
      },
    },
    isStoreInUse: () => jobs.isStoreInUse,
    publish,
    pauseFetching: (step) => (current === undefined ? step() : current.online.replicator.pauseWhile(step)),
  })
  const parts: NodeParts = {
    home,
    settings,
    get config() {
      return settings.current
    },
    limits,
    keys,
    world,
    signer,
    events,
    jobs,
    troubles: new Troubles(events, world.clock, (device) => ledger.nameOf(device)),
    catalog,
    store,
    storePath,
    ledger,
    reaper,
    ring,
    get vault() {
      return ring.vault
    },
    scheduler: new Scheduler({
      clock: world.clock,
      events,
      catalog: catalog.sub('schedule'),
      device: signer.device,
      surroundings: given.surroundings ?? AT_HOME,
    }),
    telling,
    snapshots: new Snapshots({ ledger, store, cache: catalog.sub('roots'), vault: () => ring.vault }),
    watching,
    uploads: { keeper, own },
    isRunning,
    startedMs: world.clock.nowMs(),
    connect: () =>
      (connected ??= given.connect(parts).then((node) => {
        current = node
        return node
      })),
    publish: () => publish().catch(tellTrouble),
    connected: () => current,
  }
  if (isRunning) closers.push(runUntilClosed((signal) => reaper.run(signal)))
  if (isRunning) closers.push(runUntilClosed((signal) => keeper.run(signal)))
  if (isRunning) closers.push(runUntilClosed((signal) => watching.mender.run(signal)))
  return parts
}

/** R11: there is nobody to contradict. What is signed first may be followed by word that it is taken account of (R4). */
async function publishAlone(ledger: Ledger, store: ChunkStore): Promise<boolean> {
  const listingsMax = 3
  for (let signed = 0; signed < listingsMax; signed++)
    if ((await ledger.publish(sayingOf(store, false))) === undefined) break
  return true
}

/** Begins work that goes on until the node is closed. @returns ends it */
function runUntilClosed(work: (signal: AbortSignal) => Promise<void>): Closer {
  const end = new AbortController()
  const done = work(end.signal)
  done.catch(() => undefined) // the closer tells
  return async () => {
    end.abort(new CellarError('ABORTED', 'the node is closing'))
    await done
  }
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
