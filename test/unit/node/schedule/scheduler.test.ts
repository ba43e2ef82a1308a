import assert from 'node:assert/strict'
import { Events, type TaskEvent } from '../../../../node/events.ts'
import type { TaskRecord } from '../../../../node/schedule/plan.ts'
import { Scheduler, settleMs } from '../../../../node/schedule/scheduler.ts'
import type { Surroundings } from '../../../../node/schedule/surroundings.ts'
import type { Task, TaskResult } from '../../../../node/schedule/task.ts'
import { CellarError } from '../../../../protocol/index.ts'
import { type Catalog, memoryCatalog } from '../../../../storage/index.ts'
import { settle } from '../manual-clock.ts'
import { SleepyClock } from './sleepy-clock.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

/** A node with nothing but a schedule, whose tasks only note when they run. */
class Machine {
  readonly clock: SleepyClock
  readonly events = new Events()
  readonly told: TaskEvent[] = []
  readonly troubles: string[] = []
  readonly ran: string[] = []
  readonly catalog: Catalog
  readonly around = { battery: false, metered: false }
  scheduler: Scheduler
  readonly #zone: string

  constructor(start: string, options: { readonly zone?: string; readonly catalog?: Catalog } = {}) {
    this.clock = new SleepyClock(start)
    this.catalog = options.catalog ?? memoryCatalog()
    this.#zone = options.zone ?? 'UTC'
    this.events.on((event) => {
      if (event.kind === 'task') this.told.push(event)
      if (event.kind === 'trouble') this.troubles.push(event.message)
    })
    this.scheduler = this.#open()
  }

  #open(): Scheduler {
    const surroundings: Surroundings = {
      isOnBattery: () => Promise.resolve(this.around.battery),
      isMetered: () => Promise.resolve(this.around.metered),
    }
    return new Scheduler({
      clock: this.clock,
      events: this.events,
      catalog: this.catalog,
      device: '12D3KooWlaptop',
      surroundings,
      timeZone: this.#zone,
    })
  }

  /** A task that ends at once, or as it is told. */
  task(name: string, due: string, more: Partial<Task> = {}): Task {
    return {
      name,
      due,
      jitterMs: 0,
      run: async (signal) => {
        this.ran.push(`${name} ${new Date(this.clock.nowMs()).toISOString().slice(0, 16)}`)
        return (await more.run?.(signal)) ?? { outcome: 'done' }
      },
      ...(more.profile !== undefined && { profile: more.profile }),
      ...(more.jitterMs !== undefined && { jitterMs: more.jitterMs }),
      ...(more.conditions !== undefined && { conditions: more.conditions }),
    }
  }

  async start(...tasks: Task[]): Promise<void> {
    this.scheduler.set(tasks)
    this.scheduler.start()
    await settle()
  }

  /** As if the process had ended without a word. */
  async crash(): Promise<void> {
    const { catalog } = this
    const frozen = new Map<string, Uint8Array>()
    for await (const [key, value] of catalog.iterate()) frozen.set(key, value)
    await this.scheduler.close()
    await catalog.batch(
      [...frozen].map(([key, value]) => ({ type: 'put', key, value }) as const),
      { durable: true },
    )
    this.scheduler = this.#open()
  }

  async restart(): Promise<void> {
    await this.scheduler.close()
    this.scheduler = this.#open()
  }

  record(id: string): TaskRecord {
    const value = this.catalog.get(id)
    assert.ok(value !== undefined)
    return JSON.parse(Buffer.from(value).toString()) as TaskRecord
  }

  outcomes(): string[] {
    return this.told.map(({ name, outcome }) => `${name} ${outcome}`)
  }
}

/** Ends when it is told to, or rejects as every task must when the node closes. */
function untilTold(): { run: Task['run']; end: (result: TaskResult) => void; fail: (error: Error) => void } {
  let end: (result: TaskResult) => void = () => undefined
  let fail: (error: Error) => void = () => undefined
  const run = (signal: AbortSignal) =>
    new Promise<TaskResult>((resolve, reject) => {
      end = resolve
      fail = reject
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    })
  return { run, end: (result) => end(result), fail: (error) => fail(error) }
}

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

  it('keeps to the local clock when that changes, and runs each day once', async () => {
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

  it('starts later by a jitter that is always the same', async () => {
    machine = new Machine('2026-03-01T12:00:00Z')
    await machine.start(machine.task('check', 'daily', { jitterMs: 6 * hourMs }))
    await machine.clock.advance(3 * dayMs)
    const [first = '', second = '', third = ''] = machine.ran.map((text) => text.slice(-5))
    assert.equal(machine.ran.length, 3)
    assert.ok(first > '00:00' && first < '06:00' && first === second && second === third, first)
  })

  it('catches up once with what was missed while the machine slept, when it has settled', async () => {
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

  it('is not put off by a clock that was wrong and is set back', async () => {
    machine = new Machine('2035-01-01T00:00:00Z')
    await machine.start(machine.task('check', 'daily'))
    await machine.clock.sleepUntil('2026-03-01T12:00:00Z')
    await machine.clock.advanceTo('2026-03-03T12:00:00Z')
    assert.deepEqual(machine.ran, ['check 2026-03-02T00:00', 'check 2026-03-03T00:00'])
  })

  it('runs one task of a name at a time, and those of other names beside it', async () => {
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

  it('is told when it begins and when it ends, with what it came to', async () => {
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

  it('that fails is told with its code, and tried again after an hour', async () => {
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

  it('that breaks off with the node is due again when that has settled, and is not forgotten', async () => {
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

  it('ends soon when the node closes, counts as not done, and runs at the next start', async () => {
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

  it('waits for power from the wall, is told once for each time, and runs as soon as it is there', async () => {
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

describe('other settings', () => {
  let machine: Machine
  afterEach(() => machine.scheduler.close())

  it('hold at once, let what runs be, and are refused whole when one cannot be understood', async () => {
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
