import assert from 'node:assert/strict'
import type { ScheduledTask } from '../../../node/client.ts'
import { lastRunText, nextRunText, scheduleText } from '../../../cli/output/schedule-text.ts'
import { formatTime } from '../../../cli/output/format.ts'
import { cellar } from './fake-world.ts'
import { STATUS } from './fixtures.ts'

const nowMs = Date.UTC(2026, 2, 1, 12)
const task: ScheduledTask = { name: 'backup', profile: 'photos', due: 'daily', running: false }
const ran = { last_run: '2026-03-01T09:00:00Z', last_outcome: 'done' } as const

describe('a task of the schedule, in words', () => {
  it('says how it went and when, and what was wrong', () => {
    assert.equal(lastRunText(task, nowMs), 'not run yet')
    assert.equal(lastRunText({ ...task, ...ran }, nowMs), 'done 3 hours ago')
    assert.equal(lastRunText({ ...task, ...ran, running: true }, nowMs), 'runs now')
    const failed = {
      ...task,
      ...ran,
      last_outcome: 'failed',
      message: 'the disk is full\n  at here',
    } as const
    assert.equal(lastRunText(failed, nowMs), 'failed 3 hours ago (the disk is full)')
    assert.equal(
      lastRunText({ ...task, ...ran, last_outcome: 'broken-off' }, nowMs),
      'ended early 3 hours ago',
    )
  })

  it('says when it is next, and for what it waits', () => {
    const next = '2026-03-02T00:00:00Z'
    assert.equal(nextRunText({ ...task, next_run: next }, nowMs), formatTime(next))
    assert.equal(nextRunText({ ...task, next_run: '2026-03-01T11:00:00Z' }, nowMs), 'soon')
    assert.equal(
      nextRunText({ ...task, next_run: next, waits: 'battery' }, nowMs),
      'waits for power from the wall',
    )
    assert.equal(
      nextRunText({ ...task, next_run: next, waits: 'metered' }, nowMs),
      'waits for another network',
    )
    assert.equal(nextRunText(task, nowMs), 'none while the node does not run')
    assert.equal(nextRunText({ ...task, due: 'off' }, nowMs), 'off')
  })

  it('is one line of cellar status, where it is on', async () => {
    const schedule = [
      { ...task, ...ran },
      { ...task, name: 'check', profile: undefined as never, due: 'off' },
    ]
    const { stdout } = await cellar(['status'], { handlers: { status: () => ({ ...STATUS, schedule }) } })
    const line = scheduleText({ ...task, ...ran }, nowMs)
    assert.equal(line, 'backup of photos, daily: done 3 hours ago, next run none while the node does not run')
    assert.ok(stdout.includes(line), stdout)
    assert.doesNotMatch(stdout, /check, off/)
  })

  it('is in the list of profiles', async () => {
    const profile = {
      name: 'photos',
      schedule: 'daily',
      sources: ['/home/ann/Pictures'],
      files_from: [],
      has_sources: true,
      tags: [],
    } as never
    const handlers = { profiles: () => [profile], schedule: () => [{ ...task, ...ran }] }
    const { stdout } = await cellar(['profile', 'list'], { handlers })
    assert.match(stdout, /photos +daily +done 3 hours ago +none while/)
    const json = await cellar(['--json', 'profile', 'list'], { handlers })
    const [told] = JSON.parse(json.stdout) as { task: ScheduledTask }[]
    assert.equal(told?.task.last_outcome, 'done')
  })
})

describe('cellar invite -q', () => {
  it('is the code and nothing else, fit for a pipe', async () => {
    const { stdout } = await cellar(['invite', '-q'], {
      handlers: {
        invite: (_params, { onEvent }) => {
          onEvent({
            message_type: 'invitation',
            code: '4821-a-b-c-d',
            token: false,
            number: 4821,
            role: 'writer',
            addresses: ['192.168.1.9:4517'],
            expires_at: '2026-03-01T12:15:00Z',
          })
          return { device: '12D3KooWpi', name: 'pi', role: 'storer', check_words: ['x', 'y', 'z'] }
        },
      },
    })
    assert.equal(stdout, '4821-a-b-c-d\n')
  })
})
