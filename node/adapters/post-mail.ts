/** Hands letters to a mail server. */

import { createTransport } from 'nodemailer'
import { CellarError } from '../../protocol/index.ts'
import type { Letter, Post, PostAnswer } from '../telling/outside.ts'

const connectMs = 20_000

/**
 * Hands a letter over. A password goes only over an encrypted connection, but for one to this machine.
 *
 * @throws {CellarError} `HOOK_FAILED`; `permanent` in its context where trying again is of no use
 */
export async function postMail(letter: Letter, post: Post, signal: AbortSignal): Promise<PostAnswer> {
  const { hostname, port, protocol, username, password } = new URL(post.smtp)
  const isEncrypted = protocol === 'smtps:'
  const user = decodeURIComponent(username)
  const pass = post.password ?? decodeURIComponent(password)
  const host = hostname.replace(/^\[|\]$/g, '')
  const transport = createTransport({
    host,
    port: port === '' ? (isEncrypted ? 465 : user === '' ? 25 : 587) : Number(port),
    secure: isEncrypted,
    requireTLS: !isEncrypted && user !== '' && !isLoopback(host),
    // A mail server of this machine has a certificate for no name that leads to it, and nobody is in between.
    ...(isLoopback(host) && { tls: { rejectUnauthorized: false } }),
    ...(user !== '' && { auth: { user, pass } }),
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    socketTimeout: connectMs,
    // Only text of ours: nothing is read from files or fetched.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const onAbort = () => {
    transport.close()
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    const { response } = await Promise.race([
      transport.sendMail({
        ...letter,
        to: [...letter.to],
        // RFC 3834: no answer of a machine to a machine.
        headers: { 'Auto-Submitted': 'auto-generated' },
      }),
      aborted(signal),
    ])
    return { answer: `${host} said ${response}` }
  } catch (error) {
    const { responseCode, code, message } = error as { responseCode?: number; code?: string; message: string }
    const isRefused = (responseCode !== undefined && responseCode >= 500) || code === 'EAUTH'
    throw new CellarError('HOOK_FAILED', `mail by ${host}: ${message.split('\n')[0] ?? ''}`, {
      permanent: isRefused,
    })
  } finally {
    signal.removeEventListener('abort', onAbort)
    transport.close()
  }
}

async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
  })
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host)
}
