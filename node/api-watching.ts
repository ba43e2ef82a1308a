/** Parameters, events and results of looking after what is stored, here and at the others (see `api.ts`). */

import type { PathText } from './path-text.ts'

/** How much a scrub reads. */
export interface ScrubParams {
  /** Of the bytes of all packs, 0.1 .. 100: beginning where the last one ended. */
  readonly percent: number
  /** KiB a second; left out: as fast as it goes. */
  readonly limit?: number
}

/** On the way of a scrub. */
export type ScrubEvent =
  | {
      readonly message_type: 'status'
      readonly seconds_elapsed: number
      /** Of what this scrub shall read. */
      readonly percent_done: number
      readonly bytes_done: number
      readonly total_bytes: number
      readonly error_count: number
    }
  | {
      readonly message_type: 'error'
      readonly message: string
      readonly code: string
      /** A chunk id. */
      readonly chunk?: string
    }
  | { readonly message_type: 'mended'; readonly chunk: string; readonly from: string }

/** What a scrub came to. */
export interface ScrubSummary {
  readonly message_type: 'summary'
  readonly packs_read: number
  readonly chunks_read: number
  readonly bytes_read: number
  /** Chunks that were damaged or gone. */
  readonly chunks_bad: number
  /** Of these, those that are good again; in a running node the others are seen to as soon as it can be done. */
  readonly chunks_mended: number
  /** With this one, every pack has been read once more. */
  readonly round_done: boolean
}

/** What a drill tries. */
export interface DrillParams {
  /** Id, its beginning, or `latest`; left out: one that others hold, drawn at random. */
  readonly snapshot?: PathText
  /** The device to restore from; left out: whichever of the holders is in reach. */
  readonly from?: string
  /** At most so many files, 1 or more; left out: what the settings say. */
  readonly files?: number
  /** At most so many bytes; left out: what the settings say. */
  readonly bytes?: number
}

/** On the way of a drill. */
export type DrillEvent =
  | {
      readonly message_type: 'status'
      readonly seconds_elapsed: number
      readonly percent_done: number
      readonly files_done: number
      readonly total_files: number
      readonly bytes_done: number
      readonly total_bytes: number
      readonly error_count: number
    }
  | {
      readonly message_type: 'error'
      readonly message: string
      readonly code: string
      readonly item?: string
      readonly item_b64?: string
    }

/** What a drill came to. */
export interface DrillSummary {
  readonly message_type: 'summary'
  readonly snapshot_id: string
  /** Names of the devices that were read from. */
  readonly from: readonly string[]
  readonly files_restored: number
  readonly bytes_restored: number
  /** Of these, files that are unchanged here, and were compared byte by byte with what came back. */
  readonly files_compared: number
  /** Files that did not come back as they were backed up. */
  readonly files_failed: number
  readonly seconds_elapsed: number
}

/** What asking the others for proofs came to. */
export interface AuditSummary {
  readonly message_type: 'summary'
  readonly devices_asked: number
  readonly snapshots_proven: number
  readonly snapshots_failed: number
  /** Nothing could be learned: the device went away, was busy, or there was nothing here to compare with. */
  readonly snapshots_put_off: number
}

/** How often something was looked at, and what came of it; of this device, since it keeps count. */
export interface WatchingStatus {
  readonly scrub: {
    readonly last_run?: string
    /** When every pack had been read once more. */
    readonly last_round?: string
    /** When the round under way began, and how much of the packs it has read, 0 .. 1. */
    readonly round_started?: string
    readonly round_percent: number
    /** Since this device keeps count. */
    readonly bytes_read: number
    readonly chunks_bad: number
    readonly chunks_mended: number
  }
  /** Chunks that are damaged now, and not mended yet. */
  readonly bad_chunks: number
  readonly audit: {
    readonly last_run?: string
    readonly proven: number
    readonly failed: number
    /** Snapshots that a device says it holds and could not prove: they count as no copy. */
    readonly doubted: readonly { readonly device: string; readonly name: string; readonly snapshots: number }[]
  }
  readonly drill?: {
    readonly last_run: string
    readonly outcome: 'passed' | 'failed'
    readonly snapshot_id: string
    readonly from: readonly string[]
    readonly files_restored: number
    readonly bytes_restored: number
    readonly files_compared: number
    readonly files_failed: number
    /** When one last passed. */
    readonly last_passed?: string
  }
}
