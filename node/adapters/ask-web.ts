/** Asks an address of the web, for hooks and the push gateway. */

import { CellarError } from '../../protocol/index.ts'
import type { WebAnswer, WebRequest } from '../telling/outside.ts'

/**
 * Asks; no redirection is followed, so that what is sent reaches nobody else.
 *
 * @throws {CellarError} `HOOK_FAILED`; of the address it names the host only, as the rest is often the secret
 */
export async function askWeb(request: WebRequest, signal: AbortSignal): Promise<WebAnswer> {
  const { url, method, headers, body } = request
  let response: Response
  try {
    response = await fetch(url, {
      method,
      headers: { 'user-agent': 'rootcellar', ...headers },
      ...(body !== undefined && { body }),
      redirect: 'manual',
      signal,
    })
  } catch (error) {
    throw new CellarError('HOOK_FAILED', `${hostOf(url)} cannot be asked: ${reasonOf(error, signal)}`)
  }
  // What it says is of no use, but unread it would keep the connection.
  await response.body?.cancel().catch(() => undefined) // a connection that ended needs no end
  return { status: response.status, retryAfterSeconds: secondsOf(response.headers.get('retry-after')) }
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : 'an address that is none'
}

/** Why, without what was asked: messages of fetch may name the whole address. */
function reasonOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return signal.reason instanceof Error ? signal.reason.message : 'it took too long'
  const cause = error instanceof Error ? error.cause : undefined
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined
  return code ?? (error instanceof TypeError ? 'the request is not a valid one' : 'it failed')
}

function secondsOf(value: string | null): number | undefined {
  const seconds = value === null ? Number.NaN : Number(value)
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined
}
