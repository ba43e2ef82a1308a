/**
 * Days of three devices in simulated time: the simulator's machines (test/sim) with the node's own schedule on them.
 * Hourly backups, retention, checks, scrubs and audits run when the calendar says so, while a laptop sleeps at night
 * and is away in the daytime, machines lose power, links part, disks fill and rot.
 */

import { tasksOf } from '../../node/operations/scheduled.ts'
import type { NodeParts } from '../../node/parts.ts'
import type { Task } from '../../node/schedule/task.ts'
import type { RootId } from '../../protocol/index.ts'
import { ACCIDENTS } from '../sim/faults.ts'
import type { Files, Folder } from '../sim/files.ts'
import { heal } from '../sim/heal.ts'
import { realMs } from '../sim/outside.ts'
import { type Device, Play } from '../sim/play.ts'
import { backUp } from '../sim/snapshots.ts'
import { Trace, Violation } from '../sim/trace.ts'
import { FAULTS, plan, type FaultKind, type Weather } from '../sim/weather.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** How a day is played. */
export interface DayOptions {
  readonly seed: string
  /** Simulated. @defaultValue 24 */
  readonly hours?: number
  /** False leaves the schedules off, for a test of what a day is judged by. @defaultValue true */
  readonly isScheduled?: boolean
  /** Is told every line. */
  readonly show?: (line: string) => void
}

/** What came of it. */
export interface DayReport {
  /** What broke; undefined: nothing. */
  readonly violation: string | undefined
  /** Of all that happened: equal seeds, equal digests. */
  readonly digest: string
  /** What happened how often: `backup done`, `fault kill`, `restores` … */
  readonly counts: ReadonlyMap<string, number>
  /** The longest time that a device was up, awake and with room on its disk, and did not back up; milliseconds. */
  readonly gapMs: number
  readonly realMs: number
}

/** A look at the devices, and perhaps a fault, so often. */
const stepMs = 5 * minuteMs
/** Backups are hourly, up to 10 minutes late; tried again after a failure, and 1 minute after a start. */
const gapMsMax = 2 * hourMs + 15 * minuteMs
/** One fault an hour, about. */
const faultShare = stepMs / hourMs
const faults = ['power-loss', 'kill', 'asleep', 'partition', 'full-disk', 'flip'] as const
/** Of the day of a laptop: lid closed, and out of the house. */
const night = { fromHour: 3, toHour: 8 } as const
const away = { fromHour: 10, toHour: 17 } as const
const snapshotsKept = 6
const folders = 12

const weather: Weather = {
  devices: [plan('desktop', 'keeper', []), plan('laptop', 'writer', []), plan('box', 'storer', [])],
  copiesGoal: 'all',
  goalChanges: 0,
  steps: 0,
  pauseMsMax: 5 * minuteMs,
  diskLatencyMs: 2,
  netDelayMs: 50,
  noticeLoss: 0.2,
  holdWindowMs: 3 * hourMs,
  floorAgeMs: hourMs,
  floorNewest: 2,
  faults: Object.fromEntries(FAULTS.map((kind) => [kind, 0])) as Record<FaultKind, number>,
}

/** Plays it; nothing else may run in this process meanwhile. */
export async function day(options: DayOptions): Promise<DayReport> {
  const beganMs = realMs()
  const trace = new Trace(options.show)
  const one = new Day(options, trace)
  const violation = await one.run()
  return {
    violation,
    digest: trace.digest(),
    counts: trace.counts,
    gapMs: one.gapMs,
    realMs: realMs() - beganMs,
  }
}

class Day {
  readonly #play: Play
  readonly #trace: Trace
  readonly #hours: number
  /** How long each has been able to back up since it did. */
  readonly #ableMs = new Map<string, number>()
  #isScheduled: boolean
  gapMs = 0

  constructor({ seed, hours = 24, isScheduled = true, show }: DayOptions, trace: Trace) {
    this.#trace = trace
    this.#hours = hours
    this.#isScheduled = isScheduled
    this.#play = new Play(`day ${seed}`, trace, show === undefined ? 0 : 12, {
      weather,
      happeningsMax: 100_000 * (hours + 24),
      config: ({ role }) => ({
        schedule: {
          check: '35 */6 * * *',
          scrub: '50 * * * *',
          drill: 'off',
          retention: role === 'keeper' ? '20 */2 * * *' : undefined,
        },
        scrub: { percentPerDay: 400, limit: 20 * 1024 },
        ...(role === 'keeper' && {
          retention: { rules: { last: snapshotsKept }, devices: [], everyMs: hourMs },
        }),
      }),
      onUp: (device, node) => {
        if (this.#isScheduled) this.#follow(device, node)
      },
    })
  }

  /** @returns what broke */
  async run(): Promise<string | undefined> {
    const play = this.#play
    try {
      await play.begin()
      for (const device of play.devices) device.files = this.#firstFiles()
      for (let atMs = 0; atMs < this.#hours * hourMs; atMs += stepMs) await this.#step(atMs)
      await this.#stopSchedules()
      await heal(play)
      return undefined
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      this.#trace.line(error.message)
      return error.message
    } finally {
      play.end()
    }
  }

  async #step(atMs: number): Promise<void> {
    const { devices, chance } = this.#play
    this.#liveOn(atMs)
    for (const device of devices) if (chance.may(0.3)) this.#change(device)
    if (chance.may(faultShare)) await this.#fault()
    await this.#play.advance(stepMs)
    for (const device of devices) this.#count(device)
  }

  /** What the laptop's person does with it. */
  #liveOn(atMs: number): void {
    const play = this.#play
    const laptop = this.#device('laptop')
    const hour = (atMs / hourMs) % 24
    if (hour === night.fromHour && laptop.machine.isReady) laptop.machine.fallAsleep()
    if (hour === night.toHour && laptop.machine.isAsleep) laptop.machine.wake()
    if (hour === away.fromHour)
      play.groups = new Map(play.devices.map((one) => [one.machine.device, one === laptop ? 1 : 0]))
    if (hour === away.toHour) play.groups = undefined
    play.connectAll()
  }

  async #fault(): Promise<void> {
    const play = this.#play
    const kind = play.chance.pick(faults)
    const said = await ACCIDENTS[kind]?.(play)
    if (said === undefined) return
    this.#trace.count(`fault ${kind}`)
    play.say(`-- ${kind}: ${said}`)
  }

  /** What has been able to back up and has not for too long was forgotten by its schedule. */
  #count(device: Device): void {
    const { machine, plan: planned } = device
    if (!planned.capabilities.has('backup')) return
    // Without room there is no backup; a task that waits to be tried again then may wait for a while.
    const isAble = machine.isReady && machine.disk.capacityBytes === Infinity && !machine.isMapFull
    const ableMs = isAble ? (this.#ableMs.get(machine.name) ?? 0) + stepMs : 0
    this.#ableMs.set(machine.name, ableMs)
    this.gapMs = Math.max(this.gapMs, ableMs)
    if (ableMs > gapMsMax)
      throw new Violation(
        'schedule',
        `${machine.name} has not backed up for ${String(ableMs / minuteMs)} minutes`,
      )
  }

  /** The schedule of a node as a running program follows it, with backups of files in memory. */
  #follow(device: Device, node: NodeParts): void {
    node.events.on((event) => {
      if (event.kind !== 'task' || device.machine.node !== node) return
      this.#trace.count(`${event.name} ${event.outcome}`)
      const { code, message } = event
      this.#play.say(`${device.machine.name} ${event.name} ${event.outcome} ${code ?? ''} ${message ?? ''}`)
      if (event.name === 'backup' && event.outcome === 'done') this.#ableMs.set(device.machine.name, 0)
    })
    const tasks = tasksOf(node).map((task) => (task.name === 'retention' ? this.#told(device, task) : task))
    node.scheduler.set([
      ...(node.ledger.self.capabilities.has('backup') ? [this.#backup(device)] : []),
      ...tasks,
    ])
    node.scheduler.start()
  }

  #backup(device: Device): Task {
    return {
      name: 'backup',
      profile: 'files',
      due: 'hourly',
      jitterMs: 10 * minuteMs,
      run: async () => {
        try {
          await backUp(this.#play, device, 20_000)
        } catch (error) {
          if (error instanceof Violation) this.#play.fail(error)
          throw error
        }
        return { outcome: 'done' }
      },
    }
  }

  /** The checks count hold windows from what was forgotten here, not only from what was signed (R9). */
  #told(device: Device, task: Task): Task {
    return {
      ...task,
      run: async (signal) => {
        const atMs = this.#play.scheduler.nowMs
        const { ledger } = device.machine.node!
        const before = new Set<RootId>(ledger.liveRoots())
        const result = await task.run(signal)
        const live = new Set(ledger.liveRoots())
        const forgotten = [...before].filter((root) => !live.has(root))
        this.#play.checks.forgot(device.machine, forgotten, atMs)
        this.#trace.count('forgotten by rule', forgotten.length)
        return result
      },
    }
  }

  /** The end: what is checked then must not change meanwhile. */
  async #stopSchedules(): Promise<void> {
    this.#isScheduled = false
    for (const { machine } of this.#play.devices) {
      const node = machine.node
      if (node === undefined) continue
      if (machine.isAsleep) machine.wake()
      let isOver = false
      void node.scheduler.close().then(() => {
        isOver = true
      })
      await this.#play.advanceUntil(() => isOver || machine.node !== node, hourMs)
    }
  }

  #firstFiles(): Files {
    return new Map(Array.from({ length: folders }, (_, at) => [`folder-${String(at)}`, this.#folder()]))
  }

  #folder(): Folder {
    const { chance } = this.#play
    const file = () => Array.from({ length: 1 + chance.below(3) }, () => chance.below(18))
    return new Map(Array.from({ length: 1 + chance.below(3) }, (_, at) => [`file-${String(at)}`, file()]))
  }

  /** Somebody has worked in one folder. */
  #change(device: Device): void {
    const name = `folder-${String(this.#play.chance.below(folders))}`
    device.files = new Map([...device.files, [name, this.#folder()]])
  }

  #device(name: string): Device {
    return this.#play.devices.find(({ machine }) => machine.name === name)!
  }
}
