/** What a worker does with one part of a directory: decides about each entry, makes it, reports (restore.md §3, §4). */

import { CellarError, decodeTree } from '../../protocol/index.ts'
import type { ChunkId, Entry } from '../../protocol/index.ts'
import type { ChunkPlace } from '../../storage/index.ts'
import type { Dir, Posix, Stat } from '../adapters/posix.ts'
import { nameText } from '../backup/patterns.ts'
import type { OpenedPayload } from '../vault.ts'
import { expectKind, type Feed } from './feed.ts'
import {
  makeSpecial,
  openFile,
  verifyPieces,
  type OpenFile,
  type WriterParts,
  type WriterTarget,
  writePieces,
} from './file-writer.ts'
import { type Rights, refreshMetadata } from './metadata.ts'
import type { Job, JobPlace, WorkerSetup } from './messages.ts'
import { Outcome, type SharedCounters } from './outcome.ts'
import { type Action, bytesNeeded, decide, Placer } from './plan.ts'
import { removeTree } from './remove.ts'
import { Selection } from './selection.ts'

/** A file whose content is to be written by this job. */
interface WantedFile {
  readonly entry: Entry
  readonly found: Stat | undefined
}

/** Files with more data than this are shared by the workers. */
export const largeFileBytesMin = 16 * 1024 * 1024

/** What the restorer is given. */
export interface RestorerParts {
  readonly posix: Posix
  readonly rights: Rights
  readonly feed: Feed
  readonly counters: SharedCounters
  readonly setup: WorkerSetup
}

/** Does the jobs of one worker, one after another. */
export class PartRestorer {
  readonly #parts: RestorerParts
  readonly #selection: Selection
  readonly #scratch = { buffer: Buffer.alloc(0) }
  #temps = 0

  constructor(parts: RestorerParts) {
    this.#parts = parts
    this.#selection = new Selection(parts.setup.rules)
  }

  /** @throws what stops the whole restore; everything else is in the outcome */
  async run(job: Job): Promise<Outcome> {
    const { counters, setup, posix } = this.#parts
    counters.throwIfStopped()
    const outcome = new Outcome(counters, setup.verbose)
    if (job.kind === 'part') await this.#part(job, outcome)
    else if (job.kind === 'entry') await this.#entries(job.place, [job.entry], outcome, true)
    else if (job.kind === 'pieces') await this.#pieces(job, outcome)
    else if (job.kind === 'extra') await this.#removeExtra(job, outcome)
    else posix.syncFileSystem(job.dir)
    return outcome
  }

  async #part(
    { place, tree, treePlace, scan }: Extract<Job, { kind: 'part' }>,
    outcome: Outcome,
  ): Promise<void> {
    let entries: readonly Entry[]
    try {
      entries = await this.#entriesOf(tree, treePlace)
    } catch (error) {
      outcome.problem(place.path, new Uint8Array(), error)
      return
    }
    if (this.#selection.isEverything) {
      await this.#entries(place, entries, outcome, false)
      return
    }
    const selected: Entry[] = []
    for (const entry of entries) {
      const { isSelected, mayDescend } = this.#selection.of(
        [...place.names, nameText(entry.name)],
        place.isSelected,
      )
      if (isSelected) selected.push(entry)
      else if (mayDescend && entry.type === 'dir' && !scan)
        outcome.directories.push({ entry, state: 'lazy', isSelected: false })
    }
    if (scan) outcome.isNeeded = selected.length > 0
    if (scan && selected.length === 0) {
      // nothing here, but perhaps below: the directory itself is made only when something is found there
      for (const entry of entries) {
        if (entry.type !== 'dir') continue
        if (this.#selection.of([...place.names, nameText(entry.name)], false).mayDescend)
          outcome.directories.push({ entry, state: 'lazy', isSelected: false })
      }
    }
    if (!scan) await this.#entries(place, selected, outcome, false)
  }

  async #entriesOf(tree: ChunkId, place?: ChunkPlace): Promise<readonly Entry[]> {
    if (place === undefined) await this.#parts.feed.prepare([tree])
    else this.#parts.feed.hint(tree, place)
    const opened = await this.#parts.feed.load(tree, false)
    expectKind(opened, ['tree'], tree)
    return decodeTree(opened.raw, opened.links).entries()
  }

  /** @param isAlone - files with several names, and large ones, are written here too */
  async #entries(
    place: JobPlace,
    entries: readonly Entry[],
    outcome: Outcome,
    isAlone: boolean,
  ): Promise<void> {
    const { counters, feed } = this.#parts
    const files: WantedFile[] = []
    for (const entry of entries) {
      counters.throwIfStopped()
      try {
        const wanted = this.#begin(place, entry, outcome, isAlone)
        if (wanted !== undefined) files.push(wanted)
      } catch (error) {
        outcome.problem(place.path, entry.name, error)
      }
    }
    if (this.#parts.setup.dryRun) {
      for (const { entry, found } of files) {
        counters.add('bytesRestored', entry.size)
        outcome.restored(place.path, entry, found === undefined)
      }
      return
    }
    await feed.prepare(chunksOf(files))
    for (const file of files) {
      counters.throwIfStopped()
      try {
        await this.#file(place, file, outcome)
      } catch (error) {
        outcome.problem(place.path, file.entry.name, error)
      }
    }
  }

  /** Makes everything but files; says of a file whether it is to be written now. */
  #begin(place: JobPlace, entry: Entry, outcome: Outcome, isAlone: boolean): WantedFile | undefined {
    const { posix, rights, setup } = this.#parts
    const isOneOfMany = entry.linkCount > 1 && entry.type !== 'dir'
    if (isOneOfMany && !isAlone) {
      outcome.linked.push(entry)
      return undefined
    }
    const found = place.isFresh || place.dir === undefined ? undefined : posix.statAt(place.dir, entry.name)
    const action = decide(entry, found, setup.overwrite)
    if (entry.type === 'dir') {
      this.#directory(place, entry, action, outcome)
      return undefined
    }
    if (action === 'keep' || action === 'same') {
      if (action === 'same' && found !== undefined && place.dir !== undefined && !setup.dryRun) {
        refreshMetadata(posix, { dir: place.dir, name: entry.name }, entry, found, {
          rights,
          notice: outcome.notice,
        })
      }
      outcome.isPlaced = action === 'same'
      outcome.skipped(place.path, entry)
      return undefined
    }
    if (entry.type !== 'file') {
      if (place.dir !== undefined && !setup.dryRun)
        makeSpecial(this.#writer(outcome), this.#target(place, place.dir, entry, found))
      outcome.restored(place.path, entry, found === undefined)
      return undefined
    }
    if (
      !isAlone &&
      entry.content !== undefined &&
      entry.content.kind !== 'bundle' &&
      (entry.content.kind === 'file' || bytesNeeded(entry) >= largeFileBytesMin)
    ) {
      outcome.large.push(entry)
      return undefined
    }
    return { entry, found }
  }

  #directory(place: JobPlace, entry: Entry, action: Action, outcome: Outcome): void {
    const { posix, setup } = this.#parts
    if (action === 'keep')
      throw Object.assign(new Error('in its place'), { code: 'EEXIST', syscall: 'mkdir' })
    if (action === 'enter') {
      outcome.directories.push({ entry, state: 'there', isSelected: true })
      return
    }
    if (place.dir !== undefined && !setup.dryRun) {
      // what is in the way is no directory: the name itself goes, never what a symlink points to
      if (action !== 'create') posix.unlinkAt(place.dir, entry.name)
      posix.mkdirAt(place.dir, entry.name, 0o700)
    }
    outcome.directories.push({ entry, state: 'fresh', isSelected: true })
  }

  async #file(place: JobPlace, { entry, found }: WantedFile, outcome: Outcome): Promise<void> {
    if (place.dir === undefined) throw new RangeError('a file needs a directory')
    const { content } = entry
    const { feed } = this.#parts
    // the first chunk before the file: a chunk that is missing then costs nothing
    const first =
      content?.kind === 'bundle'
        ? content.chunk
        : content?.kind === 'chunks'
          ? content.chunks[0]?.id
          : undefined
    const opened =
      first === undefined
        ? undefined
        : (feed.peek(first) ?? (await feed.load(first, content?.kind === 'bundle')))
    const file = openFile(this.#writer(outcome), this.#target(place, place.dir, entry, found))
    try {
      if (content?.kind === 'bundle' && opened !== undefined) this.#fromBundle(file, entry, opened)
      else if (content !== undefined) await this.#fromChunks(file, entry, opened)
    } catch (error) {
      file.drop()
      throw error
    }
    file.finish()
    this.#parts.counters.add('bytesRestored', entry.size - bytesNeeded(entry))
    if (this.#parts.setup.verify) outcome.verified(place.path, entry)
    outcome.restored(place.path, entry, found === undefined)
  }

  #fromBundle(file: OpenFile, entry: Entry, opened: OpenedPayload): void {
    if (entry.content?.kind !== 'bundle') throw new RangeError('not in a bundle')
    const { chunk, offset, length } = entry.content
    expectKind(opened, ['bundle'], chunk)
    if (offset + length > opened.raw.byteLength)
      throw new CellarError('CHUNK_MALFORMED', `chunk ${chunk} is shorter than the snapshot says`, {
        id: chunk,
      })
    this.#write(file.fd, opened.raw.subarray(offset, offset + length), new Placer(entry.size, entry.holes))
  }

  async #fromChunks(file: OpenFile, entry: Entry, first: OpenedPayload | undefined): Promise<void> {
    if (entry.content?.kind !== 'chunks') throw new RangeError('only the main thread reads file nodes')
    const placer = new Placer(entry.size, entry.holes)
    let opened = first
    for (const { id, length } of entry.content.chunks) {
      this.#parts.counters.throwIfStopped()
      opened ??= await this.#parts.feed.load(id, false)
      expectKind(opened, ['data'], id)
      if (opened.raw.byteLength !== length)
        throw new CellarError('CHUNK_MALFORMED', `chunk ${id} is not as long as the snapshot says`, { id })
      this.#write(file.fd, opened.raw, placer)
      opened = undefined
    }
  }

  #write(fd: number, raw: Uint8Array, placer: Placer): void {
    const pieces = placer.place(raw.byteLength)
    writePieces(fd, raw, pieces)
    if (this.#parts.setup.verify) verifyPieces(fd, raw, pieces, this.#scratch)
    this.#parts.counters.add('bytesRestored', raw.byteLength)
  }

  async #pieces({ fd, chunks, verify }: Extract<Job, { kind: 'pieces' }>, outcome: Outcome): Promise<void> {
    const { feed, counters } = this.#parts
    await feed.prepare(chunks.map(({ id }) => id))
    for (const { id, length, pieces } of chunks) {
      counters.throwIfStopped()
      try {
        const opened = await feed.load(id, false)
        expectKind(opened, ['data'], id)
        if (opened.raw.byteLength !== length)
          throw new CellarError('CHUNK_MALFORMED', `chunk ${id} is not as long as the snapshot says`, { id })
        writePieces(fd, opened.raw, pieces)
        if (verify) verifyPieces(fd, opened.raw, pieces, this.#scratch)
      } catch (error) {
        outcome.problem(new Uint8Array(), new Uint8Array(), error)
        return
      }
      counters.add('bytesRestored', length)
    }
  }

  async #removeExtra(
    { place, trees, keep }: Extract<Job, { kind: 'extra' }>,
    outcome: Outcome,
  ): Promise<void> {
    const { posix, setup } = this.#parts
    const { dir } = place
    if (dir === undefined) return
    const wanted = new Set(keep.map(keyOf))
    try {
      // R: what is in the snapshot must be known whole before anything goes
      for (const tree of trees) for (const { name } of await this.#entriesOf(tree)) wanted.add(keyOf(name))
    } catch (error) {
      outcome.problem(place.path, new Uint8Array(), error)
      return
    }
    for (const name of posix.list(dir)) {
      if (
        wanted.has(keyOf(name)) ||
        !this.#selection.of([...place.names, nameText(name)], place.isSelected).isSelected
      )
        continue
      try {
        outcome.deleted(place.path, name, setup.dryRun ? 1 : removeTree(posix, dir, name))
      } catch (error) {
        outcome.problem(place.path, name, error)
      }
    }
  }

  #writer(outcome: Outcome): WriterParts {
    const { posix, rights, setup } = this.#parts
    const tempName = (): Uint8Array => Buffer.from(`${setup.tempPrefix}${String(this.#temps++)}`)
    return { posix, rights, mayDelete: setup.mayDelete, notice: outcome.notice, tempName }
  }

  #target(place: JobPlace, dir: Dir, entry: Entry, found: Stat | undefined): WriterTarget {
    return { dir, inheritsAcl: place.inheritsAcl, entry, found }
  }
}

function keyOf(name: Uint8Array): string {
  return Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString('latin1')
}

/** Every chunk that the files need, in the order of need. */
function* chunksOf(files: readonly WantedFile[]): Iterable<ChunkId> {
  for (const { entry } of files) {
    if (entry.content?.kind === 'bundle') yield entry.content.chunk
    else if (entry.content?.kind === 'chunks') for (const { id } of entry.content.chunks) yield id
  }
}
