/** Puts together what watches over a node, once the rest of it is there. */

import type { NodeParts } from '../parts.ts'
import { Serial } from '../serial.ts'
import { openPeers, type SealAgain, sealSources } from './mend-from.ts'
import { Mender } from './mender.ts'
import type { Watching, WatchingBefore } from './watching.ts'

/**
 * Begins to listen for bad chunks.
 *
 * @param given - `parts` is called once the node is put together, never before this returns
 */
export function beginWatching(
  before: WatchingBefore,
  given: Pick<NodeParts, 'store' | 'events' | 'world'> & {
    readonly parts: () => NodeParts
    readonly sealAgain: SealAgain | undefined
  },
): Watching {
  const { store, events, world, parts, sealAgain } = given
  const { record } = before
  const mender = new Mender({
    store,
    events,
    clock: world.clock,
    openPeers: (waits, signal) => openPeers(parts(), waits, signal),
    sealSources:
      sealAgain === undefined
        ? undefined
        : async (isEnough, signal) => {
            if (parts().vault !== undefined) await sealSources(parts(), sealAgain, isEnough, signal)
          },
    publish: () => parts().publish(),
    note: ({ bad, mended }) =>
      record.changeScrub((so) => ({ bad: so.bad + bad, mended: so.mended + mended })),
  })
  return { ...before, mender, scrubs: new Serial() }
}
