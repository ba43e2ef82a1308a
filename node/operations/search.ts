/** `search`: looks for names in one snapshot or all, page by page (see `api-files.ts`). */

import type { Entry } from '../../protocol/index.ts'
import type { CallContext, SearchParams, SearchResult } from '../api.ts'
import { decodeCursor, encodeCursor, wrongCursor } from '../browse/cursor.ts'
import { type NameMatch, nameMatch } from '../browse/name-match.ts'
import { nodeFacts } from '../browse/node-info.ts'
import { PathFinder } from '../browse/path-finder.ts'
import { Searcher, type SearchSides } from '../browse/searcher.ts'
import { type SearchStep, searchSteps } from '../browse/search-steps.ts'
import type { NodeParts } from '../parts.ts'
import { pathBytes, pathFields } from '../path-text.ts'
import { pause } from '../pause.ts'
import { childPath, SnapshotReader, splitPath } from '../snapshot-reader.ts'
import type { KnownSnapshot } from '../snapshots.ts'
import { readerOf } from './backup.ts'
import {
  belowBase,
  isUnreadable,
  newestFirst,
  pauseEvery,
  resolveKnown,
  snapshotTime,
  TOP,
} from './files-shared.ts'
import { fetchRootChunks, type SourceInReach, sourceInReach } from './sources.ts'

/** Looks for names, see `Methods.search`. */
export async function runSearch(
  parts: NodeParts,
  params: SearchParams,
  context: CallContext<'search'>,
): Promise<SearchResult> {
  readerOf(parts)
  const matches = nameMatch(params.text)
  const { signal } = context
  await fetchRootChunks(parts, signal, { waits: false })
  const scope = await scopeOf(parts, params, signal)
  const inReach = sourceInReach(parts)
  try {
    return await new Search(parts, { scope, matches, limit: params.limit, inReach }, context).run()
  } finally {
    await inReach.close()
  }
}

/** Which snapshots are searched, below what, and from where on. */
interface SearchScope {
  readonly steps: readonly SearchStep<KnownSnapshot>[]
  /** Names from the top. */
  readonly below: readonly Uint8Array[]
  /** Snapshots that came later are not searched: a page must go on where the last one ended. */
  readonly untilMs: number
  /** The step to go on with, and behind which entry: names from `below`. */
  readonly first: number
  readonly behind: readonly Uint8Array[]
}

async function scopeOf(parts: NodeParts, params: SearchParams, signal: AbortSignal): Promise<SearchScope> {
  const [until, root, behind] =
    params.after === undefined ? [] : decodeCursor(params.after, ['number', 'string', 'string'])
  const below = params.below === undefined ? TOP : pathBytes(params.below)
  const one =
    params.snapshot === undefined
      ? undefined
      : await resolveKnown(parts, { snapshot: params.snapshot, filter: params.filter }, signal)
  const all = one === undefined ? newestFirst(parts, params.filter) : [one.snapshot]
  const untilMs = until ?? Math.max(0, ...all.slice(0, 1).map(({ timeMs }) => timeMs))
  const steps = searchSteps(
    all.filter(({ timeMs }) => timeMs <= untilMs),
    groupOf,
  )
  const first = root === undefined ? 0 : steps.findIndex(({ snapshot }) => snapshot.live.root === root)
  if (first < 0) throw wrongCursor()
  return {
    steps,
    below: splitPath(belowBase(one?.path, below)),
    untilMs,
    first,
    behind: behind === undefined ? [] : splitPath(Buffer.from(behind, 'base64')),
  }
}

/** One page of a search. */
class Search {
  readonly #parts: NodeParts
  readonly #context: CallContext<'search'>
  readonly #scope: SearchScope
  readonly #limit: number
  readonly #inReach: SourceInReach
  readonly #searcher: Searcher
  readonly #finder: PathFinder
  #hits = 0
  #done: number
  #unreachable = 0
  #partsRead = 0

  constructor(
    parts: NodeParts,
    init: {
      readonly scope: SearchScope
      readonly matches: NameMatch
      readonly limit: number
      readonly inReach: SourceInReach
    },
    context: CallContext<'search'>,
  ) {
    this.#parts = parts
    this.#context = context
    this.#scope = init.scope
    this.#limit = init.limit
    this.#inReach = init.inReach
    this.#done = init.scope.first
    const reader = new SnapshotReader(init.inReach.source, readerOf(parts))
    this.#searcher = new Searcher(reader, init.matches, () => this.#look())
    this.#finder = new PathFinder(reader, init.scope.below)
  }

  async run(): Promise<SearchResult> {
    const { steps, first } = this.#scope
    for (const [at, step] of steps.slice(first).entries()) {
      if (at % pauseEvery === 0) await pause()
      const next = await this.#step(step, at === 0 ? this.#scope.behind : [])
      if (next !== undefined) return this.#result(next)
      this.#done++
    }
    return this.#result(undefined)
  }

  /** @returns the cursor behind the last hit when the page is full */
  async #step(
    { snapshot, newer }: SearchStep<KnownSnapshot>,
    behind: readonly Uint8Array[],
  ): Promise<string | undefined> {
    const isReadable = ({ root, live }: KnownSnapshot) => root !== undefined && this.#inReach.has(live.root)
    if (!isReadable(snapshot)) {
      this.#skip(snapshot, 'it is neither here nor on a device in reach')
      return undefined
    }
    try {
      const beside = newer.find(isReadable)
      const trees = await this.#treesOf(snapshot)
      if (trees === undefined) return undefined
      const there = beside === undefined ? undefined : await this.#treesOf(beside)
      const sides = { trees, newer: there, at: this.#scope.below, behind }
      return await this.#tell(sides, snapshot, beside !== undefined)
    } catch (error) {
      if (!isUnreadable(error)) throw error
      this.#skip(snapshot, error.message)
      return undefined
    }
  }

  async #tell(sides: SearchSides, { live, maker, timeMs, root }: KnownSnapshot, isGone: boolean) {
    const { signal, onEvent } = this.#context
    for await (const { path, names, entry } of this.#searcher.search(sides, signal)) {
      onEvent({
        message_type: 'hit',
        name: pathFields(entry.name).path,
        ...nodeFacts(path, entry),
        snapshot: live.root,
        snapshot_time: snapshotTime(root, timeMs),
        device_name: this.#parts.ledger.nameOf(maker),
        is_gone: isGone,
      })
      this.#hits++
      if (this.#hits < this.#limit) continue
      const behind = names.slice(this.#scope.below.length).reduce(childPath, TOP)
      return encodeCursor([this.#scope.untilMs, live.root, Buffer.from(behind).toString('base64')])
    }
    return undefined
  }

  async #treesOf({ root }: KnownSnapshot): Promise<Entry['trees']> {
    return root === undefined ? undefined : (await this.#finder.find(root.trees, this.#context.signal))?.trees
  }

  #skip({ live }: KnownSnapshot, message: string): void {
    this.#unreachable++
    this.#context.onEvent({ message_type: 'notice', snapshot: live.root, message })
  }

  async #look(): Promise<void> {
    this.#partsRead++
    if (this.#partsRead % pauseEvery !== 0) return
    this.#context.onEvent({
      message_type: 'status',
      entries: this.#searcher.looked,
      snapshots: this.#done,
      total_snapshots: this.#scope.steps.length,
    })
    // Who reads slowly is waited for, and others have the thread meanwhile.
    await this.#context.output(new Uint8Array(0))
    await pause()
  }

  #result(next: string | undefined): SearchResult {
    return {
      hits: this.#hits,
      ...(next !== undefined && { next }),
      entries: this.#searcher.looked,
      snapshots: this.#done,
      total_snapshots: this.#scope.steps.length,
      unreachable_count: this.#unreachable,
    }
  }
}

/** Equal for what one device backed up of the same paths. */
function groupOf({ live, maker, root }: KnownSnapshot): string {
  const paths = root?.paths.map((path) => Buffer.from(path).toString('base64')).sort()
  return `${maker} ${paths?.join(' ') ?? Buffer.from(live.source).toString('hex')}`
}
