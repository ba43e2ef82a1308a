/** Makes, enters and finishes the directories of a restore (restore.md §3, §5). */

import { nameText } from '../backup/patterns.ts'
import { childPath } from '../snapshot-reader.ts'
import type { Directories, DirectoryNode } from './directories.ts'
import type { FoundDirectory } from './messages.ts'
import { applyMetadata, dropOtherXattrs } from './metadata.ts'
import type { Outcome } from './outcome.ts'
import type { RestorationParts } from './parts.ts'
import { decide } from './plan.ts'
import { sweepLeftovers } from './temp-names.ts'

/** What is done to directories themselves. */
export class DirectoryWork {
  readonly #parts: RestorationParts
  readonly #directories: Directories

  constructor(parts: RestorationParts, directories: Directories) {
    this.#parts = parts
    this.#directories = directories
  }

  /** A directory that was found in another one. */
  child(parent: DirectoryNode, { entry, state, isSelected }: FoundDirectory): DirectoryNode {
    return {
      parent,
      name: entry.name,
      entry,
      path: childPath(parent.path, entry.name),
      names: this.#parts.hasRules ? [...parent.names, nameText(entry.name)] : [],
      isSelected,
      state,
      inheritsAcl: state === 'fresh' && parent.inheritsAcl,
      pending: 0,
      isCleared: false,
    }
  }

  /** Prepares a directory that was there before. @throws {Error} of the system */
  enter(node: DirectoryNode): void {
    const { posix, rights, dryRun } = this.#parts
    if (node.parent === undefined) {
      // its mode and what new names take from it are its owner's
      if (!dryRun) this.#sweep(node)
      return
    }
    this.#directories.within(node.parent, (parent) => {
      const xattrs = posix.readXattrsAt(parent, node.name)
      node.inheritsAcl = xattrs.some(
        ({ name }) => Buffer.from(name).toString('latin1') === 'system.posix_acl_default',
      )
      if (dryRun) return
      const mode = (posix.statAt(parent, node.name)?.mode ?? 0o700) & 0o7777
      if (!rights.isRoot && (mode & 0o700) !== 0o700) {
        posix.chmodAt(parent, node.name, mode | 0o700)
        node.modeBefore = mode
      }
      this.#sweep(node)
    })
  }

  #sweep(node: DirectoryNode): void {
    this.#directories.within(node, (dir) => {
      sweepLeftovers(this.#parts.posix, dir)
    })
  }

  /** Makes a directory, and those above it, that something selected was found in. @throws {Error} of the system */
  materialize(node: DirectoryNode): void {
    const { parent, entry } = node
    if (node.state !== 'lazy' || parent === undefined || entry === undefined) return
    this.materialize(parent)
    const { posix, overwrite, dryRun } = this.#parts
    const isNew = dryRun && parent.state === 'fresh'
    const found = isNew ? undefined : this.#directories.within(parent, (dir) => posix.statAt(dir, node.name))
    const action = decide(entry, found, overwrite)
    if (action === 'keep')
      throw Object.assign(new Error('in its place'), { code: 'EEXIST', syscall: 'mkdir' })
    if (action !== 'enter' && !dryRun) {
      this.#directories.within(parent, (dir) => {
        if (found !== undefined) posix.unlinkAt(dir, node.name)
        posix.mkdirAt(dir, node.name, 0o700)
      })
    }
    node.state = action === 'enter' ? 'there' : 'fresh'
    node.inheritsAcl = parent.inheritsAcl
    if (action === 'enter') this.enter(node)
  }

  /** Gives a directory its metadata, when all in it is done. */
  finish(node: DirectoryNode, outcome: Outcome): void {
    const { parent, entry, state } = node
    if (parent === undefined || entry === undefined || state === 'lazy') return
    const { overwrite, goesOn } = this.#parts
    const isSet = state === 'fresh' || (node.isSelected && (overwrite !== 'never' || goesOn))
    try {
      if (!this.#parts.dryRun) this.#set(node, isSet, outcome)
      if (isSet) outcome.restored(parent.path, entry, state === 'fresh')
    } catch (error) {
      outcome.problem(node.path, new Uint8Array(), error)
    }
  }

  #set(
    { parent, entry, name, state, inheritsAcl, modeBefore }: DirectoryNode,
    isSet: boolean,
    outcome: Outcome,
  ): void {
    if (parent === undefined || entry === undefined) return
    const { posix, rights } = this.#parts
    this.#directories.within(parent, (dir) => {
      if (isSet) {
        if (state === 'there') dropOtherXattrs(posix, dir, name, entry)
        const facts = { inheritsAcl: state === 'fresh' && inheritsAcl }
        applyMetadata(posix, { dir, name }, entry, facts, rights, outcome.notice)
      } else if (modeBefore !== undefined) posix.chmodAt(dir, name, modeBefore)
    })
  }
}
