/** Waits until a snapshot is on as many devices as were asked for (`backup --wait`). */

import type { RootId } from '../../protocol/index.ts'
import type { NodeParts } from '../parts.ts'
import { isFull } from './full.ts'

/** With nobody in reach who could take a copy, waiting ends after so long, milliseconds. */
const aloneMsMax = 30_000
/** With somebody in reach but nothing moving, after so long. */
const stillMsMax = 180_000
/** With nobody in reach but who says that it is full: its word may just be on its way to us, or from us. */
const fullMsMax = 5000
const checkEveryMs = 1000

/** Copies so far. */
export interface CopiesSoFar {
  readonly copies: number
  readonly copies_wanted: number
  readonly devices: readonly string[]
}

/** What waiting came to. */
export interface Waited {
  readonly wanted: number
  readonly reached: boolean
  /** Names of devices in reach that have no room for it, where that ended the waiting. */
  readonly full?: readonly string[]
}

/** How one waits. */
export interface WaitOptions {
  readonly signal: AbortSignal
  /** Whenever one more device has said that it holds it. */
  readonly onCopies: (copies: CopiesSoFar) => void
}

/**
 * Waits for signed listings that say the root is held (the receipts), until there are enough, or nobody in reach could
 * still take a copy, or nothing has moved for minutes. Who is full takes none.
 *
 * @param wanted - how many devices, this one included; `goal`: as many as the mesh wants
 */
export async function waitForCopies(
  parts: NodeParts,
  root: RootId,
  wanted: 'goal' | number,
  options: WaitOptions,
): Promise<Waited> {
  const { ledger, events } = parts
  const { clock } = parts.world
  const target = () => (wanted === 'goal' ? ledger.copies(root).goal : wanted)
  let told = -1
  let movedMs = clock.monotonicMs()
  const off = events.on((event) => {
    if (event.kind === 'served' || event.kind === 'peer' || event.kind === 'contact')
      movedMs = clock.monotonicMs()
  })
  try {
    const { network } = await parts.connect()
    for (;;) {
      const { holders } = ledger.copies(root)
      if (holders.length !== told) {
        told = holders.length
        movedMs = clock.monotonicMs()
        options.onCopies({
          copies: told,
          copies_wanted: target(),
          devices: holders.map((device) => ledger.nameOf(device)),
        })
      }
      if (told >= target()) return { wanted: target(), reached: true }
      const others = network.connected().filter((device) => !holders.includes(device))
      const full = others.filter((device) => isFull(parts, device))
      const isNoRoom = full.length > 0 && full.length === others.length
      const ms = isNoRoom ? fullMsMax : others.length === 0 ? aloneMsMax : stillMsMax
      if (clock.monotonicMs() - movedMs > ms) {
        const names = full.map((device) => ledger.nameOf(device))
        return { wanted: target(), reached: false, ...(isNoRoom && { full: names }) }
      }
      const limit = { clock, ms: checkEveryMs, signal: options.signal }
      await events.nextWithin((event) => event.kind === 'view', limit)
    }
  } finally {
    off()
  }
}
