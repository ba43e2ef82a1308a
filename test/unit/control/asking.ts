/** Asks over HTTP with whatever headers a browser, or somebody who is none, would send. */

import { type IncomingHttpHeaders, request } from 'node:http'

/** What came back. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** One request, on a connection of its own. */
export async function ask(
  at: URL,
  path: string,
  headers: Record<string, string> = {},
  method = 'POST',
  body = '{}',
): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const sent = request(
      { host: at.hostname, port: at.port, path, method, headers, agent: false },
      (response) => {
        const parts: Buffer[] = []
        response.on('data', (bytes: Buffer) => parts.push(bytes))
        response.on('error', reject)
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(parts).toString(),
          }),
        )
      },
    )
    sent.on('error', reject)
    sent.end(method === 'GET' ? undefined : body)
  })
}
