/** The one place where what happens in a node becomes a line of its log: pure (spec/schedule.md §6). */

import type { DeviceId } from '../../protocol/index.ts'
import type { NodeEvent, TaskEvent } from '../events.ts'

/** How grave a line is, as pino knows it. */
export type LineLevel = 'error' | 'warn' | 'info' | 'debug' | 'trace'

/** One line. Never a key; the name of a file at `debug` only. */
export interface LogLine {
  readonly level: LineLevel
  /** One sentence, without a point; of a bug of ours it is the stack. */
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** What people call a device. */
type NameOf = (device: DeviceId) => string

type Kind = NodeEvent['kind']
type EventOf<K extends Kind> = Extract<NodeEvent, { kind: K }>

/** Troubles that mend themselves; they are looked for only when something is wrong. */
const QUIET: ReadonlySet<string> = new Set(['PEER_GONE', 'ABORTED'])

/** How each kind of event is told; what is not here says nothing to people. */
const LINES: { readonly [K in Kind]?: (event: EventOf<K>, nameOf: NameOf) => LogLine } = {
  settings: () => line('info', 'other settings are in force'),
  peer: ({ device, state }, nameOf) =>
    line('info', `${nameOf(device)} is ${state === 'up' ? 'connected' : 'gone'}`, { device }),
  contact: ({ device }, nameOf) => line('debug', `${nameOf(device)} knows of this device`, { device }),
  served: ({ device, bytes }, nameOf) =>
    line('trace', `sent a chunk to ${nameOf(device)}`, { device, bytes }),
  deposited: ({ device, bytes }, nameOf) =>
    line('trace', `took a chunk from ${nameOf(device)}`, { device, bytes }),
  uploaded: ({ device, chunks, bytes }, nameOf) =>
    line('debug', `${String(chunks)} chunks are safe with ${nameOf(device)}`, { device, chunks, bytes }),
  fetching: ({ root, bytes, open }) =>
    line('trace', `fetches snapshot ${root.slice(0, 8)}`, { snapshot_id: root, bytes, open }),
  held: ({ root, bytes }) => line('info', `holds snapshot ${root.slice(0, 8)}`, { snapshot_id: root, bytes }),
  room: ({ isFull }) =>
    isFull ? line('warn', 'the store is full') : line('info', 'the store has room again'),
  'bad-chunk': ({ id }) => line('error', `chunk ${id.slice(0, 8)} is damaged, and set aside`, { chunk: id }),
  missing: ({ device, ids }, nameOf) =>
    line('warn', `${nameOf(device)} finds ${String(ids.length)} chunks of this device nowhere`, { device }),
  mended: ({ id, from }) => line('info', `chunk ${id.slice(0, 8)} is mended from the ${from}`, { chunk: id }),
  audited: ({ device, root, outcome }, nameOf) =>
    outcome === 'proven'
      ? line('debug', `${nameOf(device)} has proven snapshot ${root.slice(0, 8)}`, {
          device,
          snapshot_id: root,
        })
      : line('warn', `${nameOf(device)} could not prove that it has snapshot ${root.slice(0, 8)}`, {
          device,
          snapshot_id: root,
        }),
  order: ({ id, device, state, isOurs, code }, nameOf) => {
    const what = `order ${id.slice(0, 8)} to restore, ${isOurs ? 'given to' : 'of'} ${nameOf(device)}: ${state}`
    return line(state === 'failed' ? 'warn' : 'info', code === undefined ? what : `${what} (${code})`, {
      order: id,
      device,
    })
  },
  task: taskLine,
  trouble: ({ code, device, message }, nameOf) => {
    const level = QUIET.has(code) ? 'debug' : code === 'INTERNAL' ? 'error' : 'warn'
    const whose = device === undefined ? '' : `${nameOf(device)}: `
    return line(level, `${whose}${message}`, { code, ...(device !== undefined && { device }) })
  },
}

/** The line of an event; undefined for those that say nothing to people. */
export function lineOf(event: NodeEvent, nameOf: NameOf): LogLine | undefined {
  const tell = LINES[event.kind] as ((event: NodeEvent, nameOf: NameOf) => LogLine) | undefined
  return tell?.(event, nameOf)
}

function line(level: LineLevel, message: string, fields: Readonly<Record<string, unknown>> = {}): LogLine {
  return { level, message, fields }
}

const TASK_LEVELS = {
  began: 'info',
  done: 'info',
  partly: 'warn',
  failed: 'error',
  'put-off': 'info',
} as const

const TASK_WORDS = {
  began: 'began',
  done: 'done',
  partly: 'done in part',
  failed: 'failed',
  'put-off': 'waits',
} as const satisfies Record<TaskEvent['outcome'], string>

/** What ended early, as the node was stopped or a person wished it, is not wrong. */
function taskLine({ name, profile, outcome, message, code, summary, seconds }: TaskEvent): LogLine {
  const isEndedEarly = outcome === 'failed' && code === 'ABORTED'
  const what = profile === undefined ? name : `${name} of ${profile}`
  const said = message === undefined ? '' : `: ${message}`
  return line(
    isEndedEarly ? 'info' : TASK_LEVELS[outcome],
    isEndedEarly ? `${what} ended early` : `${what} ${TASK_WORDS[outcome]}${said}`,
    {
      task: name,
      ...(profile !== undefined && { profile }),
      outcome,
      ...(code !== undefined && { code }),
      ...(seconds !== undefined && { seconds }),
      ...(summary !== undefined && { summary }),
    },
  )
}
