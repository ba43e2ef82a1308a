/**
 * The one table of what a node can be asked: parameters, events and result of each method. The command line,
 * the control socket and later the dashboard speak it; whoever answers it is a `NodeHandle`.
 *
 * Everything here is JSON. Parameters are ours (camelCase). Events and results are what `--json` prints, as they
 * are: field names of restic where it has the same thing (snake_case), times RFC 3339 in UTC or with an
 * offset, bytes as integers, shares as fractions 0..1, durations in seconds unless the name says otherwise.
 */

import type {
  CheckParams,
  CheckEvent,
  CheckSummary,
  RestoreEvent,
  RestoreParams,
  RestoreSummary,
} from './api-restore.ts'
import type { BackupEvent, BackupParams, BackupSummary } from './api-backup.ts'
import type {
  DiffEvent,
  DiffParams,
  DiffStatistics,
  DumpEvent,
  DumpParams,
  DumpResult,
  FindHits,
  FindParams,
  LsEvent,
  LsParams,
  LsResult,
  SnapshotInfo,
  SnapshotsParams,
  Stats,
  StatsParams,
} from './api-browse.ts'
import type {
  DeviceLeans,
  DeviceTrusted,
  Forgotten,
  ForgetParams,
  PruneEvent,
  PruneParams,
  PruneResult,
  SnapshotIds,
  SnapshotsChanged,
  TrashEntry,
} from './api-deletion.ts'
import type {
  DeviceInfo,
  DeviceRemoved,
  DeviceRenamed,
  InviteEvent,
  InviteParams,
  Invited,
  Status,
  Stopping,
  VersionInfo,
} from './api-mesh.ts'
import type {
  ProfileBackupEvent,
  ProfileBackupParams,
  ProfileBackupSummary,
  ScheduledTask,
} from './api-schedule.ts'

export type * from './api-backup.ts'
export type * from './api-browse.ts'
export type * from './api-deletion.ts'
export type * from './api-mesh.ts'
export type * from './api-restore.ts'
export type * from './api-schedule.ts'

/** One method: what it is given, what it tells on the way, what it answers. */
export interface Method<Params, Event, Result> {
  readonly params: Params
  readonly event: Event
  readonly result: Result
}

/** No parameters. */
export type Nothing = Readonly<Record<string, never>>

/** Every method of a node. */
export interface Methods {
  readonly status: Method<Nothing, never, Status>
  readonly version: Method<Nothing, never, VersionInfo>
  /** Ends a running node: answers first, then closes. `NODE_NOT_RUNNING` when it was opened for one command only. */
  readonly stop: Method<Nothing, never, Stopping>
  readonly devices: Method<Nothing, never, readonly DeviceInfo[]>
  /** `DEVICE_NOT_FOUND`, `NOT_ENTITLED`. */
  readonly deviceRemove: Method<{ readonly device: string }, never, DeviceRemoved>
  /** `DEVICE_NOT_FOUND`, `NOT_ENTITLED`. */
  readonly deviceRename: Method<{ readonly device: string; readonly name: string }, never, DeviceRenamed>
  /**
   * Resolves when the newcomer is admitted. `CODE_EXPIRED` after its time, or after three wrong tries; abort closes
   * the invitation.
   */
  readonly invite: Method<InviteParams, InviteEvent, Invited>
  /** With `stdin`, content comes as `input`. Aborted: nothing is published, chunks already stored are used again. */
  readonly backup: Method<BackupParams, BackupEvent, BackupSummary>
  /**
   * The same as the settings say it, which is what the schedule runs. `CONFIG_INVALID` when there is no such profile or
   * it names nothing to back up, `PUT_OFF` on battery or a metered network when the profile says so.
   */
  readonly backupProfile: Method<ProfileBackupParams, ProfileBackupEvent, ProfileBackupSummary>
  /** What this node does by itself: when it did, and when it will. */
  readonly schedule: Method<Nothing, never, readonly ScheduledTask[]>
  readonly snapshots: Method<SnapshotsParams, never, readonly SnapshotInfo[]>
  readonly ls: Method<LsParams, LsEvent, LsResult>
  readonly find: Method<FindParams, never, readonly FindHits[]>
  readonly diff: Method<DiffParams, DiffEvent, DiffStatistics>
  /** Bytes go to `output`; of a directory, those of a tar archive. `PATH_NOT_FOUND`. */
  readonly dump: Method<DumpParams, DumpEvent, DumpResult>
  readonly stats: Method<StatsParams, never, Stats>
  /** Files that could not be restored are events and `error_count`, never a rejection. */
  readonly restore: Method<RestoreParams, RestoreEvent, RestoreSummary>
  readonly check: Method<CheckParams, CheckEvent, CheckSummary>
  /**
   * Signs that snapshots are not wanted any more: named ones, or those that rules do not keep. What could not be
   * forgotten is in the result. `NOT_ENTITLED`, `USAGE`.
   */
  readonly forget: Method<ForgetParams, never, Forgotten>
  /** Forgotten snapshots whose space is not free here yet, the one forgotten last at the end. */
  readonly trash: Method<Nothing, never, readonly TrashEntry[]>
  /** Announces forgotten snapshots anew, once they are whole here. `NOT_ENTITLED`. */
  readonly undelete: Method<SnapshotIds, never, SnapshotsChanged>
  /** Marks snapshots that no retention of any device may forget. `NOT_ENTITLED`. */
  readonly pin: Method<SnapshotIds, never, SnapshotsChanged>
  /** Takes the marks of this device away. `NOT_ENTITLED`. */
  readonly unpin: Method<SnapshotIds, never, SnapshotsChanged>
  readonly prune: Method<PruneParams, PruneEvent, PruneResult>
  /** Whether a device may refer to chunks that it cannot supply itself (R5). `DEVICE_NOT_FOUND`, `NOT_ENTITLED`. */
  readonly deviceLean: Method<{ readonly device: string; readonly leans: boolean }, never, DeviceLeans>
  /** Ends the suspicion under which retention stands still for a device here (R14). `DEVICE_NOT_FOUND`. */
  readonly deviceTrust: Method<{ readonly device: string }, never, DeviceTrusted>
}

/** The name of a method. */
export type MethodName = keyof Methods
/** What a method is given. */
export type ParamsOf<M extends MethodName> = Methods[M]['params']
/** What a method tells on the way; `never` when nothing. */
export type EventOf<M extends MethodName> = Methods[M]['event']
/** What a method answers. */
export type ResultOf<M extends MethodName> = Methods[M]['result']

/** What a call may do on the way. */
export interface CallOptions<M extends MethodName> {
  /** Aborts the method, in whichever process it runs; the call then rejects with `ABORTED`. */
  readonly signal: AbortSignal
  /** Called in order, before the call resolves. */
  readonly onEvent?: (event: EventOf<M>) => void
  /** Bytes for the method to read (`backup` with `stdin`); drained at the method's pace. */
  readonly input?: AsyncIterable<Uint8Array>
  /** Takes bytes of the method (`dump`), borrowed until it resolves; the method waits for it. */
  readonly output?: (bytes: Uint8Array) => Promise<void>
}

/** A node, in this process or behind its control socket: the same answers either way. */
export interface NodeHandle {
  /** Runs a method. @throws {CellarError} as the method says; `ABORTED` when the signal is given */
  call<M extends MethodName>(method: M, params: ParamsOf<M>, options: CallOptions<M>): Promise<ResultOf<M>>
  /** Lets go: closes a node of this process, only the connection to another. Idempotent. */
  close(): Promise<void>
}

/** What a method's implementation is given besides its parameters; nothing is optional here. */
export interface CallContext<M extends MethodName> {
  readonly signal: AbortSignal
  /** Tells the caller something on the way. */
  readonly onEvent: (event: EventOf<M>) => void
  readonly input: AsyncIterable<Uint8Array>
  /** Hands bytes to the caller; resolves when more may come. */
  readonly output: (bytes: Uint8Array) => Promise<void>
}

/** One function for each method: what a node implements. */
export type Handlers = {
  readonly [M in MethodName]: (params: ParamsOf<M>, context: CallContext<M>) => Promise<ResultOf<M>>
}

async function* noInput(): AsyncGenerator<Uint8Array> {
  // nothing to read
}

/**
 * Makes a handle of the functions of a node in this process.
 *
 * @param handlers - one for each method
 * @param close - closes the node; called at most once
 */
export function handleOf(handlers: Handlers, close: () => Promise<void>): NodeHandle {
  let closing: Promise<void> | undefined
  return {
    async call(method, params, options) {
      options.signal.throwIfAborted()
      return await handlers[method](params, {
        signal: options.signal,
        onEvent: options.onEvent ?? (() => undefined),
        input: options.input ?? noInput(),
        output: options.output ?? (() => Promise.resolve()),
      })
    },
    close: () => (closing ??= close()),
  }
}

const NAMES: Readonly<Record<MethodName, true>> = {
  status: true,
  version: true,
  stop: true,
  devices: true,
  deviceRemove: true,
  deviceRename: true,
  invite: true,
  backup: true,
  backupProfile: true,
  schedule: true,
  snapshots: true,
  ls: true,
  find: true,
  diff: true,
  dump: true,
  stats: true,
  restore: true,
  check: true,
  forget: true,
  trash: true,
  undelete: true,
  pin: true,
  unpin: true,
  prune: true,
  deviceLean: true,
  deviceTrust: true,
}

/** Says whether a text names a method. */
export function isMethodName(text: string): text is MethodName {
  return Object.hasOwn(NAMES, text)
}
