/** When another device counts as silent (telling.md §8). Pure: what is known of it goes in. */

/** What this node knows of the signs of life of another device; milliseconds of running time (R9). */
export interface SignsKnown {
  /** Since its newest listing came, or the last link with it ended; 0: it is linked now. */
  readonly sinceSignMs: number
  /** Since its newest snapshot came; undefined: it has made none, or makes none. */
  readonly sinceBackupMs: number | undefined
  /** Since it came back from its last silence; undefined: it never was silent. */
  readonly sinceBackMs: number | undefined
  /** How long it may be silent. */
  readonly afterMs: number
}

/** What is lacking of a device: any sign of life, or new snapshots. */
export type Lack = 'sign' | 'backup'

/**
 * Says what a device lacks for longer than it should.
 *
 * Running time is what counts: a household that was away for two weeks, all devices off, does not hear on its return
 * that each of them was silent.
 */
export function lackOf(known: SignsKnown): Lack | undefined {
  const { sinceSignMs, sinceBackupMs, sinceBackMs, afterMs } = known
  if (sinceSignMs >= afterMs) return 'sign'
  if (sinceBackupMs === undefined) return undefined
  // Whoever is back after a silence has its time to back up again.
  return Math.min(sinceBackupMs, sinceBackMs ?? sinceBackupMs) >= afterMs ? 'backup' : undefined
}

/** How often silences are looked for, milliseconds: often enough for the shortest that is set. */
export function lookEveryMs(shortestAfterMs: number): number {
  return Math.max(1000, Math.min(10 * 60_000, Math.floor(shortestAfterMs / 4)))
}
