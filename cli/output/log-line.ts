/** Lines of a node's log for people: on a terminal, and in the journal of systemd. Programs get JSON as it is. */

import { safeText } from './format.ts'

/** Who reads. */
export type LogForm = 'json' | 'terminal' | 'journal'

interface Line {
  readonly level: string
  readonly time: string
  readonly message: string
  readonly fields: readonly (readonly [name: string, value: unknown])[]
}

/** Priorities of syslog, by which `journalctl -p warning` chooses. */
const PRIORITIES: Readonly<Record<string, number>> = {
  fatal: 2,
  error: 3,
  warn: 4,
  info: 6,
  debug: 7,
  trace: 7,
}

const COLORS: Readonly<Record<string, string>> = { fatal: '31', error: '31', warn: '33' }

/** Facts that the sentence says already, or that only programs want. */
const UNSAID = new Set([
  'device',
  'task',
  'profile',
  'outcome',
  'snapshot_id',
  'chunk',
  'summary',
  'bytes',
  'open',
])

/**
 * One line of the log as its reader wants it.
 *
 * @param json - a line of JSON, with its end; as it comes when it is something else
 * @param form - who reads
 * @param color - whether a terminal may be sent colours
 */
export function formatLogLine(json: string, form: LogForm, color: boolean): string {
  const line = form === 'json' ? undefined : parseLine(json)
  if (line === undefined) return json
  const { level, message } = line
  const facts = line.fields.map(([name, value]) => ` ${name}=${safeText(String(value))}`).join('')
  // A stack has several lines; each is made safe by itself, and belongs to the first.
  const text = message.split('\n').map(safeText).join('\n    ') + facts
  if (form === 'journal') {
    const priority = `<${String(PRIORITIES[level] ?? 6)}>`
    return `${priority}${text.replaceAll('\n', `\n${priority}`)}\n`
  }
  const time = new Date(line.time).toTimeString().slice(0, 8)
  const painted = color && COLORS[level] !== undefined ? `\u001b[${COLORS[level]}m${level}\u001b[0m` : level
  return `${time} ${painted}${' '.repeat(Math.max(1, 6 - level.length))}${text}\n`
}

function parseLine(json: string): Line | undefined {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { level, time, message, ...rest } = value as Record<string, unknown>
  if (typeof level !== 'string' || typeof time !== 'string' || typeof message !== 'string') return undefined
  const fields = Object.entries(rest).filter(([name, fact]) => !UNSAID.has(name) && typeof fact !== 'object')
  return { level, time, message, fields }
}

/**
 * Whether standard error is the journal: systemd says which stream it is, and a child may have been given another.
 *
 * @param given - `$JOURNAL_STREAM`
 * @param stream - device and inode of standard error
 */
export function isJournal(
  given: string | undefined,
  stream: { readonly dev: number; readonly ino: number },
): boolean {
  return given !== undefined && given === `${String(stream.dev)}:${String(stream.ino)}`
}
