/** Parameters, events and results about the mesh, its devices and the node itself (see `api.ts`). */

import type { RetentionStatus, SuspicionInfo, TrashStatus } from './api-deletion.ts'
import type { ScheduledTask } from './api-schedule.ts'
import type { TellingStatus } from './api-telling.ts'
import type { PathText } from './path-text.ts'

/** The presets of capabilities that people speak of. */
export type RoleName = 'keeper' | 'writer' | 'storer'

/** How many devices should hold a snapshot. */
export type CopiesGoal = 'all' | number

/** One member, as this device knows it. */
export interface DeviceInfo {
  readonly id: string
  readonly name: string
  readonly role: RoleName
  readonly capabilities: readonly string[]
  /** This very device. */
  readonly self: boolean
  readonly connected: boolean
  /** When it was last heard of; absent when never. */
  readonly last_seen?: string
  /** Set once it was removed from the mesh. */
  readonly removed?: boolean
  /** Bytes its store takes; known of this device, and of others only if they say so. */
  readonly bytes_used?: number
  readonly quota_bytes?: number
  /** Live snapshots it says it holds, of all live snapshots of the mesh. */
  readonly snapshots_held: number
  readonly snapshots_total: number
  /** Live snapshots it made itself, and when the newest was. */
  readonly snapshots_own: number
  readonly last_backup?: string
  readonly addresses: readonly string[]
}

/** Snapshots by how far they have come. */
export interface SnapshotCounts {
  readonly total: number
  /** On as many devices as the goal wants. */
  readonly complete: number
  /** Not yet there, but on at least one device besides their owner. */
  readonly partial: number
  /** On their own device only: not a finished backup. */
  readonly only_on_owner: number
  /** On no device that this one knows of. */
  readonly nowhere: number
}

/** What one device still has to receive. */
export interface Waiting {
  readonly device: string
  readonly name: string
  readonly connected: boolean
  readonly last_seen?: string
  readonly snapshots: number
  /** It has no room for them. */
  readonly full?: boolean
}

/** Something a person should know, with what to do about it. */
export interface Problem {
  readonly level: 'warning' | 'error'
  readonly code: string
  readonly message: string
  readonly remedy?: string
}

/** A long method under way in the node. */
export interface Job {
  readonly method: string
  readonly started: string
  readonly percent_done?: number
}

/** Everything that `cellar status` says, about this device, its mesh, its store and what to worry about. */
export interface Status {
  readonly version: string
  readonly device: { readonly id: string; readonly name: string; readonly role: RoleName }
  readonly mesh: {
    readonly id: string
    readonly short_id: string
    readonly devices: number
    readonly copies_goal: CopiesGoal
  }
  /** True when a running node answers, false when the node was opened only to answer. */
  readonly running: boolean
  readonly pid: number
  readonly started: string
  readonly addresses: readonly string[]
  /** Live snapshots of the whole mesh, and those this device made. */
  readonly snapshots: SnapshotCounts
  readonly own_snapshots: SnapshotCounts
  readonly last_backup?: {
    readonly snapshot_id: string
    readonly time: string
    readonly copies: number
    readonly copies_wanted: number
  }
  readonly devices: readonly DeviceInfo[]
  readonly waiting: readonly Waiting[]
  readonly store: {
    readonly path: string
    readonly bytes_used: number
    readonly bytes_free?: number
    readonly quota_bytes?: number
    readonly chunks: number
  }
  readonly trash: TrashStatus
  /** Absent where the settings name no rules. */
  readonly retention?: RetentionStatus
  /** What this device does by itself. */
  readonly schedule: readonly ScheduledTask[]
  /** Devices for which retention is stopped (R14). */
  readonly suspicions: readonly SuspicionInfo[]
  readonly jobs: readonly Job[]
  /** Who is told, and who is silent. */
  readonly telling: TellingStatus
  readonly problems: readonly Problem[]
}

/** Versions of the program and of Node, and the platform as Node names it. */
export interface VersionInfo {
  readonly version: string
  readonly node_version: string
  readonly platform: string
}

/** The process that is about to end. */
export interface Stopping {
  readonly pid: number
}

/** Who was removed, and the epoch of the membership from which on it is none. */
export interface DeviceRemoved {
  readonly device: string
  readonly name: string
  readonly epoch: number
}

/** Who has a new name, and its name before. */
export interface DeviceRenamed {
  readonly device: string
  readonly name: string
  readonly old_name: string
}

/** What the newcomer will be, and how long the invitation stands. */
export interface InviteParams {
  readonly role: RoleName
  /** A storer that may run retention. */
  readonly mayForget: boolean
  /** The name the newcomer gets; else it says its own. */
  readonly name?: string
  /** 1,000 .. 86,400,000. */
  readonly ttlMs: number
  readonly quotaBytes?: number
  /** A one-time token (>= 128 bit) in place of a code that people type. */
  readonly token: boolean
}

/** What to type on the other device, and how many wrong tries are left. */
export type InviteEvent =
  | {
      readonly message_type: 'invitation'
      /** What to type after `cellar join`: the code, or the token. */
      readonly code: string
      readonly token: boolean
      /** The number with which the code begins. */
      readonly number: number
      readonly role: RoleName
      readonly addresses: readonly string[]
      readonly expires_at: string
    }
  | { readonly message_type: 'wrong_try'; readonly left: number }

/** Who was admitted; both sides show the same three check words. */
export interface Invited {
  readonly device: string
  readonly name: string
  readonly role: RoleName
  readonly check_words: readonly string[]
}

/** What `initDevice(home, options)` takes. */
export interface InitOptions {
  readonly name: string
  readonly role: RoleName
  readonly copies: CopiesGoal
  /** Multiaddrs or HOST:PORT to listen on; empty: every address, any port. */
  readonly listen: readonly string[]
  /** Absolute directory for the chunks, else below the home. */
  readonly store?: PathText
}

/** What `initDevice` answers. */
export interface Initialized {
  readonly message_type: 'initialized'
  /** The mesh id; named `id` as restic's repository id is. */
  readonly id: string
  readonly short_id: string
  readonly device: string
  readonly name: string
  readonly role: RoleName
  /** The home, its key directory and its store. */
  readonly home: string
  readonly keys: string
  readonly store: string
}

/** What `joinMesh(home, options, { signal, onEvent })` takes. */
export interface JoinOptions {
  readonly code: string
  readonly name: string
  /** HOST:PORT or multiaddrs to try besides mDNS. */
  readonly at: readonly string[]
  readonly listen: readonly string[]
  readonly store?: PathText
}

/** On the way of joining: what it is doing now. */
export interface JoinEvent {
  readonly message_type: 'joining'
  readonly step: 'looking' | 'found' | 'confirming' | 'admitted'
  readonly address?: string
}

/** What `joinMesh` answers. */
export interface Joined {
  readonly message_type: 'joined'
  readonly id: string
  readonly short_id: string
  readonly device: string
  readonly name: string
  /** The name asked for, where another device has it. */
  readonly name_taken?: string
  readonly role: RoleName
  readonly inviter: string
  readonly inviter_name: string
  readonly check_words: readonly string[]
  readonly home: string
  readonly keys: string
  readonly store: string
}
