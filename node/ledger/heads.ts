/** Chains of heads as they come from peers: opening many, and joining what was kept with what is new. */

import { openHead, type SignedHead } from '../../protocol/index.ts'
import { pause } from '../pause.ts'
import { headsKept } from './records.ts'

/** Heads verified before the others have their turn again: 65,536 at once would take half a minute. */
const headsAtOnce = 64

/** Opens heads without keeping everybody else waiting. @throws {CellarError} `LISTING_INVALID` */
export async function openHeads(all: readonly Uint8Array[]): Promise<SignedHead[]> {
  const heads: SignedHead[] = []
  for (const bytes of all) {
    heads.push(openHead(bytes))
    if (heads.length % headsAtOnce === 0) await pause()
  }
  return heads
}

/** The heads of a branch that goes on from a known one: those before, then those that are new. */
export function joinHeads(
  followed: readonly SignedHead[],
  heads: readonly Uint8Array[],
  headsOf: (tip: SignedHead) => readonly Uint8Array[],
): readonly Uint8Array[] {
  const first = openHead(heads[0] as Uint8Array)
  const before = followed.find((tip) => tip.hash === first.head.prev)
  return before === undefined ? heads : [...headsOf(before), ...heads].slice(-headsKept)
}
