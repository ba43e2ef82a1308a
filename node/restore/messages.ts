/** What the threads of a restore say to each other. Plain data: everything here is cloned. */

import type { ChunkId, Entry, VaultKeys } from '../../protocol/index.ts'
import type { ChunkPlace } from '../../storage/index.ts'
import type { Dir } from '../adapters/posix.ts'
import type { NamePath } from '../backup/patterns.ts'
import type { Overwrite, Piece } from './plan.ts'
import type { SelectionRules } from './selection.ts'

/** What a worker is started with. */
export interface WorkerSetup {
  readonly keys: VaultKeys
  /** Of vaults before. */
  readonly older: readonly VaultKeys[]
  readonly rules: SelectionRules
  readonly overwrite: Overwrite
  /** A directory with something in it may make way for a file. */
  readonly mayDelete: boolean
  readonly dryRun: boolean
  /** What was written is read back before it is put in place. */
  readonly verify: boolean
  /** Events for every entry are wanted. */
  readonly verbose: boolean
  /** Names of unfinished files begin so; unlike for each worker. */
  readonly tempPrefix: string
  readonly shared: SharedArrayBuffer
}

/** Places in the shared memory: an `Int32` that says stop, then counters. */
export const COUNTERS = {
  stop: 0,
  entriesRestored: 1,
  entriesSkipped: 2,
  entriesDeleted: 3,
  filesVerified: 4,
  bytesRestored: 5,
  bytesSkipped: 6,
} as const

/** What is known of the directory a job works in. Descriptors are the process's own, in every thread the same. */
export interface JobPlace {
  /** Undefined in a dry run, where it would be new, and while it is not sure that it is needed. */
  readonly dir?: Dir
  /** Its path in the snapshot. */
  readonly path: Uint8Array
  /** The same for matching; empty when everything is selected. */
  readonly names: NamePath
  /** It was made by this restore: nothing can be in the way. */
  readonly isFresh: boolean
  readonly isSelected: boolean
  /** What is made in it gets ACLs from it. */
  readonly inheritsAcl: boolean
}

/** One thing for a worker to do. Descriptors stay open until the answer. */
export type Job =
  /** Restores one part of a directory. With `scan`, only looks whether anything in it is selected. */
  | {
      readonly kind: 'part'
      readonly place: JobPlace
      readonly tree: ChunkId
      readonly treePlace?: ChunkPlace
      readonly scan: boolean
    }
  /** Restores one file that is known to be selected. */
  | { readonly kind: 'entry'; readonly place: JobPlace; readonly entry: Entry }
  /** Writes chunks to an open file, or with `verify` compares it with them. */
  | {
      readonly kind: 'pieces'
      readonly fd: number
      readonly chunks: readonly ChunkPieces[]
      readonly verify: boolean
    }
  /** Removes what the parts of a directory do not name. */
  | {
      readonly kind: 'extra'
      readonly place: JobPlace
      readonly trees: readonly ChunkId[]
      readonly keep: readonly Uint8Array[]
    }
  | { readonly kind: 'sync'; readonly dir: Dir }

/** Where a chunk goes. */
export interface ChunkPieces {
  readonly id: ChunkId
  /** Bytes it must have. */
  readonly length: number
  readonly pieces: readonly Piece[]
}

/** Something that could not be restored as it was. */
export interface RestoreProblem {
  /** In the snapshot; raw bytes. */
  readonly path: Uint8Array
  /** One of ours (`CHUNK_CORRUPT`), or the system's (`EACCES`). */
  readonly code: string
  readonly message: string
}

/** What happened to one entry. */
export interface RestoreEntryEvent {
  readonly action: 'restored' | 'updated' | 'unchanged' | 'deleted' | 'verified'
  readonly path: Uint8Array
  /** Bytes. */
  readonly size: number
}

/** How far a restore is. Files are all entries here: directories and others too. */
export interface RestoreCounters {
  readonly totalFiles: number
  readonly filesRestored: number
  /** Left as they were there. */
  readonly filesSkipped: number
  readonly filesDeleted: number
  readonly totalBytes: number
  readonly bytesRestored: number
  readonly bytesSkipped: number
}

/** A directory that a worker came across. */
export interface FoundDirectory {
  readonly entry: Entry
  /** `fresh`: made just now; `there`: it was there; `lazy`: to be made once something below is selected. */
  readonly state: 'fresh' | 'there' | 'lazy'
  readonly isSelected: boolean
}

/** What came of a job. */
export interface JobResult {
  readonly directories: readonly FoundDirectory[]
  /** Files with several names: the main thread brings them together. */
  readonly linked: readonly Entry[]
  /** Files so large that several workers share them. */
  readonly large: readonly Entry[]
  /** A scan found something selected in the part itself. */
  readonly isNeeded: boolean
  /** Of an `entry` job: what the snapshot has is there now, and other names may be linked to it. */
  readonly isPlaced: boolean
  readonly problems: readonly RestoreProblem[]
  /** What could not be set, and how often. */
  readonly notices: ReadonlyMap<string, number>
  readonly events: readonly RestoreEntryEvent[]
}

/** From the main thread. */
export type ToWorker =
  | { readonly type: 'job'; readonly number: number; readonly job: Job }
  | {
      readonly type: 'places'
      readonly request: number
      readonly places: readonly (ChunkPlace | undefined)[]
    }
  | { readonly type: 'chunk'; readonly request: number; readonly bytes: Uint8Array }
  | { readonly type: 'no-chunk'; readonly request: number; readonly code: string; readonly message: string }

/** From a worker. */
export type FromWorker =
  | { readonly type: 'done'; readonly number: number; readonly result: JobResult }
  /** The job could not go on: the target is full, or the restore was stopped. */
  | { readonly type: 'failed'; readonly number: number; readonly code: string; readonly message: string }
  | { readonly type: 'locate'; readonly request: number; readonly ids: readonly ChunkId[] }
  | { readonly type: 'fetch'; readonly request: number; readonly id: ChunkId }
