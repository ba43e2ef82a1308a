/** Where to listen, as settings say it. */

import { isIPv4, isIPv6 } from 'node:net'
import { CellarError } from '../../protocol/index.ts'

/**
 * The multiaddr to listen at for what the settings say: a multiaddr, or HOST:PORT with an address for the host; port 0
 * takes a free one.
 *
 * @throws {CellarError} `CONFIG_INVALID`
 */
export function listenAddress(text: string): string {
  if (text.startsWith('/')) return text
  const match = /^(?:\[([^\]]+)\]|([^:[\]/]+)):(\d{1,5})$/.exec(text.trim())
  const host = match?.[1] ?? match?.[2] ?? ''
  const port = Number(match?.[3] ?? Number.NaN)
  if (Number.isNaN(port) || port > 65_535 || !(isIPv4(host) || isIPv6(host))) {
    throw new CellarError(
      'CONFIG_INVALID',
      `cannot listen at "${text}": give an address and a port, as 0.0.0.0:4517 or [::]:4517`,
    )
  }
  return `/${isIPv6(host) ? 'ip6' : 'ip4'}/${host}/tcp/${String(port)}`
}
