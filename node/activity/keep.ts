/** Keeps the history of a node, and looks once in a while how large its store is (spec/activity.md §2, §3). */

import { CellarError, isCellarError } from '../../protocol/index.ts'
import type { Closer } from '../assemble.ts'
import type { NodeParts } from '../parts.ts'
import { type Change, Entries } from './entries.ts'
import { sampleNow } from './sample.ts'

/** After a start, and between two looks, milliseconds: a clock without a battery is right by then. */
export const firstLookMs = 10 * 60_000
export const lookEveryMs = 3_600_000

type Kept = Pick<
  NodeParts,
  'events' | 'history' | 'growth' | 'ledger' | 'store' | 'storePath' | 'world' | 'isRunning'
>

/** Begins. @returns ends it: all that was told is written then */
export function keepActivity(parts: Kept): Closer {
  const { events, history, ledger, world } = parts
  const entries = new Entries((device) => ledger.nameOf(device))
  const write = (change: Change): void => {
    if (change.type === 'add') entries.numbered(change, history.add(change.entry))
    else history.change(change.number, change.entry)
  }
  let hasWorked = false
  const off = events.on((event) => {
    hasWorked ||= event.kind === 'task' && event.outcome !== 'began'
    const change = entries.take(event, world.clock.nowMs())
    if (change === undefined) return
    write(change)
    events.emit({ kind: 'history' })
  })
  const end = new AbortController()
  const looking = parts.isRunning ? look(parts, end.signal) : Promise.resolve()
  return async () => {
    off()
    end.abort(new CellarError('ABORTED', 'the node is closing'))
    await looking
    // Where no node runs, the store grows by commands.
    if (hasWorked && !parts.isRunning) await note(parts)
    for (const change of entries.unwritten()) write(change)
    await history.idle()
  }
}

async function look(parts: Kept, signal: AbortSignal): Promise<void> {
  const { clock } = parts.world
  let waitMs = firstLookMs
  for (;;) {
    const isOver = await clock.sleep(waitMs, signal).then(
      () => false,
      () => true,
    )
    if (isOver) return
    await note(parts)
    waitMs = lookEveryMs
  }
}

/** A day that could not be noted is a day less in a picture, and is told. */
async function note(parts: Kept): Promise<void> {
  try {
    await parts.growth.put(sampleNow(parts))
  } catch (error) {
    const { code, message } = isCellarError(error)
      ? error
      : ({
          code: 'INTERNAL',
          message: error instanceof Error ? (error.stack ?? error.message) : String(error),
        } as const)
    parts.events.emit({ kind: 'trouble', code, message: `growth: ${message}` })
  }
}
