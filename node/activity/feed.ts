/**
 * What one watcher is told (spec/activity.md §1): events as they are published, those that come by the thousand
 * gathered, and no more than it can read.
 */

import type { DeviceId } from '../../protocol/index.ts'
import type { WatchEvent } from '../api-activity.ts'
import type { Job } from '../api.ts'
import type { NodeEvent } from '../events.ts'

/** Waiting for a watcher that does not read; what comes then is counted, and lost. */
export const waitingMax = 1000

type Kind = NodeEvent['kind']
type EventOf<K extends Kind> = Extract<NodeEvent, { kind: K }>
type Publish = { readonly [K in Kind]?: (event: EventOf<K>, who: Who) => WatchEvent }
/** What is told to have changed, and is to be asked for. */
type Changed = 'view' | 'settings' | 'history' | 'orders' | 'begun'
type Who = (device: DeviceId) => { readonly device: string; readonly name: string }

/** What is told as it comes. */
const PUBLISHED: Publish = {
  held: ({ root, bytes }) => ({ message_type: 'held', snapshot_id: root, bytes }),
  peer: ({ device, state }, who) => ({ message_type: 'peer', ...who(device), connected: state === 'up' }),
  room: ({ isFull }) => ({ message_type: 'room', full: isFull }),
  'bad-chunk': ({ id }) => ({ message_type: 'damaged', chunk: id }),
  mended: ({ id, from }) => ({ message_type: 'mended', chunk: id, from }),
  missing: ({ device, ids }, who) => ({ message_type: 'missing', ...who(device), chunks: ids.length }),
  scrubbed: ({ bytes, bad, isRoundDone }) => ({
    message_type: 'scrubbed',
    bytes,
    bad,
    round_done: isRoundDone,
  }),
  audited: ({ device, root, outcome }, who) => ({
    message_type: 'audited',
    ...who(device),
    snapshot_id: root,
    outcome,
  }),
  drilled: ({ root, files, bytes, failed }) => ({
    message_type: 'drilled',
    snapshot_id: root,
    files,
    bytes,
    failed,
  }),
  task: ({ name, profile, outcome, message }) => ({
    message_type: 'task',
    task: name,
    outcome,
    ...(profile !== undefined && { profile }),
    ...(message !== undefined && { message }),
  }),
  trouble: ({ code, message, device }, who) => ({
    message_type: 'trouble',
    code,
    message,
    ...(device !== undefined && who(device)),
  }),
}

/** Takes what happens, and gives it out in an order that makes sense. */
export class Feed {
  readonly #who: Who
  readonly #jobs: () => readonly Job[]
  #waiting: WatchEvent[] = []
  #lost = 0
  readonly #changed = new Set<Changed>()
  readonly #traffic = new Map<DeviceId, { sent: number; received: number }>()
  readonly #fetching = new Map<string, WatchEvent>()
  #jobIds = ''

  constructor(nameOf: (device: DeviceId) => string, jobs: () => readonly Job[]) {
    this.#who = (device) => ({ device, name: nameOf(device) })
    this.#jobs = jobs
  }

  /** There is something to tell at once. */
  get isPrompt(): boolean {
    return this.#waiting.length > 0 || this.#lost > 0 || idsOf(this.#jobs()) !== this.#jobIds
  }

  /** There is something that has a second, or goes on. */
  get isGathering(): boolean {
    return this.#changed.size + this.#traffic.size + this.#fetching.size > 0 || this.#jobs().length > 0
  }

  /** Takes an event of the bus. */
  take(event: NodeEvent): void {
    switch (event.kind) {
      case 'view':
      case 'settings':
      case 'history':
      case 'begun':
        this.#changed.add(event.kind)
        return
      case 'order':
      case 'order-progress':
        this.#changed.add('orders')
        return
      case 'contact':
      case 'upload':
        this.#changed.add('view')
        return
      case 'served':
      case 'uploaded':
        this.#count(event.device, event.bytes, 0)
        return
      case 'deposited':
        this.#count(event.device, 0, event.bytes)
        return
      case 'fetching': {
        const { root, bytes, open } = event
        this.#fetching.set(root, { message_type: 'fetching', snapshot_id: root, bytes, open })
        return
      }
      default:
        this.#publish(event)
    }
  }

  /** All there is to tell now; after it there is nothing. @param isDue - what was gathered too */
  drain(isDue: boolean): WatchEvent[] {
    const events = this.#waiting
    this.#waiting = []
    const jobs = this.#jobs()
    const ids = idsOf(jobs)
    if (ids !== this.#jobIds || (isDue && jobs.length > 0))
      events.push({ message_type: 'jobs', jobs: [...jobs] })
    this.#jobIds = ids
    if (isDue) events.push(...this.#gathered())
    if (this.#lost > 0) events.push({ message_type: 'lost', events: this.#lost })
    this.#lost = 0
    return events
  }

  *#gathered(): Generator<WatchEvent> {
    for (const [device, { sent, received }] of this.#traffic)
      yield { message_type: 'traffic', ...this.#who(device), sent, received }
    yield* this.#fetching.values()
    for (const what of this.#changed)
      yield what === 'view' || what === 'settings'
        ? { message_type: 'changed', what }
        : { message_type: what }
    this.#traffic.clear()
    this.#fetching.clear()
    this.#changed.clear()
  }

  #publish(event: NodeEvent): void {
    const publish = PUBLISHED[event.kind] as ((event: NodeEvent, who: Who) => WatchEvent) | undefined
    if (publish === undefined) return
    if (this.#waiting.length >= waitingMax) this.#lost++
    else this.#waiting.push(publish(event, this.#who))
  }

  #count(device: DeviceId, sent: number, received: number): void {
    const so = this.#traffic.get(device) ?? { sent: 0, received: 0 }
    this.#traffic.set(device, { sent: so.sent + sent, received: so.received + received })
  }
}

function idsOf(jobs: readonly Job[]): string {
  return jobs.map(({ id }) => id).join(' ')
}
