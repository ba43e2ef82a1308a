/** `undelete`: announces forgotten snapshots anew, once they are whole here (spec/deletion.md §3). */

import { CellarError, CHUNKS_PROTOCOL, isCellarError, type RootId } from '../../protocol/index.ts'
import type { CallContext, Refused, SnapshotIds, SnapshotsChanged } from '../api.ts'
import { otherHolders } from '../deletion/restorable.ts'
import type { DeadEntry } from '../ledger/trash.ts'
import type { NodeParts } from '../parts.ts'
import { fetchClosure } from '../replication/fetcher.ts'
import { needCapability } from './entitled.ts'
import { refusedOf } from './refused.ts'
import { hearNews, waitFor } from './sources.ts'
import { findDead } from './trash.ts'

/** Holding may lose once to a round of reclaiming that was under way; no more often. */
const triesMax = 3

/** Brings snapshots back, see `Methods.undelete`. @throws {CellarError} `NOT_ENTITLED`, `ABORTED` */
export async function runUndelete(
  parts: NodeParts,
  { snapshots }: SnapshotIds,
  context: CallContext<'undelete'>,
): Promise<SnapshotsChanged> {
  needCapability(parts, 'backup', 'announces nothing, so it brings nothing back')
  const done: RootId[] = []
  const pinned: RootId[] = []
  const refused: Refused[] = []
  for (const snapshot of snapshots) {
    try {
      const { root, isPinned } = await undelete(parts, snapshot, context.signal)
      done.push(root)
      if (isPinned) pinned.push(root)
    } catch (error) {
      if (!isCellarError(error) || context.signal.aborted) throw error
      refused.push(refusedOf(snapshot, error))
    }
  }
  return {
    message_type: 'undeleted',
    snapshot_ids: done,
    ...(pinned.length > 0 && { pinned_ids: pinned }),
    refused,
  }
}

interface BroughtBack {
  readonly root: RootId
  readonly isPinned: boolean
}

async function undelete(parts: NodeParts, text: string, signal: AbortSignal): Promise<BroughtBack> {
  const entry = await lookUp(parts, text, signal)
  const { ledger } = parts
  // R4: while the session is open nothing is reclaimed here, and the horizon stays where it was.
  const wasUnfinished = ledger.unfinishedForMs !== undefined
  const session = await ledger.openSession(Buffer.from(parts.world.random.bytes(8)).toString('hex'))
  let isComplete = false
  try {
    await bringBack(parts, entry, signal)
    isComplete = !wasUnfinished // what an interrupted backup has stored is not ours to give up
  } finally {
    await ledger.closeSession(session, isComplete)
  }
  await parts.publish()
  return { root: entry.root, isPinned: entry.reason === 'retention' }
}

/** This device may not have heard yet that it was forgotten. */
async function lookUp(parts: NodeParts, text: string, signal: AbortSignal): Promise<DeadEntry> {
  try {
    return findDead(parts, text)
  } catch (error) {
    if (!isCellarError(error, 'SNAPSHOT_NOT_FOUND')) throw error
    await hearNews(parts, signal)
    const lives = parts.ledger.liveRoots().some((root) => root.startsWith(text))
    const isDead = parts.ledger.dead().some(({ root }) => root.startsWith(text))
    if (lives && !isDead)
      throw new CellarError('SNAPSHOT_NOT_FOUND', `${text} is not forgotten`, {
        prefix: text,
      })
    return findDead(parts, text)
  }
}

/**
 * R5: a dead root is no evidence that anybody will keep its chunks, so the new announcement must not lean on it: it is
 * made only when all of it is here and held.
 */
async function bringBack(parts: NodeParts, entry: DeadEntry, signal: AbortSignal): Promise<void> {
  const { ledger, store } = parts
  const { root } = entry
  const [first] = entry.announcements
  if (first === undefined) throw new TypeError('a dead root has an announcement')
  for (let tries = 1; ; tries++) {
    if (!store.isComplete(root)) await fetchDead(parts, root, signal)
    // What rules forgot they would forget again: it is pinned before it lives, so that no rule comes between.
    if (entry.reason === 'retention') await ledger.setPinned([root], true)
    await store.hold(root)
    await ledger.announce({ root, source: first.source, sizeClass: first.sizeClass })
    if (store.isHeld(root) && store.isComplete(root)) return
    if (tries === triesMax)
      throw new CellarError('CLOSURE_INCOMPLETE', `snapshot ${root.slice(0, 8)} is being reclaimed here`, {
        root,
      })
  }
}

/** Fetches all of a dead root from devices that still hold it. */
async function fetchDead(parts: NodeParts, root: RootId, signal: AbortSignal): Promise<void> {
  const { ledger, store, world } = parts
  const holders = () => otherHolders(parts, root)
  const { network } = await parts.connect()
  const reachable = () => network.connected().filter((device) => holders().includes(device))
  if (holders().length > 0) await waitFor(parts, () => reachable().length > 0, signal)
  if (reachable().length === 0) {
    const names = holders().map((device) => ledger.nameOf(device))
    const where =
      names.length === 0
        ? 'no device is known to have it still'
        : `it is on ${names.join(' and ')}, which cannot be reached`
    const message = `snapshot ${root.slice(0, 8)} is not here any more: ${where}`
    throw new CellarError('NO_PEER', message, { root })
  }
  await fetchClosure(
    {
      store,
      clock: world.clock,
      open: (device, within) => network.open(device, CHUNKS_PROTOCOL, within),
    },
    root,
    { peers: reachable(), signal },
  )
}
