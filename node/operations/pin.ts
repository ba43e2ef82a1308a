/** `pin`, `unpin`: marks that keep snapshots from all retention (spec/deletion.md §3). */

import { CellarError, isCellarError, type RootId } from '../../protocol/index.ts'
import type { CallContext, Refused, SnapshotIds, SnapshotsChanged } from '../api.ts'
import type { NodeParts } from '../parts.ts'
import { EVERY } from '../snapshots.ts'
import { needCapability } from './entitled.ts'
import { resolveSnapshot } from './look.ts'
import { refusedOf } from './refused.ts'

/** Pins snapshots, see `Methods.pin`. @throws {CellarError} `NOT_ENTITLED` */
export async function runPin(
  parts: NodeParts,
  { snapshots }: SnapshotIds,
  context: CallContext<'pin'>,
): Promise<SnapshotsChanged> {
  const find = async (text: string) =>
    (await resolveSnapshot(parts, text, EVERY, context.signal)).snapshot.live.root
  return await change(parts, snapshots, true, find)
}

/** Takes pins of this device away, see `Methods.unpin`. @throws {CellarError} `NOT_ENTITLED` */
export async function runUnpin(parts: NodeParts, { snapshots }: SnapshotIds): Promise<SnapshotsChanged> {
  return await change(parts, snapshots, false, (text) => Promise.resolve(findPinned(parts, text)))
}

async function change(
  parts: NodeParts,
  snapshots: readonly string[],
  isPinned: boolean,
  find: (text: string) => Promise<RootId>,
): Promise<SnapshotsChanged> {
  // Only what a device says that may read counts as a pin: others cannot know what they pin.
  needCapability(parts, 'read', 'reads no snapshots, so its pins do not count')
  const roots = new Set<RootId>()
  const refused: Refused[] = []
  for (const snapshot of snapshots) {
    try {
      roots.add(await find(snapshot))
    } catch (error) {
      if (!isCellarError(error) || error.code === 'ABORTED') throw error
      refused.push(refusedOf(snapshot, isInTrash(parts, snapshot, error) ? forgotten(snapshot) : error))
    }
  }
  if (roots.size > 0) await parts.ledger.setPinned([...roots], isPinned)
  await parts.publish()
  return { message_type: isPinned ? 'pinned' : 'unpinned', snapshot_ids: [...roots], refused }
}

/** Says whether what was not found is so because it is forgotten. */
function isInTrash({ ledger }: NodeParts, text: string, error: CellarError): boolean {
  return error.code === 'SNAPSHOT_NOT_FOUND' && ledger.dead().some(({ root }) => root.startsWith(text))
}

function forgotten(text: string): CellarError {
  return new CellarError('SNAPSHOT_NOT_FOUND', `snapshot ${text} is forgotten: see cellar trash`)
}

/** The snapshot that this device has pinned, alive or not. */
function findPinned(parts: NodeParts, text: string): RootId {
  const { ledger, signer } = parts
  const pinned = [...ledger.pinned()].filter(([root]) => root.startsWith(text))
  const own = pinned.filter(([, by]) => by.includes(signer.device))
  if (own.length > 1)
    throw new CellarError('SNAPSHOT_AMBIGUOUS', `${String(own.length)} pinned snapshots begin with ${text}`)
  const [found] = own
  if (found !== undefined) return found[0]
  const others = [...new Set(pinned.flatMap(([, by]) => by))].map((device) => ledger.nameOf(device))
  throw new CellarError(
    'SNAPSHOT_NOT_FOUND',
    others.length === 0
      ? `no pinned snapshot begins with ${text}`
      : `snapshot ${text} is not pinned here: unpin it on ${others.join(', ')}`,
  )
}
