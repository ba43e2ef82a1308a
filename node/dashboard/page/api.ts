/** How the page asks the node it came from: the methods of `node/api.ts`, over the session's cookie. */

import type { EventOf, MethodName, ParamsOf, ResultOf } from '../../api.ts'
import { ItemReader } from './lines.ts'

/** What a call may be given. */
export interface AskOptions {
  /** Aborts the method in the node too. */
  readonly signal?: AbortSignal | undefined
}

/** A call that did not go well. Match by code: those of the node (protocol/errors.ts), or `NODE_GONE`. */
export class CallFailed extends Error {
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CallFailed'
    this.code = code
  }
}

/** The node does not answer: it was stopped, or the machine sleeps. */
export const NODE_GONE = 'NODE_GONE'

/** Says whether a call was ended by us, which is no news. */
export function isAborted(error: unknown): boolean {
  if (error instanceof CallFailed) return error.code === 'ABORTED'
  return error instanceof DOMException && error.name === 'AbortError'
}

/** Asks for one answer. @throws {CallFailed} */
export function call<M extends MethodName>(
  method: M,
  params: ParamsOf<M>,
  options: AskOptions = {},
): Promise<ResultOf<M>> {
  return exchange(method, params, options, {})
}

/** Asks, and is told on the way. @param onEvent - called in order, before it resolves. @throws {CallFailed} */
export function stream<M extends MethodName>(
  method: M,
  params: ParamsOf<M>,
  onEvent: (event: EventOf<M>) => void,
  options: AskOptions = {},
): Promise<ResultOf<M>> {
  return exchange(method, params, options, { onEvent })
}

/**
 * Reads the bytes that a method hands out (`dump`).
 *
 * @param bytesMax - what is longer is cut off there, and the method aborted
 * @throws {CallFailed}
 */
export async function readBytes(
  params: ParamsOf<'dump'>,
  bytesMax: number,
  options: AskOptions = {},
): Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly isWhole: boolean }> {
  const pieces: Uint8Array<ArrayBuffer>[] = []
  let length = 0
  const enough = new AbortController()
  const signal =
    options.signal === undefined ? enough.signal : AbortSignal.any([options.signal, enough.signal])
  const onBytes = (bytes: Uint8Array<ArrayBuffer>): void => {
    const fitting = bytes.subarray(0, bytesMax - length)
    pieces.push(fitting.slice())
    length += fitting.byteLength
    if (fitting.byteLength < bytes.byteLength) enough.abort()
  }
  try {
    await exchange('dump', params, { signal }, { onBytes })
  } catch (error) {
    if (!enough.signal.aborted) throw error
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.byteLength
  }
  return { bytes, isWhole: !enough.signal.aborted }
}

/**
 * Takes the bytes that a method hands out (`dump`), as they come.
 *
 * @param onBytes - borrowed until it returns
 * @throws {CallFailed}
 */
export async function readPieces(
  params: ParamsOf<'dump'>,
  onBytes: (bytes: Uint8Array<ArrayBuffer>) => void,
  options: AskOptions = {},
): Promise<void> {
  await exchange('dump', params, options, { onBytes })
}

/** Called when the node no longer knows this browser; set by `live.ts`, which shows it. */
let onSignedOut: () => void = () => undefined

/** Says who is to be told that the session has ended. */
export function whenSignedOut(tell: () => void): void {
  onSignedOut = tell
}

interface Told<M extends MethodName> {
  readonly onEvent?: (event: EventOf<M>) => void
  readonly onBytes?: (bytes: Uint8Array<ArrayBuffer>) => void
}

async function exchange<M extends MethodName>(
  method: M,
  params: ParamsOf<M>,
  { signal }: AskOptions,
  told: Told<M>,
): Promise<ResultOf<M>> {
  const response = await send(method, params, signal)
  const reader = response.body?.getReader()
  const items = new ItemReader()
  try {
    for (;;) {
      const piece = await reader?.read().catch((cause: unknown) => Promise.reject(gone(cause, signal)))
      if (piece === undefined || piece.done) break
      for (const item of items.read(piece.value)) {
        if ('event' in item) told.onEvent?.(item.event as EventOf<M>)
        else if ('bytes' in item) told.onBytes?.(item.bytes)
        // The node that served this page is of the same version: its words are taken for what the table says.
        else if ('result' in item) return item.result as ResultOf<M>
        else throw failed(item.error)
      }
    }
  } finally {
    void reader?.cancel().catch(() => undefined)
  }
  throw new CallFailed(NODE_GONE, 'the node ended before it answered')
}

async function send(method: string, params: unknown, signal: AbortSignal | undefined): Promise<Response> {
  try {
    return await fetch(`/v1/${method}`, {
      method: 'POST',
      body: JSON.stringify(params),
      headers: { 'content-type': 'application/json' },
      credentials: 'same-origin',
      signal: signal ?? null,
    })
  } catch (error) {
    throw gone(error, signal)
  }
}

function failed({ code, message }: { readonly code: string; readonly message: string }): CallFailed {
  if (code === 'TOKEN_WRONG') onSignedOut()
  return new CallFailed(code, message)
}

function gone(cause: unknown, signal: AbortSignal | undefined): CallFailed {
  return signal?.aborted === true
    ? new CallFailed('ABORTED', 'interrupted', { cause })
    : new CallFailed(NODE_GONE, 'the node does not answer', { cause })
}
