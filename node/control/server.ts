/** Serves a node's methods to programs of the same person, over a Unix socket of mode 0600 (spec/control.md). */

import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { CellarError } from '../../protocol/errors.ts'
import { type EventOf, isMethodName, type MethodName, type NodeHandle, type ParamsOf } from '../api.ts'
import { encodeLine, errorRecord, readHead } from './lines.ts'
import { isAnswering } from './client.ts'

/** What a control server needs. */
export interface ControlServerOptions {
  /** Path of the socket; its directory is there and private. */
  readonly path: string
  /** Answers the methods; not closed by the server. */
  readonly handle: NodeHandle
  /** Called once `stop` was asked for and answered. Without it, `stop` goes to the handle like any method. */
  readonly onStop?: () => void
}

/** A control socket that takes calls. */
export interface ControlServer {
  /** Calls under way. */
  readonly calls: () => number
  /** Takes no more calls and resolves when those under way have ended by themselves. Idempotent. */
  drain(): Promise<void>
  /** Takes no more calls, aborts those under way with `NODE_STOPPED`, removes the socket. Idempotent. */
  close(): Promise<void>
}

/**
 * Opens the control socket. A stale one (nobody answers) is replaced.
 *
 * @throws {CellarError} `STORE_IN_USE` when another node answers there
 */
export async function serveControl(options: ControlServerOptions): Promise<ControlServer> {
  if (await isAnswering(options.path)) {
    throw new CellarError('STORE_IN_USE', `a node is already running at ${options.path}`, {
      path: options.path,
    })
  }
  rmSync(options.path, { force: true })
  const calls = new Set<{ readonly controller: AbortController; readonly done: Promise<void> }>()
  const server = createServer((request, response) => {
    const controller = new AbortController()
    const call = { controller, done: answer(options, request, response, controller) }
    calls.add(call)
    void call.done.finally(() => calls.delete(call))
  })
  // A backup may send nothing for hours; the person at the other end is the owner.
  server.requestTimeout = 0
  server.timeout = 0
  await listen(server, options.path)
  const drain = async (): Promise<void> => {
    server.close()
    await Promise.all([...calls].map((call) => call.done))
  }
  return {
    calls: () => calls.size,
    drain,
    async close() {
      for (const call of calls)
        call.controller.abort(new CellarError('NODE_STOPPED', 'the node was stopped meanwhile'))
      await drain()
      server.closeAllConnections()
    },
  }
}

/** Binds with a mask, so that at no moment the socket is open to others. */
async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const before = process.umask(0o177)
    try {
      server.once('error', reject)
      server.listen(path, resolve)
    } finally {
      process.umask(before)
    }
  })
  chmodSync(path, 0o600)
}

/** Answers one request; never rejects. */
async function answer(
  options: ControlServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  controller: AbortController,
): Promise<void> {
  response.on('close', () => {
    if (!response.writableFinished) controller.abort(new CellarError('ABORTED', 'the caller went away'))
  })
  request.on('error', () => undefined)
  response.on('error', () => undefined)
  try {
    const method = methodOf(request)
    const head = await Promise.race([readHead(request), aborted(controller.signal)])
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const result = await call(options, method, head, response, controller.signal)
    await send(response, encodeLine({ result }), controller.signal)
    response.end()
    if (method === 'stop') options.onStop?.()
  } catch (error) {
    fail(response, controller.signal.aborted ? controller.signal.reason : error)
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

function methodOf(request: IncomingMessage): MethodName {
  const name = request.url?.startsWith('/v1/') === true ? request.url.slice(4) : ''
  if (request.method !== 'POST' || !isMethodName(name)) {
    throw new CellarError(
      'USAGE',
      `the running node does not know ${request.method ?? ''} ${request.url ?? ''}; is it of another version?`,
    )
  }
  return name
}

interface Head {
  readonly value: unknown
  readonly rest: AsyncIterable<Uint8Array>
}

async function call(
  options: ControlServerOptions,
  method: MethodName,
  head: Head,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<unknown> {
  if (typeof head.value !== 'object' || head.value === null || Array.isArray(head.value)) {
    throw new CellarError('FORMAT_INVALID', `the parameters of ${method} are no table`)
  }
  if (method === 'stop' && options.onStop !== undefined) return { pid: process.pid }
  return await options.handle.call(method, head.value as ParamsOf<typeof method>, {
    signal,
    onEvent: (event: EventOf<MethodName>) => void response.write(encodeLine({ event })),
    input: head.rest,
    output: async (bytes) => {
      if (bytes.byteLength === 0) return
      response.write(encodeLine({ bytes: bytes.byteLength }))
      // Copied: the response may keep the bytes after the method has its buffer back.
      await send(response, Buffer.from(bytes), signal)
    },
  })
}

/** Writes, and waits while the other side reads slower than we write. */
async function send(response: ServerResponse, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (response.write(bytes)) return
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void =>
      reject(
        signal.reason instanceof Error ? signal.reason : new CellarError('ABORTED', 'the caller went away'),
      )
    signal.addEventListener('abort', onAbort, { once: true })
    response.once('drain', () => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    })
  })
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.destroyed) return
  if (!response.headersSent)
    response.writeHead(200, { 'content-type': 'application/x-ndjson', connection: 'close' })
  response.end(encodeLine({ error: errorRecord(error) }))
}
