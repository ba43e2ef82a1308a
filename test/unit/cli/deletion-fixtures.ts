/** What a forgotten snapshot waits for, as a node says it. */

import type { ReclaimBlock } from '../../../node/client.ts'

/** Its own hold window. */
export const HOLD: ReclaimBlock = {
  kind: 'hold-window',
  message: 'it is kept for the hold window of 7 days',
  until: '2026-03-07T12:00:00Z',
}

/** A device that may lean on it. */
export const LEANING: ReclaimBlock = {
  kind: 'leaning',
  message: 'the tablet has not said that it takes account of the forget',
  device: "ann's tablet",
  since: '2026-02-20T12:00:00Z',
}
