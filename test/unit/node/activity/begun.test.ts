import assert from 'node:assert/strict'
import { BegunJobs, begunMax, endedMax } from '../../../../node/begun.ts'
import { Events } from '../../../../node/events.ts'
import { Jobs } from '../../../../node/jobs.ts'
import { CellarError } from '../../../../protocol/index.ts'
import { ManualClock, settle } from '../manual-clock.ts'
import { assertFits } from '../../../support/fits.ts'
import { testNode } from '../../../support/node.ts'
import { household } from '../deletion/household.ts'

const scrubbed = {
  ...{ message_type: 'summary', packs_read: 1, chunks_read: 1, bytes_read: 1, chunks_bad: 0 },
  ...{ chunks_mended: 0, chunks_left: 0, round_done: true },
}

function opened() {
  const events = new Events()
  const jobs = new Jobs(events)
  const told: string[] = []
  events.on(({ kind }) => told.push(kind))
  return { begun: new BegunJobs({ clock: new ManualClock(), events, jobs }), jobs, told }
}

/** A job like any other, until it is told to end. */
const untilAborted = (jobs: Jobs) => (given: { readonly signal: AbortSignal }) =>
  jobs.run('scrub', { startedMs: 0, signal: given.signal }, (_job, signal) => {
    return new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    })
  })

describe('jobs that belong to the node', () => {
  it('go on while nobody waits for them, and say how they stand and how they ended', async () => {
    const { begun, told } = opened()
    let finish: () => void = () => undefined
    const id = begun.begin('scrub', 'all of it', async ({ onEvent }) => {
      const counted = { seconds_elapsed: 0, bytes_done: 1, total_bytes: 4, error_count: 0 }
      onEvent({ message_type: 'status', percent_done: 0.25, ...counted })
      for (let at = 0; at < 25; at++)
        onEvent({ message_type: 'error', message: `bad ${String(at)}`, code: 'CHUNK_CORRUPT' })
      await new Promise<void>((resolve) => (finish = resolve))
      return scrubbed
    })
    const [job] = begun.list()
    assert.deepEqual(
      [job?.id, job?.method, job?.title, job?.percent_done, job?.ended, job?.problem_count],
      [id, 'scrub', 'all of it', 0.25, undefined, 25],
    )
    assert.deepEqual([job?.problems.length, job?.problems[0]], [20, 'bad 0'])
    finish()
    await settle()
    const [ended] = begun.list()
    assert.deepEqual([ended?.summary, typeof ended?.ended], [scrubbed, 'string'])
    assert.deepEqual(told, ['begun', 'begun'])
    assertFits('jobsBegun', 'result', begun.list())
  })

  it('are shown under their title among all jobs, and end when a person cancels either', async () => {
    const { begun, jobs } = opened()
    const first = begun.begin('scrub', 'first', untilAborted(jobs))
    begun.begin('scrub', 'second', untilAborted(jobs))
    assert.deepEqual(
      jobs.list().map(({ title }) => title),
      ['first', 'second'],
    )
    assert.equal(begun.cancel(first), 'scrub')
    assert.equal(jobs.cancel(jobs.list()[1]!.id), 'scrub')
    await settle()
    assert.deepEqual(
      begun.list().map(({ error }) => error?.code),
      ['ABORTED', 'ABORTED'],
    )
    assert.equal(begun.cancel(first), undefined)
  })

  it('say why they failed, also before they began', async () => {
    const { begun } = opened()
    begun.begin('check', 'c', () => Promise.reject(new CellarError('STORE_FULL', 'full')))
    begun.begin('check', 'd', () => Promise.reject(new TypeError('a bug')))
    await settle()
    assert.deepEqual(
      begun.list().map(({ error }) => error),
      [
        { code: 'STORE_FULL', message: 'full' },
        { code: 'INTERNAL', message: 'TypeError: a bug' },
      ],
    )
  })

  it('are bounded, those that go on and those that ended (AC5.2)', async () => {
    const { begun, jobs } = opened()
    for (let at = 0; at < endedMax + 3; at++) {
      begun.begin('scrub', String(at), () => Promise.resolve(scrubbed))
      await settle()
    }
    assert.deepEqual([begun.list().length, begun.list()[0]?.title], [endedMax, '3'])
    for (let at = 0; at < begunMax; at++) begun.begin('scrub', 'open', untilAborted(jobs))
    assert.throws(() => begun.begin('scrub', 'more', untilAborted(jobs)), { code: 'NODE_BUSY' })
    await begun.close()
    assert.equal(begun.list().length, endedMax)
  })

  it('end with the node, which begins no more (AC5.1)', async () => {
    const { begun, jobs } = opened()
    begun.begin('scrub', 'open', untilAborted(jobs))
    await begun.close()
    assert.equal(begun.list()[0]?.error?.code, 'NODE_STOPPED')
    assert.throws(() => begun.begin('scrub', 'late', untilAborted(jobs)), { code: 'NODE_STOPPED' })
  })

  it('are begun by name in a running node, one at a time, and in no other', async () => {
    const node = await testNode({ number: 1, membership: household(), isRunning: true })
    const check = { readData: false, repair: false, snapshots: [] }
    const { id } = await node.call('jobBegin', { title: 'all', check })
    await settle()
    const [job] = await node.call('jobsBegun', {})
    assert.deepEqual([job?.id, job?.method, job?.summary?.message_type], [id, 'check', 'summary'])
    await assert.rejects(node.call('jobBegin', { title: 'none' }), { code: 'USAGE' })
    await assert.rejects(node.call('jobBegin', { title: 'two', check, drill: {} }), { code: 'USAGE' })
    await node.close()
    const other = await testNode({ number: 1, membership: household() })
    await assert.rejects(other.call('jobBegin', { title: 'all', check }), { code: 'NODE_NOT_RUNNING' })
    await other.close()
  })
})
