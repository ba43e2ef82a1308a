/** A node with nothing but a schedule, on a machine that a test puts to sleep, unplugs, and has break down. */

import assert from 'node:assert/strict'
import { Events, type TaskEvent } from '../../../../node/events.ts'
import type { TaskRecord } from '../../../../node/schedule/plan.ts'
import { Scheduler } from '../../../../node/schedule/scheduler.ts'
import type { Surroundings } from '../../../../node/schedule/surroundings.ts'
import type { Task, TaskResult } from '../../../../node/schedule/task.ts'
import { type Catalog, memoryCatalog } from '../../../../storage/index.ts'
import { settle } from '../manual-clock.ts'
import { SleepyClock } from './sleepy-clock.ts'

export const hourMs = 3_600_000
export const dayMs = 24 * hourMs

/** A node with nothing but a schedule, whose tasks only note when they run. */
export class Machine {
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
export function untilTold(): {
  run: Task['run']
  end: (result: TaskResult) => void
  fail: (error: Error) => void
} {
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
