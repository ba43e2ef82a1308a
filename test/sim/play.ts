/** One run: a household of machines in a simulated world, and what the run itself knows of them. */

import {
  admitMember,
  changeMember,
  type DeviceId,
  foundMesh,
  isCellarError,
  type Membership,
  memberNow,
  type RootId,
} from '../../protocol/index.ts'
import { MemoryHub } from '../../node/adapters/memory-network.ts'
import type { Config } from '../../node/config.ts'
import type { NodeParts } from '../../node/parts.ts'
import { Archive } from './archive.ts'
import { Checks } from './checks.ts'
import { drawFiles, type Files } from './files.ts'
import { Machine } from './machine.ts'
import { type Outside, shutOut } from './outside.ts'
import { Chance } from './random.ts'
import { Scheduler } from './scheduler.ts'
import { type Trace, Violation } from './trace.ts'
import { Truth } from './truth.ts'
import { type DevicePlan, drawWeather, type Weather } from './weather.ts'

/** A device: its machine, its person's files, and what the run does with it. */
export interface Device {
  readonly plan: DevicePlan
  readonly machine: Machine
  files: Files
  /** Snapshots it has made: each has another time. */
  made: number
  /** Images of its disk, to go back to. */
  images: ReturnType<Machine['image']>[]
  /** Its process ended or was stopped, and somebody will start it. */
  isStarting: boolean
  /** Its machine goes on under another key. */
  isRetired: boolean
}

const VAULT_KEY = new Chance('key of the vault').bytes(32)
const settleMs = 120_000
/** More than this happens only where something goes round in circles. */
const happeningsDefaultMax = 60_000

/** What a play is given in the place of what it draws. */
export interface PlayOptions {
  /** @defaultValue drawn from the seed */
  readonly weather?: Weather
  /** Settings of a device, besides those of the weather. @defaultValue none */
  readonly config?: (plan: DevicePlan) => Partial<Config>
  /** Things that may happen. @defaultValue as many as in a short play that does not go round in circles */
  readonly happeningsMax?: number
  /** Told when a node is up. */
  readonly onUp?: (device: Device, node: NodeParts) => void
}

/** One run. */
export class Play {
  readonly weather: Weather
  readonly trace: Trace
  readonly scheduler: Scheduler
  readonly hub: MemoryHub
  readonly archive = new Archive()
  readonly truth: Truth
  readonly checks: Checks
  readonly devices: Device[] = []
  /** For what happens; machines have their own. */
  readonly chance: Chance
  readonly #seed: string
  readonly #options: PlayOptions
  readonly #machines: Machine[] = []
  readonly #outside: Outside
  readonly #net: Chance
  readonly #lateMs = new WeakMap<object, number>()
  /** Faults are over: nothing is slow or lost any more. */
  isHealed = false
  /** Groups that reach each other; undefined: all do. */
  groups: ReadonlyMap<DeviceId, number> | undefined
  /** Forgotten roots that a floor or a pin keeps at a device for good. */
  readonly excused = new Map<DeviceId, ReadonlySet<RootId>>()
  /** A fork of the membership was made. */
  isMembershipForked = false
  readonly #tasks = new Set<{ readonly isOver: () => boolean }>()
  #violation: Violation | undefined

  constructor(seed: number | string, trace: Trace, stackLines?: number, options: PlayOptions = {}) {
    this.trace = trace
    this.#options = options
    this.#seed = `rootcellar ${String(seed)}`
    this.chance = new Chance(`${this.#seed} play`)
    this.#net = new Chance(`${this.#seed} net`)
    this.weather = options.weather ?? drawWeather(new Chance(`${this.#seed} weather`))
    this.#outside = shutOut((run) => {
      this.scheduler.after(0, run)
    }, stackLines)
    this.scheduler = new Scheduler(this.#outside)
    this.truth = new Truth(this.archive, this.#machines)
    this.checks = new Checks(this.truth, trace, () => this.scheduler.nowMs)
    this.hub = new MemoryHub({
      carry: (way, deliver) => {
        this.#carry(way, deliver)
      },
      spread: (deliver) => {
        this.#spread(deliver)
      },
    })
  }

  /** Founds the mesh and starts all machines. */
  async begin(): Promise<void> {
    const { devices, copiesGoal } = this.weather
    for (const plan of devices) this.addDevice(plan)
    const [first] = this.devices
    const founder = first!.machine.signer
    let membership = foundMesh(founder, {
      name: first!.plan.name,
      copiesGoal,
      nonce: new Uint8Array(16),
      atMs: 0,
    })
    if (first!.plan.capabilities.has('lean')) {
      const { name, role, capabilities } = first!.plan
      const terms = { device: founder.device, name, role, capabilities, atMs: 0 }
      membership = changeMember(membership, founder, terms)
    }
    for (const { plan, machine } of this.devices.slice(1)) {
      const { name, role, capabilities } = plan
      membership = admitMember(membership, founder, {
        device: machine.device,
        name,
        role,
        capabilities,
        atMs: 0,
      })
    }
    for (const { machine } of this.devices) await machine.join(membership)
    for (const device of this.devices) this.startSoon(device, 0)
    await this.advance(2000)
  }

  /** Puts the outside back. */
  end(): void {
    this.#outside.restore()
  }

  /** One more device, with an empty disk. */
  addDevice(plan: DevicePlan): Device {
    const key = `${this.#seed} ${plan.name}`
    const machine = new Machine({
      name: plan.name,
      // The same for all seeds: parsing keys takes longer than most else.
      seed: new Chance(`key of ${plan.name}`).bytes(32),
      vaultKey: plan.capabilities.has('read') ? VAULT_KEY : undefined,
      scheduler: this.scheduler,
      hub: this.hub,
      chance: new Chance(key),
      diskLatencyMs: this.weather.diskLatencyMs,
      config: { ...this.#config(), ...this.#options.config?.(plan) },
      onGone: (which, gone) => {
        this.guard(() => {
          this.checks.gone(which, gone, !which.isOn)
        })
      },
      onReleased: (which, root) => {
        this.guard(() => {
          this.checks.released(which, root, this.scheduler.nowMs, this.weather.holdWindowMs)
        })
      },
      onEnd: (which, ending) => {
        this.#onEnd(which, ending)
      },
      onFault: (which, error) => {
        this.fail(bug(which.name, error))
      },
    })
    const device: Device = {
      plan,
      machine,
      files: drawFiles(this.chance),
      made: 0,
      images: [],
      isStarting: false,
      isRetired: false,
    }
    this.devices.push(device)
    this.#machines.push(machine)
    return device
  }

  /** Lets time go by, looking at everything that happens. @throws {Violation} */
  async advance(ms: number): Promise<void> {
    await this.scheduler.advance(ms, this.#look)
    this.#look()
  }

  /** Lets time go by until something is so, at most so long. @throws {Violation} */
  async advanceUntil(isSo: () => boolean, msMax = settleMs): Promise<boolean> {
    const came = await this.scheduler.advanceUntil(isSo, msMax, this.#look)
    this.#look()
    return came
  }

  /** Runs what may break a promise from within the work of a node: the run ends, the node does not see it. */
  guard(step: () => void): void {
    try {
      step()
    } catch (error) {
      if (!(error instanceof Violation)) throw error
      this.fail(error)
    }
  }

  /** Ends the run at the next look. */
  fail(violation: Violation): void {
    this.#violation ??= violation
  }

  /**
   * Does something for a person of a device, beside all else. What the node refuses by a code is noted; any other error
   * is a bug. What is under way when the process ends never ends.
   */
  task(device: Device, what: string, work: () => Promise<string | undefined>): Promise<void> {
    const { machine } = device
    const node = machine.node
    this.trace.count(`did ${what}`)
    const isOver = () => machine.node !== node
    const open = { isOver }
    this.#tasks.add(open)
    const done = work().finally(() => this.#tasks.delete(open))
    return done.then(
      (said) => {
        if (!isOver()) this.trace.line(`${this.#now()} ${machine.name} ${what}: ${said ?? 'done'}`)
      },
      (error: unknown) => {
        if (isOver()) return
        if (error instanceof Violation) this.fail(error)
        else if (isCellarError(error)) {
          this.trace.count(`refused ${what} ${error.code}`)
          this.trace.line(`${this.#now()} ${machine.name} ${what}: ${error.code} ${error.message}`)
        } else this.fail(bug(`${machine.name} ${what}`, error))
      },
    )
  }

  /** Whether something is under way at a machine that is up. */
  isBusy(): boolean {
    return [...this.#tasks].some(({ isOver }) => !isOver())
  }

  /** Notes something that the run itself does. */
  say(text: string): void {
    this.trace.line(`${this.#now()} ${text}`)
  }

  /** Starts a machine that is off, after a while. */
  startSoon(device: Device, afterMs: number): void {
    if (device.isStarting) return
    device.isStarting = true
    this.scheduler.after(afterMs, () => {
      device.isStarting = false
      void this.#start(device)
    })
  }

  /** The devices that can be asked something now. */
  ready(): Device[] {
    return this.devices.filter(({ machine }) => machine.isReady && !this.truth.removed.has(machine.device))
  }

  /** The newest membership that any machine knows, of those that are up. */
  newestMembership(): Membership | undefined {
    const known = this.devices.flatMap(({ machine }) => machine.node?.ledger.membership ?? [])
    return known.reduce<Membership | undefined>(
      (best, one) => (best === undefined || one.epoch > best.epoch ? one : best),
      undefined,
    )
  }

  /** Whether two keepers changed the membership at once, on purpose or apart from one another. */
  hasMembershipForked(): boolean {
    return (
      this.isMembershipForked || this.devices.some(({ machine }) => machine.node?.ledger.isMembershipForked)
    )
  }

  /** Cuts and mends links, so that who may reach whom is as it should be. */
  connectAll(): void {
    for (const [at, { machine: a }] of this.devices.entries()) {
      for (const { machine: b } of this.devices.slice(at + 1)) {
        const isApart = a.isAsleep || b.isAsleep || this.groups?.get(a.device) !== this.groups?.get(b.device)
        if (isApart === this.hub.isCut(a.device, b.device)) continue
        if (isApart) this.hub.cut(a.device, b.device)
        else this.hub.mend(a.device, b.device)
      }
    }
  }

  /** Keepers that could still admit and remove if this one were gone. */
  otherKeepers(device: Device): Device[] {
    const membership = this.newestMembership()
    return this.devices.filter(({ machine }) => {
      if (machine === device.machine || this.truth.dishonest.has(machine.device)) return false
      return (
        membership !== undefined && memberNow(membership, machine.device)?.capabilities.has('admit') === true
      )
    })
  }

  async #start(device: Device): Promise<void> {
    const { machine } = device
    if (machine.isOn || device.isRetired || this.#violation !== undefined) return
    this.say(`${machine.name} starts`)
    try {
      const node = await machine.start()
      this.trace.count('starts')
      node.events.on((event) => {
        // What a process still says once it is no more is not heard.
        if (event.kind !== 'trouble' || machine.node !== node) return
        this.trace.count(`trouble ${event.code}`)
        this.say(`${machine.name} trouble ${event.code} ${event.message.split('\n')[0] ?? ''}`)
        if (event.code === 'PEER_ERROR' || event.code === 'INTERNAL')
          this.fail(bug(machine.name, event.message))
      })
      this.say(`${machine.name} is up`)
      this.#options.onUp?.(device, node)
    } catch (error) {
      if (machine.ending === undefined) this.fail(bug(`${machine.name} does not start`, error))
    }
  }

  #onEnd(machine: Machine, ending: string): void {
    this.trace.count(ending)
    this.say(`${machine.name} ends: ${ending}`)
    try {
      this.checks.ended(machine, false)
    } catch (error) {
      // Not an error of the program that just ended.
      this.fail(error instanceof Violation ? error : bug(machine.name, error))
    }
    this.scheduler.after(0, () => {
      if (ending === 'power-loss' && machine.loseUnsynced()) this.trace.count('torn writes')
    })
    const device = this.devices.find((one) => one.machine === machine)
    if (device === undefined) return
    device.isStarting = false // who was stopping it does not come to an end
    this.startSoon(device, 1 + this.chance.share() * 2 * this.weather.pauseMsMax)
  }

  readonly #look = (): void => {
    this.checks.look()
    if (this.scheduler.happened > (this.#options.happeningsMax ?? happeningsDefaultMax))
      throw new Violation('bug', 'something goes on for ever')
    if (this.#violation !== undefined) throw this.#violation
  }

  #now(): string {
    return (this.scheduler.nowMs / 1000).toFixed(3)
  }

  #config(): Partial<Config> {
    const { holdWindowMs, floorAgeMs, floorNewest } = this.weather
    return { holdWindowMs, floorAgeMs, floorNewest }
  }

  /** Frames of one way keep their order; ways do not wait for one another. */
  #carry(way: object, deliver: () => void): void {
    const { netDelayMs } = this.weather
    if (netDelayMs === 0) {
      deliver()
      return
    }
    const { nowMs } = this.scheduler
    const dueMs = Math.max(this.#lateMs.get(way) ?? 0, nowMs + this.#net.share() * netDelayMs)
    this.#lateMs.set(way, dueMs)
    this.scheduler.after(dueMs - nowMs, deliver)
  }

  #spread(deliver: () => void): void {
    const { netDelayMs, noticeLoss } = this.weather
    if (!this.isHealed && this.#net.may(noticeLoss)) {
      this.trace.count('notices lost')
      return
    }
    const times = this.#net.may(0.1) ? 2 : 1
    if (times === 2) this.trace.count('notices doubled')
    for (let time = 0; time < times; time++)
      this.scheduler.after(this.#net.share() * (1 + 3 * netDelayMs), deliver)
  }
}

/** An error that nothing expected. */
export function bug(where: string, error: unknown): Violation {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return new Violation('bug', `${where}: ${text}`)
}
