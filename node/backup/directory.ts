/** One directory while it is being backed up. */

import type { ChunkId } from '../../protocol/index.ts'
import type { Draft, Way } from './list-directory.ts'
import { pathTo } from './list-directory.ts'
import type { Agreement, PreviousDirectory } from './previous.ts'
import type { Wish } from './sources.ts'

/** What a directory is taken as. */
export interface DirectoryPlan {
  readonly parent?: Directory
  /** Its entry in the parent; absent for `/`. */
  readonly draft?: Draft
  readonly way: Way
  /** Its path in components, as text for patterns; empty where there are no patterns. */
  readonly names: readonly string[]
  readonly depth: number
  /** Sources in it. */
  readonly wish?: Wish
  /** All in it is wanted, not only sources in it. */
  readonly isWhole: boolean
  /** Kept, but nothing in it: a mount point. */
  readonly isHollow: boolean
  /** The file system of the source it is in. */
  readonly device: bigint
  readonly previous?: PreviousDirectory
}

/** A directory, from its listing until its tree is sealed. */
export class Directory {
  readonly plan: DirectoryPlan
  /** Sorted by name. */
  drafts: Draft[] = []
  /** Those that could not be kept. */
  readonly lost = new Set<Draft>()
  agreement: Agreement = { head: 0, tail: 0, from: 0, to: 0 }
  trees: readonly ChunkId[] = []
  /** Its own listing, and jobs and directories inside that are not done. */
  #pending = 1
  readonly #onDone: (directory: Directory) => void

  constructor(plan: DirectoryPlan, onDone: (directory: Directory) => void) {
    this.plan = plan
    this.#onDone = onDone
  }

  /** Something more must be done before it is done. */
  expect(): void {
    this.#pending++
  }

  /** One of the things expected is done. */
  done(): void {
    if (--this.#pending === 0) this.#onDone(this)
  }

  /** Its true path, for reports. */
  get shown(): Buffer {
    const names = namesDownTo(this)
    return names.length === 0
      ? Buffer.from('/')
      : Buffer.concat(names.flatMap((name) => [Buffer.from('/'), name]))
  }

  /** The true path of a name in it. */
  shownOf(name: Uint8Array): Buffer {
    return pathTo(this.shown, name)
  }
}

/** Names of the directories from below the top to this one. */
function namesDownTo(directory: Directory): Uint8Array[] {
  const names: Uint8Array[] = []
  let at: Directory | undefined = directory
  for (; at?.plan.draft !== undefined; at = at.plan.parent) names.push(at.plan.draft.name)
  return names.reverse()
}
