/** What a node watches with, put together: what is remembered, what is doubted, and who mends. */

import type { Catalog } from '../../storage/index.ts'
import type { Serial } from '../serial.ts'
import { Doubts } from './doubts.ts'
import type { Mender } from './mender.ts'
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
