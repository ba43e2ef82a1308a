/** What the main thread's side of a restore works with. */

import { type Posix } from '../adapters/posix.ts'
import type { ChunkSource } from '../chunk-source.ts'
import type { SnapshotReader } from '../snapshot-reader.ts'
import type { WriterParts } from './file-writer.ts'
import type { RestoreEntryEvent, RestoreProblem } from './messages.ts'
import type { Rights } from './metadata.ts'
import { Outcome, type SharedCounters } from './outcome.ts'
import type { Overwrite } from './plan.ts'
import type { WorkerPool } from './pool.ts'

/** What the whole restore shares. */
export interface RestorationParts {
  readonly posix: Posix
  readonly rights: Rights
  readonly reader: SnapshotReader
  readonly source: ChunkSource
  readonly pool: WorkerPool
  readonly counters: SharedCounters
  readonly signal: AbortSignal
  readonly overwrite: Overwrite
  /** What is there was made by this restore, before it was broken off. */
  readonly goesOn: boolean
  readonly dryRun: boolean
  readonly verify: boolean
  readonly verbose: boolean
  readonly mayDelete: boolean
  /** Says whether the snapshot has all of a directory, so that what it lacks there may be removed. */
  readonly isWhole: (path: Uint8Array) => boolean
  /** Names in a directory that stay although the snapshot lacks them: what could not be read, and the program's own. */
  readonly keepIn: (path: Uint8Array) => readonly Uint8Array[]
  /** A name for an unfinished file, never the same twice. */
  readonly tempName: () => Uint8Array
  /** Paths are matched: names are needed. */
  readonly hasRules: boolean
  /** An entry could not be restored; the rest goes on. */
  readonly onProblem: (problem: RestoreProblem) => void
  /** So many entries were restored less than exactly, for one reason. */
  readonly onNotice: (what: string, count: number) => void
  /** What became of one entry; with `verbose` only. */
  readonly onEvent: (event: RestoreEntryEvent) => void
}

/** Gathers what comes of one step in the main thread. */
export function newOutcome({ counters, verbose }: RestorationParts): Outcome {
  return new Outcome(counters, verbose)
}

/** What writing a file in the main thread needs. */
export function writerOf(
  { posix, rights, mayDelete, tempName }: RestorationParts,
  outcome: Outcome,
): WriterParts {
  return { posix, rights, mayDelete, notice: outcome.notice, tempName }
}
