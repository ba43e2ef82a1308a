/** A backup on a device that has less room than what it backs up (spec/upload.md §3). */

import type { RootId } from '../../protocol/index.ts'
import type { CallContext } from '../api.ts'
import type { Elsewhere, Presence } from '../backup/presence.ts'
import type { NodeParts } from '../parts.ts'
import type { SessionUpload } from '../upload/session.ts'

/** What seals into the store, bounded or not. */
type Seal<T> = (presence: Presence, staging?: SessionUpload) => Promise<T>

/** What a session is given. */
export interface UploadUse {
  /** Who keeps chunks for it; undefined where nothing is bounded. */
  readonly elsewhere: Elsewhere | undefined
  /** Bounds the sealing; what it makes is noted before it is announced. */
  wrap<T extends { readonly root?: RootId }>(seal: Seal<T>): (presence: Presence) => Promise<T>
}

/**
 * Does a backup session within the room there is: what there is no room for is given away as it comes.
 *
 * @throws what the session throws; `NO_PEER`, `STORE_FULL` when nobody takes what there is no room for
 */
export async function withUpload<T>(
  parts: NodeParts,
  context: CallContext<'backup'>,
  session: (use: UploadUse) => Promise<T>,
): Promise<T> {
  const { own } = parts.uploads
  const upload = await own.begin({
    stagingBytes: parts.config.staging,
    signal: context.signal,
    onHolder: (device) => {
      const message = `There is little room here: what is new goes to ${parts.ledger.nameOf(device)} as it is read.`
      context.onEvent({ message_type: 'notice', message })
    },
  })
  if (upload === undefined) return await session({ elsewhere: undefined, wrap: (seal) => seal })
  try {
    return await session({
      elsewhere: upload,
      wrap: (seal) => {
        let isBegun = false
        return async (presence) => {
          if (isBegun) {
            // It may lean no more: nothing is given away then.
            await upload.setRoots(undefined)
            return await seal(presence)
          }
          isBegun = true
          const made = await seal(presence, upload)
          if (made.root !== undefined) await own.setRoot(upload, made.root)
          return made
        }
      },
    })
  } finally {
    await own.end(upload)
    const connected = parts.connected()
    if (connected !== undefined) await own.settle(connected.network, context.signal)
  }
}
