import assert from 'node:assert/strict'
import type { ActivityEntry, Job, WatchEvent } from '../../../node/api.ts'
import { Moving, overMs } from '../../../node/dashboard/page/activity/moving.ts'
import {
  activitySentence,
  cameOfIt,
  jobText,
  titleText,
} from '../../../node/dashboard/page/activity/words.ts'

const startMs = Date.parse('2026-11-23T10:00:00Z')

function job(method: string, percent_done?: number): Job {
  const started = new Date(startMs).toISOString()
  return { id: method, method, started, ...(percent_done !== undefined && { percent_done }) }
}

function ended(more: object): Extract<ActivityEntry, { kind: 'task' }> {
  return { kind: 'task', id: '1', time: '', task: 'backup', outcome: 'done', ...more }
}

describe('what the screen of activity says', () => {
  it('says what is under way', () => {
    assert.equal(activitySentence([], false), 'Nothing is under way.')
    assert.equal(activitySentence([], true), 'Data is on its way between devices.')
    assert.equal(activitySentence([job('backup', 0.42)], false), 'Under way: backup: 42 %.')
    assert.equal(
      activitySentence([job('scrub'), job('restore')], false),
      '2 jobs are under way: scrub and restore.',
    )
    assert.equal(titleText('backup', 'photos'), 'Backup of photos')
    assert.equal(titleText('newer'), 'Newer')
  })

  it('foretells from what is done, and nothing from a first moment', () => {
    assert.equal(jobText(job('scrub', 0.25), startMs + 60_000), 'for 1 min, about 3 min left')
    assert.equal(jobText(job('scrub', 0.25), startMs + 2000), 'for 2 s')
    assert.equal(jobText(job('scrub'), startMs + 60_000), 'for 1 min')
    assert.equal(jobText(job('scrub', 1), startMs + 60_000), 'for 1 min, almost done')
    // A clock of the browser that is behind.
    assert.equal(jobText(job('scrub', 0.5), startMs - 60_000), 'for 0 s')
  })

  it('says of what ended the message, or the figures that are not nothing', () => {
    assert.equal(
      cameOfIt(ended({ message: 'one source could not be read', summary: { files_new: 3 } })),
      'one source could not be read',
    )
    assert.equal(
      cameOfIt(
        ended({ summary: { files_new: 1, files_changed: 0, data_added_packed: 2048, snapshot_id: 'ab' } }),
      ),
      '1 new file, 2.00 KiB stored',
    )
    assert.equal(cameOfIt(ended({})), '')
  })

  it('shows bytes that move as a rate over the last seconds, until they are at rest', () => {
    const moving = new Moving()
    const traffic: WatchEvent = { message_type: 'traffic', device: 'p', name: 'pi', sent: 5000, received: 0 }
    moving.take(traffic, 0)
    moving.take(traffic, 1000)
    moving.take({ message_type: 'fetching', snapshot_id: 's', bytes: 7, open: 2 }, 1000)
    const now = moving.at(1500)
    assert.deepEqual(now.traffic, [{ device: 'p', name: 'pi', sent: 2000, received: 0 }])
    assert.deepEqual(now.fetching, [{ id: 's', bytes: 7, open: 2 }])
    assert.equal(moving.at(overMs + 500).traffic[0]!.sent, 1000)
    assert.deepEqual(moving.at(1000 + overMs), { traffic: [], fetching: [] })
  })

  it('shows no fetch once its snapshot is held', () => {
    const moving = new Moving()
    moving.take({ message_type: 'fetching', snapshot_id: 's', bytes: 7, open: 2 }, 0)
    moving.take({ message_type: 'held', snapshot_id: 's', bytes: 9 }, 1)
    assert.deepEqual(moving.at(2).fetching, [])
  })
})
