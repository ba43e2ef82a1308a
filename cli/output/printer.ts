/** Writes what commands say: for people or as JSON lines, with the progress line kept out of the way. */

import { CellarError, ERRORS, type ErrorCode } from '../../node/client.ts'
import type { CliWorld } from '../world.ts'
import { remedyOf } from '../remedies.ts'
import { fitWidth, safeText } from './format.ts'

/** How much, and in which form. */
export interface OutputOptions {
  readonly json: boolean
  readonly quiet: boolean
  /** 0, or how often `-v` was given. */
  readonly verbosity: number
  readonly color: boolean
}

/** A path in a message of the node. */
interface PathLike {
  readonly path: string
  readonly path_b64?: string
}

const REDRAW_MS = 100

/** Lines written at once. */
const BATCH_ITEMS = 4096

/** One way to speak for a whole command. */
export class Printer {
  readonly options: OutputOptions
  readonly #world: CliWorld
  #drawn = false
  #drawnAtMs = -Infinity
  readonly #waiting: { readonly to: 'stdout' | 'stderr'; readonly data: string | Uint8Array }[] = []
  #pumping: Promise<void> | undefined
  #broken: Error | undefined

  readonly #onBroken: () => void

  /** @param onBroken - called when nobody reads any more, so that work for nothing can end */
  constructor(world: CliWorld, options: OutputOptions, onBroken: () => void) {
    this.#world = world
    this.options = options
    this.#onBroken = onBroken
  }

  /** Results that were asked for: always printed. A newline is put behind. */
  result(text: string): void {
    this.#write('stdout', `${text}\n`)
  }

  /** A list whose lines name paths: raw bytes into a pipe, made harmless on a terminal. */
  pathLine(before: string, entry: PathLike, after = ''): void {
    const raw = !this.#world.stdout.isTerminal && entry.path_b64 !== undefined
    const path = this.#world.stdout.isTerminal ? safeText(entry.path) : entry.path
    if (!raw) this.result(`${before}${path}${after}`)
    else
      this.#write(
        'stdout',
        Buffer.concat([
          Buffer.from(before),
          Buffer.from(entry.path_b64 ?? '', 'base64'),
          Buffer.from(`${after}\n`),
        ]),
      )
  }

  /** News for a person: not with --quiet, not with --json. */
  info(text: string): void {
    if (!this.options.quiet && !this.options.json) this.result(text)
  }

  /** More of it, with --verbose. */
  detail(text: string): void {
    if (this.options.verbosity > 0) this.info(text)
  }

  /** One JSON value on a line of its own, on stdout. */
  json(value: unknown): void {
    this.result(JSON.stringify(value))
  }

  /** Something to know that is no error, on stderr. */
  notice(text: string): void {
    if (this.options.json)
      this.#write('stderr', `${JSON.stringify({ message_type: 'notice', message: text })}\n`)
    else if (!this.options.quiet) this.#write('stderr', `${this.#paint('33', 'note:')} ${safeText(text)}\n`)
  }

  /** One of perhaps many errors; the work goes on. `message` is restic's JSON form of it. */
  problem(text: string, message: unknown): void {
    if (this.options.json) this.#write('stderr', `${JSON.stringify(message)}\n`)
    else this.#write('stderr', `${this.#paint('31', 'error:')} ${safeText(text)}\n`)
  }

  /** The end of a command that failed: what happened to what, and what to do; with --json restic's last line. */
  failure(status: number, text: string, remedy: string | undefined, code: ErrorCode | undefined): void {
    if (this.options.json) {
      const more = {
        ...(code === undefined ? {} : { error_code: code }),
        ...(remedy === undefined ? {} : { remedy }),
      }
      this.#write(
        'stderr',
        `${JSON.stringify({ message_type: 'exit_error', code: status, message: text, ...more })}\n`,
      )
      return
    }
    this.#write('stderr', `${this.#paint('31', 'cellar:')} ${safeText(text)}\n`)
    if (remedy !== undefined) this.#write('stderr', `${this.#paint('36', 'to do:')}  ${remedy}\n`)
  }

  /** Draws the progress line again, at most ten times a second; only on a terminal, only for people. */
  progress(line: () => string): void {
    const { stdout } = this.#world
    if (!stdout.isTerminal || this.options.json || this.options.quiet) return
    const now = this.#world.nowMs()
    if (now - this.#drawnAtMs < REDRAW_MS && now >= this.#drawnAtMs) return
    this.#drawnAtMs = now
    const text = fitWidth(safeText(line()), stdout.columns - 1)
    this.#drawn = true
    this.#queue('stdout', `\r\u001b[2K${text}`)
  }

  /** Emphasis on a terminal, if colour is wanted. */
  strong(text: string): string {
    return this.#world.stdout.isTerminal ? this.#paint('1', text) : text
  }

  /** A text from elsewhere (a device's name, a tag), safe to print. */
  readonly safe = (text: string): string => safeText(text)

  /** Says whether whoever read standard output went away. */
  get readerGone(): boolean {
    return this.#broken !== undefined
  }

  /** Resolves when all is written. Rejects when the reader went away. */
  async flush(): Promise<void> {
    this.#clear()
    await this.#pumping
    if (this.#broken !== undefined) throw this.#broken
  }

  #paint(style: string, text: string): string {
    return this.options.color && this.#world.stderr.isTerminal ? `\u001b[${style}m${text}\u001b[0m` : text
  }

  #write(to: 'stdout' | 'stderr', data: string | Uint8Array): void {
    this.#clear()
    this.#queue(to, data)
  }

  #clear(): void {
    if (!this.#drawn) return
    this.#drawn = false
    this.#drawnAtMs = -Infinity
    this.#queue('stdout', '\r\u001b[2K')
  }

  #queue(to: 'stdout' | 'stderr', data: string | Uint8Array): void {
    this.#waiting.push({ to, data })
    this.#pumping ??= this.#pump()
  }

  /** Writes what waits, in order, as much at once as goes to one place. */
  async #pump(): Promise<void> {
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const to = this.#waiting[0]?.to ?? 'stdout'
      const other = this.#waiting.findIndex((item) => item.to !== to)
      const batch = this.#waiting.splice(0, Math.min(other < 0 ? this.#waiting.length : other, BATCH_ITEMS))
      if (this.#broken !== undefined && to === 'stdout') continue
      try {
        await this.#world[to].write(
          Buffer.concat(
            batch.map((item) => (typeof item.data === 'string' ? Buffer.from(item.data) : item.data)),
          ),
        )
      } catch (error) {
        this.#broken ??= error instanceof Error ? error : new TypeError(String(error))
        this.#onBroken()
      }
    }
    this.#pumping = undefined
  }
}

/** What a person is told about an error, and the exit status it means. */
export function describeError(
  error: unknown,
  verbosity: number,
  command?: string,
): { status: number; text: string; remedy?: string | undefined; code?: ErrorCode } {
  if (error instanceof CellarError) {
    const remedy = remedyOf(error.code, error.message, command)
    return { status: ERRORS[error.code].exit, text: error.message, remedy, code: error.code }
  }
  const system = error as NodeJS.ErrnoException
  // An option whose value could be judged only when the command ran.
  if (error instanceof Error && system.code === 'commander.invalidArgument')
    return {
      status: 2,
      text: error.message,
      remedy: remedyOf('USAGE', error.message, command),
      code: 'USAGE',
    }
  if (error instanceof Error && typeof system.code === 'string' && typeof system.syscall === 'string') {
    return {
      status: 1,
      text: `the system refused ${system.syscall}${system.path === undefined ? '' : ` on ${system.path}`}: ${system.code}`,
    }
  }
  const text =
    error instanceof Error
      ? verbosity > 0
        ? (error.stack ?? error.message)
        : `${error.name}: ${error.message}`
      : String(error)
  return { status: 1, text, remedy: ERRORS.INTERNAL.remedy, code: 'INTERNAL' }
}
