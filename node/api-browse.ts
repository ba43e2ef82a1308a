/** Parameters, events and results of what looks inside snapshots (see `api.ts`). Messages are restic's. */

import type { PathText } from './path-text.ts'

/** Which snapshots are meant; everything given must hold. Empty lists say nothing. */
export interface SnapshotFilter {
  /** Names, ids or prefixes of ids; any of them. */
  readonly devices: readonly string[]
  /** Absolute paths; the snapshot has all of them. */
  readonly paths: readonly PathText[]
  /** Any of the lists, all tags of that list; `['']` is untagged. */
  readonly tags: readonly (readonly string[])[]
}

/** One snapshot: an id prefix or `latest`, with `:PATH` behind it where a path makes sense. */
export interface SnapshotChoice {
  readonly snapshot: PathText
  /** Applies to `latest`. */
  readonly filter: SnapshotFilter
}

/** Which snapshots are listed. */
export interface SnapshotsParams {
  readonly filter: SnapshotFilter
  /** Ids or `latest`; empty is all. */
  readonly snapshots: readonly string[]
  /** Only so many newest of each device and set of paths, 1.. */
  readonly latest?: number
}

/**
 * One live snapshot, as this device knows it; details only where its root chunk could be read. Times RFC
 * 3339.
 */
export interface SnapshotInfo {
  readonly id: string
  readonly short_id: string
  readonly time: string
  readonly parent?: string
  readonly tree?: string
  readonly paths: readonly string[]
  /** Beside `paths`, only when one of them is not UTF-8. */
  readonly paths_b64?: readonly string[]
  readonly hostname: string
  readonly username: string
  readonly uid?: number
  readonly gid?: number
  readonly excludes?: readonly string[]
  readonly tags?: readonly string[]
  readonly program_version: string
  readonly summary?: {
    readonly files_new: number
    readonly files_changed: number
    readonly files_unmodified: number
    readonly data_added: number
    readonly data_added_packed: number
    readonly total_files_processed: number
    readonly total_bytes_processed: number
  }
  /** Sources that could not be read. */
  readonly unread_count?: number
  /** Who made it. */
  readonly device: string
  readonly device_name: string
  /** Devices that hold it, their names, and how many should. */
  readonly copies: number
  readonly copies_wanted: number
  readonly holders: readonly string[]
  /** Its chunks are all on this device. */
  readonly here: boolean
}

export interface LsParams extends SnapshotChoice {
  /** Only these and what is directly in them; empty: all of the snapshot, or of its `:PATH`. */
  readonly paths: readonly PathText[]
  readonly recursive: boolean
}

/** One entry of a snapshot. */
export interface NodeInfo {
  readonly message_type: 'node'
  /** As restic's older name of `message_type`. */
  readonly struct_type: 'node'
  readonly name: string
  readonly type: 'file' | 'dir' | 'symlink' | 'fifo' | 'chardev' | 'dev' | 'socket'
  readonly path: string
  readonly path_b64?: string
  readonly uid: number
  readonly gid: number
  readonly user?: string
  readonly group?: string
  readonly size?: number
  /** As the system's st_mode of Go, as restic gives it: permission bits in the low nine. */
  readonly mode: number
  /** `-rw-r--r--`. */
  readonly permissions: string
  readonly mtime: string
  readonly atime?: string
  readonly ctime: string
  readonly inode?: number
  readonly linktarget?: string
  readonly linktarget_b64?: string
}

/** The snapshot first, then its entries in the order of their paths. */
export type LsEvent =
  | (SnapshotInfo & { readonly message_type: 'snapshot'; readonly struct_type: 'snapshot' })
  | NodeInfo

/** How many entries were told. */
export interface LsResult {
  readonly nodes: number
}

/** What is looked for, and where. */
export interface FindParams {
  /** Names or paths with wildcards. */
  readonly patterns: readonly PathText[]
  readonly ignoreCase: boolean
  readonly filter: SnapshotFilter
  readonly snapshots: readonly string[]
  /** RFC 3339; by the time of modification. */
  readonly oldest?: string
  readonly newest?: string
  readonly type?: 'file' | 'dir' | 'symlink'
}

/** What one snapshot has of what is looked for; snapshots without any are left out. */
export interface FindHits {
  readonly hits: number
  readonly snapshot: string
  readonly snapshot_time: string
  readonly device_name: string
  readonly matches: readonly Omit<NodeInfo, 'message_type' | 'struct_type' | 'name'>[]
}

/** The two snapshots, or directories of them, that are compared. */
export interface DiffParams {
  /** Each with an optional `:PATH`. */
  readonly from: PathText
  readonly to: PathText
  readonly filter: SnapshotFilter
  /** Report changes of metadata alone too (`U`). */
  readonly metadata: boolean
}

/** One path that differs. */
export interface DiffEvent {
  readonly message_type: 'change'
  readonly path: string
  readonly path_b64?: string
  /** `+` added, `-` removed, `M` content, `T` type, `U` metadata, `?` content differs though nothing else does. */
  readonly modifier: string
}

/** What one side has and the other has not: entries, chunks, and bytes of the chunks. */
export interface DiffCounts {
  readonly files: number
  readonly dirs: number
  readonly others: number
  readonly data_blobs: number
  readonly tree_blobs: number
  readonly bytes: number
}

/** What a comparison came to. */
export interface DiffStatistics {
  readonly message_type: 'statistics'
  readonly source_snapshot: string
  readonly target_snapshot: string
  readonly changed_files: number
  readonly added: DiffCounts
  readonly removed: DiffCounts
}

export interface DumpParams extends SnapshotChoice {
  /** The file to write; a directory goes out as an archive. */
  readonly path: PathText
  readonly archive: 'tar'
}

/** Something that an archive cannot carry as it is. */
export interface DumpEvent {
  readonly message_type: 'notice'
  readonly message: string
}

/** How many bytes went out. */
export interface DumpResult {
  readonly bytes: number
}

/** Which snapshots are counted, and what: restored files, distinct contents, or chunks as stored. */
export interface StatsParams {
  readonly filter: SnapshotFilter
  readonly snapshots: readonly string[]
  readonly mode: 'restore-size' | 'files-by-contents' | 'raw-data'
}

/** What snapshots take, in bytes; which fields there are depends on the mode, as in restic. */
export interface Stats {
  readonly total_size: number
  readonly total_file_count?: number
  readonly total_blob_count?: number
  readonly snapshots_count: number
  readonly total_uncompressed_size?: number
  readonly compression_ratio?: number
  readonly compression_progress?: number
  readonly compression_space_saving?: number
}
