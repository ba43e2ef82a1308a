/** What happens in a node becomes entries of its history (spec/activity.md §2): pure but for what it remembers. */

import { type DeviceId, ERRORS, type ErrorCode } from '../../protocol/index.ts'
import type { JobEvent, NodeEvent, TaskEvent } from '../events.ts'
import type { NewEntry } from './history.ts'

/** The same trouble within so long of the last time is the same entry, milliseconds. */
export const sameTroubleMs = 3_600_000
/** In an hour so many different troubles are kept, and so many times one is written again. */
export const troublesInHourMax = 60
/** An entry that is only repeated is written again so often, milliseconds. */
export const rewriteMs = 60_000
const messageLengthMax = 500

/** Troubles that mend themselves. */
const QUIET: ReadonlySet<string> = new Set<ErrorCode>(['PEER_GONE', 'ABORTED'])

type TroubleEntry = Extract<NewEntry, { kind: 'trouble' }>

/** What is to be written. */
export type Change =
  | { readonly type: 'add'; readonly entry: NewEntry; readonly matter?: string }
  | { readonly type: 'change'; readonly number: number; readonly entry: NewEntry }

interface Known {
  number: number
  entry: TroubleEntry
  lastMs: number
  writtenMs: number
}

/** Turns events into entries, in order. */
export class Entries {
  readonly #nameOf: (device: DeviceId) => string
  readonly #running = new Map<string, number>()
  readonly #known = new Map<string, Known>()
  #hourMs = -Infinity
  #inHour = 0
  #leftOut = 0

  constructor(nameOf: (device: DeviceId) => string) {
    this.#nameOf = nameOf
  }

  /** Takes an event. @returns what to write; who adds says the number back by {@link numbered} */
  take(event: NodeEvent, atMs: number): Change | undefined {
    switch (event.kind) {
      case 'task':
        return this.#task(event, atMs)
      case 'job':
        return this.#job(event, atMs)
      case 'trouble': {
        const { code, message, device } = event
        if (QUIET.has(code)) return undefined
        return this.#trouble(code, message, atMs, device)
      }
      case 'bad-chunk':
        // Without its name: a disk that fails has thousands of them.
        return this.#trouble('CHUNK_CORRUPT', 'a stored chunk is damaged, and was set aside', atMs)
      default:
        return undefined
    }
  }

  /** The number of what was added. */
  numbered({ matter }: { readonly matter?: string }, number: number): void {
    const known = matter === undefined ? undefined : this.#known.get(matter)
    if (known !== undefined) known.number = number
  }

  /** What is not written as it is now: for the end. */
  *unwritten(): Generator<Change> {
    for (const known of this.#known.values()) {
      const { number, entry, lastMs, writtenMs } = known
      if (lastMs === writtenMs) continue
      known.writtenMs = lastMs
      yield { type: 'change', number, entry }
    }
  }

  #task(event: TaskEvent, atMs: number): Change | undefined {
    const { name, profile, outcome, message, code, summary, seconds } = event
    if (outcome === 'put-off')
      return added({
        kind: 'task',
        time: iso(atMs),
        task: name,
        ...given({ profile, message, code }),
        outcome,
      })
    const running = (this.#running.get(name) ?? 0) + (outcome === 'began' ? 1 : -1)
    if (running > 0) this.#running.set(name, running)
    else this.#running.delete(name)
    if (outcome === 'began') return undefined
    const isEnded = outcome === 'failed' && code === 'ABORTED'
    return added({
      kind: 'task',
      time: iso(atMs),
      task: name,
      outcome: isEnded ? 'cancelled' : outcome,
      ...given({ profile, seconds, summary }),
      ...(!isEnded && given({ message: message === undefined ? undefined : short(message), code })),
    })
  }

  /** What a task does by a long method is told once, as the task. */
  #job({ method, outcome, message, code, summary, startedMs }: JobEvent, atMs: number): Change | undefined {
    if (this.#running.has(method)) return undefined
    return added({
      kind: 'task',
      time: iso(atMs),
      task: method,
      outcome,
      // A clock that was set back meanwhile says nothing.
      ...(atMs >= startedMs && { seconds: (atMs - startedMs) / 1000 }),
      ...given({ message: message === undefined ? undefined : short(message), code, summary }),
    })
  }

  #trouble(code: ErrorCode, message: string, atMs: number, device?: DeviceId): Change | undefined {
    const matter = `${code}/${device ?? ''}/${message}`
    const known = this.#known.get(matter)
    const isSame = known !== undefined && atMs >= known.lastMs && atMs - known.lastMs < sameTroubleMs
    if (!isSame) return this.#newTrouble(matter, { code, message, device }, atMs)
    known.entry = { ...known.entry, times: known.entry.times + 1, last_time: iso(atMs) }
    known.lastMs = atMs
    // Not yet numbered, or written a moment ago: the end, or the next time, writes it.
    if (atMs - known.writtenMs < rewriteMs) return undefined
    known.writtenMs = atMs
    return { type: 'change', number: known.number, entry: known.entry }
  }

  #newTrouble(
    matter: string,
    what: { readonly code: ErrorCode; readonly message: string; readonly device: DeviceId | undefined },
    atMs: number,
  ): Change | undefined {
    if (atMs - this.#hourMs >= sameTroubleMs || atMs < this.#hourMs) {
      this.#hourMs = atMs
      this.#inHour = 0
    }
    if (++this.#inHour > troublesInHourMax) {
      this.#leftOut++
      return undefined
    }
    const { code, message, device } = what
    const left =
      this.#leftOut === 0 ? '' : ` (before it, ${String(this.#leftOut)} other troubles were left out)`
    this.#leftOut = 0
    const remedy = code === 'INTERNAL' ? undefined : ERRORS[code].remedy
    const name = device === undefined ? undefined : this.#nameOf(device)
    const entry: TroubleEntry = {
      kind: 'trouble',
      time: iso(atMs),
      code,
      message: short(message) + left,
      ...given({ remedy, device, name }),
      times: 1,
      last_time: iso(atMs),
    }
    this.#known.delete(matter)
    this.#known.set(matter, { number: 0, entry, lastMs: atMs, writtenMs: atMs })
    const [oldest] = this.#known.keys()
    if (this.#known.size > troublesInHourMax && oldest !== undefined) this.#known.delete(oldest)
    return { type: 'add', entry, matter }
  }
}

function added(entry: NewEntry): Change {
  return { type: 'add', entry }
}

/** Only what is there. */
function given<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as never
}

/** One line: of a bug of ours the rest is in the log. */
function short(message: string): string {
  return (message.split('\n', 1)[0] ?? '').slice(0, messageLengthMax)
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
