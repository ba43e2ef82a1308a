/** Parameters, events and results of `restore` and `check` (see `api.ts`). Messages are restic's. */

import type { ItemError } from './api-backup.ts'
import type { SnapshotChoice } from './api-browse.ts'
import type { PathFields, PathText } from './path-text.ts'

/** What to do with a file that is there already. */
export type Overwrite = 'always' | 'if-changed' | 'if-newer' | 'never'

/** What is restored, to where, and what is done with files that are there. */
export interface RestoreParams extends SnapshotChoice {
  /** Absolute directory; made if it is not there. */
  readonly target: PathText
  readonly includes: readonly PathText[]
  readonly iincludes: readonly PathText[]
  readonly excludes: readonly PathText[]
  readonly iexcludes: readonly PathText[]
  /** Fetch from this device only: name, id or prefix. */
  readonly from?: string
  readonly overwrite: Overwrite
  /** Remove what is in the target and not in the snapshot. */
  readonly delete: boolean
  readonly dryRun: boolean
  /** Read every file back afterwards. */
  readonly verify: boolean
  /** Send `verbose_status` for each entry. */
  readonly verbose: boolean
}

/** Entries and bytes so far; `files_` counts entries of every type, as in restic. */
export interface RestoreCounters {
  readonly total_files: number
  readonly files_restored: number
  readonly files_skipped: number
  readonly files_deleted: number
  readonly total_bytes: number
  readonly bytes_restored: number
  readonly bytes_skipped: number
}

/** How far a restore is; about ten times a second. */
export interface RestoreStatus extends Partial<RestoreCounters> {
  readonly message_type: 'status'
  readonly seconds_elapsed: number
  /** 0..1. */
  readonly percent_done: number
}

/** What a restore tells on the way. */
export type RestoreEvent =
  | RestoreStatus
  | ItemError
  | {
      readonly message_type: 'verbose_status'
      readonly action: 'restored' | 'updated' | 'unchanged' | 'deleted' | 'verified'
      readonly item: string
      readonly item_b64?: string
      readonly size: number
    }
  | { readonly message_type: 'notice'; readonly message: string }

/** What a restore came to; `errors` lists the first 10,000 entries that could not be restored. */
export interface RestoreSummary extends RestoreCounters {
  readonly message_type: 'summary'
  readonly seconds_elapsed: number
  readonly dry_run: boolean
  readonly snapshot_id: string
  readonly target: string
  /** Files read back and found right; only when `verify` was asked for. */
  readonly files_verified?: number
  readonly errors: readonly (PathFields & { readonly code: string; readonly message: string })[]
}

/** What is checked, and whether it is mended. */
export interface CheckParams {
  /** Read and verify the bytes of every chunk, not only the structure. */
  readonly readData: boolean
  /** Part of them: `10%`, `n/t` (part n of t) or a size in bytes as text. */
  readonly subset?: string
  /** Mend what is bad from peers. */
  readonly repair: boolean
  /** Ids; empty is all. */
  readonly snapshots: readonly string[]
}

/** What a check tells on the way. */
export type CheckEvent =
  | {
      readonly message_type: 'status'
      readonly seconds_elapsed: number
      readonly percent_done: number
      readonly what: string
      readonly chunks_done: number
      readonly total_chunks: number
      readonly bytes_done?: number
      readonly total_bytes?: number
      readonly error_count: number
    }
  | {
      readonly message_type: 'error'
      readonly message: string
      readonly code: string
      readonly chunk?: string
    }
  | { readonly message_type: 'mended'; readonly chunk: string; readonly from: string }
  | { readonly message_type: 'notice'; readonly message: string }

/** What a check came to. */
export interface CheckSummary {
  readonly message_type: 'summary'
  /** Problems found, and those of them that were mended. */
  readonly num_errors: number
  readonly num_mended: number
  readonly chunks_checked: number
  readonly bytes_read: number
  readonly snapshots_checked: number
  /** As restic's; packs of this store with bad chunks. */
  readonly broken_packs: readonly string[]
  readonly suggest_repair_index: boolean
  readonly suggest_prune: boolean
}
