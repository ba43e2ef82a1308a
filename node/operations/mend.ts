/** Mends chunks that are damaged or missing: from peers, else by sealing the source again. */

import { CellarError, type ChunkId, isCellarError } from '../../protocol/index.ts'
import type { CallContext } from '../api.ts'
import { backup } from '../backup/backup.ts'
import type { NodeParts } from '../parts.ts'
import { PeerSource } from '../replication/peer-source.ts'
import { EVERY } from '../snapshots.ts'
import { repeatRequest } from './backup.ts'
import { waitFor } from './sources.ts'

/** What has been mended, chunk by chunk. */
type OnMended = (chunk: ChunkId, from: string) => void

/**
 * Mends. What no peer has and no source gives stays as it was: marked, and never handed out.
 *
 * @returns how many chunks are good again
 */
export async function mend(
  parts: NodeParts,
  bad: readonly ChunkId[],
  context: CallContext<'check'>,
): Promise<number> {
  const { store } = parts
  for (const id of bad) await store.quarantine(id)
  const onMended: OnMended = (chunk, from) => {
    context.onEvent({ message_type: 'mended', chunk, from })
  }
  await mendFromPeers(parts, bad, context.signal, onMended)
  const left = bad.filter((id) => !store.has(id))
  if (left.length > 0) await mendFromSource(parts, left, context, onMended)
  const good = bad.filter((id) => store.has(id))
  for (const root of store.holds()) {
    // What lacked a chunk below it becomes whole again, and is said to be held again (R3).
    if (!store.isComplete(root)) await store.hold(root).catch(ignoreIncomplete)
  }
  await parts.publish()
  return good.length
}

async function mendFromPeers(
  parts: NodeParts,
  bad: readonly ChunkId[],
  signal: AbortSignal,
  onMended: OnMended,
): Promise<void> {
  const others = [...parts.ledger.membership.members.values()].filter(
    ({ device, removedEpoch }) => device !== parts.signer.device && removedEpoch === undefined,
  )
  if (others.length === 0) return
  const { network } = await parts.connect()
  await waitFor(parts, () => network.connected().length > 0, signal)
  const peers = network.connected()
  if (peers.length === 0) return
  const source = new PeerSource({ network, clock: parts.world.clock, peers })
  try {
    for (const id of bad) {
      try {
        await parts.store.replace(id, await source.get(id, signal))
        onMended(id, 'peer')
      } catch (error) {
        signal.throwIfAborted()
        if (!isCellarError(error) || isCellarError(error, 'STORE_FULL')) throw error
      }
    }
  } finally {
    await source.close()
  }
}

/**
 * Seals the sources of this device's snapshots again: equal content makes equal chunks (chunk.md), so a file that is
 * still there as it was gives its chunk back. No snapshot is made of it.
 */
async function mendFromSource(
  parts: NodeParts,
  bad: readonly ChunkId[],
  context: CallContext<'check'>,
  onMended: OnMended,
): Promise<void> {
  const { store, vault, world } = parts
  if (vault === undefined) return
  const newest = new Map(
    parts.snapshots
      .list(EVERY)
      .filter(({ maker, root }) => maker === parts.signer.device && root !== undefined)
      .map((snapshot) => [Buffer.from(snapshot.live.source).toString('hex'), snapshot]),
  )
  for (const { root } of newest.values()) {
    if (root === undefined || bad.every((id) => store.has(id))) continue
    const lacking = bad.filter((id) => !store.has(id))
    await backup(
      { store, vault, contentIndex: parts.catalog.sub('content'), clock: world.clock },
      repeatRequest(parts, root),
      { signal: context.signal },
    )
    for (const id of lacking) if (store.has(id)) onMended(id, 'source')
  }
}

function ignoreIncomplete(error: unknown): void {
  if (!(error instanceof CellarError) || error.code !== 'CLOSURE_INCOMPLETE') throw error
}
