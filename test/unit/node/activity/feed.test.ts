import assert from 'node:assert/strict'
import { Feed, waitingMax } from '../../../../node/activity/feed.ts'
import type { Job } from '../../../../node/api.ts'
import type { DeviceId, RootId } from '../../../../protocol/index.ts'

const pi = 'pi-id' as DeviceId
const nameOf = () => 'pi'
const job = (id: string, percent_done: number): Job => ({ id, method: 'backup', started: '', percent_done })

describe('feed of a watcher', () => {
  it('tells at once what is rare, in order', () => {
    const feed = new Feed(nameOf, () => [])
    assert.equal(feed.isPrompt, false)
    feed.take({ kind: 'peer', device: pi, state: 'up' })
    feed.take({ kind: 'held', root: 'r' as RootId, bytes: 5 })
    assert.equal(feed.isPrompt, true)
    assert.deepEqual(feed.drain(false), [
      { message_type: 'peer', device: pi, name: 'pi', connected: true },
      { message_type: 'held', snapshot_id: 'r', bytes: 5 },
    ])
    assert.deepEqual(feed.drain(true), [])
  })

  it('gathers what comes by the thousand (AC1.2)', () => {
    const feed = new Feed(nameOf, () => [])
    for (let i = 0; i < 1000; i++) {
      feed.take({ kind: 'served', device: pi, bytes: 10 })
      feed.take({ kind: 'deposited', device: pi, bytes: 1 })
      feed.take({ kind: 'fetching', root: 'r' as RootId, bytes: i, open: 1000 - i })
      feed.take({ kind: 'view' })
      feed.take({ kind: 'order-progress' })
      feed.take({ kind: 'begun' })
    }
    assert.equal(feed.isPrompt, false)
    assert.equal(feed.isGathering, true)
    assert.deepEqual(feed.drain(false), [])
    assert.deepEqual(feed.drain(true), [
      { message_type: 'traffic', device: pi, name: 'pi', sent: 10_000, received: 1000 },
      { message_type: 'fetching', snapshot_id: 'r', bytes: 999, open: 1 },
      { message_type: 'changed', what: 'view' },
      { message_type: 'orders' },
      { message_type: 'begun' },
    ])
    assert.equal(feed.isGathering, false)
  })

  it('tells of jobs when one begins or ends, and how far they are once a second', () => {
    let jobs: Job[] = []
    const feed = new Feed(nameOf, () => jobs)
    jobs = [job('1', 0)]
    assert.equal(feed.isPrompt, true)
    assert.deepEqual(feed.drain(false), [{ message_type: 'jobs', jobs: [job('1', 0)] }])
    jobs = [job('1', 0.5)]
    assert.equal(feed.isPrompt, false)
    assert.deepEqual(feed.drain(false), [])
    assert.deepEqual(feed.drain(true), [{ message_type: 'jobs', jobs: [job('1', 0.5)] }])
    jobs = []
    assert.deepEqual(feed.drain(false), [{ message_type: 'jobs', jobs: [] }])
  })

  it('keeps so many for who does not read, and says how many were lost (AC1.1)', () => {
    const feed = new Feed(nameOf, () => [])
    for (let i = 0; i < waitingMax + 3; i++) feed.take({ kind: 'held', root: 'r' as RootId, bytes: i })
    const events = feed.drain(false)
    assert.equal(events.length, waitingMax + 1)
    assert.deepEqual(events.at(-1), { message_type: 'lost', events: 3 })
    assert.deepEqual(feed.drain(true), [])
  })
})
