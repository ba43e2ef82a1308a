/**
 * Who may speak to the dashboard's address (spec/control.md §5). A page of any site can make a browser send requests
 * to 127.0.0.1, and a name that its owner points there (DNS rebinding) makes such a page look like ours: so what names
 * the place and the page that asks is checked before anything else. Pure.
 */

import { isIPv4 } from 'node:net'
import { CellarError } from '../../protocol/errors.ts'

/** Headers of a request that say whom it means and where it comes from. */
export interface Asked {
  readonly host: string | undefined
  readonly origin: string | undefined
  /** `Sec-Fetch-Site`, which browsers set and pages cannot. */
  readonly site: string | undefined
}

/** Where the dashboard listens. */
export interface LoopbackPlace {
  /** Without brackets. */
  readonly host: string
  /** 0..65535; 0 takes a free one. */
  readonly port: number
}

/**
 * Reads `HOST:PORT` of the settings; only this machine may be meant.
 *
 * @throws {CellarError} `CONFIG_INVALID`
 */
export function parseLoopback(text: string): LoopbackPlace {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]+)):(\d{1,5})$/.exec(text)
  const host = (match?.[1] ?? match?.[2] ?? '').toLowerCase()
  const port = Number(match?.[3])
  if (match === null || port > 65535)
    throw new CellarError('CONFIG_INVALID', `[dashboard] listen must be HOST:PORT, not "${text}"`)
  if (!isLoopback(host)) {
    throw new CellarError(
      'CONFIG_INVALID',
      `[dashboard] listen: ${host} is not this machine alone; take 127.0.0.1, and from elsewhere a tunnel (ssh -L)`,
    )
  }
  return { host, port }
}

/** Says whether only programs of this machine reach an address. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

/**
 * What a request may give as `Host`: how this machine names itself, with the port that is listened on.
 *
 * @param place - as it is bound, with its real port
 */
export function ownHosts(place: LoopbackPlace): ReadonlySet<string> {
  const names = new Set(['127.0.0.1', 'localhost', '[::1]', bracketed(place.host)])
  const hosts = [...names].map((name) => `${name}:${place.port}`)
  return new Set(place.port === 80 ? [...hosts, ...names] : hosts)
}

/** The address as a URL begins with it. */
export function originOf(place: LoopbackPlace): string {
  return `http://${bracketed(place.host)}:${place.port}`
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

/**
 * Says why a request is not answered at all, if it is not.
 *
 * @param hosts - of `ownHosts`
 * @returns `ORIGIN_REFUSED`, or undefined when the request may go on
 */
export function refusal(asked: Asked, hosts: ReadonlySet<string>): CellarError | undefined {
  const host = asked.host?.toLowerCase()
  if (host === undefined || !hosts.has(host))
    return new CellarError('ORIGIN_REFUSED', 'the request names another host than this machine')
  // The page that asks must come from the very address it asks: another port of this machine is another program.
  if (asked.origin !== undefined && asked.origin.toLowerCase() !== `http://${host}`)
    return new CellarError('ORIGIN_REFUSED', 'a page of another origin may not ask this node')
  if (asked.site !== undefined && asked.site !== 'same-origin' && asked.site !== 'none')
    return new CellarError('ORIGIN_REFUSED', 'a page of another site may not ask this node')
  return undefined
}

/** What every answer says to the browser: run nothing that is not ours, be shown in no frame, keep nothing. */
export const safeHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; " +
    "font-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
}
