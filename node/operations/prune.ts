/** `prune`: frees what may be freed now, and says what waits for what. */

import type { RootId } from '../../protocol/index.ts'
import type { CallContext, PruneParams, PruneResult, WaitingReclaim } from '../api.ts'
import { type Explained, Explainer } from '../deletion/explain.ts'
import type { Wait } from '../deletion/judge.ts'
import { neededChunks } from '../deletion/needed.ts'
import type { NodeParts } from '../parts.ts'
import { hearNews } from './sources.ts'

/** Frees space, see `Methods.prune`. @throws {CellarError} `STORE_FULL`, `ABORTED` */
export async function runPrune(
  parts: NodeParts,
  params: PruneParams,
  given: CallContext<'prune'>,
): Promise<PruneResult> {
  if (params.dryRun) return await foresee(parts, params)
  const start = { startedMs: parts.world.clock.nowMs(), signal: given.signal }
  return await parts.jobs.run('prune', start, async (job, signal) => {
    const context = { ...given, signal }
    const { ledger, reaper } = parts
    if (isNewsOfUse(parts)) await hearNews(parts, context.signal)
    context.signal.throwIfAborted()
    if (params.unfinished) await ledger.endUnfinished()
    if (params.unfinished) await parts.uploads.own.giveUp()
    await parts.uploads.keeper.review(context.signal)
    await parts.publish()
    const { released, chunks, bytes, freedBytes } = await reaper.reap({
      signal: context.signal,
      unfinished: params.unfinished,
      onProgress: (progress) => {
        context.onEvent({
          message_type: 'status',
          step: progress.step,
          snapshots_released: progress.released,
          bytes_freed: progress.freedBytes,
        })
      },
    })
    signal.throwIfAborted()
    job.summary = { snapshots_released: released.length, chunks_removed: chunks, bytes_freed: freedBytes }
    return {
      message_type: 'pruned',
      dry_run: false,
      snapshots_released: released.length,
      chunks_removed: chunks,
      bytes_removed: bytes,
      bytes_freed: freedBytes,
      waiting: await waitingFor(parts, new Explainer(parts).all()),
    }
  })
}

/** What only a peer can change: nobody is waited for where time or a person must come first. */
const OF_PEERS: readonly Wait['kind'][] = ['contact', 'leaning', 'unknown']

/** R10, R11: what is given up is told to a peer first, and who is waited for may have spoken. */
function isNewsOfUse(parts: NodeParts): boolean {
  const { ledger } = parts
  if (ledger.isAlone) return false
  return new Explainer(parts).all().some(({ root, waits }) => {
    const isSaid = ledger.withdrawn().has(root) && !ledger.saysHeld(root)
    return !isSaid && waits.every(({ kind }) => OF_PEERS.includes(kind))
  })
}

/** What a pass would do; changes nothing, and waits for nobody. */
async function foresee(parts: NodeParts, { unfinished }: PruneParams): Promise<PruneResult> {
  const { ledger, store } = parts
  const explained = new Explainer(parts).all()
  const ready = explained.filter(({ waits }) => waits.length === 0).map(({ root }) => root)
  const needed = await neededChunks(ledger, store)
  const staying = await parts.reaper.treesToKeep()
  const { chunks, bytes } = await store.freedBy(ready, {
    mayReclaim: (id) => !needed.has(id) && !parts.reaper.isPromised(id),
    ...(staying !== undefined && { staysAlone: (id) => staying.has(id) }),
    unfinished: unfinished || ledger.unfinishedForMs === undefined,
  })
  return {
    message_type: 'pruned',
    dry_run: true,
    snapshots_released: ready.length,
    chunks_removed: chunks,
    bytes_removed: bytes,
    bytes_freed: 0,
    waiting: await waitingFor(parts, explained),
  }
}

/** What waits, by what it waits for: a root that waits for several things is with each. */
async function waitingFor(parts: NodeParts, explained: readonly Explained[]): Promise<WaitingReclaim[]> {
  const groups = new Map<string, { readonly block: WaitingReclaim['block']; readonly roots: RootId[] }>()
  for (const { root, blocks } of explained) {
    for (const block of blocks) {
      const key = [block.kind, block.message, block.until?.slice(0, 13)].join('\n') // to the hour
      const group = groups.get(key) ?? { block, roots: [] }
      if (!groups.has(key)) groups.set(key, group)
      group.roots.push(root)
    }
  }
  const waiting: WaitingReclaim[] = []
  for (const { block, roots } of groups.values()) {
    const { bytes } = await parts.store.freedBy(roots)
    const freed =
      block.kind === 'leaning' ? { bytes_if_removed: await bytesWithout(parts, explained, block) } : {}
    waiting.push({ block, snapshot_ids: roots, bytes, ...freed })
  }
  return waiting
}

/** Bytes of the roots that wait for one device and for nothing else. */
async function bytesWithout(
  parts: NodeParts,
  explained: readonly Explained[],
  { kind, device }: WaitingReclaim['block'],
): Promise<number> {
  const only = explained.filter(
    ({ blocks }) => blocks.length > 0 && blocks.every((one) => one.kind === kind && one.device === device),
  )
  const { bytes } = await parts.store.freedBy(only.map(({ root }) => root))
  return bytes
}
