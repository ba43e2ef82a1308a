/** One restore under way: what is to be done next, and what follows from what was done (restore.md §3, §6). */

import type { ChunkId, Entry } from '../../protocol/index.ts'
import type { Dir } from '../adapters/posix.ts'
import { Directories, type DirectoryNode } from './directories.ts'
import { DirectoryWork } from './directory-work.ts'
import { type LinkedName, LinkGroups, type LinkStep } from './links.ts'
import { LoneFiles } from './lone-files.ts'
import type { FoundDirectory, Job, JobPlace, JobResult } from './messages.ts'
import { largeFileBytesMin } from './part-restorer.ts'
import { newOutcome, type RestorationParts } from './parts.ts'
import { bytesNeeded } from './plan.ts'

interface Answer {
  readonly resolve: (result: JobResult) => void
  readonly reject: (error: Error) => void
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
  readonly #running = new Set<Promise<void>>()
  readonly #links = new LinkGroups()
  readonly #work: DirectoryWork
  readonly #files: LoneFiles
  #settle: { resolve(): void; reject(error: unknown): void } | undefined
  #isOver = false

  /** @param target - open; it stays the caller's. Undefined in a dry run into what is not there. */
  constructor(parts: RestorationParts, target: Dir) {
    this.#parts = parts
    this.#directories = new Directories(parts.posix, target)
    this.#work = new DirectoryWork(parts, this.#directories)
    this.#files = new LoneFiles(parts, this.#directories)
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
        this.#work.enter(top)
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
        this.#work.enter(top)
        top.pending++
        this.#write({ node: top, entry })
      })
    })
  }

  /** Closes the directories, once nobody is at a file any more. */
  async close(): Promise<void> {
    this.#isOver = true
    await Promise.allSettled(this.#running)
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
      const run: Promise<void> = this.#restoreLarge(next.name, next.done).finally(() =>
        this.#running.delete(run),
      )
      this.#running.add(run)
    }
  }

  #nextPart(): { readonly job: Job; readonly done: Answer } | undefined {
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
      const [treePlace] = this.#parts.source.locate?.([tree]) ?? []
      const job = {
        kind: 'part',
        place,
        tree,
        scan,
        ...(treePlace === undefined ? {} : { treePlace }),
      } as const
      return { job, done: this.#promise(done) }
    }
    return undefined
  }

  /** What waits for an answer: the answer is worked on, then there is room for more. */
  #promise(done: (result: JobResult) => void): Answer {
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

  /** One thing less to do in a directory; when nothing is left, it gets its metadata, and so on upwards. */
  #done(node: DirectoryNode): void {
    let at = node
    for (;;) {
      at.pending--
      if (at.pending > 0 || this.#clears(at)) return
      if (at.parent === undefined) break
      this.#finish(at)
      at = at.parent
    }
    this.#isOver = true
    this.#settle?.resolve()
  }

  /**
   * Has what the snapshot lacks removed from a directory, once all of the snapshot is there; false if nothing is to
   * do.
   */
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

  #addDirectory(parent: DirectoryNode, found: FoundDirectory): void {
    const node = this.#work.child(parent, found)
    parent.pending++
    if (node.state === 'there') {
      try {
        this.#work.enter(node)
      } catch (error) {
        this.#problem(node.path, NO_NAME, error)
        this.#done(parent)
        return
      }
    }
    this.#addParts(node, found.entry.trees ?? [])
  }

  /** False, and reported, when a directory that something was found in cannot be made. */
  #materialize(node: DirectoryNode): boolean {
    try {
      this.#work.materialize(node)
      return true
    } catch (error) {
      this.#problem(node.path, NO_NAME, error)
      return false
    }
  }

  #link(name: LinkedName, to: LinkedName): void {
    const outcome = newOutcome(this.#parts)
    this.#files.link(name, to, outcome)
    this.#report(outcome.result())
    this.#done(name.node)
  }

  async #restoreLarge(name: LinkedName, done: (isPlaced: boolean) => void): Promise<void> {
    const outcome = newOutcome(this.#parts)
    try {
      await this.#files.large(name, outcome)
    } catch (error) {
      this.#fail(error)
    }
    this.#guard(() => {
      this.#largeActive--
      this.#report(outcome.result())
      done(outcome.isPlaced)
      this.#pump()
    })
  }

  #finish(node: DirectoryNode): void {
    const outcome = newOutcome(this.#parts)
    this.#work.finish(node, outcome)
    this.#directories.forget(node)
    this.#report(outcome.result())
  }

  #problem(path: Uint8Array, name: Uint8Array, error: unknown): void {
    const outcome = newOutcome(this.#parts)
    outcome.problem(path, name, error)
    this.#report(outcome.result())
  }
}
