/** Parameters, events and results of forgetting, taking back and reclaiming (see `api.ts`). */

import type { SnapshotFilter, SnapshotInfo } from './api-browse.ts'

/** Which snapshots a rule keeps; what is not given keeps nothing. Rules are ORed. */
export interface RetentionRules {
  /** So many newest: 1.., or -1 for all. The same for those below. */
  readonly last?: number
  readonly hourly?: number
  readonly daily?: number
  readonly weekly?: number
  readonly monthly?: number
  readonly yearly?: number
  /** As restic writes it: `1y5m7d2h`; counted back from the newest of the group. */
  readonly within?: string
  readonly withinHourly?: string
  readonly withinDaily?: string
  readonly withinWeekly?: string
  readonly withinMonthly?: string
  readonly withinYearly?: string
  /** Any of the lists, all tags of that list. */
  readonly tags?: readonly (readonly string[])[]
}

/** What snapshots of one group have in common. */
export type GroupField = 'device' | 'host' | 'paths' | 'tags'

/** What to forget: named snapshots, or by rules what they do not keep. */
export interface ForgetParams {
  /** Ids, prefixes of ids, or `latest`; empty when rules decide. */
  readonly snapshots: readonly string[]
  /** Which snapshots the rules look at, and what `latest` means. */
  readonly filter: SnapshotFilter
  readonly rules?: RetentionRules
  /** @defaultValue device and paths; a device that reads nothing groups by device and source */
  readonly groupBy?: readonly GroupField[]
  readonly dryRun: boolean
}

/** A snapshot, and why it is kept. */
export interface KeepReason {
  readonly snapshot: SnapshotInfo
  /** Of people's words: `daily snapshot`, `last snapshot`, `within 7d`, `pinned`, `younger than 1 day`, … */
  readonly matches: readonly string[]
}

/** What rules make of the snapshots of one group. */
export interface ForgetGroup {
  readonly device?: string
  readonly host?: string
  readonly paths?: readonly string[]
  readonly tags?: readonly string[]
  readonly keep: readonly SnapshotInfo[]
  readonly remove: readonly SnapshotInfo[]
  readonly reasons: readonly KeepReason[]
  /** Set when nothing of this group is forgotten although rules would (R14), or as it would be emptied. */
  readonly stopped?: string
}

/** One snapshot that could not be forgotten, brought back or pinned. */
export interface Refused {
  readonly snapshot: string
  readonly code: string
  readonly message: string
}

/** What became of a request to forget. */
export interface Forgotten {
  readonly message_type: 'forgotten'
  readonly dry_run: boolean
  /** Empty where snapshots were named. */
  readonly groups: readonly ForgetGroup[]
  readonly snapshot_ids: readonly string[]
  readonly refused: readonly Refused[]
  /** No device was in contact: the statement is signed, and sent, when one is (R11). */
  readonly waits_for_contact: boolean
}

/** Why something forgotten is not reclaimed yet. */
export interface ReclaimBlock {
  readonly kind:
    | 'hold-window'
    | 'floor'
    | 'leaning'
    | 'fork'
    | 'unknown'
    | 'membership-fork'
    | 'rolled-back'
    | 'session'
    | 'pinned'
    | 'contact'
  /** One sentence for a person, with the remedy where there is one. */
  readonly message: string
  /** Whom it waits for, by name, and since when that device was not heard of. */
  readonly device?: string
  readonly since?: string
  /** When it may end by itself. */
  readonly until?: string
}

/** One forgotten snapshot. */
export interface TrashEntry {
  readonly snapshot: SnapshotInfo
  readonly forgotten_by: string
  readonly forgotten_at: string
  readonly reason: 'person' | 'retention'
  /** Its chunks are all here: it can be brought back from this device alone. */
  readonly held_here: boolean
  /** Names of devices that say they hold it. */
  readonly holders: readonly string[]
  /** What it waits for here; empty: the next `prune` frees it. */
  readonly waits_for: readonly ReclaimBlock[]
}

/** What `undelete`, `pin` and `unpin` are told: ids, or prefixes of ids. */
export interface SnapshotIds {
  readonly snapshots: readonly string[]
}

/** What became of them. */
export interface SnapshotsChanged {
  readonly message_type: 'undeleted' | 'pinned' | 'unpinned'
  readonly snapshot_ids: readonly string[]
  /** Of what was brought back: what rules had forgotten, which is pinned now, as they would forget it again. */
  readonly pinned_ids?: readonly string[]
  readonly refused: readonly Refused[]
}

/** How space is reclaimed. */
export interface PruneParams {
  /** Changes nothing, says what would be. */
  readonly dryRun: boolean
  /** Also drops what an interrupted backup has stored, which its next try would use again. */
  readonly unfinished: boolean
}

/** How far `prune` is. */
export interface PruneEvent {
  readonly message_type: 'status'
  readonly step: 'releasing' | 'removing' | 'compacting'
  readonly snapshots_released: number
  readonly bytes_freed: number
}

/** Snapshots that wait for one and the same. */
export interface WaitingReclaim {
  readonly block: ReclaimBlock
  readonly snapshot_ids: readonly string[]
  /** Bytes that only these snapshots need here, as far as they can be counted. */
  readonly bytes: number
  /** Of a device: bytes that could be reclaimed at once if it were removed from the mesh. */
  readonly bytes_if_removed?: number
}

/** What was reclaimed, and what waits. */
export interface PruneResult {
  readonly message_type: 'pruned'
  readonly dry_run: boolean
  readonly snapshots_released: number
  readonly chunks_removed: number
  readonly bytes_removed: number
  /** By which the store became smaller on the disk. */
  readonly bytes_freed: number
  readonly waiting: readonly WaitingReclaim[]
}

/** How this device applies rules by itself (`[retention]` of its settings). */
export interface RetentionStatus {
  /** What is kept, in words. */
  readonly rules: string
  /** Between two rounds, as the settings write it. */
  readonly every: string
  /** Names of devices, or ids; empty: all members. */
  readonly devices: readonly string[]
  /** The last round that ended well. */
  readonly last_run?: string
  /** Absent while no node runs; now, or past, for one that is due. */
  readonly next_run?: string
}

/** What waits to be reclaimed here, in one look (part of `Status`). */
export interface TrashStatus {
  readonly snapshots: number
  /** Snapshots of the trash whose space is not free yet, by what they wait for. */
  readonly waiting: readonly ReclaimBlock[]
}

/** Retention that is stopped for a device (R14). */
export interface SuspicionInfo {
  readonly device: string
  readonly since: string
  readonly message: string
}

/** Whether a device may lean, and the epoch of the membership from which on it is so. */
export interface DeviceLeans {
  readonly device: string
  readonly name: string
  readonly leans: boolean
  readonly epoch: number
}

/** Whose suspicion has ended, and what it was; absent when there was none. */
export interface DeviceTrusted {
  readonly device: string
  readonly name: string
  readonly suspicion?: SuspicionInfo
}
