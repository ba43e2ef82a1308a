import assert from 'node:assert/strict'
import type { TaskResult } from '../../../../node/schedule/task.ts'
import { CellarError } from '../../../../protocol/index.ts'
import { settle } from '../manual-clock.ts'
import { dayMs, hourMs, Machine, untilTold } from './machine.ts'

describe('other settings', () => {
  let machine: Machine
  afterEach(() => machine.scheduler.close())

  it('hold at once, let what runs be, and are refused whole when one cannot be understood (J1.3)', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    const long = untilTold()
    await machine.start(machine.task('backup', 'daily', { run: long.run }), machine.task('check', 'weekly'))
    await machine.clock.advanceTo('2026-03-02T06:00:00Z')
    assert.throws(
      () => machine.scheduler.set([machine.task('check', 'off'), machine.task('drill', 'sometimes')]),
      { code: 'CONFIG_INVALID', message: /drill.*sometimes/ },
    )
    machine.scheduler.set([machine.task('check', 'hourly')])
    await machine.clock.advanceTo('2026-03-02T08:30:00Z')
    assert.deepEqual(machine.ran, [
      'backup 2026-03-02T00:00',
      'check 2026-03-02T00:00',
      'check 2026-03-02T06:00', // it was last done longer ago than the new settings want
      'check 2026-03-02T07:00',
      'check 2026-03-02T08:00',
    ])
    long.end({ outcome: 'done' })
    await settle()
    assert.equal(machine.record('backup').outcome, 'done')
  })

  it('that turn a task on do not call for what lay before', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    await machine.start(machine.task('check', 'off'))
    await machine.clock.advance(10 * dayMs)
    machine.scheduler.set([machine.task('check', 'daily')])
    await machine.clock.advance(hourMs)
    assert.deepEqual(machine.ran, [])
  })
})

describe('a task that a person runs', () => {
  let machine: Machine
  afterEach(() => machine.scheduler.close())
  const name = { name: 'backup', profile: 'photos' }
  const done = (): TaskResult => ({ outcome: 'done' })
  const { signal } = new AbortController()

  it('is told and remembered as one of the schedule, which then waits for its next time', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    const task = machine.task('backup', 'daily', { profile: 'photos' })
    await machine.start(task)
    await machine.clock.sleepUntil('2026-03-03T08:00:00Z')
    await machine.scheduler.runByHand(name, () => Promise.resolve(), done, signal)
    await machine.clock.advanceTo('2026-03-03T23:00:00Z')
    assert.deepEqual(machine.outcomes(), ['backup began', 'backup done'])
    assert.deepEqual(machine.ran, [])
    assert.equal(machine.record('backup/photos').outcome, 'done')
  })

  it('is not begun by the schedule meanwhile', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    await machine.start(machine.task('backup', 'daily', { profile: 'photos' }))
    let end: () => void = () => undefined
    const running = machine.scheduler.runByHand(
      name,
      () => new Promise<void>((resolve) => (end = resolve)),
      done,
      signal,
    )
    await machine.clock.advanceTo('2026-03-02T06:00:00Z')
    assert.deepEqual(machine.ran, [])
    assert.equal(
      machine.scheduler.describe([machine.task('backup', 'daily', { profile: 'photos' })])[0]?.isRunning,
      true,
    )
    end()
    await running
  })

  it('counts as not begun when they end it early', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    await machine.start(machine.task('backup', 'daily', { profile: 'photos' }))
    const before = machine.record('backup/photos')
    const end = new AbortController()
    const running = machine.scheduler.runByHand(name, () => untilTold().run(end.signal), done, end.signal)
    await settle()
    end.abort(new CellarError('ABORTED', 'interrupted'))
    await assert.rejects(running, { code: 'ABORTED' })
    assert.deepEqual(machine.record('backup/photos'), before)
  })

  it('works where no calendar is followed', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    await machine.scheduler.runByHand(name, () => Promise.resolve(), done, signal)
    const [state] = machine.scheduler.describe([machine.task('backup', 'daily', { profile: 'photos' })])
    assert.equal(state?.record?.outcome, 'done')
    assert.equal(state.nextMs, undefined)
  })
})
