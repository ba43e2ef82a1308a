/** Parameters, events and results about the mesh, its devices and the node itself (see `api.ts`). */

import { Type } from 'typebox'
import { about, method, Nothing, tellingMethod, type Of } from './api-schema.ts'
import { RetentionStatus, SuspicionInfo, TrashStatus } from './api-deletion.ts'
import { OrderCounts } from './api-orders.ts'
import { ScheduledTask } from './api-schedule.ts'
import { WatchingStatus } from './api-watching.ts'
import { ThinStatus } from './api-thin.ts'
import { TellingStatus } from './api-telling.ts'
import type { PathText } from './api-path.ts'

export const RoleName = Type.Enum(['keeper', 'writer', 'storer'], {
  title: 'RoleName',
  description: 'The presets of capabilities that people speak of.',
})
/** The presets of capabilities that people speak of. */
export type RoleName = Of<typeof RoleName>

export const CopiesGoal = Type.Union([Type.Literal('all'), Type.Integer()], {
  title: 'CopiesGoal',
  description: 'How many devices should hold a snapshot.',
})
/** How many devices should hold a snapshot. */
export type CopiesGoal = Of<typeof CopiesGoal>

export const DeviceInfo = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    role: RoleName,
    capabilities: Type.Array(Type.String()),
    self: Type.Boolean({ description: 'This very device.' }),
    connected: Type.Boolean(),
    last_seen: Type.Optional(Type.String({ description: 'When it was last heard of; absent when never.' })),
    removed: Type.Optional(Type.Boolean({ description: 'Set once it was removed from the mesh.' })),
    bytes_used: Type.Optional(
      Type.Integer({
        description: 'Bytes its store takes; known of this device, and of others only if they say so.',
      }),
    ),
    quota_bytes: Type.Optional(Type.Integer()),
    snapshots_held: Type.Integer({
      description: 'Live snapshots it says it holds, of all live snapshots of the mesh.',
    }),
    snapshots_total: Type.Integer(),
    snapshots_own: Type.Integer({ description: 'Live snapshots it made itself, and when the newest was.' }),
    last_backup: Type.Optional(Type.String()),
    addresses: Type.Array(Type.String()),
  },
  { title: 'DeviceInfo', description: 'One member, as this device knows it.' },
)
/** One member, as this device knows it. */
export type DeviceInfo = Of<typeof DeviceInfo>

export const SnapshotCounts = Type.Object(
  {
    total: Type.Integer(),
    complete: Type.Integer({ description: 'On as many devices as the goal wants.' }),
    partial: Type.Integer({ description: 'Not yet there, but on at least one device besides their owner.' }),
    only_on_owner: Type.Integer({ description: 'On their own device only: not a finished backup.' }),
    nowhere: Type.Integer({ description: 'On no device that this one knows of.' }),
  },
  { title: 'SnapshotCounts', description: 'Snapshots by how far they have come.' },
)
/** Snapshots by how far they have come. */
export type SnapshotCounts = Of<typeof SnapshotCounts>

export const Waiting = Type.Object(
  {
    device: Type.String(),
    name: Type.String(),
    connected: Type.Boolean(),
    last_seen: Type.Optional(Type.String()),
    snapshots: Type.Integer(),
    full: Type.Optional(Type.Boolean({ description: 'It has no room for them.' })),
  },
  { title: 'Waiting', description: 'What one device still has to receive.' },
)
/** What one device still has to receive. */
export type Waiting = Of<typeof Waiting>

export const Problem = Type.Object(
  {
    level: Type.Enum(['warning', 'error']),
    code: Type.String(),
    message: Type.String(),
    remedy: Type.Optional(Type.String()),
  },
  { title: 'Problem', description: 'Something a person should know, with what to do about it.' },
)
/** Something a person should know, with what to do about it. */
export type Problem = Of<typeof Problem>

export const Job = Type.Object(
  {
    id: Type.String({ description: 'For `jobCancel`; good until the node ends.' }),
    method: Type.String(),
    title: Type.Optional(Type.String({ description: 'What who began it calls it, for people.' })),
    started: Type.String(),
    percent_done: Type.Optional(Type.Number()),
  },
  { title: 'Job', description: 'A long method under way in the node.' },
)
/** A long method under way in the node. */
export type Job = Of<typeof Job>

export const Status = Type.Object(
  {
    version: Type.String(),
    device: Type.Object({ id: Type.String(), name: Type.String(), role: RoleName }),
    mesh: Type.Object({
      id: Type.String(),
      short_id: Type.String(),
      devices: Type.Integer(),
      copies_goal: CopiesGoal,
    }),
    running: Type.Boolean({
      description: 'True when a running node answers, false when the node was opened only to answer.',
    }),
    pid: Type.Integer(),
    started: Type.String(),
    addresses: Type.Array(Type.String()),
    snapshots: about(SnapshotCounts, 'Live snapshots of the whole mesh, and those this device made.'),
    own_snapshots: SnapshotCounts,
    last_backup: Type.Optional(
      Type.Object({
        snapshot_id: Type.String(),
        time: Type.String(),
        copies: Type.Integer(),
        copies_wanted: Type.Integer(),
      }),
    ),
    devices: Type.Array(DeviceInfo),
    waiting: Type.Array(Waiting),
    store: Type.Object({
      path: Type.String(),
      bytes_used: Type.Integer(),
      bytes_free: Type.Optional(Type.Integer()),
      quota_bytes: Type.Optional(Type.Integer()),
      chunks: Type.Integer(),
    }),
    trash: TrashStatus,
    retention: Type.Optional(about(RetentionStatus, 'Absent where the settings name no rules.')),
    schedule: Type.Array(ScheduledTask, { description: 'What this device does by itself.' }),
    watching: about(
      WatchingStatus,
      'What looking at the store, at the copies of others and at restoring came to.',
    ),
    thin: Type.Optional(about(ThinStatus, 'Of a thin device.')),
    suspicions: Type.Array(SuspicionInfo, { description: 'Devices for which retention is stopped (R14).' }),
    jobs: Type.Array(Job),
    restores: OrderCounts,
    telling: about(TellingStatus, 'Who is told, and who is silent.'),
    problems: Type.Array(Problem),
  },
  {
    title: 'Status',
    description:
      'Everything that `cellar status` says, about this device, its mesh, its store and what to worry about.',
  },
)
/** Everything that `cellar status` says, about this device, its mesh, its store and what to worry about. */
export type Status = Of<typeof Status>

export const VersionInfo = Type.Object(
  { version: Type.String(), node_version: Type.String(), platform: Type.String() },
  {
    title: 'VersionInfo',
    description: 'Versions of the program and of Node, and the platform as Node names it.',
  },
)
/** Versions of the program and of Node, and the platform as Node names it. */
export type VersionInfo = Of<typeof VersionInfo>

export const DashboardLink = Type.Object(
  {
    message_type: Type.Literal('dashboard'),
    url: Type.String({
      description: 'Can be opened once, before it expires: then the browser is let in. A secret until then.',
    }),
    expires_at: Type.String(),
  },
  {
    title: 'DashboardLink',
    description: 'A way into the page of the running node, for a browser of this machine.',
  },
)
/** A way into the page of the running node, for a browser of this machine. */
export type DashboardLink = Of<typeof DashboardLink>

export const Stopping = Type.Object(
  { pid: Type.Integer() },
  { title: 'Stopping', description: 'The process that is about to end.' },
)
/** The process that is about to end. */
export type Stopping = Of<typeof Stopping>

export const DeviceRemoved = Type.Object(
  {
    device: Type.String(),
    name: Type.String(),
    epoch: Type.Integer(),
    vault_changed: Type.Optional(
      Type.Boolean({
        description:
          'Whether it read, so that what comes is sealed under a new vault key. Absent when there was no reason to.',
      }),
    ),
  },
  {
    title: 'DeviceRemoved',
    description: 'Who was removed, and the epoch of the membership from which on it is none.',
  },
)
/** Who was removed, and the epoch of the membership from which on it is none. */
export type DeviceRemoved = Of<typeof DeviceRemoved>

export const DeviceRenamed = Type.Object(
  { device: Type.String(), name: Type.String(), old_name: Type.String() },
  { title: 'DeviceRenamed', description: 'Who has a new name, and its name before.' },
)
/** Who has a new name, and its name before. */
export type DeviceRenamed = Of<typeof DeviceRenamed>

export const InviteParams = Type.Object(
  {
    role: RoleName,
    mayForget: Type.Boolean({ description: 'A storer that may run retention.' }),
    name: Type.Optional(Type.String({ description: 'The name the newcomer gets; else it says its own.' })),
    ttlMs: Type.Integer({
      minimum: 1000,
      maximum: 86_400_000,
      description: 'How long the invitation stands.',
    }),
    quotaBytes: Type.Optional(Type.Integer({ minimum: 0 })),
    token: Type.Boolean({
      description: 'A one-time token (>= 128 bit) in place of a code that people type.',
    }),
  },
  { title: 'InviteParams', description: 'What the newcomer will be, and how long the invitation stands.' },
)
/** What the newcomer will be, and how long the invitation stands. */
export type InviteParams = Of<typeof InviteParams>

export const InviteEvent = Type.Union(
  [
    Type.Object({
      message_type: Type.Literal('invitation'),
      code: Type.String({ description: 'What to type after `cellar join`: the code, or the token.' }),
      token: Type.Boolean(),
      number: Type.Integer({ description: 'The number with which the code begins.' }),
      role: RoleName,
      addresses: Type.Array(Type.String()),
      expires_at: Type.String(),
    }),
    Type.Object({ message_type: Type.Literal('wrong_try'), left: Type.Integer() }),
  ],
  {
    title: 'InviteEvent',
    description: 'What to type on the other device, and how many wrong tries are left.',
  },
)
/** What to type on the other device, and how many wrong tries are left. */
export type InviteEvent = Of<typeof InviteEvent>

export const Invited = Type.Object(
  { device: Type.String(), name: Type.String(), role: RoleName, check_words: Type.Array(Type.String()) },
  { title: 'Invited', description: 'Who was admitted; both sides show the same three check words.' },
)
/** Who was admitted; both sides show the same three check words. */
export type Invited = Of<typeof Invited>

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

/** The methods of this file. */
export const meshMethods = {
  status: method('Everything that `cellar status` says.', Nothing, Status),
  version: method('Which version of the program runs, and on what.', Nothing, VersionInfo),
  stop: method(
    'Ends a running node: answers first, then closes. `NODE_NOT_RUNNING` when it was opened for one command only.',
    Nothing,
    Stopping,
  ),
  dashboard: method(
    'Makes a link to the page of the running node. `NODE_NOT_RUNNING`; `CONFIG_INVALID` when the page is off.',
    Nothing,
    DashboardLink,
  ),
  devices: method('The members of the mesh, as this device knows them.', Nothing, Type.Array(DeviceInfo)),
  deviceRemove: method(
    'Removes a device from the mesh, for good. `DEVICE_NOT_FOUND`, `NOT_ENTITLED`.',
    Type.Object({ device: Type.String() }),
    DeviceRemoved,
  ),
  deviceRename: method(
    'Gives a device another name. `DEVICE_NOT_FOUND`, `NOT_ENTITLED`.',
    Type.Object({ device: Type.String(), name: Type.String() }),
    DeviceRenamed,
  ),
  invite: tellingMethod(
    'Invites a device, and resolves when the newcomer is admitted. `CODE_EXPIRED` after its time, or after three wrong tries; abort closes the invitation.',
    InviteParams,
    InviteEvent,
    Invited,
  ),
}
