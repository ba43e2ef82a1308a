import assert from 'node:assert/strict'
import { settleMs } from '../../../../node/schedule/scheduler.ts'
import type { TaskResult } from '../../../../node/schedule/task.ts'
import { CellarError } from '../../../../protocol/index.ts'
import { type Catalog, memoryCatalog } from '../../../../storage/index.ts'
import { settle } from '../manual-clock.ts'
import { dayMs, hourMs, Machine, untilTold } from './machine.ts'

describe('a schedule', () => {
  let machine: Machine
  afterEach(() => machine.scheduler.close())

  it('runs what is due on every day of three months, once', async () => {
    machine = new Machine('2026-01-31T12:00:00Z')
    await machine.start(machine.task('check', 'daily'), machine.task('drill', 'monthly'))
    await machine.clock.advanceTo('2026-05-01T12:00:00Z')
    const checks = machine.ran.filter((text) => text.startsWith('check'))
    assert.equal(checks.length, 28 + 31 + 30 + 1)
    assert.equal(new Set(checks).size, checks.length)
    assert.deepEqual(
      machine.ran.filter((text) => text.startsWith('drill')),
      [
        'drill 2026-02-01T00:00',
        'drill 2026-03-01T00:00',
        'drill 2026-04-01T00:00',
        'drill 2026-05-01T00:00',
      ],
    )
  })

  it('keeps to the local clock when that changes, and runs each day once (J2.1)', async () => {
    machine = new Machine('2026-03-27T12:00:00Z', { zone: 'Europe/Berlin' })
    await machine.start(machine.task('check', '30 2 * * *'))
    await machine.clock.advanceTo('2026-03-30T12:00:00Z')
    assert.deepEqual(machine.ran, [
      'check 2026-03-28T01:30', // 02:30 of winter
      'check 2026-03-29T01:30', // 02:30 is leapt over: 03:30 of summer
      'check 2026-03-30T00:30', // 02:30 of summer
    ])
    machine.ran.length = 0
    await machine.clock.sleepUntil('2026-10-24T12:00:00Z')
    await machine.clock.advanceTo('2026-10-26T12:00:00Z')
    assert.deepEqual(machine.ran, [
      'check 2026-10-24T12:02',
      'check 2026-10-25T00:30',
      'check 2026-10-26T01:30',
    ])
  })

  it('begins no new task before its time', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    await machine.start(machine.task('check', 'daily'))
    await machine.clock.advanceTo('2026-03-01T23:59:00Z')
    assert.deepEqual(machine.ran, [])
  })

  it('starts later by a jitter that is always the same (J2.3)', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    await machine.start(machine.task('check', 'daily', { jitterMs: 6 * hourMs }))
    await machine.clock.advance(3 * dayMs)
    const [first = '', second = '', third = ''] = machine.ran.map((text) => text.slice(-5))
    assert.equal(machine.ran.length, 3)
    assert.ok(first > '00:00' && first < '06:00' && first === second && second === third, first)
  })

  it('catches up once with what was missed while the machine slept, when it has settled (J3.1, J3.2)', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    await machine.start(machine.task('check', 'daily'))
    await machine.clock.sleepUntil('2026-03-09T08:00:00Z')
    await machine.clock.advance(settleMs - 1000)
    assert.deepEqual(machine.ran, [])
    await machine.clock.advance(2 * 60_000)
    assert.equal(machine.ran.length, 1)
    await machine.clock.advanceTo('2026-03-11T12:00:00Z')
    assert.deepEqual(machine.ran.slice(1), ['check 2026-03-10T00:00', 'check 2026-03-11T00:00'])
  })

  it('does not wait for that when its next time comes before', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    await machine.start(machine.task('check', 'daily'))
    await machine.restart()
    await machine.clock.sleepUntil('2026-03-08T23:59:50Z')
    await machine.start(machine.task('check', 'daily'))
    await machine.clock.advance(2 * 60_000)
    assert.deepEqual(machine.ran, ['check 2026-03-09T00:00'])
  })

  it('catches up once with what was missed while the machine was off', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    await machine.start(machine.task('check', 'daily'))
    await machine.clock.advance(dayMs)
    assert.equal(machine.ran.length, 1)
    await machine.restart()
    await machine.clock.sleepUntil('2026-03-05T08:00:00Z')
    await machine.start(machine.task('check', 'daily'))
    assert.equal(machine.ran.length, 1)
    await machine.clock.advance(settleMs + 1000)
    assert.deepEqual(machine.ran.slice(1), ['check 2026-03-05T08:01'])
  })

  it('also when it was never awake long enough to run it once', async () => {
    machine = new Machine('2026-03-01T22:00:00Z')
    await machine.start(machine.task('check', 'daily'))
    await machine.restart()
    await machine.clock.sleepUntil('2026-03-02T08:00:00Z')
    await machine.start(machine.task('check', 'daily'))
    await machine.clock.advance(2 * settleMs)
    assert.equal(machine.ran.length, 1)
  })

  it('is not put off by a clock that was wrong and is set back (J3.5)', async () => {
    machine = new Machine('2035-01-01T00:00:00Z')
    await machine.start(machine.task('check', 'daily'))
    await machine.clock.sleepUntil('2026-03-01T12:00:00Z')
    await machine.clock.advanceTo('2026-03-03T12:00:00Z')
    assert.deepEqual(machine.ran, ['check 2026-03-02T00:00', 'check 2026-03-03T00:00'])
  })

  it('runs one task of a name at a time, and those of other names beside it (J1.1)', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    const long = untilTold()
    await machine.start(
      machine.task('backup', 'daily', { profile: 'photos', run: long.run }),
      machine.task('backup', 'daily', { profile: 'letters' }),
      machine.task('check', 'daily'),
    )
    await machine.clock.advanceTo('2026-03-02T06:00:00Z')
    assert.deepEqual(machine.ran, ['backup 2026-03-02T00:00', 'check 2026-03-02T00:00'])
    long.end({ outcome: 'done' })
    await machine.clock.advance(1000)
    assert.deepEqual(machine.ran.slice(2), ['backup 2026-03-02T06:00'])
    assert.equal(machine.told.at(-1)?.profile, 'letters')
  })

  it('lets a run that takes longer than a day be, and does not pile up the next ones', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    const long = untilTold()
    await machine.start(machine.task('scrub', 'daily', { run: long.run }))
    await machine.clock.advanceTo('2026-03-05T12:00:00Z')
    long.end({ outcome: 'done' })
    await machine.clock.advanceTo('2026-03-05T13:00:00Z')
    assert.deepEqual(machine.ran, ['scrub 2026-03-02T00:00', 'scrub 2026-03-05T12:00'])
  })
})

describe('a task of the schedule', () => {
  let machine: Machine
  afterEach(() => machine.scheduler.close())

  it('is told when it begins and when it ends, with what it came to (J1.2)', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    const run = () =>
      Promise.resolve<TaskResult>({ outcome: 'partly', message: 'one was bad', summary: { bad: 1 } })
    await machine.start(machine.task('scrub', 'daily', { run }))
    await machine.clock.advance(dayMs)
    const [began, partly] = machine.told
    assert.equal(began?.outcome, 'began')
    const { waitFor, ...told } = partly ?? assert.fail()
    assert.equal(waitFor, undefined)
    assert.deepEqual(told, {
      kind: 'task',
      name: 'scrub',
      outcome: 'partly',
      message: 'one was bad',
      summary: { bad: 1 },
      seconds: 0,
    })
  })

  it('that fails is told with its code, and tried again after an hour (J3.3)', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    let fails = true
    const run = () =>
      fails
        ? Promise.reject(new CellarError('STORE_FULL', 'the disk is full'))
        : Promise.resolve({ outcome: 'done' } as const)
    await machine.start(machine.task('check', 'daily', { run }))
    await machine.clock.advanceTo('2026-03-02T00:30:00Z')
    assert.equal(machine.told.at(-1)?.code, 'STORE_FULL')
    const [state] = machine.scheduler.describe([machine.task('check', 'daily')])
    assert.equal(state?.record?.outcome, 'failed')
    assert.equal(new Date(state.nextMs ?? 0).toISOString(), '2026-03-02T01:00:00.000Z')
    fails = false
    await machine.clock.advanceTo('2026-03-02T12:00:00Z')
    assert.deepEqual(machine.outcomes(), ['check began', 'check failed', 'check began', 'check done'])
  })

  it('that breaks off with the node is due again when that has settled, and is not forgotten (J3.4)', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    const long = untilTold()
    await machine.start(machine.task('check', 'daily', { run: long.run }))
    await machine.clock.advanceTo('2026-03-02T00:10:00Z')
    await machine.crash()
    await machine.start(machine.task('check', 'daily'))
    const [state] = machine.scheduler.describe([machine.task('check', 'daily')])
    assert.equal(state?.record?.endedMs, undefined)
    await machine.clock.advance(settleMs - 1000)
    assert.equal(machine.ran.length, 1)
    await machine.clock.advance(2000)
    assert.equal(machine.ran.length, 2)
    assert.equal(machine.record('check').outcome, 'done')
  })

  it('ends soon when the node closes, counts as not done, and runs at the next start (J3.4)', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    const long = untilTold()
    await machine.start(machine.task('check', 'daily', { run: long.run }))
    await machine.clock.advanceTo('2026-03-02T00:10:00Z')
    await machine.restart()
    assert.equal(machine.told.at(-1)?.code, 'ABORTED')
    assert.equal(machine.record('check').attempts, 1)
    await machine.start(machine.task('check', 'daily'))
    await machine.clock.advance(2 * settleMs)
    assert.equal(machine.ran.length, 2)
  })

  it('runs although it cannot be noted, and that is told', async () => {
    const catalog = memoryCatalog()
    const full: Catalog = {
      get: (key) => catalog.get(key),
      getMany: (keys) => catalog.getMany(keys),
      batch: () => Promise.reject(new CellarError('STORE_FULL', 'the disk is full')),
      iterate: (range) => catalog.iterate(range),
      sub: (name) => catalog.sub(name),
      close: () => catalog.close(),
    }
    machine = new Machine('2026-03-01T12:00:00Z', { catalog: full })
    await machine.start(machine.task('check', 'daily'))
    await machine.clock.advance(2 * dayMs)
    assert.equal(machine.ran.length, 2)
    assert.ok(machine.troubles.includes('schedule: the disk is full'))
  })

  it('waits for power from the wall, is told once for each time, and runs as soon as it is there (J4.1)', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    machine.around.battery = true
    const conditions = { onBattery: false, onMetered: true }
    const task = machine.task('backup', 'daily', { profile: 'photos', conditions })
    await machine.start(task, machine.task('check', 'daily'))
    await machine.clock.advanceTo('2026-03-02T06:00:00Z')
    assert.deepEqual(machine.outcomes(), ['backup put-off', 'check began', 'check done'])
    assert.equal(machine.told[0]?.code, 'PUT_OFF')
    assert.equal(machine.scheduler.describe([task])[0]?.hindrance, 'battery')
    machine.around.battery = false
    await machine.clock.advance(60_000)
    assert.deepEqual(machine.ran.slice(1), ['backup 2026-03-02T06:01'])
    machine.around.battery = true
    await machine.clock.advanceTo('2026-03-04T06:00:00Z')
    assert.equal(machine.outcomes().filter((text) => text === 'backup put-off').length, 2)
  })

  it('waits for a network without a price, if it is told to', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    machine.around.metered = true
    await machine.start(
      machine.task('backup', 'daily', { profile: 'a', conditions: { onBattery: true, onMetered: false } }),
      machine.task('backup', 'daily', { profile: 'b', conditions: { onBattery: true, onMetered: true } }),
    )
    await machine.clock.advanceTo('2026-03-02T01:00:00Z')
    const profiles = machine.told.map(({ profile, outcome }) => `${profile ?? ''} ${outcome}`)
    assert.deepEqual(profiles, ['a put-off', 'b began', 'b done'])
  })

  it('waits for what a listener hands it as it begins', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    let go: () => void = () => undefined
    machine.events.on((event) => {
      if (event.kind === 'task') event.waitFor?.(new Promise<void>((resolve) => (go = resolve)))
    })
    await machine.start(machine.task('check', 'daily'))
    await machine.clock.advance(dayMs)
    assert.deepEqual(machine.ran, [])
    go()
    await settle()
    assert.equal(machine.ran.length, 1)
  })

  it('does not keep a node from closing while it waits for that', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    machine.events.on((event) => {
      if (event.kind === 'task') event.waitFor?.(new Promise(() => undefined))
    })
    await machine.start(machine.task('check', 'daily'))
    await machine.clock.advance(dayMs)
    await machine.scheduler.close()
    assert.deepEqual(machine.ran, [])
    assert.equal(machine.told.at(-1)?.code, 'ABORTED')
  })
})
