/** Begins to tell what happens on a node. */

import { CellarError } from '../../protocol/index.ts'
import type { NodeParts } from '../parts.ts'
import type { Outside } from './outside.ts'
import { Telling } from './telling.ts'

/** Telling of a node that is being put together; to be closed after all that it tells of. */
export async function openTelling(
  parts: Pick<NodeParts, 'settings' | 'world' | 'events' | 'catalog' | 'ledger' | 'isRunning'>,
  outside: (() => Promise<Outside>) | undefined,
): Promise<Telling> {
  const { settings, world, events, ledger, isRunning } = parts
  const { device, membership } = ledger
  const mesh = membership.mesh.slice(0, 8)
  return await Telling.open({
    settings,
    clock: world.clock,
    events,
    catalog: parts.catalog.sub('telling'),
    teller: () => ({ device: ledger.nameOf(device), deviceId: device, mesh }),
    nameOf: (other) => ledger.nameOf(other),
    outside: outside ?? noOutside,
    isRunning,
  })
}

async function noOutside(): Promise<never> {
  throw new CellarError('HOOK_FAILED', 'this node was given no way to the outside')
}
