/** One restore under way: what is to be done next, and what follows from what was done (restore.md §3, §6). */

import type { ChunkId, Entry } from '../../protocol/index.ts'
import { type Dir, joinPath, type Posix } from '../adapters/posix.ts'
import { nameText } from '../backup/patterns.ts'
import { childPath, type SnapshotReader } from '../snapshot-reader.ts'
import { Directories, type DirectoryNode } from './directories.ts'
import { makeLink, type WriterParts } from './file-writer.ts'
import { restoreLargeFile } from './large-file.ts'
import { LinkGroups, type LinkedName, type LinkStep } from './links.ts'
import type {
  FoundDirectory,
  Job,
  JobPlace,
  JobResult,
  RestoreEntryEvent,
  RestoreProblem,
} from './messages.ts'
import { applyMetadata, dropOtherXattrs, type Rights } from './metadata.ts'
import { Outcome, type SharedCounters } from './outcome.ts'
import { bytesNeeded, decide, kindOf, type Overwrite } from './plan.ts'
import type { WorkerPool } from './pool.ts'
import { largeFileBytesMin } from './part-restorer.ts'
import { sweepLeftovers } from './remove.ts'

/** What the whole restore shares. */
export interface RestorationParts {
  readonly posix: Posix
  readonly rights: Rights
  readonly reader: SnapshotReader
  readonly pool: WorkerPool
  readonly counters: SharedCounters
  readonly signal: AbortSignal
  readonly overwrite: Overwrite
  readonly dryRun: boolean
  readonly verify: boolean
  readonly verbose: boolean
  readonly mayDelete: boolean
  /** Says whether the snapshot has all of a directory, so that what it lacks there may be removed. */
  readonly isWhole: (path: Uint8Array) => boolean
  /** Names in a directory that stay although the snapshot lacks them: they could not be read. */
  readonly keepIn: (path: Uint8Array) => readonly Uint8Array[]
  /** A name for an unfinished file, never the same twice. */
  readonly tempName: () => Uint8Array
  /** Paths are matched: names are needed. */
  readonly hasRules: boolean
  readonly onProblem: (problem: RestoreProblem) => void
  readonly onNotice: (what: string, count: number) => void
  readonly onEvent: (event: RestoreEntryEvent) => void
}

interface PartTask {
  readonly node: DirectoryNode
  readonly tree: ChunkId
  scan: boolean
}

const LARGE_AT_ONCE = 2
const LARGE_WAITING_MAX = 2000
const NO_NAME = new Uint8Array()

/** Restores directories into the target. */
export class Restoration {
  readonly #parts: RestorationParts
  readonly #directories: Directories
  /** The next is the last: a directory comes before its neighbours' content, as in the backup. */
  readonly #tasks: PartTask[] = []
  readonly #large: { readonly name: LinkedName; readonly done: (isPlaced: boolean) => void }[] = []
  #largeActive = 0
  readonly #links = new LinkGroups()
  #settle: { resolve(): void; reject(error: unknown): void } | undefined
  #isOver = false

  /** @param target - open; it stays the caller's. Undefined in a dry run into what is not there. */
  constructor(parts: RestorationParts, target: Dir) {
    this.#parts = parts
    this.#directories = new Directories(parts.posix, target)
  }

  /**
   * Restores some parts of one directory into `top`. Resolves when everything is done or reported.
   *
   * @throws what stops the whole restore
   */
  run(top: DirectoryNode, trees: readonly ChunkId[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      this.#guard(() => {
        this.#addParts(top, trees)
        this.#pump()
      })
    })
  }

  /** Restores one entry into `top`. */
  runEntry(top: DirectoryNode, entry: Entry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
      this.#guard(() => {
        top.pending++
        this.#write({ node: top, entry })
      })
    })
  }

  /** Closes the directories that are open. */
  close(): void {
    this.#isOver = true
    this.#directories.close()
  }

  /** Runs a step; what it throws ends the restore. */
  #guard(step: () => void): void {
    if (this.#isOver) return
    try {
      step()
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#settle?.reject(error)
  }

  #pump(): void {
    if (this.#large.length < LARGE_WAITING_MAX)
      this.#parts.pool.fill(this.#tasks.length, () => this.#nextPart())
    while (this.#largeActive < LARGE_AT_ONCE) {
      const next = this.#large.shift()
      if (next === undefined) break
      this.#largeActive++
      void this.#restoreLarge(next.name, next.done)
    }
  }

  #nextPart():
    | { readonly job: Job; readonly done: { resolve(result: JobResult): void; reject(error: Error): void } }
    | undefined {
    for (let task = this.#tasks.pop(); task !== undefined; task = this.#tasks.pop()) {
      const { node, tree } = task
      const scan = task.scan && node.state === 'lazy'
      const place = this.#placeOf(node)
      if (place === undefined) {
        this.#done(node)
        continue
      }
      const done = (result: JobResult): void => {
        this.#directories.release(node)
        this.#afterPart({ node, tree, scan }, result)
      }
      return { job: { kind: 'part', place, tree, scan }, done: this.#promise(done) }
    }
    return undefined
  }

  /** What waits for an answer: the answer is worked on, then there is room for more. */
  #promise(done: (result: JobResult) => void): {
    resolve(result: JobResult): void
    reject(error: Error): void
  } {
    return {
      resolve: (result) => {
        this.#guard(() => {
          done(result)
          this.#pump()
        })
      },
      reject: (error) => {
        this.#fail(error)
      },
    }
  }

  /** Opens the directory of a job; undefined, and reported, when that fails. */
  #placeOf(node: DirectoryNode): JobPlace | undefined {
    const { path, names, isSelected, inheritsAcl } = node
    const facts = { path, names, isFresh: node.state === 'fresh', isSelected, inheritsAcl }
    if (node.state === 'lazy' || (this.#parts.dryRun && node.state === 'fresh')) return facts
    try {
      return { ...facts, dir: this.#directories.acquire(node) }
    } catch (error) {
      this.#problem(node.path, NO_NAME, error)
      return undefined
    }
  }

  #addParts(node: DirectoryNode, trees: readonly ChunkId[]): void {
    node.pending += trees.length
    for (const tree of trees.toReversed()) this.#tasks.push({ node, tree, scan: node.state === 'lazy' })
  }

  #afterPart(task: PartTask, result: JobResult): void {
    const { node } = task
    this.#report(result)
    if (result.isNeeded) {
      if (this.#materialize(node)) {
        this.#tasks.push({ ...task, scan: false })
        return
      }
      this.#done(node)
      return
    }
    for (const found of result.directories.toReversed()) this.#addDirectory(node, found)
    for (const entry of result.large) {
      node.pending++
      this.#write({ node, entry })
    }
    for (const entry of result.linked) {
      node.pending++
      this.#step(this.#links.add({ node, entry }))
    }
    this.#done(node)
  }

  #report(result: JobResult): void {
    for (const problem of result.problems) this.#parts.onProblem(problem)
    for (const [what, count] of result.notices) this.#parts.onNotice(what, count)
    for (const event of result.events) this.#parts.onEvent(event)
  }

  #addDirectory(parent: DirectoryNode, { entry, state, isSelected }: FoundDirectory): void {
    const { hasRules } = this.#parts
    const node: DirectoryNode = {
      parent,
      name: entry.name,
      entry,
      path: childPath(parent.path, entry.name),
      names: hasRules ? [...parent.names, nameText(entry.name)] : [],
      isSelected,
      state,
      inheritsAcl: state === 'fresh' && parent.inheritsAcl,
      pending: 0,
      isCleared: false,
    }
    parent.pending++
    if (state === 'there') {
      try {
        this.#enter(node)
      } catch (error) {
        this.#problem(node.path, NO_NAME, error)
        this.#done(parent)
        return
      }
    }
    this.#addParts(node, entry.trees ?? [])
  }

  /** Prepares a directory that was there before. */
  #enter(node: DirectoryNode): void {
    const { posix, rights, dryRun } = this.#parts
    if (node.parent === undefined) return
    const parent = this.#directories.acquire(node.parent)
    try {
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
      const dir = this.#directories.acquire(node)
      sweepLeftovers(posix, dir)
      this.#directories.release(node)
    } finally {
      this.#directories.release(node.parent)
    }
  }

  /** Makes a directory, and those above it, that something selected was found in; false, and reported, when it cannot. */
  #materialize(node: DirectoryNode): boolean {
    if (node.state !== 'lazy') return true
    const { parent, entry } = node
    if (parent === undefined || entry === undefined || !this.#materialize(parent)) return false
    const { posix, overwrite, dryRun } = this.#parts
    try {
      const found =
        dryRun && parent.state === 'fresh'
          ? undefined
          : this.#within(parent, (dir) => posix.statAt(dir, node.name))
      const action = decide(entry, found, overwrite)
      if (action === 'keep')
        throw Object.assign(new Error('in its place'), { code: 'EEXIST', syscall: 'mkdir' })
      if (action !== 'enter' && !dryRun) {
        this.#within(parent, (dir) => {
          if (found !== undefined) posix.unlinkAt(dir, node.name)
          posix.mkdirAt(dir, node.name, 0o700)
        })
      }
      node.state = action === 'enter' ? 'there' : 'fresh'
      node.inheritsAcl = parent.inheritsAcl
      if (action === 'enter') this.#enter(node)
      return true
    } catch (error) {
      this.#problem(node.path, NO_NAME, error)
      return false
    }
  }

  #within<T>(node: DirectoryNode, action: (dir: Dir) => T): T {
    const dir = this.#directories.acquire(node)
    try {
      return action(dir)
    } finally {
      this.#directories.release(node)
    }
  }

  #step(step: LinkStep): void {
    if (step === undefined) return
    if ('write' in step) this.#write(step.write)
    else this.#link(step.link, step.to)
  }

  /** Writes one file by itself: a large one, or the first of several names. */
  #write(name: LinkedName): void {
    const { node, entry } = name
    const settle = (isPlaced: boolean): void => {
      if (entry.linkCount > 1) for (const step of this.#links.settle(name, isPlaced)) this.#step(step)
      this.#done(node)
    }
    if (
      entry.content?.kind === 'file' ||
      (entry.content?.kind === 'chunks' && bytesNeeded(entry) >= largeFileBytesMin)
    ) {
      this.#large.push({ name, done: settle })
      this.#pump()
      return
    }
    const place = this.#placeOf(node)
    if (place === undefined) {
      settle(false)
      return
    }
    const answer = this.#promise((result) => {
      this.#directories.release(node)
      this.#report(result)
      settle(result.isPlaced)
    })
    this.#parts.pool.run({ kind: 'entry', place, entry }).then(answer.resolve, answer.reject)
  }

  #link(name: LinkedName, to: LinkedName): void {
    const { posix, overwrite, dryRun } = this.#parts
    const { node, entry } = name
    const outcome = this.#outcome()
    try {
      const found =
        node.state === 'fresh' ? undefined : this.#within(node, (dir) => posix.statAt(dir, entry.name))
      const action = decide(entry, found, overwrite)
      const target = dryRun ? undefined : this.#within(to.node, (dir) => posix.statAt(dir, to.entry.name))
      if (
        action === 'keep' ||
        (target !== undefined && found?.inode === target.inode && found.device === target.device)
      )
        outcome.skipped(node.path, entry)
      else {
        if (!dryRun) {
          this.#within(node, (dir) => {
            this.#within(to.node, (from) => {
              makeLink(
                this.#writer(outcome),
                { dir: from, name: to.entry.name },
                { dir, inheritsAcl: false, entry, found },
              )
            })
          })
        }
        this.#parts.counters.add('bytesRestored', entry.size)
        outcome.restored(node.path, entry, found === undefined)
      }
    } catch (error) {
      outcome.problem(node.path, entry.name, error)
    }
    this.#report(outcome.result())
    this.#done(node)
  }

  async #restoreLarge({ node, entry }: LinkedName, done: (isPlaced: boolean) => void): Promise<void> {
    const outcome = this.#outcome()
    const { posix, overwrite, dryRun } = this.#parts
    try {
      const found =
        node.state === 'fresh' ? undefined : this.#within(node, (dir) => posix.statAt(dir, entry.name))
      const action = decide(entry, found, overwrite)
      if (action === 'keep' || action === 'same') {
        outcome.skipped(node.path, entry)
        outcome.isPlaced = action === 'same'
      } else if (dryRun) {
        this.#parts.counters.add('bytesRestored', entry.size)
        outcome.restored(node.path, entry, found === undefined)
      } else {
        const dir = this.#directories.acquire(node)
        try {
          await restoreLargeFile(
            { ...this.#parts, writer: this.#writer(outcome) },
            { dir, inheritsAcl: node.inheritsAcl, entry, found },
          )
        } finally {
          if (!this.#isOver) this.#directories.release(node)
        }
        if (this.#parts.verify) outcome.verified(node.path, entry)
        outcome.restored(node.path, entry, found === undefined)
      }
    } catch (error) {
      this.#guard(() => {
        outcome.problem(node.path, entry.name, error)
      })
    }
    this.#guard(() => {
      this.#largeActive--
      this.#report(outcome.result())
      done(outcome.isPlaced)
      this.#pump()
    })
  }

  /** One thing less to do in a directory; when nothing is left, it gets its metadata, and so on upwards. */
  #done(node: DirectoryNode): void {
    for (let at: DirectoryNode | undefined = node; at !== undefined; at = at.parent) {
      at.pending--
      if (at.pending > 0 || this.#clears(at)) return
      if (at.parent === undefined) {
        this.#isOver = true
        this.#settle?.resolve()
        return
      }
      this.#finish(at)
    }
  }

  /** Has what the snapshot lacks removed from a directory, once all of the snapshot is there; false if nothing is to do. */
  #clears(node: DirectoryNode): boolean {
    const { mayDelete, isWhole, keepIn, pool } = this.#parts
    if (node.isCleared || !mayDelete || node.state !== 'there' || !isWhole(node.path)) return false
    node.isCleared = true
    const place = this.#placeOf(node)
    if (place === undefined) return false
    node.pending++
    const answer = this.#promise((result) => {
      this.#directories.release(node)
      this.#report(result)
      this.#done(node)
    })
    pool
      .run({ kind: 'extra', place, trees: node.entry?.trees ?? node.topTrees ?? [], keep: keepIn(node.path) })
      .then(answer.resolve, answer.reject)
    return true
  }

  #finish(node: DirectoryNode): void {
    const { posix, overwrite, dryRun, rights } = this.#parts
    const { parent, entry, state } = node
    if (parent === undefined || entry === undefined || state === 'lazy') return
    const outcome = this.#outcome()
    const isSet = state === 'fresh' || (node.isSelected && overwrite !== 'never')
    try {
      if (!dryRun) {
        this.#within(parent, (dir) => {
          if (isSet) {
            if (state === 'there') dropOtherXattrs(posix, dir, node.name, entry)
            applyMetadata(
              posix,
              { dir, name: node.name },
              entry,
              { inheritsAcl: state === 'fresh' && node.inheritsAcl },
              rights,
              outcome.notice,
            )
          } else if (node.modeBefore !== undefined) posix.chmodAt(dir, node.name, node.modeBefore)
        })
      }
      if (isSet) outcome.restored(parent.path, entry, state === 'fresh')
    } catch (error) {
      outcome.problem(node.path, NO_NAME, error)
    }
    this.#directories.forget(node)
    this.#report(outcome.result())
  }

  #outcome(): Outcome {
    return new Outcome(this.#parts.counters, this.#parts.verbose)
  }

  #writer(outcome: Outcome): WriterParts {
    const { posix, rights, mayDelete, tempName } = this.#parts
    return { posix, rights, mayDelete, notice: outcome.notice, tempName }
  }

  #problem(path: Uint8Array, name: Uint8Array, error: unknown): void {
    const outcome = this.#outcome()
    outcome.problem(path, name, error)
    this.#report(outcome.result())
  }
}
