/** What a node watches with, put together: what is remembered, what is doubted, and who mends. */

import type { Catalog } from '../../storage/index.ts'
import type { NodeParts } from '../parts.ts'
import { Serial } from '../serial.ts'
import { Doubts } from './doubts.ts'
import { openPeers, type SealAgain, sealSources } from './mend-from.ts'
import { Mender } from './mender.ts'
import { WatchRecord } from './record.ts'

/** Parts of a node that look after what is stored. */
export interface Watching {
  readonly record: WatchRecord
  readonly doubts: Doubts
  readonly mender: Mender
  /** One scrub at a time: they share the place where the last one stopped. */
  readonly scrubs: Serial
}

/** What is known before the rest of the node is there. */
export type WatchingBefore = Pick<Watching, 'record' | 'doubts'>

/** Reads what is remembered. @param catalog - of the node */
export async function openWatching(catalog: Catalog): Promise<WatchingBefore> {
  return {
    record: new WatchRecord(catalog.sub('watching')),
    doubts: await Doubts.open(catalog.sub('doubts')),
  }
}

/**
 * Begins to listen for bad chunks.
 *
 * @param parts - called once the node is put together, never before this returns
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
