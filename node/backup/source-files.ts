/** Brings files to the threads that read them, and what comes back to their entries (node/spec/backup.md §4, §5). */

import {
  buildFileNodes,
  type ChunkId,
  type ContentChunk,
  type Extent,
  holesMax,
  type Xattr,
} from '../../protocol/index.ts'
import { BUNDLE_FILE_BYTES_MAX, BundleCutter } from './bundles.ts'
import { COARSE, type CutSizes, FINE } from './gear.ts'
import {
  type BundleJob,
  FACTS_WIDTH,
  type FileFacts,
  type FileJob,
  type FileResult,
  type Job,
  type JobResult,
} from './jobs.ts'
import { clampTime, type Draft } from './list-directory.ts'
import { CHANGED } from './read-source.ts'
import type { Tally } from './tally.ts'

/** A file whose content is wanted. */
export interface FileWork {
  /** What to open. */
  readonly path: Buffer
  /** What it is called, for reports. */
  readonly shown: () => Buffer
  readonly draft: Draft
  /** Bytes it takes on the disk. */
  readonly allocated: number
  /** Of its name, see `bundles.ts`. */
  readonly hash: number
  /** Called once its entry is complete, or (`false`) it cannot be kept. */
  readonly done: (isKept: boolean) => void
}

/** Long files are read in stretches of about so many bytes, side by side. */
const STRETCH_BYTES = 32 * 1024 * 1024

/** Smaller files are not looked at for holes. */
const SPARSE_BYTES_MIN = 16 * 1024

/** Kinds of files that change in scattered blocks: images of disks, and databases. */
const FINE_SUFFIX =
  /\.(?:img|raw|qcow2?|vmdk|vdi|vhdx?|hdd|db3?|sqlite3?|mdb|accdb|ibd|myd|edb|pst|ost|dbf|fdb|gdb)$/i

/** How long the chunks of a file shall be. */
export function cutSizesOf(name: Uint8Array, isSparse: boolean): CutSizes {
  return isSparse ||
    FINE_SUFFIX.test(Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('latin1'))
    ? FINE
    : COARSE
}

function factsOf(draft: Draft): FileFacts {
  const { size, mtimeNs, ctimeNs, inode, device, mode, uid, gid, linkCount } = draft
  return { size, mtimeNs, ctimeNs, inode, device, mode, uid, gid, linkCount }
}

function applyFacts(draft: Draft, facts: FileFacts): void {
  Object.assign(draft, facts, { mtimeNs: clampTime(facts.mtimeNs), ctimeNs: clampTime(facts.ctimeNs) })
}

function bundleJob(works: readonly FileWork[]): BundleJob {
  let bytes = 0
  for (const { path } of works) bytes += path.length + 1
  const paths = new Uint8Array(bytes)
  const facts = new BigInt64Array(works.length * FACTS_WIDTH)
  let end = 0
  let at = 0
  for (const { path, draft } of works) {
    paths.set(path, end)
    end += path.length + 1
    facts[at] = BigInt(draft.size)
    facts[at + 1] = draft.mtimeNs
    facts[at + 2] = draft.ctimeNs
    facts[at + 3] = draft.inode
    at += FACTS_WIDTH
  }
  return { kind: 'bundle', paths, facts }
}

/** Names under which one file was found: read once. */
interface LinkGroup {
  readonly first: FileWork
  waiting: FileWork[]
  /** Whether the first is done, and is kept. */
  state: 'reading' | 'kept' | 'lost'
  left: number
}

/** All holes of a file, those joined that meet where stretches meet. */
function holesOf(results: readonly FileResult[]): Extent[] {
  const joined: Extent[] = []
  for (const hole of results.flatMap((result) => result.holes)) {
    const last = joined.at(-1)
    if (last !== undefined && last.offset + last.length === hole.offset) {
      joined[joined.length - 1] = { offset: last.offset, length: last.length + hole.length }
    } else joined.push(hole)
  }
  return joined
}

/** What it works with. */
export interface SourceFilesParts {
  /** Does a job in whichever thread; rejects only with what ends the backup. */
  readonly submit: (job: Job) => Promise<JobResult>
  /** Seals and stores a node of a long file. */
  readonly sealNode: (raw: Uint8Array, links: readonly ChunkId[]) => ChunkId
  readonly tally: Tally
  /** Ends the backup. */
  readonly fail: (error: unknown) => void
}

/**
 * Reads the contents of the files that a walk finds: small ones gathered into bundles, large ones in
 * stretches, names of one inode once.
 */
export class SourceFiles {
  readonly #parts: SourceFilesParts
  readonly #bundle = new BundleCutter<FileWork>()
  readonly #groups = new Map<string, LinkGroup>()
  readonly #groupOf = new Map<FileWork, string>()

  constructor(parts: SourceFilesParts) {
    this.#parts = parts
  }

  /** Takes a file with at least one byte; jobs are given out as soon as they are whole. */
  add(work: FileWork): void {
    const { draft } = work
    if (draft.linkCount > 1) {
      const key = `${String(draft.device)}:${String(draft.inode)}`
      const group = this.#groups.get(key)
      if (group !== undefined) {
        this.#join(key, group, work)
        return
      }
      this.#groupOf.set(work, key)
      this.#groups.set(key, { first: work, waiting: [], state: 'reading', left: draft.linkCount - 1 })
    }
    const isSparse = draft.size >= SPARSE_BYTES_MIN && work.allocated < draft.size
    if (draft.size < BUNDLE_FILE_BYTES_MAX && !isSparse) {
      for (const works of this.#bundle.add(work, draft.size, work.hash)) this.#readBundle(works)
    } else this.#readFile(work, isSparse)
  }

  /** Reads what waits for more. */
  flush(): void {
    const works = this.#bundle.take()
    if (works.length > 0) this.#readBundle(works)
  }

  #run<J extends Job>(job: J, act: (result: Extract<JobResult, { kind: J['kind'] }>) => void): void {
    this.#parts
      .submit(job)
      .then((result) => {
        act(result as Extract<JobResult, { kind: J['kind'] }>)
      })
      .catch(this.#parts.fail)
  }

  #join(key: string, group: LinkGroup, work: FileWork): void {
    if (group.state === 'reading') group.waiting.push(work)
    else this.#copy(group, work)
    if (--group.left <= 0 && group.state !== 'reading') this.#groups.delete(key)
  }

  #copy({ first, state }: LinkGroup, work: FileWork): void {
    if (state === 'kept') {
      const { name } = work.draft
      Object.assign(work.draft, first.draft, { name })
    }
    this.#parts.tally.done(work.draft.size)
    work.done(state === 'kept')
  }

  #finish(work: FileWork, isKept: boolean): void {
    const { draft } = work
    this.#parts.tally.done(draft.size, work.path)
    const key = this.#groupOf.get(work)
    const group = key === undefined ? undefined : this.#groups.get(key)
    if (key !== undefined && group !== undefined) {
      this.#groupOf.delete(work)
      group.state = isKept ? 'kept' : 'lost'
      for (const other of group.waiting) this.#copy(group, other)
      group.waiting = []
      if (group.left <= 0) this.#groups.delete(key)
    }
    work.done(isKept)
  }

  #readBundle(works: readonly FileWork[]): void {
    const [first] = works
    if (first !== undefined) this.#parts.tally.begin(first.path)
    this.#run(bundleJob(works), (result) => {
      const odd = new Map(result.odd.map((one) => [one.index, one]))
      for (const { index, xattrs } of result.xattrs) (works[index] as FileWork).draft.xattrs = xattrs
      for (const [index, work] of works.entries()) {
        const one = odd.get(index)
        if (one?.kind === 'large') this.#readAgain(work)
        else if (one?.kind === 'failed') {
          this.#parts.tally.fail(work.shown(), one.failure)
          this.#finish(work, false)
        } else {
          if (one !== undefined) {
            applyFacts(work.draft, one.facts)
            if (!one.isStable) this.#parts.tally.fail(work.shown(), CHANGED)
          }
          const length = result.places[index * 2 + 1] ?? 0
          if (length > 0 && result.chunk !== undefined) {
            work.draft.content = {
              kind: 'bundle',
              chunk: result.chunk,
              offset: result.places[index * 2] ?? 0,
              length,
            }
          }
          this.#finish(work, true)
        }
      }
    })
  }

  #readFile(work: FileWork, isSparse: boolean): void {
    const { path, draft } = work
    this.#parts.tally.begin(path)
    const sizes = cutSizesOf(draft.name, isSparse)
    const results: FileResult[] = []
    const count = Math.max(1, Math.round(draft.size / STRETCH_BYTES))
    let left = count
    for (let index = 0; index < count; index++) {
      const offset = index * STRETCH_BYTES
      const length = index === count - 1 ? draft.size - offset : STRETCH_BYTES
      const job: FileJob = {
        kind: 'file',
        path,
        expected: factsOf(draft),
        offset,
        length,
        sizes,
        isSparse,
        wantsXattrs: index === 0,
      }
      this.#run(job, (result) => {
        results[index] = result
        if (--left > 0) return
        const isWhole = results.every(({ state }) => state === 'read') && holesOf(results).length <= holesMax
        if (isWhole) this.#keep(work, results)
        else this.#readAgain(work)
      })
    }
  }

  /** The second and last try: whole, as it is then; of holes only as many as an entry may have. */
  #readAgain(work: FileWork): void {
    const { path, draft } = work
    const sizes = cutSizesOf(draft.name, work.allocated < draft.size)
    const job: FileJob = {
      kind: 'file',
      path,
      offset: 0,
      length: Number.MAX_SAFE_INTEGER,
      sizes,
      isSparse: true,
      wantsXattrs: true,
    }
    this.#run(job, (result) => {
      if (result.failure !== undefined || result.facts === undefined) {
        this.#parts.tally.fail(work.shown(), result.failure ?? CHANGED)
        this.#finish(work, false)
        return
      }
      applyFacts(draft, result.facts)
      if (result.state === 'unsteady') this.#parts.tally.fail(work.shown(), CHANGED)
      this.#keep(work, [result])
    })
  }

  #keep(work: FileWork, results: readonly FileResult[]): void {
    const { draft } = work
    const chunks: ContentChunk[] = results.flatMap((result) => result.chunks)
    const holes = holesOf(results)
    const xattrs: readonly Xattr[] = results.flatMap((result) => result.xattrs)
    if (chunks.length > 0) draft.content = buildFileNodes(chunks, this.#parts.sealNode)
    if (holes.length > 0) draft.holes = holes
    if (xattrs.length > 0) draft.xattrs = xattrs
    this.#finish(work, true)
  }
}
