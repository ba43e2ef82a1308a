/** One run of one command: its output, its way to the node, and how it is interrupted. */

import {
  CellarError,
  type CallOptions,
  type HomePaths,
  type MethodName,
  type NodeHandle,
  type ParamsOf,
  type PathText,
  pathText,
  type ResultOf,
  type RateLimits,
} from '../node/client.ts'
import { Asker } from './asker.ts'
import { describeError, type OutputOptions, Printer } from './output/printer.ts'
import { absolutePath, argumentBytes } from './raw-args.ts'
import { askPassphrase } from './passphrase.ts'
import type { CliWorld } from './world.ts'

/** Global options, as the parser gives them. */
export interface GlobalOptions {
  readonly json?: boolean
  readonly quiet?: boolean
  readonly verbose?: number
  readonly home?: string
  readonly color?: boolean
  /** KiB a second. */
  readonly limitUpload?: number
  readonly limitDownload?: number
}

/** What a call may do on the way; the signal is the session's. */
export type SessionCall<M extends MethodName> = Omit<CallOptions<M>, 'signal'>

/** What commands work with. */
export class Session {
  readonly world: CliWorld
  readonly print: Printer
  /** Asks the person on the terminal, if there is one. */
  readonly asker: Asker
  /** Aborted by the first SIGINT, SIGTERM or SIGHUP. */
  readonly signal: AbortSignal
  /** What a person is told when interrupted now: what is kept. Commands set it as they go. */
  kept = 'nothing was changed'
  /** Its name with that of the subcommand, for pointing to its help. */
  readonly command: string | undefined
  readonly #options: GlobalOptions
  readonly #controller = new AbortController()
  #handle: NodeHandle | undefined

  constructor(world: CliWorld, options: GlobalOptions, command?: string) {
    this.world = world
    this.command = command
    this.#options = options
    this.print = new Printer(world, outputOptions(world, options), () => this.interrupt())
    this.signal = this.#controller.signal
    this.asker = new Asker(world.stdin, world.stderr, this.signal)
  }

  get json(): boolean {
    return this.print.options.json
  }

  /** Ends the command as a signal would. */
  interrupt(): void {
    this.#controller.abort(new CellarError('ABORTED', 'interrupted'))
  }

  /** How fast chunks may move, for a node that this command opens. */
  get limits(): RateLimits {
    const { limitUpload, limitDownload } = this.#options
    const kib = 1024
    return {
      ...(limitUpload !== undefined && { uploadBytesPerSecond: limitUpload * kib }),
      ...(limitDownload !== undefined && { downloadBytesPerSecond: limitDownload * kib }),
    }
  }

  /** `--home`, as it was given. */
  get homeGiven(): string | undefined {
    return this.#options.home
  }

  /** The places of this device. */
  async home(): Promise<HomePaths> {
    return await this.world.door.home(this.#options.home)
  }

  /** Asks the node: the running one, else one opened for this command and kept until its end. */
  async call<M extends MethodName>(
    method: M,
    params: ParamsOf<M>,
    options: SessionCall<M> = {},
  ): Promise<ResultOf<M>> {
    this.#handle ??= await this.world.door.reach(await this.home(), this.signal, {
      limits: this.limits,
      passphrase: () => askPassphrase(this),
      isForBackup: method === 'backup' || method === 'backupProfile',
    })
    return await this.#handle.call(method, params, { ...options, signal: this.signal })
  }

  /** An argument that names a file, made absolute. */
  path(argument: string): PathText {
    return pathText(this.pathBytes(argument))
  }

  /** The same as raw bytes, for files the command line itself reads. */
  pathBytes(argument: string): Buffer {
    return Buffer.from(absolutePath(argumentBytes(argument), this.world.directory))
  }

  /** Lets go of the node. */
  async close(): Promise<void> {
    await this.#handle?.close()
    this.#handle = undefined
    this.asker.close()
  }
}

function outputOptions(world: CliWorld, options: GlobalOptions): OutputOptions {
  const noColor = world.env['NO_COLOR']
  return {
    json: options.json === true,
    quiet: options.quiet === true,
    verbosity: options.verbose ?? 0,
    color:
      options.color !== false && (noColor === undefined || noColor === '') && world.env['TERM'] !== 'dumb',
  }
}

/** A command's work: what it returns is the exit status, nothing is 0. */
export type Work = (session: Session) => Promise<number | undefined>

const INTERRUPTED = 130
const READER_GONE = 141

/**
 * Runs one command to its end: signals, errors, closing, output.
 *
 * @returns the exit status (cli.md "Exit codes")
 */
export async function runSession(
  world: CliWorld,
  options: GlobalOptions,
  work: Work,
  command?: string,
): Promise<number> {
  const session = new Session(world, options, command)
  let signals = 0
  const stopListening = world.onInterrupt(() => {
    signals += 1
    if (signals > 1) world.exitNow(INTERRUPTED)
    if (world.stderr.isTerminal) session.print.info('stopping; once more to stop at once')
    session.interrupt()
  })
  try {
    return await settle(session, work)
  } finally {
    stopListening()
  }
}

async function settle(session: Session, work: Work): Promise<number> {
  let status = 0
  try {
    status = (await work(session)) ?? 0
  } catch (error) {
    if (session.print.readerGone || isReaderGone(error)) status = READER_GONE
    else status = report(session, error)
  }
  try {
    await session.close()
  } catch (error) {
    if (status === 0) status = report(session, error)
  }
  try {
    await session.print.flush()
  } catch (error) {
    return isReaderGone(error) ? READER_GONE : 1
  }
  return status
}

function report(session: Session, error: unknown): number {
  if (session.signal.aborted) {
    session.print.failure(INTERRUPTED, `interrupted: ${session.kept}`, undefined, 'ABORTED')
    return INTERRUPTED
  }
  const { status, text, remedy, code } = describeError(
    error,
    session.print.options.verbosity,
    session.command,
  )
  session.print.failure(status, text, remedy, code)
  return status
}

function isReaderGone(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'EPIPE'
}
