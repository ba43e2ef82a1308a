/** Opens the vault keys of a node, and keeps them as the membership log says (keys.md §2). */

import type { Events } from '../events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { HomeKeys } from './key-file.ts'
import { type RingParts, VaultRing } from './ring.ts'

/** What the ring of a node stands on. */
export interface OpenRingParts extends Pick<RingParts, 'openVault'> {
  readonly keys: HomeKeys
  readonly ledger: Ledger
  readonly events: Events
}

/** Opens the ring; from then on it follows the log. */
export async function openRing({ keys, ledger, events, openVault }: OpenRingParts): Promise<VaultRing> {
  const ring = await VaultRing.open(
    { device: ledger.device, seed: keys.device, fileKey: keys.vault, openVault },
    ledger.membership,
  )
  events.on((event) => {
    if (event.kind !== 'view') return
    ring.update(ledger.membership).catch((error: unknown) => {
      events.emit({ kind: 'trouble', code: 'KEY_INVALID', message: (error as Error).message })
    })
  })
  return ring
}
