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

/** Troubles that mend themselves; they are looked for only when something is. */
const QUIET: ReadonlySet<string> = new Set(['PEER_GONE', 'ABORTED'])

/**
 * The line of an event; undefined for those that say nothing to people.
 *
 * @param nameOf - what people call a device
 */
export function lineOf(event: NodeEvent, nameOf: (device: DeviceId) => string): LogLine | undefined {
  switch (event.kind) {
    case 'view':
    case 'session':
      return undefined
    case 'peer':
      return line('info', `${nameOf(event.device)} is ${event.state === 'up' ? 'connected' : 'gone'}`, {
        device: event.device,
      })
    case 'contact':
      return line('debug', `${nameOf(event.device)} knows of this device`, { device: event.device })
    case 'served':
      return line('trace', `sent a chunk to ${nameOf(event.device)}`, { device: event.device, bytes: event.bytes })
    case 'fetching':
      return line('debug', `fetches snapshot ${event.root.slice(0, 8)}`, {
        snapshot_id: event.root,
        bytes: event.bytes,
        open: event.open,
      })
    case 'held':
      return line('info', `holds snapshot ${event.root.slice(0, 8)}`, {
        snapshot_id: event.root,
        bytes: event.bytes,
      })
    case 'room':
      return event.isFull
        ? line('warn', 'the store is full', {})
        : line('info', 'the store has room again', {})
    case 'bad-chunk':
      return line('error', `chunk ${event.id.slice(0, 8)} is damaged and set aside`, { chunk: event.id })
    case 'task':
      return taskLine(event)
    case 'trouble': {
      const { code, device, message } = event
      const level = QUIET.has(code) ? 'debug' : code === 'INTERNAL' ? 'error' : 'warn'
      const whose = device === undefined ? '' : `${nameOf(device)}: `
      return line(level, `${whose}${message}`, { code, ...(device !== undefined && { device }) })
    }
  }
}

function line(level: LineLevel, message: string, fields: Readonly<Record<string, unknown>>): LogLine {
  return { level, message, fields }
}

const TASK_LEVELS = { began: 'info', done: 'info', partly: 'warn', failed: 'error', 'put-off': 'info' } as const

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
