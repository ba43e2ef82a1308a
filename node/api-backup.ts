/** Parameters, events and result of `backup` (see `api.ts`). Messages are restic's. */

import type { PathFields, PathText } from './path-text.ts'

/** What is backed up, what is left out, and how the snapshot is marked. */
export interface BackupParams {
  /** Absolute, without `.` and `..`; empty when `stdin` is given. */
  readonly paths: readonly PathText[]
  /** Patterns as restic's; files of patterns are already read, `$VAR` already expanded. */
  readonly excludes: readonly PathText[]
  /** The same, without regard to case. */
  readonly iexcludes: readonly PathText[]
  /** Leave out directories with a valid CACHEDIR.TAG. */
  readonly excludeCaches: boolean
  /** `NAME` or `NAME:HEADER`: leave out directories that hold such a file. */
  readonly excludeIfPresent: readonly PathText[]
  /** Leave out larger files, bytes. */
  readonly excludeLargerThan?: number
  readonly oneFileSystem: boolean
  /** Back up `input` as one file of this name (a bare name, put at the top of the snapshot). */
  readonly stdin?: { readonly name: PathText }
  readonly tags: readonly string[]
  /** RFC 3339 with offset; else now. */
  readonly time?: string
  readonly dryRun: boolean
  readonly skipIfUnchanged: boolean
  /** Wait until the snapshot is on so many devices, or on as many as the goal wants. */
  readonly wait?: 'goal' | number
  /** `low`: other programs go before its threads. */
  readonly priority?: 'low' | 'normal'
  /** Send `verbose_status` for each entry, and `excluded_item`. */
  readonly verbose: boolean
}

/** How far a backup is; at most ten times a second. */
export interface BackupStatus {
  readonly message_type: 'status'
  readonly seconds_elapsed: number
  readonly seconds_remaining?: number
  /** 0..1; absent or 0 while the scan goes on. */
  readonly percent_done: number
  readonly total_files?: number
  readonly files_done?: number
  readonly total_bytes?: number
  readonly bytes_done?: number
  readonly error_count?: number
  readonly current_files?: readonly string[]
}

/** What became of one entry; only with `verbose`. Sizes in bytes, `duration` in seconds. */
export interface BackupVerbose {
  readonly message_type: 'verbose_status'
  readonly action: 'new' | 'unchanged' | 'modified' | 'scan_finished'
  /** The path, readable; `item_b64` beside it where it is not UTF-8. */
  readonly item: string
  readonly item_b64?: string
  readonly duration?: number
  readonly data_size?: number
  readonly data_size_in_repo?: number
  readonly metadata_size?: number
  readonly metadata_size_in_repo?: number
  readonly total_files?: number
}

/** Something could not be read or restored; the work goes on. */
export interface ItemError {
  readonly message_type: 'error'
  readonly error: { readonly message: string }
  readonly during: string
  readonly item: string
  readonly item_b64?: string
  readonly code: string
}

/** What a backup tells on the way. */
export type BackupEvent =
  | BackupStatus
  | BackupVerbose
  | ItemError
  | { readonly message_type: 'excluded_item'; readonly item: string; readonly item_b64?: string }
  /** The snapshot is durable here and announced: from now on interrupting loses nothing. */
  | { readonly message_type: 'saved'; readonly snapshot_id: string }
  /** While waiting: how many devices hold it so far. */
  | {
      readonly message_type: 'copies'
      readonly snapshot_id: string
      readonly copies: number
      readonly copies_wanted: number
      readonly devices: readonly string[]
    }
  /** Something to know that is no error: a feature this system lacks, a device not seen for long. */
  | { readonly message_type: 'notice'; readonly message: string }

/** One source that could not be read. */
export interface Unread extends PathFields {
  readonly code: string
  readonly message: string
}

/** What a backup came to; counts of entries and chunks, sizes in bytes. */
export interface BackupSummary {
  readonly message_type: 'summary'
  readonly dry_run: boolean
  readonly files_new: number
  readonly files_changed: number
  readonly files_unmodified: number
  readonly dirs_new: number
  readonly dirs_changed: number
  readonly dirs_unmodified: number
  readonly data_blobs: number
  readonly tree_blobs: number
  /** New bytes before, and after compression and sealing. */
  readonly data_added: number
  readonly data_added_packed: number
  readonly total_files_processed: number
  readonly total_bytes_processed: number
  readonly backup_start: string
  readonly backup_end: string
  /** Seconds. */
  readonly total_duration: number
  /** Absent in a dry run, and when nothing changed and `skipIfUnchanged` was asked for. */
  readonly snapshot_id?: string
  /** Devices that hold it now, and that should. */
  readonly copies: number
  readonly copies_wanted: number
  /**
   * What `wait` asked for, in devices, was reached; absent when it was not asked. `full`: names of the devices in
   * reach, where none of them had room.
   */
  readonly waited?: { readonly wanted: number; readonly reached: boolean; readonly full?: readonly string[] }
  readonly unread: readonly Unread[]
}
