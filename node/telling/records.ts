/** What is remembered of telling, in the catalog (telling.md §7): how hooks fared, tasks ended, and what was told. */

import { decodeCbor, encodeCbor, Fields } from '../../protocol/index.ts'
import type { Catalog, CatalogChange } from '../../storage/index.ts'
import type { TaskOutcome } from '../schedule/task.ts'
import { HOOK_MOMENTS } from '../config/types.ts'
import { heardOf, type Standing, type ToldRecord } from './flood.ts'

/** How a hook, or the mail, fared since it is known. Times are milliseconds since 1970; 0: never. */
export interface HookRecord {
  readonly told: number
  readonly failures: number
  readonly lastSuccessMs: number
  readonly lastFailureMs: number
  /** Of the last failure. */
  readonly message: string
}

/** How a task ended. Times are milliseconds since 1970; 0: never. */
export interface TaskRecord {
  /** How often with which outcome. */
  readonly runs: Readonly<Record<CountedOutcome, number>>
  readonly lastMs: number
  readonly lastOutcome: CountedOutcome
  readonly lastSuccessMs: number
  /** Of the last run that ended. */
  readonly seconds: number
  readonly code: string
  readonly message: string
  /** Of a backup: the last snapshot made; empty: none. */
  readonly root: string
  /** Of a backup: when its newest snapshot was last seen on as many devices as its profile wants. */
  readonly copiedMs: number
}

/** Outcomes that are counted. */
export type CountedOutcome = Exclude<TaskOutcome, 'began'>

/** Outcomes that are counted, in the order of their record. */
export const OUTCOMES = ['done', 'partly', 'failed', 'put-off'] as const satisfies readonly CountedOutcome[]

/** The last sign of life of another device. */
export interface SignRecord {
  readonly incarnation: number
  /** Of its newest listing known here. */
  readonly seq: number
  /** When it came, or when the device was last linked: milliseconds since 1970, and of running time (R9). */
  readonly wallMs: number
  readonly runningMs: number
  /** Running time at which it came back from its last silence; 0: there was none. */
  readonly backRunningMs: number
}

const HOOK_NEW: HookRecord = { told: 0, failures: 0, lastSuccessMs: 0, lastFailureMs: 0, message: '' }

const TASK_NEW: TaskRecord = {
  runs: { done: 0, partly: 0, failed: 0, 'put-off': 0 },
  lastMs: 0,
  lastOutcome: 'done',
  lastSuccessMs: 0,
  seconds: 0,
  code: '',
  message: '',
  root: '',
  copiedMs: 0,
}

const WORDS = { what: 'a record of telling' }
const textBytesMax = 4096
const recordBytesMax = 64 * 1024
/** What was told so long ago is forgotten at the next start, milliseconds. */
const toldKeptMs = 60 * 86_400_000

/** How records of one kind lie in the catalog. */
interface Codec<T> {
  readonly prefix: string
  encode(record: T): Parameters<typeof encodeCbor>[0]
  decode(fields: Fields): T
}

const HOOKS: Codec<HookRecord> = {
  prefix: 'hook/',
  encode: (it) => [it.told, it.failures, whole(it.lastSuccessMs), whole(it.lastFailureMs), it.message],
  decode: (fields) => ({
    told: fields.uint(),
    failures: fields.uint(),
    lastSuccessMs: fields.uint(),
    lastFailureMs: fields.uint(),
    message: fields.text(textBytesMax),
  }),
}

const TASKS: Codec<TaskRecord> = {
  prefix: 'task/',
  encode: (it) => [
    OUTCOMES.map((outcome) => it.runs[outcome]),
    whole(it.lastMs),
    it.lastOutcome,
    whole(it.lastSuccessMs),
    // In milliseconds: there are only whole numbers.
    whole(it.seconds * 1000),
    it.code,
    it.message,
    it.root,
    whole(it.copiedMs),
  ],
  decode: (fields) => {
    const counts = fields.nested()
    const runs = {
      done: counts.uint(),
      partly: counts.uint(),
      failed: counts.uint(),
      'put-off': counts.uint(),
    }
    const lastMs = fields.uint()
    const outcome = fields.text(textBytesMax)
    return {
      runs,
      lastMs,
      lastOutcome: OUTCOMES.find((one) => one === outcome) ?? fields.fail('an unknown outcome'),
      lastSuccessMs: fields.uint(),
      seconds: fields.uint() / 1000,
      code: fields.text(textBytesMax),
      message: fields.text(textBytesMax),
      root: fields.text(textBytesMax),
      copiedMs: fields.uint(),
    }
  },
}

const TOLD: Codec<ToldRecord> = {
  prefix: 'told/',
  encode: ({ atMs, again, isOver, isHeard, standing }) => [
    whole(atMs),
    again,
    isOver,
    isHeard,
    standing === undefined ? null : [standing.on, standing.title, standing.profile, standing.device],
  ],
  decode: (fields) => ({
    atMs: fields.uint(),
    again: fields.uint(),
    isOver: fields.boolean(),
    isHeard: fields.boolean(),
    standing: fields.skipNull() ? undefined : decodeStanding(fields.nested()),
  }),
}

function decodeStanding(fields: Fields): Standing {
  const on = fields.text(textBytesMax)
  return {
    on: HOOK_MOMENTS.find((one) => one === on) ?? fields.fail('an unknown moment'),
    title: fields.text(textBytesMax),
    profile: fields.text(textBytesMax),
    device: fields.text(textBytesMax),
  }
}

const SIGNS: Codec<SignRecord> = {
  prefix: 'sign/',
  encode: (it) => [it.incarnation, it.seq, whole(it.wallMs), whole(it.runningMs), whole(it.backRunningMs)],
  decode: (fields) => ({
    incarnation: fields.uint(),
    seq: fields.uint(),
    wallMs: fields.uint(),
    runningMs: fields.uint(),
    backRunningMs: fields.uint(),
  }),
}

/** Records of one kind: in memory, and written behind. */
export class Shelf<T> {
  readonly #codec: Codec<T>
  readonly #write: (change: CatalogChange) => void
  readonly #records = new Map<string, T>()

  constructor(codec: Codec<T>, write: (change: CatalogChange) => void) {
    this.#codec = codec
    this.#write = write
  }

  /** The record of a name, if there is one. */
  get(name: string): T | undefined {
    return this.#records.get(name)
  }

  /** All, by name. */
  entries(): [string, T][] {
    return [...this.#records]
  }

  /** Keeps a record under a name. */
  set(name: string, record: T): void {
    this.#records.set(name, record)
    this.#write({
      type: 'put',
      key: this.#codec.prefix + name,
      value: encodeCbor(this.#codec.encode(record)),
    })
  }

  /** Forgets a record. */
  delete(name: string): void {
    if (this.#records.delete(name)) this.#write({ type: 'del', key: this.#codec.prefix + name })
  }

  /** Takes an entry of the catalog, if it is of this kind. @throws {CellarError} `FORMAT_INVALID` */
  load(key: string, value: Uint8Array): void {
    const { prefix } = this.#codec
    if (!key.startsWith(prefix)) return
    const fields = new Fields(decodeCbor(value, { ...WORDS, bytesMax: recordBytesMax }), WORDS)
    this.#records.set(key.slice(prefix.length), this.#codec.decode(fields))
  }
}

/**
 * All that is remembered. What is set counts at once, and is written behind: what a crash loses is at worst told once
 * more.
 */
export class TellingRecords {
  readonly hooks: Shelf<HookRecord>
  readonly tasks: Shelf<TaskRecord>
  readonly told: Shelf<ToldRecord>
  readonly signs: Shelf<SignRecord>
  readonly #catalog: Catalog
  readonly #onFault: (error: unknown) => void
  #writing: Promise<void> = Promise.resolve()
  #isFailing = false

  private constructor(catalog: Catalog, onFault: (error: unknown) => void) {
    this.#catalog = catalog
    this.#onFault = onFault
    const write = (change: CatalogChange) => {
      this.#writing = this.#writing.then(() => this.#batch(change))
    }
    this.hooks = new Shelf(HOOKS, write)
    this.tasks = new Shelf(TASKS, write)
    this.told = new Shelf(TOLD, write)
    this.signs = new Shelf(SIGNS, write)
  }

  /**
   * What cannot be read is left out: a node opens without it, and tells that it does.
   *
   * @param onFault - told of that; and once when records cannot be written, as the disk is full say, until they can
   */
  static async open(
    catalog: Catalog,
    nowMs: number,
    onFault: (error: unknown) => void,
  ): Promise<TellingRecords> {
    const records = new TellingRecords(catalog, onFault)
    for await (const [key, value] of catalog.iterate()) {
      try {
        for (const shelf of [records.hooks, records.tasks, records.told, records.signs])
          shelf.load(key, value)
      } catch (error) {
        onFault(error)
      }
    }
    for (const [about, told] of records.told.entries()) {
      const heard = heardOf(told)
      const isOld = heard?.isOver === true && nowMs - heard.atMs > toldKeptMs
      if (heard === undefined || isOld) records.told.delete(about)
      else if (heard !== told) records.told.set(about, heard)
    }
    return records
  }

  /** Changes how a hook fared. */
  changeHook(name: string, change: (before: HookRecord) => HookRecord): void {
    this.hooks.set(name, change(this.hooks.get(name) ?? HOOK_NEW))
  }

  /** Changes how a task ended. @param id - `taskId` */
  changeTask(id: string, change: (before: TaskRecord) => TaskRecord): void {
    this.tasks.set(id, change(this.tasks.get(id) ?? TASK_NEW))
  }

  /** Resolves when all that was set so far is written. */
  async idle(): Promise<void> {
    await this.#writing
  }

  async #batch(change: CatalogChange): Promise<void> {
    try {
      await this.#catalog.batch([change], { durable: false })
      this.#isFailing = false
    } catch (error) {
      // Telling of it sets a record again: once is enough.
      if (this.#isFailing) return
      this.#isFailing = true
      this.#onFault(error)
    }
  }
}

function whole(value: number): number {
  return Math.max(0, Math.round(value))
}
