/** `trash`: what is forgotten and not gone yet. */

import { CellarError } from '../../protocol/index.ts'
import type { TrashEntry } from '../api.ts'
import { readRoot } from '../deletion/candidates.ts'
import { Explainer } from '../deletion/explain.ts'
import { otherHolders, restorableDead } from '../deletion/restorable.ts'
import type { DeadEntry } from '../ledger/trash.ts'
import type { NodeParts } from '../parts.ts'
import type { KnownSnapshot } from '../snapshots.ts'
import { snapshotInfo } from './look.ts'

/** Forgotten snapshots that can still be brought back, the one forgotten last at the end. */
export function listTrash(parts: NodeParts): TrashEntry[] {
  const explainer = new Explainer(parts)
  return restorableDead(parts).map((entry) => describe(parts, entry, explainer))
}

function describe(parts: NodeParts, entry: DeadEntry, explainer: Explainer): TrashEntry {
  const { ledger, store } = parts
  return {
    snapshot: snapshotInfo(parts, deadSnapshot(parts, entry)),
    forgotten_by: ledger.nameOf(entry.by),
    forgotten_at: new Date(entry.forgottenAtMs).toISOString(),
    reason: entry.reason,
    held_here: store.isComplete(entry.root),
    holders: otherHolders(parts, entry.root).map((device) => ledger.nameOf(device)),
    waits_for: explainer.explain(entry.root).blocks,
  }
}

function deadSnapshot(parts: NodeParts, { root: id, announcements }: DeadEntry): KnownSnapshot {
  const [first] = announcements
  if (first === undefined) throw new TypeError('a dead root has an announcement')
  const root = readRoot(parts, id)
  const timeMs =
    root === undefined
      ? (parts.ledger.announcedAtMs(first.dot) ?? parts.ledger.firstSeenMs(id))
      : Number(root.timeNs / 1_000_000n)
  const live = { ...first, root: id }
  return { live, maker: parts.snapshots.makerOf(live), timeMs, root }
}

/**
 * Finds what of the trash a person means.
 *
 * @param text - an id, or its beginning
 * @throws {CellarError} `USAGE`, `SNAPSHOT_NOT_FOUND`, `SNAPSHOT_AMBIGUOUS`
 */
export function findDead(parts: NodeParts, text: string): DeadEntry {
  if (!/^[0-9a-f]{1,64}$/.test(text))
    throw new CellarError('USAGE', `"${text}" is not the beginning of a snapshot id`)
  const found = parts.ledger.dead().filter(({ root }) => root.startsWith(text))
  if (found.length > 1)
    throw new CellarError(
      'SNAPSHOT_AMBIGUOUS',
      `${String(found.length)} forgotten snapshots begin with ${text}`,
      {
        prefix: text,
      },
    )
  const [entry] = found
  if (entry === undefined)
    throw new CellarError(
      'SNAPSHOT_NOT_FOUND',
      `no forgotten snapshot begins with ${text}: see cellar trash`,
      {
        prefix: text,
      },
    )
  return entry
}
