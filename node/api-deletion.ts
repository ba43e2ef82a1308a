/** Parameters, events and results of forgetting, taking back and reclaiming (see `api.ts`). */

import { Type } from 'typebox'
import { about, method, Nothing, tellingMethod, type Of } from './api-schema.ts'
import { SnapshotFilter, SnapshotInfo } from './api-browse.ts'

export const RetentionRules = Type.Object(
  {
    last: Type.Optional(
      Type.Integer({
        minimum: -1,
        description: 'So many newest: 1.., or -1 for all. The same for those below.',
      }),
    ),
    hourly: Type.Optional(Type.Integer({ minimum: -1 })),
    daily: Type.Optional(Type.Integer({ minimum: -1 })),
    weekly: Type.Optional(Type.Integer({ minimum: -1 })),
    monthly: Type.Optional(Type.Integer({ minimum: -1 })),
    yearly: Type.Optional(Type.Integer({ minimum: -1 })),
    within: Type.Optional(
      Type.String({
        description: 'As restic writes it: `1y5m7d2h`; counted back from the newest of the group.',
      }),
    ),
    withinHourly: Type.Optional(Type.String()),
    withinDaily: Type.Optional(Type.String()),
    withinWeekly: Type.Optional(Type.String()),
    withinMonthly: Type.Optional(Type.String()),
    withinYearly: Type.Optional(Type.String()),
    tags: Type.Optional(
      Type.Array(Type.Array(Type.String()), { description: 'Any of the lists, all tags of that list.' }),
    ),
  },
  {
    title: 'RetentionRules',
    description: 'Which snapshots a rule keeps; what is not given keeps nothing. Rules are ORed.',
  },
)
/** Which snapshots a rule keeps; what is not given keeps nothing. Rules are ORed. */
export type RetentionRules = Of<typeof RetentionRules>

export const GroupField = Type.Enum(['device', 'host', 'paths', 'tags'], {
  title: 'GroupField',
  description: 'What snapshots of one group have in common.',
})
/** What snapshots of one group have in common. */
export type GroupField = Of<typeof GroupField>

export const ForgetParams = Type.Object(
  {
    snapshots: Type.Array(Type.String(), {
      description: 'Ids, prefixes of ids, or `latest`; empty when rules decide.',
    }),
    filter: about(SnapshotFilter, 'Which snapshots the rules look at, and what `latest` means.'),
    rules: Type.Optional(RetentionRules),
    groupBy: Type.Optional(
      Type.Array(GroupField, {
        description: 'Default: device and paths; a device that reads nothing groups by device and source',
      }),
    ),
    profile: Type.Optional(
      Type.String({
        description:
          "Only this device's own snapshots of this profile; without `rules` those of the settings for it.",
      }),
    ),
    dryRun: Type.Boolean(),
  },
  {
    title: 'ForgetParams',
    description: 'What to forget: named snapshots, or by rules what they do not keep.',
  },
)
/** What to forget: named snapshots, or by rules what they do not keep. */
export type ForgetParams = Of<typeof ForgetParams>

export const KeepReason = Type.Object(
  {
    snapshot: SnapshotInfo,
    matches: Type.Array(Type.String(), {
      description:
        "Of people's words: `daily snapshot`, `last snapshot`, `within 7d`, `pinned`, `younger than 1 day`, …",
    }),
  },
  { title: 'KeepReason', description: 'A snapshot, and why it is kept.' },
)
/** A snapshot, and why it is kept. */
export type KeepReason = Of<typeof KeepReason>

export const ForgetGroup = Type.Object(
  {
    device: Type.Optional(Type.String()),
    host: Type.Optional(Type.String()),
    paths: Type.Optional(Type.Array(Type.String())),
    tags: Type.Optional(Type.Array(Type.String())),
    keep: Type.Array(SnapshotInfo),
    remove: Type.Array(SnapshotInfo),
    reasons: Type.Array(KeepReason),
    stopped: Type.Optional(
      Type.String({
        description:
          'Set when nothing of this group is forgotten although rules would (R14), or as it would be emptied.',
      }),
    ),
  },
  { title: 'ForgetGroup', description: 'What rules make of the snapshots of one group.' },
)
/** What rules make of the snapshots of one group. */
export type ForgetGroup = Of<typeof ForgetGroup>

export const Refused = Type.Object(
  { snapshot: Type.String(), code: Type.String(), message: Type.String() },
  { title: 'Refused', description: 'One snapshot that could not be forgotten, brought back or pinned.' },
)
/** One snapshot that could not be forgotten, brought back or pinned. */
export type Refused = Of<typeof Refused>

export const Forgotten = Type.Object(
  {
    message_type: Type.Literal('forgotten'),
    dry_run: Type.Boolean(),
    groups: Type.Array(ForgetGroup, { description: 'Empty where snapshots were named.' }),
    snapshot_ids: Type.Array(Type.String()),
    refused: Type.Array(Refused),
    waits_for_contact: Type.Boolean({
      description: 'No device was in contact: the statement is signed, and sent, when one is (R11).',
    }),
  },
  { title: 'Forgotten', description: 'What became of a request to forget.' },
)
/** What became of a request to forget. */
export type Forgotten = Of<typeof Forgotten>

export const ReclaimBlock = Type.Object(
  {
    kind: Type.Enum([
      'hold-window',
      'floor',
      'leaning',
      'fork',
      'unknown',
      'membership-fork',
      'rolled-back',
      'session',
      'pinned',
      'contact',
    ]),
    message: Type.String({ description: 'One sentence for a person, with the remedy where there is one.' }),
    device: Type.Optional(
      Type.String({
        description: 'Whom it waits for, by name, and since when that device was not heard of.',
      }),
    ),
    since: Type.Optional(Type.String()),
    until: Type.Optional(Type.String({ description: 'When it may end by itself.' })),
  },
  { title: 'ReclaimBlock', description: 'Why something forgotten is not reclaimed yet.' },
)
/** Why something forgotten is not reclaimed yet. */
export type ReclaimBlock = Of<typeof ReclaimBlock>

export const TrashEntry = Type.Object(
  {
    snapshot: SnapshotInfo,
    forgotten_by: Type.String(),
    forgotten_at: Type.String(),
    reason: Type.Enum(['person', 'retention']),
    held_here: Type.Boolean({
      description: 'Its chunks are all here: it can be brought back from this device alone.',
    }),
    holders: Type.Array(Type.String(), { description: 'Names of devices that say they hold it.' }),
    waits_for: Type.Array(ReclaimBlock, {
      description: 'What it waits for here; empty: the next `prune` frees it.',
    }),
  },
  { title: 'TrashEntry', description: 'One forgotten snapshot.' },
)
/** One forgotten snapshot. */
export type TrashEntry = Of<typeof TrashEntry>

export const SnapshotIds = Type.Object(
  { snapshots: Type.Array(Type.String()) },
  {
    title: 'SnapshotIds',
    description: 'What `undelete`, `pin` and `unpin` are told: ids, or prefixes of ids.',
  },
)
/** What `undelete`, `pin` and `unpin` are told: ids, or prefixes of ids. */
export type SnapshotIds = Of<typeof SnapshotIds>

export const SnapshotsChanged = Type.Object(
  {
    message_type: Type.Enum(['undeleted', 'pinned', 'unpinned']),
    snapshot_ids: Type.Array(Type.String()),
    pinned_ids: Type.Optional(
      Type.Array(Type.String(), {
        description:
          'Of what was brought back: what rules had forgotten, which is pinned now, as they would forget it again.',
      }),
    ),
    refused: Type.Array(Refused),
  },
  { title: 'SnapshotsChanged', description: 'What became of them.' },
)
/** What became of them. */
export type SnapshotsChanged = Of<typeof SnapshotsChanged>

export const PruneParams = Type.Object(
  {
    dryRun: Type.Boolean({ description: 'Changes nothing, says what would be.' }),
    unfinished: Type.Boolean({
      description: 'Also drops what an interrupted backup has stored, which its next try would use again.',
    }),
  },
  { title: 'PruneParams', description: 'How space is reclaimed.' },
)
/** How space is reclaimed. */
export type PruneParams = Of<typeof PruneParams>

export const PruneEvent = Type.Object(
  {
    message_type: Type.Literal('status'),
    step: Type.Enum(['releasing', 'removing', 'compacting']),
    snapshots_released: Type.Integer(),
    bytes_freed: Type.Integer(),
  },
  { title: 'PruneEvent', description: 'How far `prune` is.' },
)
/** How far `prune` is. */
export type PruneEvent = Of<typeof PruneEvent>

export const WaitingReclaim = Type.Object(
  {
    block: ReclaimBlock,
    snapshot_ids: Type.Array(Type.String()),
    bytes: Type.Integer({
      description: 'Bytes that only these snapshots need here, as far as they can be counted.',
    }),
    bytes_if_removed: Type.Optional(
      Type.Integer({
        description: 'Of a device: bytes that could be reclaimed at once if it were removed from the mesh.',
      }),
    ),
  },
  { title: 'WaitingReclaim', description: 'Snapshots that wait for one and the same.' },
)
/** Snapshots that wait for one and the same. */
export type WaitingReclaim = Of<typeof WaitingReclaim>

export const PruneResult = Type.Object(
  {
    message_type: Type.Literal('pruned'),
    dry_run: Type.Boolean(),
    snapshots_released: Type.Integer(),
    chunks_removed: Type.Integer(),
    bytes_removed: Type.Integer(),
    bytes_freed: Type.Integer({ description: 'By which the store became smaller on the disk.' }),
    waiting: Type.Array(WaitingReclaim),
  },
  { title: 'PruneResult', description: 'What was reclaimed, and what waits.' },
)
/** What was reclaimed, and what waits. */
export type PruneResult = Of<typeof PruneResult>

export const RetentionStatus = Type.Object(
  {
    rules: Type.Optional(
      Type.String({ description: 'What is kept, in words. Absent where only profiles have rules.' }),
    ),
    profiles: Type.Array(
      Type.Object({ name: Type.String(), rules: Type.String({ description: 'What is kept, in words.' }) }),
      { description: 'Those with rules of their own, for own snapshots of their sources.' },
    ),
    every: Type.String({ description: 'Between two rounds, as the settings write it.' }),
    devices: Type.Array(Type.String(), { description: 'Names of devices, or ids; empty: all members.' }),
    last_run: Type.Optional(Type.String({ description: 'The last round that ended well.' })),
    next_run: Type.Optional(
      Type.String({ description: 'Absent while no node runs; now, or past, for one that is due.' }),
    ),
  },
  {
    title: 'RetentionStatus',
    description: 'How this device applies rules by itself (`[retention]` of its settings, and of profiles).',
  },
)
/** How this device applies rules by itself (`[retention]` of its settings, and of profiles). */
export type RetentionStatus = Of<typeof RetentionStatus>

export const TrashStatus = Type.Object(
  {
    snapshots: Type.Integer(),
    waiting: Type.Array(ReclaimBlock, {
      description: 'Snapshots of the trash whose space is not free yet, by what they wait for.',
    }),
  },
  { title: 'TrashStatus', description: 'What waits to be reclaimed here, in one look (part of `Status`).' },
)
/** What waits to be reclaimed here, in one look (part of `Status`). */
export type TrashStatus = Of<typeof TrashStatus>

export const SuspicionInfo = Type.Object(
  { device: Type.String(), since: Type.String(), message: Type.String() },
  { title: 'SuspicionInfo', description: 'Retention that is stopped for a device (R14).' },
)
/** Retention that is stopped for a device (R14). */
export type SuspicionInfo = Of<typeof SuspicionInfo>

export const DeviceLeans = Type.Object(
  { device: Type.String(), name: Type.String(), leans: Type.Boolean(), epoch: Type.Integer() },
  {
    title: 'DeviceLeans',
    description: 'Whether a device may lean, and the epoch of the membership from which on it is so.',
  },
)
/** Whether a device may lean, and the epoch of the membership from which on it is so. */
export type DeviceLeans = Of<typeof DeviceLeans>

export const DeviceTrusted = Type.Object(
  { device: Type.String(), name: Type.String(), suspicion: Type.Optional(SuspicionInfo) },
  {
    title: 'DeviceTrusted',
    description: 'Whose suspicion has ended, and what it was; absent when there was none.',
  },
)
/** Whose suspicion has ended, and what it was; absent when there was none. */
export type DeviceTrusted = Of<typeof DeviceTrusted>

/** The methods of this file. */
export const deletionMethods = {
  forget: method(
    'Signs that snapshots are not wanted any more: named ones, or those that rules do not keep. What could not be forgotten is in the result. `NOT_ENTITLED`, `USAGE`.',
    ForgetParams,
    Forgotten,
  ),
  trash: method(
    'Forgotten snapshots whose space is not free here yet, the one forgotten last at the end.',
    Nothing,
    Type.Array(TrashEntry),
  ),
  undelete: method(
    'Announces forgotten snapshots anew, once they are whole here. `NOT_ENTITLED`.',
    SnapshotIds,
    SnapshotsChanged,
  ),
  pin: method(
    'Marks snapshots that no retention of any device may forget. `NOT_ENTITLED`.',
    SnapshotIds,
    SnapshotsChanged,
  ),
  unpin: method('Takes the marks of this device away. `NOT_ENTITLED`.', SnapshotIds, SnapshotsChanged),
  prune: tellingMethod(
    'Frees the space of forgotten snapshots here, where no rule of safety forbids it.',
    PruneParams,
    PruneEvent,
    PruneResult,
  ),
  deviceLean: method(
    'Whether a device may refer to chunks that it cannot supply itself (R5). `DEVICE_NOT_FOUND`, `NOT_ENTITLED`.',
    Type.Object({ device: Type.String(), leans: Type.Boolean() }),
    DeviceLeans,
  ),
  deviceTrust: method(
    'Ends the suspicion under which retention stands still for a device here (R14). `DEVICE_NOT_FOUND`.',
    Type.Object({ device: Type.String() }),
    DeviceTrusted,
  ),
}
