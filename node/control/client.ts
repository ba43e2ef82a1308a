/** Speaks to a running node over its control socket: the same answers as a node of this process (spec/control.md). */

import { lstatSync } from 'node:fs'
import type { ClientRequest, IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import { CellarError } from '../../protocol/errors.ts'
import type { CallOptions, EventOf, MethodName, NodeHandle, ParamsOf, ResultOf } from '../api.ts'
import { encodeLine, errorFromRecord, readItems } from './lines.ts'

/**
 * Finds the running node of a home.
 *
 * @param path - of its control socket
 * @returns a handle, or `undefined` when no node runs there (no socket, or a stale one)
 * @throws {CellarError} `HOME_FORBIDDEN` when the socket is another user's
 */
export async function connectNode(path: string): Promise<NodeHandle | undefined> {
  if (!(await isAnswering(path))) return undefined
  const http = await import('node:http')
  return {
    async call(method, params, options) {
      options.signal.throwIfAborted()
      const request = http.request({ socketPath: path, path: `/v1/${method}`, method: 'POST', agent: false })
      try {
        return await exchange(request, method, params, options)
      } catch (error) {
        if (options.signal.aborted)
          throw new CellarError('ABORTED', `${method} was interrupted`, {}, { cause: error })
        throw error instanceof OutputFailed ? error.cause : asOurs(error)
      } finally {
        request.destroy()
      }
    },
    close: () => Promise.resolve(),
  }
}

/**
 * Says whether a node answers at a socket.
 *
 * @throws {CellarError} `HOME_FORBIDDEN`
 */
export async function isAnswering(path: string): Promise<boolean> {
  if (!isOurs(path)) return false
  return await new Promise<boolean>((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EACCES' || error.code === 'EPERM') reject(forbidden(path))
      else resolve(false)
    })
  })
}

/** Says whether there is a socket that its user may be trusted to have made; a foreign one could be a trap. */
function isOurs(path: string): boolean {
  try {
    const stats = lstatSync(path)
    const self = process.geteuid?.()
    if (!stats.isSocket()) return false
    if (self === undefined || stats.uid === self) return true
    // root may speak for a user, when the directory is that user's too.
    if (self === 0 && lstatSync(dirname(path)).uid === stats.uid) return true
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return false
    if (code !== 'EACCES' && code !== 'EPERM') throw error
  }
  throw forbidden(path)
}

function forbidden(path: string): CellarError {
  return new CellarError('HOME_FORBIDDEN', `the control socket ${path} belongs to another user`, { path })
}

async function exchange<M extends MethodName>(
  request: ClientRequest,
  method: M,
  params: ParamsOf<M>,
  options: CallOptions<M>,
): Promise<ResultOf<M>> {
  const onAbort = (): void => void request.destroy(new CellarError('ABORTED', `${method} was interrupted`))
  options.signal.addEventListener('abort', onAbort, { once: true })
  try {
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      request.once('response', resolve)
      // Stays: a socket may fail again after the answer, and that is no news.
      request.on('error', reject)
    })
    const failedInput = new Promise<never>((_resolve, reject) => {
      sendBody(request, params, options.input).catch(reject)
    })
    failedInput.catch(() => undefined)
    return await Promise.race([readAnswer(await Promise.race([response, failedInput]), options), failedInput])
  } finally {
    options.signal.removeEventListener('abort', onAbort)
  }
}

/** Sends parameters and input; when the input fails, so does the call, and the node sees it broken off. */
async function sendBody(
  request: ClientRequest,
  params: unknown,
  input: AsyncIterable<Uint8Array> | undefined,
): Promise<void> {
  request.write(encodeLine(params))
  if (input !== undefined) {
    for await (const bytes of input) {
      if (request.destroyed) return
      if (!request.write(bytes)) await drained(request)
    }
  }
  request.end()
}

async function drained(request: ClientRequest): Promise<void> {
  await new Promise<void>((resolve) => {
    const go = (): void => {
      request.off('drain', go)
      request.off('close', go)
      resolve()
    }
    request.on('drain', go)
    request.on('close', go)
  })
}

async function readAnswer<M extends MethodName>(
  response: IncomingMessage,
  options: CallOptions<M>,
): Promise<ResultOf<M>> {
  for await (const item of readItems(response)) {
    if ('bytes' in item) {
      await options.output?.(item.bytes).catch((cause: unknown) => {
        throw new OutputFailed(cause)
      })
    }
    // The node is of the same house and the socket is private: its words are taken for what the table says.
    else if ('event' in item) options.onEvent?.(item.event as EventOf<M>)
    else if ('result' in item) return item.result as ResultOf<M>
    else throw errorFromRecord(item.error)
  }
  throw new CellarError('NODE_STOPPED', 'the running node ended before it answered')
}

/** The caller's own output failed: whoever read it went away, not the node. */
class OutputFailed extends Error {
  constructor(cause: unknown) {
    super('the output failed', { cause })
  }
}

/** A broken connection means that the node went away. */
function asOurs(error: unknown): unknown {
  if (error instanceof CellarError) return error
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'ECONNREFUSED' || code === 'ENOENT') {
    return new CellarError('NODE_STOPPED', 'the running node ended before it answered', {}, { cause: error })
  }
  return error
}
