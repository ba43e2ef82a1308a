/** Runs the calls that come in: parameters are checked, events and bytes go out as they come, then the result. */

import type { IncomingMessage, ServerResponse } from 'node:http'
import { CellarError, type ErrorCode, isCellarError } from '../../protocol/errors.ts'
import type { DashboardLink, MethodName, NodeHandle } from '../api.ts'
import { encodeLine, errorRecord, readHead } from './lines.ts'
import { type CallLimits, progressUnreadBytesMax, unreadBytesMax } from './limits.ts'

/** Who answers. */
export interface CallsOptions {
  /** Answers the methods. */
  readonly handle: NodeHandle
  /** Called once `stop` was asked for and answered. Without it, `stop` goes to the handle like any method. */
  readonly onStop?: (() => void) | undefined
  /** Answers `dashboard`; without it, that too goes to the handle. */
  readonly openDashboard?: (() => DashboardLink) | undefined
}

/** Schemas take longer to load than most commands to run; a command that nobody asks needs none. */
const loadCheck = () => import('./validate.ts')

interface Call {
  readonly method: string
  readonly controller: AbortController
  readonly response: ServerResponse
}

/** What an error is in HTTP, where it comes before the first line of an answer. */
const STATUS: Partial<Record<ErrorCode, number>> = {
  USAGE: 400,
  FORMAT_INVALID: 400,
  TOKEN_WRONG: 401,
  ORIGIN_REFUSED: 403,
  NODE_BUSY: 503,
  NODE_STOPPED: 503,
}

/** The calls under way at one place where they come in. */
export class Calls {
  readonly #options: CallsOptions
  readonly #limits: CallLimits
  readonly #underWay = new Set<Call>()
  #end: CellarError | undefined

  constructor(options: CallsOptions, limits: CallLimits) {
    this.#options = options
    this.#limits = limits
  }

  /** Names of the methods under way. */
  get underWay(): string[] {
    return [...this.#underWay].map((call) => call.method)
  }

  /** Loads what a call needs, if it is not. */
  async prepare(): Promise<void> {
    await loadCheck()
  }

  /** Aborts what is under way and what still comes. */
  abort(reason: CellarError): void {
    this.#end = reason
    for (const call of this.#underWay) call.controller.abort(reason)
  }

  /** Answers one request; never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse, method: string): Promise<void> {
    const call: Call = { method, controller: new AbortController(), response }
    const isBusy = this.#underWay.size >= this.#limits.callsMax
    this.#underWay.add(call)
    const { signal } = call.controller
    const onClose = (): void => {
      if (!response.writableFinished)
        call.controller.abort(new CellarError('ABORTED', 'the caller went away'))
    }
    response.on('close', onClose)
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    try {
      if (response.destroyed) onClose()
      if (this.#end !== undefined) call.controller.abort(this.#end)
      if (isBusy) throw new CellarError('NODE_BUSY', `${this.#limits.callsMax} calls are under way already`)
      const result = await this.#run(request, call)
      await send(response, encodeLine({ result }), signal)
      response.end()
      if (method === 'stop') this.#options.onStop?.()
    } catch (error) {
      fail(response, signal.aborted ? signal.reason : error)
    } finally {
      this.#underWay.delete(call)
    }
  }

  async #run(request: IncomingMessage, call: Call): Promise<unknown> {
    const { method, controller, response } = call
    const { signal } = controller
    const { faultOf, isMethodName } = await loadCheck()
    if (!isMethodName(method)) throw unknownMethod(method)
    const head = await Promise.race([readHead(request, this.#limits.lineBytesMax), aborted(signal)])
    const fault = faultOf(method, head.value)
    if (fault !== undefined) {
      const { parameter, sentence } = fault
      throw new CellarError('USAGE', `the parameters of ${method} do not fit: ${sentence}`, {
        method,
        parameter,
      })
    }
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    if (method === 'stop' && this.#options.onStop !== undefined) return { pid: process.pid }
    if (method === 'dashboard' && this.#options.openDashboard !== undefined)
      return this.#options.openDashboard()
    const { handle } = this.#options
    return await handle.call<MethodName>(method, head.value as never, {
      signal,
      onEvent: (event: unknown) => tell(call, event),
      input: this.#limits.takesInput ? head.rest : noInput(head.rest),
      output: async (bytes) => {
        if (bytes.byteLength > 0) {
          response.write(encodeLine({ bytes: bytes.byteLength }))
          // Copied: the response may keep the bytes after the method has its buffer back.
          await send(response, Buffer.from(bytes), signal)
        } else if (response.writableNeedDrain) await drained(response, signal)
      },
    })
  }
}

/** The error for a method that is none. */
export function unknownMethod(what: string): CellarError {
  return new CellarError('USAGE', `the running node does not know ${what}; is it of another version?`)
}

/** Sends an event. A caller that does not read is no reason to fill the memory of the node. */
function tell({ controller, response }: Call, event: unknown): void {
  const unread = response.writableLength
  if (unread > progressUnreadBytesMax && (event as { message_type?: unknown }).message_type === 'status')
    return
  if (unread > unreadBytesMax) {
    controller.abort(new CellarError('ABORTED', 'the caller does not read what it is told'))
    response.destroy()
  } else if (!response.destroyed) response.write(encodeLine({ event }))
}

/** Where no input may come, what comes is an error and not lost. */
async function* noInput(rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const bytes of rest) {
    if (bytes.byteLength > 0)
      throw new CellarError(
        'USAGE',
        'no input can be given here: use the control socket (cellar backup --stdin)',
      )
    yield bytes
  }
}

/** Rejects once the signal is aborted; nothing else ends it. */
async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** Writes, and waits while the other side reads slower than we write. */
async function send(response: ServerResponse, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (!response.write(bytes)) await drained(response, signal)
}

async function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      response.off('drain', onDrain)
      reject(
        signal.reason instanceof Error ? signal.reason : new CellarError('ABORTED', 'the caller went away'),
      )
    }
    const onDrain = (): void => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    response.once('drain', onDrain)
  })
}

/** Ends an answer with an error, as the last line of one that has begun, else with the status of HTTP for it. */
export function fail(response: ServerResponse, error: unknown, status?: number): void {
  if (response.destroyed) return
  if (!response.headersSent) {
    const code = isCellarError(error) ? STATUS[error.code] : undefined
    // What the caller still sends is not read: the connection ends with the answer.
    response.writeHead(status ?? code ?? 500, { 'content-type': 'application/x-ndjson', connection: 'close' })
  }
  response.end(encodeLine({ error: errorRecord(error) }))
}
