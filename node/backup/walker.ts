/**
 * Walks the sources, depth first, and gives each thing found to whoever takes care of it (node/spec/backup.md §1, §2,
 * §7).
 */

import type { BigIntStats } from 'node:fs'
import {
  type ChunkId,
  type Clock,
  findEntryFault,
  treeDepthMax,
  treeDigest,
  equalBytes,
} from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import type { Posix } from '../adapters/posix.ts'
import { pause } from '../pause.ts'
import type { Vault } from '../vault.ts'
import { nameHash } from './bundles.ts'
import { Directory, type DirectoryPlan } from './directory.ts'
import type { Excluder } from './exclude-rules.ts'
import {
  type Draft,
  type Found,
  foundOf,
  linkTarget,
  look,
  lookThrough,
  namesIn,
  pathTo,
  Way,
} from './list-directory.ts'
import { nameText } from './patterns.ts'
import { agree, ContentCheck, isUnchanged, PreviousDirectory } from './previous.ts'
import type { Presence } from './presence.ts'
import { failureOf, isSystemError } from './read-source.ts'
import type { SourceFiles } from './source-files.ts'
import { firstMissing, type Wish } from './sources.ts'
import type { Tally } from './tally.ts'

/** The event loop gets a turn after so long. */
const SLICE_MS = 3

/** What it works with. */
export interface WalkerParts {
  readonly store: ChunkStore
  readonly presence: Presence
  readonly vault: Vault
  readonly posix: Posix
  readonly clock: Clock
  readonly tally: Tally
  readonly files: SourceFiles
  readonly excluder: Excluder
  readonly gear: Uint32Array
  readonly oneFileSystem: boolean
  /** Directories of the program itself: device and inode. */
  readonly own: ReadonlySet<string>
  /** Called once all in a directory is known; fills in its trees. */
  readonly finish: (directory: Directory) => void
  /** Whether more work may be given out at once. */
  readonly hasRoom: () => boolean
  /** Resolves when more work may be given out; rejects when the backup has failed. */
  readonly room: () => Promise<void>
}

/** Something found, and the wish for it if a source is it or in it. */
interface Seen extends Found {
  /** What to open. */
  readonly path: Buffer
  readonly wish: Wish | undefined
  readonly isWhole: boolean
}

/** Names a directory across paths. */
export function directoryKey(stats: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${String(stats.dev)}:${String(stats.ino)}`
}

/**
 * Walks the sources in the order of their names, compares each directory with the snapshot before, and gives
 * out what must be read.
 */
export class Walker {
  readonly #parts: WalkerParts
  readonly #check: ContentCheck
  #sliceEnd = 0
  /** Whether anything in a source is not as in the snapshot before. */
  hasChanged = false
  /** Sources that were found. */
  sourcesFound = 0

  constructor(parts: WalkerParts) {
    this.#parts = parts
    this.#check = new ContentCheck(parts.presence)
  }

  /**
   * Walks everything. Resolves when all has been looked at; `finish` of `/` comes when all is also read.
   *
   * @param top - the wish for `/`
   * @param trees - the parts of `/` in the snapshot before
   * @param extra - goes beside the sources in `/`
   */
  async walk(top: Wish, trees: readonly ChunkId[] | undefined, extra: readonly Draft[]): Promise<void> {
    const previous = this.#previous(trees)
    const plan: DirectoryPlan = {
      ...{
        way: new Way(Buffer.from('/')),
        names: [],
        depth: 0,
        wish: top,
        isWhole: top.isSource,
        isHollow: false,
      },
      device: look(Buffer.from('/')).dev,
      ...(previous === undefined ? {} : { previous }),
    }
    if (top.isSource) this.sourcesFound++
    const stack = [this.#directory(plan)]
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      await this.#breathe()
      const inside = await this.#enter(next, next.plan.depth === 0 ? extra : [])
      next.done()
      for (const one of inside.reverse()) stack.push(one)
    }
  }

  #directory(plan: DirectoryPlan): Directory {
    return new Directory(plan, (directory) => {
      this.#parts.finish(directory)
      if (plan.isWhole && plan.previous === undefined) this.hasChanged = true
      plan.way.close()
      plan.parent?.done()
    })
  }

  #previous(trees: readonly ChunkId[] | undefined): PreviousDirectory | undefined {
    return trees === undefined
      ? undefined
      : PreviousDirectory.open(this.#parts.store, this.#parts.vault, trees)
  }

  /** Whether it is somebody else's turn. */
  get #isTurnOver(): boolean {
    return !this.#parts.hasRoom() || this.#parts.clock.monotonicMs() >= this.#sliceEnd
  }

  async #breathe(): Promise<void> {
    await this.#parts.room()
    if (this.#parts.clock.monotonicMs() < this.#sliceEnd) return
    await pause()
    this.#sliceEnd = this.#parts.clock.monotonicMs() + SLICE_MS
  }

  /** Lists a directory, gives out what is in it, and gives the directories inside, in order. */
  async #enter(directory: Directory, extra: readonly Draft[]): Promise<Directory[]> {
    const { presence } = this.#parts
    const { previous, isWhole } = directory.plan
    const seen = await this.#list(directory)
    for (const draft of extra)
      seen.push({ draft, allocated: draft.size, path: Buffer.alloc(0), wish: undefined, isWhole: true })
    if (extra.length > 0) seen.sort((a, b) => Buffer.compare(a.draft.name, b.draft.name))
    directory.drafts = seen.map(({ draft }) => draft)
    const before = (previous?.parts ?? []).map(({ id, view }) =>
      presence.isWhole(id) ? view : { digest: new Uint8Array(0), count: 0 },
    )
    directory.agreement = agree(directory.drafts, before)
    const { from, to } = directory.agreement
    if (
      isWhole
        ? from < to || before.length !== directory.agreement.head + directory.agreement.tail
        : this.#hasSourceChanged(directory, seen)
    )
      this.hasChanged = true
    const inside: Directory[] = []
    for (const [index, one] of seen.entries()) {
      const { draft } = one
      this.#parts.tally.found(draft.type, draft.type === 'file' ? draft.size : 0)
      if (draft.type === 'dir') this.#openInside(directory, one, inside)
      if (extra.includes(draft)) {
        this.#parts.tally.file('New', draft.size, () => directory.shownOf(draft.name))
        this.#parts.tally.done(draft.size)
      } else if (index >= from && index < to) {
        this.#fill(directory, one)
        if (this.#isTurnOver) await this.#breathe()
      } else if (draft.type === 'file') {
        this.#parts.tally.file('Unmodified', draft.size, () => directory.shownOf(draft.name))
        this.#parts.tally.done(draft.size)
      }
    }
    return inside
  }

  /** In a directory on the way to sources only the sources count. */
  #hasSourceChanged({ plan }: Directory, seen: readonly Seen[]): boolean {
    const { previous } = plan
    if (previous === undefined) return true
    const count = previous.parts.reduce((sum, { view }) => sum + view.count, 0)
    if (count !== seen.length) return true
    return seen.some(({ draft, wish }) => {
      const before = previous.entry(draft.name, 0, previous.parts.length)
      if (before === undefined) return true
      return wish?.isSource !== false && !equalBytes(treeDigest([draft]), treeDigest([before]))
    })
  }

  async #list(directory: Directory): Promise<Seen[]> {
    const { way, isWhole, isHollow, wish } = directory.plan
    const { excluder } = this.#parts
    let names: Buffer[]
    try {
      names = isHollow ? [] : isWhole ? namesIn(way.path) : []
    } catch (error) {
      if (!isSystemError(error)) throw error
      this.#parts.tally.fail(directory.shown, failureOf(error))
      names = []
    }
    const marker = isWhole ? excluder.markerIn(names, (name) => pathTo(way.path, name)) : undefined
    const inside = wish?.inside ?? new Map<string, Wish>()
    const known = isWhole
      ? new Set(inside.size === 0 ? [] : names.map((name) => name.toString('latin1')))
      : new Set<string>()
    for (const [key, { name }] of inside) if (!known.has(key)) names.push(name)
    if (inside.size > 0) names.sort((a, b) => a.compare(b))
    const seen: Seen[] = []
    for (const [index, name] of names.entries()) {
      if (index % 16 === 15 && this.#isTurnOver) await this.#breathe()
      const one = this.#see(
        directory,
        name,
        inside.size === 0 ? undefined : inside.get(name.toString('latin1')),
        marker,
      )
      if (one !== undefined) seen.push(one)
    }
    return seen
  }

  /** Looks at one name; `undefined` when it is left out. */
  #see(
    directory: Directory,
    name: Buffer,
    wish: Wish | undefined,
    marker: Buffer | undefined,
  ): Seen | undefined {
    const { excluder, tally } = this.#parts
    const { plan } = directory
    const isExcluded =
      (marker !== undefined && !marker.equals(name)) ||
      (excluder.hasPatterns && excluder.isExcluded([...plan.names, nameText(name)]))
    const isLeftOut = !plan.isWhole || isExcluded
    if (isLeftOut && wish === undefined) {
      if (isExcluded) tally.excluded(() => directory.shownOf(name))
      return undefined
    }
    const path = pathTo(plan.way.path, name)
    let stats: BigIntStats
    try {
      // On the way to a source a symlink is followed, as the system would.
      stats = wish !== undefined && !wish.isSource ? lookThrough(path) : look(path)
    } catch (error) {
      if (!isSystemError(error)) throw error
      // Gone since it was listed: as if it had gone before. A path somebody named is missed.
      if (wish === undefined && error.code === 'ENOENT') return undefined
      tally.fail(
        wish === undefined ? directory.shownOf(name) : firstMissing(directory.shownOf(wish.name), wish),
        failureOf(error),
      )
      return undefined
    }
    const found = foundOf(name, stats)
    if (wish?.isSource === true) this.sourcesFound++
    if (found === undefined) {
      tally.notice(`Left out: ${directory.shownOf(name).toString()} is a socket.`)
      return undefined
    }
    if (found.draft.type === 'file' && wish === undefined && excluder.isTooLarge(found.draft.size)) {
      tally.excluded(() => directory.shownOf(name))
      return undefined
    }
    if (found.draft.type === 'dir' && !this.#mayEnter(directory, name, stats)) return undefined
    return {
      draft: found.draft,
      allocated: found.allocated,
      path,
      wish,
      isWhole: !isLeftOut || wish?.isSource === true,
    }
  }

  #mayEnter(directory: Directory, name: Buffer, stats: BigIntStats): boolean {
    const { own, tally } = this.#parts
    if (own.has(directoryKey(stats))) {
      tally.notice(`Left out: ${directory.shownOf(name).toString()} is where this device keeps its own data.`)
      return false
    }
    if (directory.plan.depth < treeDepthMax) return true
    tally.fail(directory.shownOf(name), { code: 'ELOOP', message: 'directories are nested too deep' })
    return false
  }

  #openInside(directory: Directory, { draft, wish, isWhole }: Seen, inside: Directory[]): void {
    const { plan } = directory
    const { oneFileSystem, excluder, tally } = this.#parts
    let way: Way
    try {
      way = plan.way.down(draft.name)
    } catch (error) {
      if (!isSystemError(error)) throw error
      tally.fail(directory.shownOf(draft.name), failureOf(error))
      directory.lost.add(draft)
      return
    }
    const isElsewhere =
      oneFileSystem && wish?.isSource !== true && plan.isWhole && draft.device !== plan.device
    const previous = this.#previous(plan.previous?.treesOf(draft.name))
    directory.expect()
    inside.push(
      this.#directory({
        ...{ parent: directory, draft, way, depth: plan.depth + 1, isWhole, isHollow: isElsewhere },
        names: excluder.hasPatterns ? [...plan.names, nameText(draft.name)] : [],
        device: wish?.isSource === true ? draft.device : plan.device,
        ...(wish === undefined ? {} : { wish }),
        ...(previous === undefined ? {} : { previous }),
      }),
    )
  }

  /** Completes an entry: from the snapshot before where it is unchanged, else from the source. */
  #fill(directory: Directory, seen: Seen): void {
    const { draft } = seen
    const { posix, tally } = this.#parts
    const { previous } = directory.plan
    const { head, tail } = directory.agreement
    const before = previous?.entry(draft.name, head, previous.parts.length - tail)
    const isFile = draft.type === 'file'
    if (before !== undefined && isUnchanged(draft, before) && this.#check.isHere(before)) {
      const { trees, ...kept } = draft
      Object.assign(draft, before, kept, { device: before.device }, trees === undefined ? {} : { trees })
      if (draft.type === 'dir') delete draft.trees
      if (isFile) tally.file('Unmodified', draft.size, () => directory.shownOf(draft.name))
      if (isFile) tally.done(draft.size)
      return
    }
    const user = posix.userName(draft.uid)
    const group = posix.groupName(draft.gid)
    if (user !== undefined) draft.user = user
    if (group !== undefined) draft.group = group
    const change = before === undefined ? 'New' : 'Changed'
    if (isFile) tally.file(change, draft.size, () => directory.shownOf(draft.name))
    if (isFile && draft.size > 0) this.#read(directory, seen)
    else this.#describe(directory, seen)
  }

  #read(directory: Directory, { draft, allocated, path }: Seen): void {
    const { files, gear, tally } = this.#parts
    const { plan } = directory
    const { size } = draft
    directory.expect()
    files.add({
      draft,
      allocated,
      path,
      shown: () => directory.shownOf(draft.name),
      hash: nameHash(gear, plan.draft?.name ?? Buffer.alloc(0), draft.name),
      done: (isKept) => {
        const fault = isKept && draft.xattrs !== undefined ? findEntryFault(draft) : undefined
        if (fault !== undefined) tally.fail(directory.shownOf(draft.name), { code: 'EINVAL', message: fault })
        const isGood = isKept && fault === undefined
        if (!isGood) directory.lost.add(draft)
        tally.amend(isGood ? 0 : -1, (isGood ? draft.size : 0) - size)
        directory.done()
      },
    })
  }

  /** Completes what has no content: attributes, and where a symlink points. */
  #describe(directory: Directory, { draft, path }: Seen): void {
    const { posix, tally } = this.#parts
    try {
      if (draft.type === 'symlink') draft.target = linkTarget(path)
      const xattrs =
        draft.type === 'dir' || draft.type === 'file' || draft.type === 'symlink'
          ? posix.readXattrs(path)
          : []
      if (xattrs.length > 0) draft.xattrs = xattrs
      if (draft.type === 'file') tally.done(0)
    } catch (error) {
      if (!isSystemError(error)) throw error
      tally.fail(directory.shownOf(draft.name), failureOf(error))
      if (draft.type !== 'dir') directory.lost.add(draft)
    }
  }
}
