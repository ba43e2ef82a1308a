/** Parameters and results about telling people and other programs how the node is (see `api.ts`). */

import type { HookMoment } from './config/types.ts'

/** Which hook to try, and as what. */
export interface HookTestParams {
  /** Name of a hook; `email` for the mail. */
  readonly name: string
  /** As if this had happened. @defaultValue the first that the hook is told of */
  readonly on?: HookMoment
}

/** What came of trying a hook; a hook that fails is a rejection, `HOOK_FAILED`. */
export interface HookTested {
  readonly message_type: 'hook_tested'
  readonly name: string
  readonly on: HookMoment
  /** `HTTP 204 from example.org`, `exit status 0`, … */
  readonly answer: string
  readonly seconds: number
}

/** The figures of a node as Prometheus reads them. */
export interface MetricsText {
  /** In the text format, version 0.0.4. */
  readonly text: string
}

/** How a hook, or the mail, fared (part of `Status`). Times are RFC 3339 in UTC. */
export interface HookStatus {
  readonly name: string
  readonly on: readonly HookMoment[]
  readonly told: number
  readonly failures: number
  readonly last_success?: string
  readonly last_failure?: string
  /** Of the last failure, while no success came after it. */
  readonly message?: string
}

/** A device that others have not heard of for longer than they should (part of `Status`). */
export interface SilentDevice {
  readonly device: string
  readonly name: string
  /** `sign`: nothing was heard of it; `backup`: it is heard of, but makes no new snapshots. */
  readonly lacks: 'sign' | 'backup'
  /** When the last one was known here. */
  readonly since: string
}

/** What the node knows of those it tells, and of whom it tells (part of `Status`). */
export interface TellingStatus {
  readonly hooks: readonly HookStatus[]
  readonly silent: readonly SilentDevice[]
}
