/**
 * Files that are no part of a worker's job: second names, and those that all workers write together (restore.md §4,
 * §6).
 */

import type { Entry } from '../../protocol/index.ts'
import type { Stat } from '../adapters/posix.ts'
import type { Directories, DirectoryNode } from './directories.ts'
import { makeLink } from './file-writer.ts'
import { restoreLargeFile } from './large-file.ts'
import type { LinkedName } from './links.ts'
import { refreshMetadata } from './metadata.ts'
import type { Outcome } from './outcome.ts'
import { type RestorationParts, writerOf } from './parts.ts'
import { bytesNeeded, decide } from './plan.ts'

/** Puts single files in place. What goes wrong with one is in the outcome; what stops everything is thrown. */
export class LoneFiles {
  readonly #parts: RestorationParts
  readonly #directories: Directories

  constructor(parts: RestorationParts, directories: Directories) {
    this.#parts = parts
    this.#directories = directories
  }

  /** Makes one more name for a file that is in place. */
  link({ node, entry }: LinkedName, to: LinkedName, outcome: Outcome): void {
    const { dryRun, overwrite } = this.#parts
    try {
      const found = this.#find(node, entry)
      const first = dryRun ? undefined : this.#find(to.node, to.entry, true)
      const isSame = first !== undefined && found?.inode === first.inode && found.device === first.device
      if (isSame || decide(entry, found, overwrite) === 'keep') {
        outcome.skipped(node.path, entry)
        return
      }
      if (!dryRun) this.#makeLink({ node, entry }, to, found, outcome)
      if (entry.type === 'file') this.#parts.counters.add('bytesRestored', entry.size)
      outcome.restored(node.path, entry, found === undefined)
    } catch (error) {
      outcome.problem(node.path, entry.name, error)
    }
  }

  #makeLink({ node, entry }: LinkedName, to: LinkedName, found: Stat | undefined, outcome: Outcome): void {
    this.#directories.within(node, (dir) => {
      this.#directories.within(to.node, (from) => {
        const target = { dir, inheritsAcl: false, entry, found }
        makeLink(writerOf(this.#parts, outcome), { dir: from, name: to.entry.name }, target)
      })
    })
  }

  /** Writes a large file, all workers at once. */
  async large({ node, entry }: LinkedName, outcome: Outcome): Promise<void> {
    const { counters, dryRun, overwrite, verify } = this.#parts
    try {
      const found = this.#find(node, entry)
      const action = decide(entry, found, overwrite)
      if (action === 'keep' || action === 'same') {
        outcome.isPlaced = action === 'same'
        if (action === 'same' && found !== undefined && !dryRun) this.#refresh(node, entry, found, outcome)
        outcome.skipped(node.path, entry)
        return
      }
      if (dryRun) counters.add('bytesRestored', entry.size)
      else {
        await this.#write(node, entry, found, outcome)
        counters.add('bytesRestored', entry.size - bytesNeeded(entry)) // holes count too
      }
      if (verify && !dryRun) outcome.verified(node.path, entry)
      outcome.restored(node.path, entry, found === undefined)
    } catch (error) {
      outcome.problem(node.path, entry.name, error)
    }
  }

  #refresh(node: DirectoryNode, entry: Entry, found: Stat, outcome: Outcome): void {
    this.#directories.within(node, (dir) => {
      refreshMetadata(this.#parts.posix, { dir, name: entry.name }, entry, found, {
        rights: this.#parts.rights,
        notice: outcome.notice,
      })
    })
  }

  async #write(node: DirectoryNode, entry: Entry, found: Stat | undefined, outcome: Outcome): Promise<void> {
    const dir = this.#directories.acquire(node)
    try {
      const target = { dir, inheritsAcl: node.inheritsAcl, entry, found }
      await restoreLargeFile({ ...this.#parts, writer: writerOf(this.#parts, outcome) }, target)
    } finally {
      this.#directories.release(node)
    }
  }

  /** What a name is in the target. @param isSure - it is there, also in a directory that was made just now */
  #find(node: DirectoryNode, entry: Entry, isSure = false): Stat | undefined {
    if (node.state === 'fresh' && !isSure) return undefined
    return this.#directories.within(node, (dir) => this.#parts.posix.statAt(dir, entry.name))
  }
}
