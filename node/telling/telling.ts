/** Tells people and programs what happens: listens to the bus, keeps from flooding, hands to channels (spec/telling.md). */

import { CellarError, type Clock, type DeviceId, isCellarError } from '../../protocol/index.ts'
import type { Catalog } from '../../storage/index.ts'
import type { HookStatus } from '../api-telling.ts'
import type { Settings } from '../config/settings.ts'
import type { Events, NodeEvent, TaskEvent } from '../events.ts'
import { taskId } from '../schedule/task.ts'
import { type Channel, channelsOf, failureOfChannel } from './channels.ts'
import { gathered, HourlyBound, isRoutine, judgeTiding, type Standing, type ToldRecord } from './flood.ts'
import { Outbox, type Tried } from './outbox.ts'
import type { Outside } from './outside.ts'
import { TellingRecords } from './records.ts'
import { taskTidings } from './tasks.ts'
import type { Teller, Tiding } from './tiding.ts'
import { ROT, TroubleSorter } from './troubles.ts'

/** What telling stands on. */
export interface TellingParts {
  readonly settings: Settings
  readonly clock: Clock
  readonly events: Events
  /** Remembers what was told. */
  readonly catalog: Catalog
  /** Who tells. */
  readonly teller: () => Teller
  /** What people call a device. */
  readonly nameOf: (device: DeviceId) => string
  /** Loaded when something is to be told. */
  readonly outside: () => Promise<Outside>
  /** In a node that was opened for one command nothing waits: what fails is tried once. */
  readonly isRunning: boolean
}

/** How long a node that runs lets a first try go on while it closes, milliseconds. */
const closeMs = 3000

/** Figures since this node was opened, for metrics. */
export interface TellingCounts {
  readonly told: number
  readonly heldBack: number
}

/** Tells, until it is closed. */
export class Telling {
  readonly records: TellingRecords
  readonly #parts: TellingParts
  readonly #outbox: Outbox
  readonly #sorter = new TroubleSorter()
  readonly #bound = new HourlyBound()
  readonly #offs: (() => void)[]
  readonly #end = new AbortController()
  #heldTitles: string[] = []
  #gathering: Promise<void> | undefined
  #isTellingItself = false
  #told = 0
  #heldBack = 0
  #outside: Outside | undefined
  #work: Promise<void> = Promise.resolve()

  private constructor(parts: TellingParts, records: TellingRecords) {
    this.#parts = parts
    this.records = records
    const onTried = (tried: Tried) => {
      this.#noteTried(tried)
    }
    this.#outbox = new Outbox({ clock: parts.clock, isRunning: parts.isRunning, onTried })
    this.#offs = [
      parts.events.on((event) => {
        this.#take(event)
      }),
    ]
  }

  /** Begins to listen. */
  static async open(parts: TellingParts): Promise<Telling> {
    const records = await TellingRecords.open(parts.catalog, parts.clock.nowMs(), (error) => {
      if (!isCellarError(error)) throw error
      parts.events.emit({ kind: 'trouble', code: error.code, message: error.message })
    })
    return new Telling(parts, records)
  }

  /** Tidings told and held back since this node was opened. */
  get counts(): TellingCounts {
    return { told: this.#told, heldBack: this.#heldBack }
  }

  /**
   * Tells, unless it was told before.
   *
   * @param standing - of what holds until it ends, and is brought up again and again: what is told then
   * @returns resolves when the first try of all channels has ended; never rejects
   */
  async tell(tiding: Tiding, standing?: Standing): Promise<void> {
    const nowMs = this.#parts.clock.nowMs()
    const before = this.records.told.get(tiding.about)
    const { isTold, record } = judgeTiding(tiding, before, nowMs, standing)
    const isBounded = isTold && !isRoutine(tiding.on) && !this.#bound.take(nowMs)
    // What is gathered counts as told.
    if (record !== undefined && !isSame(record, before)) this.records.told.set(tiding.about, record)
    if (!isTold || isBounded) {
      if (standing === undefined && tiding.state === 'news') this.#heldBack++
      if (isBounded) this.#gather(tiding)
      return
    }
    this.#told++
    await this.#hand({ ...tiding, ...(before !== undefined && before.again > 0 && { again: before.again }) })
  }

  /** Ends what held for a while: it is told once more. */
  async end(about: string): Promise<void> {
    const { standing, isOver } = this.records.told.get(about) ?? {}
    if (standing === undefined || isOver === true) return
    const { on, title, profile, device } = standing
    await this.tell({
      on,
      about,
      state: 'over',
      level: 'info',
      title,
      message: `${title}.`,
      ...(profile !== '' && { profile }),
      ...(device !== '' && { device }),
      atMs: this.#parts.clock.nowMs(),
    })
  }

  /** What holds, and was told: until {@link end}. */
  standing(): string[] {
    return this.records.told
      .entries()
      .flatMap(([about, { standing, isOver }]) => (standing === undefined || isOver ? [] : [about]))
  }

  /** The channels of the settings of this moment. */
  async channels(): Promise<Channel[]> {
    const { settings, teller } = this.#parts
    const { hooks, email } = settings.current
    if (hooks.length === 0 && email === undefined) return []
    this.#outside ??= await this.#parts.outside()
    return channelsOf(settings.current, teller, this.#outside)
  }

  /** How the hooks of the settings fared. */
  hookStatus(): HookStatus[] {
    const { hooks, email } = this.#parts.settings.current
    const all = [...hooks, ...(email === undefined ? [] : [{ name: 'email', on: email.on }])]
    return all.map(({ name, on }) => {
      const record = this.records.hooks.get(name)
      if (record === undefined) return { name, on, told: 0, failures: 0 }
      const { told, failures, lastSuccessMs, lastFailureMs, message } = record
      return {
        name,
        on,
        told,
        failures,
        ...(lastSuccessMs > 0 && { last_success: new Date(lastSuccessMs).toISOString() }),
        ...(lastFailureMs > 0 && { last_failure: new Date(lastFailureMs).toISOString() }),
        ...(lastFailureMs > lastSuccessMs && { message }),
      }
    })
  }

  /** Notes how a trial of a hook went. */
  noteTest(name: string, error: CellarError | undefined): void {
    const atMs = this.#parts.clock.nowMs()
    if (error === undefined)
      this.records.changeHook(name, (before) => ({ ...before, told: before.told + 1, lastSuccessMs: atMs }))
    else this.#noteFailure(name, error.message, atMs)
  }

  /** Ends; a node opened for one command waits until all was tried once. Idempotent. */
  async close(): Promise<void> {
    for (const off of this.#offs.splice(0)) off()
    const { clock, isRunning } = this.#parts
    const tried = this.#work.then(() => this.#outbox.firstTries())
    if (isRunning) await Promise.race([tried, clock.sleep(closeMs, this.#end.signal).catch(() => undefined)])
    else await tried
    this.#end.abort(new CellarError('ABORTED', 'the node is closing'))
    await this.#gathering
    await this.#outbox.close()
    await this.records.idle()
  }

  #take(event: NodeEvent): void {
    if (this.#isTellingItself) return
    const atMs = this.#parts.clock.nowMs()
    if (event.kind === 'task') this.#takeTask(event, atMs)
    else if (event.kind === 'trouble') {
      const { device } = event
      const names = {
        self: this.#parts.teller().device,
        device: device === undefined ? undefined : this.#parts.nameOf(device),
      }
      const tiding = this.#sorter.tidingOf(event, names, atMs)
      if (tiding !== undefined) this.#run(this.tell(tiding))
    } else if (event.kind === 'bad-chunk') this.#run(this.tell(this.#rot(atMs)))
  }

  #takeTask(event: TaskEvent, atMs: number): void {
    const { outcome } = event
    if (outcome !== 'began') this.#noteTask(event, outcome, atMs)
    const tellings = taskTidings(event, this.#parts.teller().device, atMs).map((tiding) => this.tell(tiding))
    for (const telling of tellings) this.#run(telling)
    if (outcome === 'began' && tellings.length > 0) event.waitFor?.(Promise.all(tellings))
  }

  #noteTask(event: TaskEvent, outcome: Exclude<TaskEvent['outcome'], 'began'>, atMs: number): void {
    const root = event.summary?.['snapshot_id']
    this.records.changeTask(taskId(event), (before) => ({
      ...before,
      runs: { ...before.runs, [outcome]: before.runs[outcome] + 1 },
      // What was put off has not run: what the last run came to still holds.
      ...(outcome !== 'put-off' && {
        lastMs: atMs,
        lastOutcome: outcome,
        seconds: event.seconds ?? 0,
        code: event.code ?? '',
        message: (event.message ?? '').slice(0, 500),
      }),
      ...(outcome === 'done' && { lastSuccessMs: atMs }),
      ...(typeof root === 'string' && { root }),
    }))
  }

  #rot(atMs: number): Tiding {
    const { device } = this.#parts.teller()
    return {
      on: 'trouble',
      about: ROT,
      state: 'news',
      level: 'error',
      title: `Damaged data on ${device}`,
      message: `Data stored on ${device} has gone bad. It is mended from the other devices by itself. To do: look after the disk, it may be failing; cellar check --read-data --repair reads all of it.`,
      remedy: 'look after the disk: it may be failing',
      code: 'CHUNK_CORRUPT',
      atMs,
    }
  }

  async #hand(tiding: Tiding): Promise<void> {
    try {
      const channels = (await this.channels()).filter((channel) => channel.wants(tiding))
      if (channels.length === 0) this.#noteHeard(tiding)
      await Promise.all(channels.map((channel) => this.#outbox.deliver(channel, tiding)))
    } catch (error) {
      // The outside could not be loaded: an installation that is not whole.
      const message = error instanceof Error ? error.message : String(error)
      this.#parts.events.emit({ kind: 'trouble', code: 'INTERNAL', message: `nobody was told: ${message}` })
    }
  }

  #noteTried({ channel, tiding, error, isLast }: Tried): void {
    const atMs = this.#parts.clock.nowMs()
    if (error === undefined) {
      this.records.changeHook(channel.name, (before) => ({
        ...before,
        told: before.told + 1,
        lastSuccessMs: atMs,
      }))
      this.#noteHeard(tiding)
      this.#run(this.tell(hookWorks(channel.name, this.#parts.teller().device, atMs)))
      return
    }
    if (this.#end.signal.aborted) return
    this.#noteFailure(channel.name, error.message, atMs)
    // It was not told after all: what still holds is told anew.
    if (isLast && !isRoutine(tiding.on)) this.records.told.delete(tiding.about)
    this.#tellOfFailure(channel.name, error, atMs)
  }

  /** From now on it counts as told over restarts too. */
  #noteHeard({ about, state }: Tiding): void {
    const record = this.records.told.get(about)
    if (record === undefined) return
    // Who hears late of what has ended meanwhile is owed its end.
    const isHeard = state === 'over' || !record.isOver
    if (record.isHeard !== isHeard) this.records.told.set(about, { ...record, isHeard })
  }

  #noteFailure(name: string, message: string, atMs: number): void {
    this.records.changeHook(name, (before) => ({
      ...before,
      failures: before.failures + 1,
      lastFailureMs: atMs,
      message: message.slice(0, 500),
    }))
  }

  /** On the bus for log and status; the other channels are told here, as only here it is known whose failure it is. */
  #tellOfFailure(name: string, { message }: CellarError, atMs: number): void {
    this.#isTellingItself = true
    this.#parts.events.emit({ kind: 'trouble', code: 'HOOK_FAILED', message })
    this.#isTellingItself = false
    const { device } = this.#parts.teller()
    const remedy = `look at its settings, then: cellar hook test ${name}`
    const title = name === 'email' ? `Mail fails on ${device}` : `Hook "${name}" fails on ${device}`
    const telling = this.tell({
      on: 'trouble',
      about: failureOfChannel(name),
      state: 'news',
      level: 'warning',
      title,
      message: `${title}: ${message}. To do: ${remedy}.`,
      remedy,
      code: 'HOOK_FAILED',
      atMs,
    })
    this.#run(telling)
  }

  #gather(tiding: Tiding): void {
    this.#heldTitles.push(tiding.title)
    if (this.#parts.isRunning) this.#gathering ??= this.#tellGathered()
  }

  async #tellGathered(): Promise<void> {
    const { clock, teller } = this.#parts
    try {
      await clock.sleep(this.#bound.waitMs(clock.nowMs()), this.#end.signal)
    } catch {
      return // the node is closing
    }
    const titles = this.#heldTitles
    this.#heldTitles = []
    this.#gathering = undefined
    this.#bound.take(clock.nowMs())
    this.#told++
    await this.#hand(gathered(titles, teller().device, clock.nowMs()))
  }

  #run(work: Promise<void>): void {
    this.#work = Promise.all([this.#work, work]).then(() => undefined)
  }
}

function isSame(one: ToldRecord, other: ToldRecord | undefined): boolean {
  return (
    other !== undefined &&
    one.atMs === other.atMs &&
    one.again === other.again &&
    one.isOver === other.isOver &&
    one.isHeard === other.isHeard &&
    (one.standing === undefined) === (other.standing === undefined)
  )
}

function hookWorks(name: string, device: string, atMs: number): Tiding {
  const title = name === 'email' ? `Mail works again on ${device}` : `Hook "${name}" works again on ${device}`
  return {
    on: 'trouble',
    about: failureOfChannel(name),
    state: 'over',
    level: 'info',
    title,
    message: `${title}.`,
    atMs,
  }
}
