/** The endpoint from which Prometheus reads figures. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CellarError } from '../../protocol/index.ts'
import { METRICS_TYPE } from '../telling/metrics/exposition.ts'
import type { Served } from '../telling/outside.ts'

/**
 * Answers `GET /metrics`, and nothing else.
 *
 * @param listen - `HOST:PORT`; port 0 takes a free one
 * @throws {CellarError} `CONFIG_INVALID` when it cannot listen there
 */
export async function serveMetrics(listen: string, text: () => Promise<string>): Promise<Served> {
  const { host, port } = placeOf(listen)
  const server = createServer((request, response) => void answer(request, response, text))
  // Scrapers keep connections; an end must not wait for them.
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const message = `figures cannot be given at ${listen}: ${error.code ?? error.message}`
      reject(new CellarError('CONFIG_INVALID', message, { listen }))
    })
    server.listen({ host, port }, resolve)
  })
  const address = server.address() as AddressInfo
  const shown = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return {
    address: `${shown}:${String(address.port)}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

function placeOf(listen: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(listen)
  const host = match?.[1] ?? match?.[2]
  if (host === undefined || Number(match?.[3]) > 65_535)
    throw new CellarError('CONFIG_INVALID', `"${listen}" is no HOST:PORT to give figures at`, { listen })
  return { host, port: Number(match?.[3]) }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  text: () => Promise<string>,
): Promise<void> {
  response.on('error', () => undefined) // who asked went away
  try {
    const path = (request.url ?? '').split('?')[0]
    if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      plainAnswer(response, path === '/metrics' ? 405 : 404, 'figures are at /metrics\n')
    } else if (isForeignName(request)) {
      // A page of the web that had its own name lead here could read the names of devices.
      plainAnswer(response, 403, 'ask by the address of this device\n')
    } else {
      const body = await text()
      response.writeHead(200, { 'content-type': METRICS_TYPE, 'x-content-type-options': 'nosniff' })
      response.end(request.method === 'HEAD' ? '' : body)
    }
  } catch (error) {
    plainAnswer(response, 500, `${error instanceof CellarError ? error.code : 'INTERNAL'}\n`)
  }
}

function plainAnswer(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent) return void response.end()
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
  })
  response.end(text)
}

/** On the loopback only its own names lead here. */
function isForeignName(request: IncomingMessage): boolean {
  const here = request.socket.localAddress ?? ''
  if (!/^(::ffff:)?127\.|^::1$/.test(here)) return false
  const name = (request.headers.host ?? '').replace(/:\d+$/, '')
  return !/^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(name)
}
