/**
 * Long methods that somebody began and does not wait for (`jobBegin`): they belong to the node, and end with it.
 * Whoever looks sees how they stand, and how the last ones ended (spec/activity.md §5).
 */

import { CellarError, type Clock } from '../protocol/index.ts'
import type { BegunJob, CallContext } from './api.ts'
import { errorRecord } from './control/lines.ts'
import type { Events } from './events.ts'
import type { Jobs } from './jobs.ts'

/** So many go on at one time (AC5.2). */
export const begunMax = 16
/** So many that have ended are remembered. */
export const endedMax = 16
/** Of what went wrong on the way. */
const problemsMax = 20

/** The name of a method that may be begun. */
export type BegunMethod = BegunJob['method']

/** What keeping them stands on. */
export interface BegunParts {
  readonly clock: Clock
  readonly events: Events
  readonly jobs: Jobs
}

/** What may be told on the way, of which some is kept. */
interface Told {
  readonly message_type: string
  readonly percent_done?: number
  readonly message?: string
  readonly item?: string
  readonly error?: { readonly message: string }
}

type Context = CallContext<BegunMethod>

interface Begun {
  readonly id: string
  readonly method: BegunMethod
  readonly title: string
  readonly startedMs: number
  readonly end: AbortController
  readonly problems: string[]
  problemCount: number
  status: Told | undefined
  endedMs: number | undefined
  summary: object | undefined
  error: { readonly code: string; readonly message: string } | undefined
  work: Promise<void>
}

/** Keeps them. */
export class BegunJobs {
  readonly #parts: BegunParts
  #all: Begun[] = []
  #count = 0
  #closed: CellarError | undefined

  constructor(parts: BegunParts) {
    this.#parts = parts
  }

  /**
   * Begins one.
   *
   * @param title - for people
   * @param run - the method; what it is given is told to nobody else
   * @returns its id
   * @throws {CellarError} `NODE_BUSY`; `NODE_STOPPED` in a node that is closing
   */
  begin(method: BegunMethod, title: string, run: (context: Context) => Promise<object>): string {
    if (this.#closed !== undefined) throw this.#closed
    if (this.#open().length >= begunMax)
      throw new CellarError('NODE_BUSY', `${String(begunMax)} jobs go on already: wait, or cancel one`)
    const end = new AbortController()
    const begun: Begun = {
      ...{ id: `begun-${String(++this.#count)}`, method, title, end, problems: [], problemCount: 0 },
      ...{ startedMs: this.#parts.clock.nowMs(), status: undefined, endedMs: undefined },
      ...{ summary: undefined, error: undefined, work: Promise.resolve() },
    }
    this.#parts.jobs.entitle(end.signal, title)
    this.#all.push(begun)
    begun.work = this.#run(begun, run)
    this.#tell()
    return begun.id
  }

  /** All that go on, and the last that ended, the oldest first. */
  list(): BegunJob[] {
    return this.#all.map(infoOf)
  }

  /** Ends one early. @returns its method; undefined when it has ended already, or never was */
  cancel(id: string): BegunMethod | undefined {
    const begun = this.#open().find((one) => one.id === id)
    begun?.end.abort(new CellarError('ABORTED', 'it was cancelled'))
    return begun?.method
  }

  /** Ends all, and waits for them. Idempotent. */
  async close(): Promise<void> {
    this.#closed ??= new CellarError('NODE_STOPPED', 'the node was stopped meanwhile')
    for (const { end } of this.#open()) end.abort(this.#closed)
    await Promise.all(this.#all.map(({ work }) => work))
  }

  async #run(begun: Begun, run: (context: Context) => Promise<object>): Promise<void> {
    const context: Context = {
      signal: begun.end.signal,
      onEvent: (event) => note(begun, event),
      input: nothing(),
      output: () => Promise.resolve(),
    }
    try {
      begun.summary = await run(context)
    } catch (error) {
      const { code, message } = errorRecord(begun.end.signal.aborted ? begun.end.signal.reason : error)
      begun.error = { code, message }
    }
    begun.endedMs = this.#parts.clock.nowMs()
    const ended = this.#all.filter(({ endedMs }) => endedMs !== undefined)
    const gone = new Set(ended.slice(0, Math.max(0, ended.length - endedMax)))
    this.#all = this.#all.filter((one) => !gone.has(one))
    this.#tell()
  }

  #open(): Begun[] {
    return this.#all.filter(({ endedMs }) => endedMs === undefined)
  }

  #tell(): void {
    this.#parts.events.emit({ kind: 'begun' })
  }
}

function note(begun: Begun, event: Told): void {
  if (event.message_type === 'status') begun.status = event
  if (event.message_type !== 'error') return
  begun.problemCount++
  const message = event.error?.message ?? event.message ?? ''
  if (begun.problems.length < problemsMax)
    begun.problems.push(event.item === undefined ? message : `${event.item}: ${message}`)
}

/** Lists of a summary that may be ten thousand long: what they begin with is among the problems. */
const LONG: ReadonlySet<string> = new Set(['errors', 'unread'])
const WITH_STATUS: ReadonlySet<BegunMethod> = new Set<BegunMethod>(['restore', 'backupProfile'])

function infoOf(begun: Begun): BegunJob {
  const { id, method, title, startedMs, endedMs, status, problems, problemCount, summary, error } = begun
  const info = {
    ...{ id, method, title, problems: [...problems], problem_count: problemCount },
    started: new Date(startedMs).toISOString(),
    ...(endedMs !== undefined && { ended: new Date(endedMs).toISOString() }),
    ...(status?.percent_done !== undefined && { percent_done: status.percent_done }),
    ...(status !== undefined && WITH_STATUS.has(method) && { status }),
    ...(error !== undefined && { error }),
    ...(summary !== undefined && {
      summary: Object.fromEntries(Object.entries(summary).filter(([name]) => !LONG.has(name))),
    }),
  }
  // The method says which summary it is.
  return info as unknown as BegunJob
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // what goes on by itself has no input
}
