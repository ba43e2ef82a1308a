/** What the operations of a node stand on: opened once by `node.ts`, closed by it. */

import type { Signer, World } from '../protocol/index.ts'
import type { Catalog, ChunkStore } from '../storage/index.ts'
import type { Settings } from './config/settings.ts'
import type { Config } from './config/types.ts'
import type { BegunJobs } from './begun.ts'
import type { Reaper } from './deletion/reaper.ts'
import type { Events } from './events.ts'
import type { GrowthRecord } from './activity/growth.ts'
import type { History } from './activity/history.ts'
import type { HomeKeys, HomePaths } from './home.ts'
import type { Jobs } from './jobs.ts'
import type { VaultRing } from './keys/ring.ts'
import type { Ledger } from './ledger/ledger.ts'
import type { Contacts } from './mesh/contacts.ts'
import type { InvitationDesk, PairingEvent } from './mesh/pairing/invite.ts'
import type { Network } from './network.ts'
import type { Online } from './online.ts'
import type { GivenOrders } from './orders/given.ts'
import type { TakenOrders } from './orders/taken.ts'
import type { RateLimits } from './replication/rate.ts'
import type { Scheduler } from './schedule/scheduler.ts'
import type { Snapshots } from './snapshots.ts'
import type { Telling } from './telling/telling.ts'
import type { Troubles } from './troubles.ts'
import type { UploadKeeper } from './upload/keeper.ts'
import type { OwnUploads } from './upload/own.ts'
import type { Vault } from './vault.ts'
import type { Watching } from './watching/watching.ts'

/** A node that is among its peers. */
export interface Connected {
  readonly network: Network
  readonly online: Online
  readonly contacts: Contacts
  readonly desk: InvitationDesk
  /** Tells what happens at the desk. @returns ends it */
  readonly onPairing: (listener: (event: PairingEvent) => void) => () => void
}

/** One opened node. */
export interface NodeParts {
  readonly home: HomePaths
  /** What a person has set; may change while the node runs. */
  readonly settings: Settings
  /** The settings of this moment: ask again rather than keep it. */
  readonly config: Config
  readonly limits: RateLimits
  readonly keys: HomeKeys
  readonly world: World
  readonly signer: Signer
  readonly events: Events
  readonly jobs: Jobs
  /** Those that belong to the node, and to no caller. */
  readonly begun: BegunJobs
  readonly troubles: Troubles
  /** What the node remembers besides chunks. */
  readonly catalog: Catalog
  readonly store: ChunkStore
  /** Where the chunks lie. */
  readonly storePath: string
  readonly ledger: Ledger
  readonly reaper: Reaper
  /** The vault keys of this device. */
  readonly ring: VaultRing
  /** Undefined on a device that may not read. Another one once the vault key was changed: ask for it anew. */
  readonly vault: Vault | undefined
  readonly snapshots: Snapshots
  /** What is kept for others before their snapshots are announced, and of this device by others. */
  readonly uploads: { readonly keeper: UploadKeeper; readonly own: OwnUploads }
  /** Orders to restore: those that others gave this device, and those that it gave. */
  readonly orders: { readonly taken: TakenOrders; readonly given: GivenOrders }
  /** Looks after what is stored. */
  readonly watching: Watching
  /** What the node does by itself; followed only while it runs until it is stopped. */
  readonly scheduler: Scheduler
  /** Tells people and programs what happens. */
  readonly telling: Telling
  /** What it did, and how large its store was. */
  readonly history: History
  readonly growth: GrowthRecord
  /** True in a node that runs until it is stopped, false in one opened for one command. */
  readonly isRunning: boolean
  readonly startedMs: number
  /** Goes among the peers, at the first call; a node that runs does so at once. */
  connect(): Promise<Connected>
  /**
   * Signs what is new, if that may be: in contact with a peer, or where there is no other member (R11). What goes wrong
   * is told as a trouble, and tried again.
   *
   * @returns false when it waits
   */
  publish(): Promise<boolean>
  /** The connection that stands, if `connect` was called. */
  connected(): Connected | undefined
}
