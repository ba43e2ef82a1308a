import assert from 'node:assert/strict'
import type { PruneResult, ReclaimBlock, TrashEntry, WaitingReclaim } from '../../../node/api.ts'
import {
  forgottenText,
  ifRemovedText,
  prunedText,
  timeLeft,
  trashSentence,
  waitsForText,
} from '../../../node/dashboard/page/trash/words.ts'

function block(kind: ReclaimBlock['kind'], more: Partial<ReclaimBlock> = {}): ReclaimBlock {
  return { kind, message: 'why', ...more }
}

function entry(waits_for: readonly ReclaimBlock[], more: Partial<TrashEntry> = {}): TrashEntry {
  const forgotten_at = '2026-11-20T10:00:00Z'
  const snapshot = {} as TrashEntry['snapshot']
  return {
    snapshot,
    forgotten_by: 'pi',
    forgotten_at,
    reason: 'person',
    held_here: true,
    holders: [],
    waits_for,
    ...more,
  }
}

function pruned(more: Partial<PruneResult> = {}): PruneResult {
  return {
    ...{ message_type: 'pruned', dry_run: true, snapshots_released: 0, chunks_removed: 0 },
    ...{ bytes_removed: 0, bytes_freed: 0, waiting: [] },
    ...more,
  }
}

const waiting = (ids: readonly string[], more: Partial<WaitingReclaim> = {}): WaitingReclaim => ({
  block: block('leaning', { device: 'laptop' }),
  snapshot_ids: ids,
  bytes: 1024,
  ...more,
})

describe('what the screen of the trash says', () => {
  it('says what can be brought back, and what can be freed', () => {
    assert.equal(trashSentence([], pruned()), 'The trash is empty.')
    assert.match(
      trashSentence([entry([])], undefined),
      /^1 forgotten snapshot is in the trash; .* bring it back\.$/,
    )
    assert.match(
      trashSentence([entry([]), entry([])], pruned({ bytes_removed: 2048 })),
      /2\.00 KiB can be freed now\.$/,
    )
    const two = pruned({ waiting: [waiting(['a', 'b']), waiting(['b'])] })
    assert.match(trashSentence([], two), /the space of 2 forgotten snapshots is not free yet/)
  })

  it('gives the time as long as all that it waits for, and none where a clock ends nothing', () => {
    const early = block('floor', { until: '2026-11-21T00:00:00.000Z' })
    const late = block('hold-window', { until: '2026-11-27T00:00:00.000Z' })
    assert.deepEqual(timeLeft(entry([early, late])), { kind: 'until', time: late.until })
    assert.deepEqual(timeLeft(entry([late, block('leaning', { device: 'laptop' })])), { kind: 'held' })
    assert.deepEqual(timeLeft(entry([])), { kind: 'any-moment' })
    assert.deepEqual(timeLeft(entry([], { held_here: false, holders: ['pi'] })), { kind: 'held' })
    assert.deepEqual(timeLeft(entry([], { held_here: false })), { kind: 'gone' })
  })

  it('says who forgot it', () => {
    assert.equal(forgottenText(entry([])), 'by pi')
    assert.equal(forgottenText(entry([], { reason: 'retention' })), 'by a rule, on pi')
  })

  it('says what would be if the device waited for were removed', () => {
    const free = waiting(['a'], { bytes_if_removed: 1024 ** 3 })
    assert.equal(ifRemovedText(free), 'Removing laptop from the mesh would free 1.00 GiB at once.')
    assert.match(ifRemovedText(waiting(['a'], { bytes_if_removed: 0 })) ?? '', /would free nothing yet/)
    assert.equal(ifRemovedText(waiting(['a'], { block: block('hold-window') })), undefined)
  })

  it('names whom or what each kind waits for', () => {
    assert.equal(waitsForText(block('leaning', { device: 'laptop' })), 'laptop')
    const kinds = [
      'hold-window',
      'floor',
      'fork',
      'unknown',
      'membership-fork',
      'rolled-back',
      'session',
      'pinned',
      'contact',
    ] as const
    const words = kinds.map((kind) => waitsForText(block(kind)))
    assert.equal(new Set(words).size, kinds.length)
  })

  it('says what freeing came to', () => {
    assert.equal(prunedText(pruned()), 'Nothing could be freed now.')
    assert.equal(
      prunedText(pruned({ bytes_freed: 2048, snapshots_released: 2 })),
      '2.00 KiB freed, of 2 forgotten snapshots.',
    )
  })
})
