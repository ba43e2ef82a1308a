/**
 * Puts the parts of a node together from what it is given: a catalog, a store, keys, a world, and a way to its peers.
 * Knows no files, no system clock and no libp2p: a simulation runs the same node.
 */

import {
  CellarError,
  isCellarError,
  memberNow,
  type Signer,
  signerFromSeed,
  type World,
} from '../protocol/index.ts'
import type { Catalog, ChunkStore } from '../storage/index.ts'
import { GrowthRecord } from './activity/growth.ts'
import { History } from './activity/history.ts'
import { Settings } from './config/settings.ts'
import type { Config } from './config/types.ts'
import type { ConnectedNode } from './connect.ts'
import type { DeletionSettings } from './deletion/facts.ts'
import { Reaper } from './deletion/reaper.ts'
import { Events } from './events.ts'
import type { HomeKeys, HomePaths } from './home.ts'
import { Jobs } from './jobs.ts'
import { BegunJobs } from './begun.ts'
import { openRing } from './keys/open-ring.ts'
import { Ledger } from './ledger/ledger.ts'
import { openOrders } from './orders/open.ts'
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
  const ground = await openGround(given, closers)
  const { settings, events, ledger, store } = ground
  const { home, limits, keys, world, catalog, storePath, isRunning } = given
  const link = new PeerLink(ground, () => given.connect(parts))
  const rooms = await openRooms(given, { ground, link, parts: () => parts }, closers)
  const { ring, watching, uploads, reaper } = rooms
  const parts: NodeParts = {
    home,
    settings,
    get config() {
      return settings.current
    },
    limits,
    keys,
    world,
    signer: ground.signer,
    events,
    jobs: rooms.jobs,
    begun: new BegunJobs({ clock: world.clock, events, jobs: rooms.jobs }),
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
    scheduler: rooms.scheduler,
    telling: rooms.telling,
    snapshots: new Snapshots({ ledger, store, cache: catalog.sub('roots'), vault: () => ring.vault }),
    watching,
    uploads,
    history: new History(catalog.sub('history'), ({ code, message }) => {
      events.emit({ kind: 'trouble', code, message: `history: ${message}` })
    }),
    growth: new GrowthRecord(catalog.sub('growth')),
    orders: rooms.orders,
    isRunning,
    startedMs: world.clock.nowMs(),
    connect: () => link.connect(),
    publish: () => link.publishOrTell(),
    connected: () => link.current,
  }
  if (isRunning) {
    for (const room of [reaper, uploads.keeper, watching.mender])
      closers.push(runUntilClosed((signal) => room.run(signal)))
  }
  return parts
}

/** What everything else stands on. */
interface Ground {
  readonly settings: Settings
  readonly signer: Signer
  readonly events: Events
  readonly ledger: Ledger
  readonly store: ChunkStore
}

async function openGround(given: NodeGiven, closers: Closer[]): Promise<Ground> {
  const { catalog, keys, world } = given
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
  return { settings, signer, events, ledger, store }
}

/** What the rooms of a node are opened with, besides what it was given; its parts are there once all are open. */
interface Frame {
  readonly ground: Ground
  readonly link: PeerLink
  readonly parts: () => NodeParts
}

async function openRooms(given: NodeGiven, frame: Frame, closers: Closer[]) {
  const { keys, world, catalog, isRunning } = given
  const { ground, link, parts } = frame
  const { settings, signer, events, ledger, store } = ground
  const telling = await openTelling({ settings, world, events, catalog, ledger, isRunning }, given.outside)
  closers.push(() => telling.close())
  const ring = await openRing({ keys, ledger, events, openVault: given.openVault })
  const watching = beginWatching(await openWatching(catalog), {
    ...{ store, events, world, parts },
    sealAgain: given.sealAgain,
  })
  closers.push(
    () => watching.mender.close(),
    () => link.close(),
  )
  const { clock, random } = world
  const uploads = {
    keeper: await UploadKeeper.open({ catalog: catalog.sub('uploads'), ledger, store, clock, events }),
    own: await OwnUploads.open({
      ...{ catalog: catalog.sub('own-uploads'), ledger, store, clock, events, random },
      connect: () => link.connect(),
    }),
  }
  closers.push(() => uploads.keeper.idle())
  const orders = await openOrders(catalog.sub('orders'), { ledger, clock, random, events, settings })
  const jobs = new Jobs(events)
  const trees = new KeptTrees(store, () => ring.vault)
  const reaper = new Reaper({
    ...{ ledger, store, clock, events },
    isPromised: (id) => uploads.keeper.isPromised(id),
    treesToKeep: () => treesToKeep(ledger, trees),
    settings: deletionSettings(settings),
    isStoreInUse: () => jobs.isStoreInUse,
    publish: () => link.publish(),
    pauseFetching: (step) => link.pauseFetching(step),
  })
  const scheduler = new Scheduler({
    ...{ clock, events },
    catalog: catalog.sub('schedule'),
    device: signer.device,
    surroundings: given.surroundings ?? AT_HOME,
  })
  return { telling, ring, watching, uploads, orders, jobs, reaper, scheduler }
}

/** What deletion asks of the settings, as they are when it asks. */
function deletionSettings(settings: Settings): DeletionSettings {
  return {
    get holdWindowMs() {
      return settings.current.holdWindowMs
    },
    get floorAgeMs() {
      return settings.current.floorAgeMs
    },
    get floorNewest() {
      return settings.current.floorNewest
    },
  }
}

/** The way to the peers, taken when somebody first asks for it. */
class PeerLink {
  readonly #ground: Ground
  readonly #open: () => Promise<ConnectedNode>
  #connected: Promise<ConnectedNode> | undefined
  #current: ConnectedNode | undefined

  constructor(ground: Ground, open: () => Promise<ConnectedNode>) {
    this.#ground = ground
    this.#open = open
  }

  get current(): ConnectedNode | undefined {
    return this.#current
  }

  connect(): Promise<ConnectedNode> {
    this.#connected ??= this.#open().then((node) => (this.#current = node))
    return this.#connected
  }

  /** Signs what is new, if that may be. @returns false when it waits for contact with a peer */
  async publish(): Promise<boolean> {
    if (this.#current !== undefined) return await this.#current.online.publishNow()
    const { ledger, store } = this.#ground
    return ledger.isAlone && (await publishAlone(ledger, store))
  }

  /** Does so; what goes wrong is told as a trouble. */
  async publishOrTell(): Promise<boolean> {
    try {
      return await this.publish()
    } catch (error) {
      if (!isCellarError(error)) throw error
      this.#ground.events.emit({ kind: 'trouble', code: error.code, message: error.message })
      return false
    }
  }

  /** Does something while nothing is fetched into the store. */
  pauseFetching<T>(step: () => Promise<T>): Promise<T> {
    return this.#current === undefined ? step() : this.#current.online.replicator.pauseWhile(step)
  }

  async close(): Promise<void> {
    await this.#connected?.catch(() => undefined) // whoever asked for it was told
    await this.#current?.close()
  }
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
