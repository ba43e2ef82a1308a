/** Where a mender takes good bytes from: the peers in reach, and what this device has backed up. */

import type { SnapshotRoot } from '../../protocol/index.ts'
import type { NodeParts } from '../parts.ts'
import { PeerSource } from '../replication/peer-source.ts'
import { EVERY } from '../snapshots.ts'
import type { Peers } from './mender.ts'

/** How long peers are waited for when a person waits, milliseconds. */
const seekMs = 30_000

/** Seals the source of one snapshot again, all of it read, and makes no snapshot of it. */
export type SealAgain = (parts: NodeParts, root: SnapshotRoot, signal: AbortSignal) => Promise<void>

/** The peers in reach; a node that is open for one command goes among them if a person waits. */
export async function openPeers(
  parts: NodeParts,
  waits: boolean,
  signal: AbortSignal,
): Promise<Peers | undefined> {
  if (parts.ledger.isAlone) return undefined
  const connected = waits ? await parts.connect() : parts.connected()
  if (connected === undefined) return undefined
  const { network } = connected
  if (waits) await waitForPeer(parts, () => network.connected().length > 0, signal)
  const peers = network.connected()
  return peers.length === 0 ? undefined : new PeerSource({ network, clock: parts.world.clock, peers })
}

async function waitForPeer(parts: NodeParts, isSo: () => boolean, signal: AbortSignal): Promise<void> {
  const { clock } = parts.world
  const endMs = clock.monotonicMs() + seekMs
  while (!isSo() && clock.monotonicMs() < endMs) {
    const limit = { clock, ms: Math.max(1, endMs - clock.monotonicMs()), signal }
    await parts.events.nextWithin(({ kind }) => kind === 'peer', limit)
  }
}

/**
 * Seals what this device backed up, one source after the other by its newest snapshot, until it is enough. What it
 * stores may be what a reclaim looks for: it counts as a use of the store (R6a).
 */
export async function sealSources(
  parts: NodeParts,
  sealAgain: SealAgain,
  isEnough: () => boolean,
  signal: AbortSignal,
): Promise<void> {
  const newest = new Map<string, SnapshotRoot>()
  for (const { live, maker, root } of parts.snapshots.list(EVERY))
    if (maker === parts.signer.device && root !== undefined)
      newest.set(Buffer.from(live.source).toString('hex'), root)
  if (newest.size === 0) return
  await parts.jobs.run('mend', { startedMs: parts.world.clock.nowMs(), signal }, async (_job, within) => {
    for (const root of newest.values()) {
      if (isEnough()) return
      await sealAgain(parts, root, within)
    }
  })
}
