import assert from 'node:assert/strict'
import type { WatchEvent } from '../../../../node/api.ts'
import { keepActivity } from '../../../../node/activity/keep.ts'
import { waitingMax } from '../../../../node/activity/feed.ts'
import { gatherMs, runWatch } from '../../../../node/operations/watch.ts'
import { CellarError, type RootId } from '../../../../protocol/index.ts'
import { testSigner } from '../../../support/mesh.ts'
import { assertFits } from '../../../support/fits.ts'
import { type TestNode, testNode } from '../../../support/node.ts'
import { household } from '../deletion/household.ts'
import { settle } from '../manual-clock.ts'

/** Somebody who watches, and reads when allowed to. */
function watcher(node: TestNode) {
  const end = new AbortController()
  const told: WatchEvent[] = []
  let resume: (() => void) | undefined
  let isReading = true
  const done = runWatch(node.parts, {
    signal: end.signal,
    onEvent: (event) => {
      assertFits('watch', 'event', event)
      told.push(event)
    },
    output: async () => {
      if (!isReading) await new Promise<void>((resolve) => (resume = resolve))
    },
  })
  return {
    told,
    kinds: () => told.map(({ message_type }) => message_type),
    stopReading: () => (isReading = false),
    read: async () => {
      isReading = true
      resume?.()
      await settle()
    },
    close: async () => {
      end.abort(new CellarError('ABORTED', 'enough'))
      await assert.rejects(done, { code: 'ABORTED' })
    },
  }
}

const pi = testSigner(3).device
const held = { kind: 'held', root: '0'.repeat(64) as RootId, bytes: 1 } as const

describe('watch', () => {
  let node: TestNode
  beforeEach(async () => {
    node = await testNode({ number: 1, membership: household(), isRunning: true })
  })
  afterEach(() => node.close())

  it('says hello and what is under way, then what happens', async () => {
    const one = watcher(node)
    assert.deepEqual(one.kinds(), ['hello', 'jobs'])
    await settle()
    node.parts.events.emit({ kind: 'peer', device: pi, state: 'up' })
    node.parts.events.emit({ kind: 'task', name: 'scrub', outcome: 'began', waitFor: () => undefined })
    node.parts.events.emit({ kind: 'trouble', code: 'STORE_FULL', message: 'full', device: pi })
    await settle()
    assert.deepEqual(one.told.slice(2), [
      { message_type: 'peer', device: pi, name: 'pi', connected: true },
      { message_type: 'task', task: 'scrub', outcome: 'began' },
      { message_type: 'trouble', code: 'STORE_FULL', message: 'full', device: pi, name: 'pi' },
    ])
    await one.close()
  })

  it('gathers bytes for a second, and tells how far a job is as often', async () => {
    const one = watcher(node)
    await settle()
    for (let i = 0; i < 50; i++) node.parts.events.emit({ kind: 'served', device: pi, bytes: 2 })
    await node.clock.advance(gatherMs)
    const signal = new AbortController().signal
    let finish: () => void = () => undefined
    const job = node.parts.jobs.run('check', { startedMs: 0, signal }, async (open) => {
      open.percentDone = 0.25
      await new Promise<void>((resolve) => (finish = resolve))
    })
    await node.clock.advance(gatherMs)
    await node.clock.advance(gatherMs)
    finish()
    await job
    await settle()
    const shares = one.told.flatMap((event) =>
      event.message_type === 'jobs' ? [event.jobs.map(({ percent_done }) => percent_done)] : [],
    )
    assert.deepEqual(shares[0], [])
    assert.ok(shares.filter(([share]) => share === 0.25).length >= 2)
    assert.deepEqual(shares.at(-1), [])
    const traffic = one.told.filter(({ message_type }) => message_type === 'traffic')
    assert.deepEqual(traffic, [{ message_type: 'traffic', device: pi, name: 'pi', sent: 100, received: 0 }])
    await one.close()
  })

  it('keeps no more than so much for a watcher that does not read, and tells it what it lost (AC1.1)', async () => {
    const slow = watcher(node)
    const quick = watcher(node)
    await settle()
    slow.stopReading()
    node.parts.events.emit(held)
    await settle()
    for (let i = 0; i < waitingMax + 9; i++) {
      node.parts.events.emit(held)
      if (i % 100 === 0) await settle()
    }
    await settle()
    assert.ok(slow.told.length < 10)
    await slow.read()
    assert.deepEqual(slow.told.at(-1), { message_type: 'lost', events: 9 })
    assert.equal(quick.told.filter(({ message_type }) => message_type === 'held').length, waitingMax + 10)
    assert.ok(!quick.kinds().includes('lost'))
    await slow.close()
    await quick.close()
  })

  it('sleeps while nothing happens', async () => {
    const one = watcher(node)
    await settle()
    const told = one.told.length
    await node.clock.advance(3_600_000)
    assert.equal(one.told.length, told)
    await one.close()
  })

  it('says that the history has something new, which can be asked for then', async () => {
    const end = keepActivity(node.parts)
    const one = watcher(node)
    await settle()
    node.parts.events.emit({ kind: 'trouble', code: 'STORE_FULL', message: 'full' })
    await node.clock.advance(gatherMs)
    assert.ok(one.kinds().includes('history'))
    const { entries } = await node.call('activity', { limit: 5 })
    assert.equal(entries.length, 1)
    await one.close()
    await end()
  })

  it('is refused by a node opened for one command, which would never end (AC1.3)', async () => {
    const other = await testNode({ number: 1, membership: household() })
    await assert.rejects(other.call('watch', {}), { code: 'NODE_NOT_RUNNING' })
    await other.close()
  })

  it('listens no more once it is over', async () => {
    const one = watcher(node)
    await settle()
    await one.close()
    const told = one.told.length
    node.parts.events.emit({ kind: 'peer', device: pi, state: 'down' })
    assert.equal(one.told.length, told)
  })
})
