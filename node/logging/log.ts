/** The log of a running node: what its bus tells, as JSON lines by pino. Who runs the node says where they go. */

import { pino } from 'pino'
import type { Clock, DeviceId } from '../../protocol/index.ts'
import type { Settings } from '../config/settings.ts'
import type { LogLevel } from '../config/types.ts'
import type { Events } from '../events.ts'
import { lineOf } from './lines.ts'
import { Repeats } from './repeats.ts'

/** Where lines go. */
export interface LogSink {
  /** Takes one line of JSON, with its end; must not throw. */
  write(line: string): void
  /** In the place of what the settings say. */
  readonly level?: LogLevel
}

/** What a log stands on. */
export interface LogParts {
  readonly events: Events
  readonly settings: Settings
  readonly clock: Clock
  /** What people call a device. */
  readonly nameOf: (device: DeviceId) => string
}

/** A log that is open. */
export interface Log {
  /** Says what is no event: that the node begins, and ends. */
  info(message: string, fields: Readonly<Record<string, unknown>>): void
  /** Listens no more. Idempotent. */
  close(): void
}

/** Begins to write down what happens. */
export function openLog(parts: LogParts, sink: LogSink): Log {
  const { events, settings, clock } = parts
  const logger = pino(
    {
      level: sink.level ?? settings.current.logLevel,
      base: null,
      messageKey: 'message',
      // A level by its name is understood by people and by every reader of logs.
      formatters: { level: (level) => ({ level }) },
      timestamp: () => `,"time":"${new Date(clock.nowMs()).toISOString()}"`,
    },
    { write: (line: string) => sink.write(line) },
  )
  const repeats = new Repeats()
  const offs = [
    events.on((event) => {
      const line = lineOf(event, parts.nameOf)
      if (line === undefined || !logger.isLevelEnabled(line.level)) return
      const isTrouble = event.kind === 'trouble'
      const repeated = isTrouble ? repeats.take(line.message, clock.monotonicMs()) : 0
      if (repeated === undefined) return
      logger[line.level]({ ...line.fields, ...(repeated > 0 && { repeated }) }, line.message)
    }),
    settings.onChange((now) => {
      if (sink.level === undefined) logger.level = now.logLevel
    }),
  ]
  return {
    info: (message, fields) => logger.info(fields, message),
    close: () => {
      for (const off of offs.splice(0)) off()
    },
  }
}
