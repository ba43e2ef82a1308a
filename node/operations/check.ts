/** `check`: whether all that is held is whole and good; with `--repair`, mends it from peers, or from the source. */

import { CellarError, type ChunkId, type RootId } from '../../protocol/index.ts'
import type { Problem } from '../../storage/index.ts'
import type { CallContext, CheckParams, CheckSummary } from '../api.ts'
import { storeSource } from '../chunk-source.ts'
import { check as checkSnapshots } from '../check/check.ts'
import { inSubset, parseSubset, type Subset } from '../check/subset.ts'
import type { NodeParts } from '../parts.ts'
import { pause } from '../pause.ts'
import { EVERY } from '../snapshots.ts'
import { isThin } from '../thin/thin.ts'
import { openSource } from './sources.ts'

/** What was found so far. */
interface Findings {
  errors: number
  chunks: number
  bytes: number
  readonly bad: Set<ChunkId>
  readonly brokenPacks: Set<string>
  suggestRepairIndex: boolean
}

/** Checks, see `Methods.check`. @throws {CellarError} `USAGE`, `SNAPSHOT_NOT_FOUND`, `ABORTED` */
export async function runCheck(
  parts: NodeParts,
  params: CheckParams,
  given: CallContext<'check'>,
): Promise<CheckSummary> {
  const start = { startedMs: parts.world.clock.nowMs(), signal: given.signal }
  return await parts.jobs.run('check', start, async (job, signal) => {
    const context = { ...given, signal }
    const check = new Check(parts, context, (share) => {
      job.percentDone = share
    })
    const { roots, elsewhere } = rootsToCheck(parts, params.snapshots)
    await check.storage(params.readData && params.subset === undefined)
    await check.closures(roots, subsetOf(parts, params))
    await check.trees(roots)
    for (const root of elsewhere) await check.elsewhere(root, params.readData)
    const { findings } = check
    const mended = params.repair && findings.errors > 0 ? await repair(parts, findings, context) : 0
    job.summary = { num_errors: findings.errors, num_mended: mended, chunks_checked: findings.chunks }
    return {
      message_type: 'summary',
      num_errors: findings.errors,
      num_mended: mended,
      chunks_checked: findings.chunks,
      bytes_read: findings.bytes,
      snapshots_checked: roots.length + elsewhere.length,
      broken_packs: [...findings.brokenPacks],
      suggest_repair_index: findings.suggestRepairIndex,
      suggest_prune: false,
    }
  })
}

/**
 * Mends what was found. What is only a consequence of lost chunks (counts of references, the length of a pack) is right
 * again once they are back; counts that are wrong without that are made anew from the packs.
 *
 * @returns how many of the errors are no more
 */
async function repair(parts: NodeParts, findings: Findings, context: CallContext<'check'>): Promise<number> {
  const { bad, errors } = findings
  const mended = bad.size === 0 ? 0 : await mend(parts, [...bad], context)
  if (mended < bad.size || errors === bad.size) return mended
  if ((await consequencesLeft(parts, context.signal)) > 0) await parts.store.rebuildIndex()
  return errors - (await consequencesLeft(parts, context.signal))
}

/** @returns how many chunks are good again */
async function mend(
  { events, watching }: NodeParts,
  bad: readonly ChunkId[],
  { signal, onEvent }: CallContext<'check'>,
): Promise<number> {
  for (const id of bad) events.emit({ kind: 'bad-chunk', id })
  const onMended = (chunk: ChunkId, from: string) => {
    onEvent({ message_type: 'mended', chunk, from })
  }
  return (await watching.mender.mend(bad, { signal, isAsked: true, onMended })).length
}

/**
 * Errors that are there still when every chunk is good; packs that lost something are set right at the next opening.
 */
async function consequencesLeft(parts: NodeParts, signal: AbortSignal): Promise<number> {
  let left = 0
  for await (const { kind } of parts.store.verify({ readData: false, signal })) {
    if (kind !== 'pack-missing' && kind !== 'pack-truncated') left++
  }
  return left
}

/** The part of the chunks to read, begun anywhere, so that in time every chunk has its turn. */
function subsetOf(parts: NodeParts, { subset }: CheckParams): Subset | undefined {
  if (subset === undefined) return undefined
  const [a = 0, b = 0] = parts.world.random.bytes(2)
  return parseSubset(subset, (a * 256 + b) / 65_536, parts.store.stats().bytes)
}

/** What is to be checked: what is held here, and what a thin device has left to others. */
interface ToCheck {
  readonly roots: readonly RootId[]
  readonly elsewhere: readonly RootId[]
}

/**
 * The held roots, or those of the snapshots that a person named. A thin device reads one that it does not hold from
 * those who do: that it is not here is no damage.
 */
function rootsToCheck(parts: NodeParts, names: readonly string[]): ToCheck {
  const { store, snapshots, ledger, signer } = parts
  if (names.length === 0) return { roots: store.holds(), elsewhere: [] }
  const named = names.map((name) => snapshots.resolve(name, EVERY).snapshot.live.root)
  const elsewhere = named.filter((root) => !store.isHeld(root))
  const [first] = elsewhere
  if (first !== undefined && !isThin(ledger.membership, signer.device))
    throw new CellarError('SNAPSHOT_NOT_FOUND', `snapshot ${first.slice(0, 8)} is not held on this device`, {
      root: first,
    })
  return { roots: named.filter((root) => store.isHeld(root)), elsewhere }
}

class Check {
  readonly #parts: NodeParts
  readonly #context: CallContext<'check'>
  readonly #onShare: (share: number) => void
  readonly #startedMs: number
  readonly findings: Findings = {
    errors: 0,
    chunks: 0,
    bytes: 0,
    bad: new Set(),
    brokenPacks: new Set(),
    suggestRepairIndex: false,
  }

  constructor(parts: NodeParts, context: CallContext<'check'>, onShare: (share: number) => void) {
    this.#parts = parts
    this.#context = context
    this.#onShare = onShare
    this.#startedMs = parts.world.clock.monotonicMs()
  }

  /** Packs, index and counts; with `readData` every byte. */
  async storage(readData: boolean): Promise<void> {
    const { store } = this.#parts
    const { chunks, bytes } = store.stats()
    this.findings.chunks = chunks
    const onProgress = (progress: { packsDone: number; packs: number; bytesRead: number }) => {
      this.findings.bytes = progress.bytesRead
      const share = progress.packs === 0 ? 1 : progress.packsDone / progress.packs
      this.#status('packs', share, {
        chunks_done: Math.round(share * chunks),
        bytes_done: progress.bytesRead,
        ...(readData && { total_bytes: bytes }),
      })
    }
    for await (const problem of store.verify({ readData, signal: this.#context.signal, onProgress }))
      this.#note(problem)
    for (const id of store.quarantined()) {
      if (!this.findings.bad.has(id)) this.#bad(id, 'CHUNK_CORRUPT', `chunk ${id} was found damaged earlier`)
    }
  }

  /** That each root reaches only what is here; of a sample, that its bytes are good. */
  async closures(roots: readonly RootId[], subset: Subset | undefined): Promise<void> {
    const { store } = this.#parts
    const seen = new Set<ChunkId>()
    for (const [at, root] of roots.entries()) {
      this.#context.signal.throwIfAborted()
      if (!store.isComplete(root)) {
        for (const id of store.missingBelow(root)) {
          if (!this.findings.bad.has(id))
            this.#bad(
              id,
              'CHUNK_NOT_FOUND',
              `chunk ${id}, which snapshot ${root.slice(0, 8)} needs, is not here`,
            )
        }
      }
      if (subset !== undefined) await this.#readSubset(root, subset, seen)
      this.#status('snapshots', (at + 1) / roots.length, { chunks_done: this.findings.chunks })
    }
  }

  async #readSubset(root: RootId, subset: Subset, seen: Set<ChunkId>): Promise<void> {
    const { store } = this.#parts
    const stack: ChunkId[] = [root]
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      if (seen.has(id) || !store.has(id)) continue
      seen.add(id)
      this.#context.signal.throwIfAborted()
      try {
        stack.push(...store.links(id))
        if (inSubset(id, subset)) this.findings.bytes += store.get(id).byteLength
      } catch (error) {
        if (!(error instanceof CellarError)) throw error
        this.#bad(id, error.code, error.message)
      }
      if (seen.size % 256 === 0) await pause()
    }
  }

  /** That every tree opens and says what a tree may say; on a device that can read. */
  async trees(roots: readonly RootId[]): Promise<void> {
    const { vault, store } = this.#parts
    if (vault === undefined) {
      if (roots.length > 0)
        this.#context.onEvent({
          message_type: 'notice',
          message: 'this device holds no key: names and contents were not looked at',
        })
      return
    }
    const request = { roots: roots.filter((root) => store.isComplete(root)) }
    const watch = { signal: this.#context.signal }
    for await (const problem of checkSnapshots(
      { source: storeSource(store), vault, has: (id) => store.has(id) },
      request,
      watch,
    )) {
      if (!this.findings.bad.has(problem.chunk)) this.#bad(problem.chunk, problem.code, problem.message)
    }
  }

  /** A snapshot of which the trees are here at most: what is read comes from those who hold it. */
  async elsewhere(root: RootId, readData: boolean): Promise<void> {
    const { vault } = this.#parts
    if (vault === undefined) return
    const { signal } = this.#context
    const needs = readData ? 'contents' : 'trees'
    const { source, close } = await openSource(this.#parts, root, undefined, signal, needs)
    try {
      const request = { roots: [root], ...(readData && { readData: 'all' as const }) }
      const problems = checkSnapshots({ source, vault, has: () => true }, request, { signal })
      for await (const { chunk, code, message } of problems) this.#bad(chunk, code, message)
    } finally {
      await close()
    }
  }

  #note(problem: Problem): void {
    const { kind, id, pack, message } = problem
    if (pack !== undefined) this.findings.brokenPacks.add(String(pack))
    if (kind === 'refs-wrong' || kind === 'closure-incomplete') this.findings.suggestRepairIndex = true
    if (id !== undefined && (kind === 'chunk-corrupt' || kind === 'chunk-missing')) {
      this.#bad(id, kind === 'chunk-corrupt' ? 'CHUNK_CORRUPT' : 'CHUNK_NOT_FOUND', message)
    } else this.#error('CHECK_FAILED', message)
  }

  #bad(id: ChunkId, code: string, message: string): void {
    this.findings.bad.add(id)
    this.findings.errors++
    this.#context.onEvent({ message_type: 'error', message, code, chunk: id })
  }

  #error(code: string, message: string): void {
    this.findings.errors++
    this.#context.onEvent({ message_type: 'error', message, code })
  }

  #status(
    what: string,
    share: number,
    fields: { chunks_done: number; bytes_done?: number; total_bytes?: number },
  ): void {
    this.#onShare(share)
    this.#context.onEvent({
      message_type: 'status',
      seconds_elapsed: Math.floor((this.#parts.world.clock.monotonicMs() - this.#startedMs) / 1000),
      percent_done: share,
      what,
      total_chunks: this.findings.chunks,
      error_count: this.findings.errors,
      ...fields,
    })
  }
}
