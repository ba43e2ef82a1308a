/** The seam to time and chance: handed in, so that a simulation can be the same program. */

/** Reads time. */
export interface Clock {
  /** Wall-clock time, milliseconds since 1970; for display and for what people ask by date. */
  nowMs(): number
  /** Time that only runs forward, in milliseconds from an arbitrary start. */
  monotonicMs(): number
  /** Resolves after `ms` milliseconds; rejects with the signal's reason as soon as it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** Draws random bytes fit for keys. */
export interface Random {
  /** `length` bytes, fresh. */
  bytes(length: number): Uint8Array
}

/** What a node is given of the outside besides its disk and its network. */
export interface World {
  readonly clock: Clock
  readonly random: Random
}
