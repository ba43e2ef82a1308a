/** How unfinished files of a restore are named, and which of them a killed one left (restore.md §4). */

import type { Random } from '../../protocol/index.ts'
import type { Dir, Posix } from '../adapters/posix.ts'
import { kindOf } from './plan.ts'

const PREFIX = '.rootcellar-restore-'
const TEMP_NAME = /^\.rootcellar-restore-([1-9]\d*)-([0-9a-f]{16})-\d+-\d+$/

/** Restores under way in this process, by the random part of their names. */
const underWay = new Set<string>()

/** Names for the unfinished files of one restore. */
export class TempNames {
  readonly #run: string

  constructor(random: Random) {
    this.#run = Buffer.from(random.bytes(8)).toString('hex')
    underWay.add(this.#run)
  }

  /** What the names of one worker begin with: 0 is the restore's own thread. */
  prefix(worker: number): string {
    return `${PREFIX}${String(process.pid)}-${this.#run}-${String(worker)}-`
  }

  /** No more of them are made: what has such a name from now on was left. */
  end(): void {
    underWay.delete(this.#run)
  }
}

/**
 * Removes unfinished files from a directory that a restore left which was killed.
 *
 * @throws {Error} of the system, when the directory cannot be read
 */
export function sweepLeftovers(posix: Posix, dir: Dir): void {
  for (const name of posix.list(dir)) {
    const [, pid, run = ''] = TEMP_NAME.exec(name.toString('latin1')) ?? []
    if (pid === undefined || isUnderWay(Number(pid), run)) continue
    try {
      const found = posix.statAt(dir, name)
      if (found !== undefined && kindOf(found) !== 'dir') posix.unlinkAt(dir, name)
    } catch {
      // it is in nobody's way
    }
  }
}

/** A process of a container has the number that the killed one had before it: of its own it knows better. */
function isUnderWay(pid: number, run: string): boolean {
  if (pid === process.pid) return underWay.has(run)
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}
