/** Lets other programs go before a thread of ours (spec/schedule.md §5). */

import { setPriority } from 'node:os'

/** As `nice -n 10`: about a tenth of a processor that somebody else wants too. */
const niceLow = 10

/**
 * Lowers the thread that calls, for good. Linux has a priority for each thread, and takes that of the disk from it as
 * long as no other was set: (nice + 20) / 5, 0 being the first of 8. Elsewhere it would be that of the whole process,
 * and nothing is done. A system that forbids it is left alone too: slower neighbours are no reason to make no backup.
 */
export function lowerThisThread(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, niceLow)
  } catch {
    // forbidden, in a container say
  }
}
