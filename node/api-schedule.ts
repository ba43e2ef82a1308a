/** Parameters, events and result of what a node does by itself at times (see `api.ts`). */

import type { BackupEvent, BackupParams, BackupSummary } from './api-backup.ts'

/** One task of the node, when it ran and when it will. Times are RFC 3339 in UTC. */
export interface ScheduledTask {
  /** What is done: `backup`, `check`, `scrub`, `drill`, `retention`. */
  readonly name: string
  /** The profile, of a backup. */
  readonly profile?: string
  /** As the settings say it: a word, a cron expression, or `off`. */
  readonly due: string
  /** Absent when it is off, and while no node runs here. In the past: it is overdue, and waits for what `waits` says. */
  readonly next_run?: string
  readonly last_run?: string
  readonly last_outcome?: 'done' | 'partly' | 'failed' | 'broken-off'
  /** When it last came to its end well. */
  readonly last_success?: string
  /** Of the last run, if there is something to say. */
  readonly message?: string
  readonly code?: string
  /** Seconds the last run took. */
  readonly seconds?: number
  /** Runs now. */
  readonly running: boolean
  /** Why it is put off at this moment: `battery`, `metered`. */
  readonly waits?: 'battery' | 'metered'
}

/** A backup as a profile of the settings says: what its schedule runs. */
export interface ProfileBackupParams {
  /** Name of a profile. */
  readonly profile: string
  /** Also on battery or on a metered network, whatever the profile says. */
  readonly force: boolean
  /** In the place of what the profile says. */
  readonly instead: Partial<Omit<BackupParams, 'stdin'>>
}

/** What `backupProfile` tells on the way. */
export type ProfileBackupEvent = BackupEvent

/** What `backupProfile` came to. */
export type ProfileBackupSummary = BackupSummary
