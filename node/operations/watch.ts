/** `watch`: tells what happens for as long as somebody listens (spec/activity.md §1). */

import { CellarError } from '../../protocol/index.ts'
import { Feed } from '../activity/feed.ts'
import type { CallContext, Nothing } from '../api.ts'
import type { NodeParts } from '../parts.ts'
import { VERSION } from '../version.ts'

/** What comes by the thousand is told so often, milliseconds. */
export const gatherMs = 1000

const NOTHING = new Uint8Array(0)

/** Watches, see `Methods.watch`. @throws {CellarError} `NODE_NOT_RUNNING`, `ABORTED`, `NODE_STOPPED` */
export async function runWatch(
  parts: NodeParts,
  { signal, onEvent, output }: Pick<CallContext<'watch'>, 'signal' | 'onEvent' | 'output'>,
): Promise<Nothing> {
  // A node opened for one command waits for whom it answers before it ends: it would wait for ever.
  if (!parts.isRunning) throw new CellarError('NODE_NOT_RUNNING', 'only a running node can be watched')
  const { events, ledger, jobs, world, signer } = parts
  const { clock } = world
  const feed = new Feed(
    (device) => ledger.nameOf(device),
    () => jobs.list(),
  )
  const off = events.on((event) => {
    feed.take(event)
  })
  try {
    onEvent({
      message_type: 'hello',
      device: signer.device,
      name: ledger.nameOf(signer.device),
      version: VERSION,
      started: new Date(parts.startedMs).toISOString(),
    })
    onEvent({ message_type: 'jobs', jobs: jobs.list() })
    let toldMs = clock.monotonicMs()
    for (;;) {
      const isDue = clock.monotonicMs() - toldMs >= gatherMs
      if (isDue) toldMs = clock.monotonicMs()
      for (const event of feed.drain(isDue)) onEvent(event)
      // Who reads slowly is waited for; what happens meanwhile waits in the feed, as far as there is room.
      await output(NOTHING)
      while (!feed.isPrompt && !feed.isGathering) await events.next(() => true, signal)
      const limit = { clock, ms: Math.max(1, gatherMs - (clock.monotonicMs() - toldMs)), signal }
      if (!feed.isPrompt) await events.nextWithin(() => feed.isPrompt, limit)
    }
  } finally {
    off()
  }
}
