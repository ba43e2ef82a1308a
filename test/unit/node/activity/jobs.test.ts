import assert from 'node:assert/strict'
import { Events, type JobEvent } from '../../../../node/events.ts'
import { Jobs } from '../../../../node/jobs.ts'
import { CellarError } from '../../../../protocol/index.ts'
import { settle } from '../manual-clock.ts'
import { Machine } from '../schedule/machine.ts'

const start = { startedMs: 1000, signal: new AbortController().signal }

function opened() {
  const events = new Events()
  const ended: JobEvent[] = []
  events.on((event) => {
    if (event.kind === 'job') ended.push(event)
  })
  return { jobs: new Jobs(events), ended }
}

/** Runs until it is told to end. */
const untilAborted = (_job: unknown, signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })

describe('jobs', () => {
  it('ends the one that a person cancels, and no other', async () => {
    const { jobs, ended } = opened()
    const scrub = jobs.run('scrub', start, untilAborted)
    const check = jobs.run('check', start, async () => await Promise.resolve('well'))
    const id = jobs.list().find(({ method }) => method === 'scrub')!.id
    assert.equal(jobs.cancel(id), 'scrub')
    await assert.rejects(scrub, { code: 'ABORTED', message: 'the scrub was cancelled' })
    assert.equal(await check, 'well')
    assert.equal(jobs.cancel(id), undefined)
    assert.deepEqual(ended.map(({ method, outcome }) => `${method} ${outcome}`).sort(), [
      'check done',
      'scrub cancelled',
    ])
  })

  it('tells how each ended, and of trial runs nothing', async () => {
    const { jobs, ended } = opened()
    await jobs.run('restore', start, async (job) => {
      job.summary = { files_restored: 2 }
      await Promise.resolve()
    })
    const failing = jobs.run('prune', start, () => Promise.reject(new CellarError('STORE_FULL', 'full')))
    await assert.rejects(failing, { code: 'STORE_FULL' })
    await jobs.run('restore', { ...start, isTrial: true }, async () => await Promise.resolve())
    assert.deepEqual(ended, [
      { kind: 'job', method: 'restore', startedMs: 1000, outcome: 'done', summary: { files_restored: 2 } },
      {
        kind: 'job',
        method: 'prune',
        startedMs: 1000,
        outcome: 'failed',
        message: 'full',
        code: 'STORE_FULL',
      },
    ])
  })

  it('ends when its caller goes away', async () => {
    const { jobs, ended } = opened()
    const caller = new AbortController()
    const running = jobs.run('check', { startedMs: 0, signal: caller.signal }, untilAborted)
    caller.abort(new CellarError('ABORTED', 'the caller went away'))
    await assert.rejects(running, { message: 'the caller went away' })
    assert.deepEqual(
      ended.map(({ outcome }) => outcome),
      ['cancelled'],
    )
  })

  it('a task that was cancelled is due at its next time, and not again in an hour', async () => {
    const machine = new Machine('2026-11-23T00:30:00Z')
    const jobs = new Jobs(machine.events)
    const run = (signal: AbortSignal) => jobs.run('scrub', { startedMs: 0, signal }, untilAborted)
    await machine.start(machine.task('scrub', 'daily', { run }))
    await machine.clock.advance(24 * 3_600_000)
    assert.equal(machine.ran.length, 1)
    jobs.cancel(jobs.list()[0]!.id)
    await settle()
    assert.deepEqual(machine.outcomes(), ['scrub began', 'scrub failed'])
    await machine.clock.advance(5 * 3_600_000)
    assert.equal(machine.ran.length, 1)
    await machine.clock.advance(19 * 3_600_000)
    assert.equal(machine.ran.length, 2)
    await machine.scheduler.close()
  })
})
