/** The API for a browser of this machine: an address on the loopback, behind a token (spec/control.md §5). */

import type { AddressInfo } from 'node:net'
import { CellarError, isCellarError } from '../../protocol/errors.ts'
import type { World } from '../../protocol/index.ts'
import type { DashboardLink } from '../api.ts'
import { Admission } from './admission.ts'
import type { Calls } from './calls.ts'
import { type LoopbackPlace, originOf, ownHosts, parseLoopback } from './guard.ts'
import { dashboardConnectionsMax, dashboardHeadMs, dashboardRequestMs } from './limits.ts'
import { Place } from './place.ts'
import { dashboardToken } from './token.ts'

/** What the dashboard's address needs. */
export interface DashboardOptions {
  /** `HOST:PORT` on the loopback, of the settings; undefined: it is off. */
  readonly listen: string | undefined
  /** Where the token is kept. */
  readonly tokenFile: string
  /** Told why there is no such address though the settings ask for one; the node runs on without. */
  readonly onTrouble: (error: CellarError) => void
}

/** An address that is served. */
export interface Dashboard {
  readonly place: Place
  /** Makes a link that a browser can open once. */
  readonly link: () => DashboardLink
}

/**
 * Serves the dashboard's address, if the settings ask for it and it can be had.
 *
 * @param calls - of their own: what browsers ask has limits of its own
 */
export async function serveDashboard(
  options: DashboardOptions,
  calls: Calls,
  world: World,
): Promise<Dashboard | undefined> {
  if (options.listen === undefined) return undefined
  try {
    const wanted = parseLoopback(options.listen)
    return await open(wanted, dashboardToken(options.tokenFile, world.random), calls, world)
  } catch (error) {
    options.onTrouble(
      isCellarError(error)
        ? error
        : new CellarError(
            'CONFIG_INVALID',
            `the dashboard cannot be served at ${options.listen}: ${(error as Error).message}`,
            {},
            { cause: error },
          ),
    )
    return undefined
  }
}

async function open(wanted: LoopbackPlace, token: string, calls: Calls, world: World): Promise<Dashboard> {
  const admission = new Admission(token, world)
  let bound = wanted
  const load = async () => {
    const { dashboardListener } = await import('./app.ts')
    return dashboardListener(calls, { admission, hosts: ownHosts(bound), port: bound.port })
  }
  const place = new Place(calls, load, {
    headersTimeout: dashboardHeadMs,
    requestTimeout: dashboardRequestMs,
    keepAliveTimeout: dashboardHeadMs,
  })
  place.server.maxConnections = dashboardConnectionsMax
  bound = await listenNear(place, wanted)
  const link = (): DashboardLink => {
    const { ticket, expiresMs } = admission.issue()
    return {
      message_type: 'dashboard',
      url: `${originOf(bound)}/open?ticket=${ticket}`,
      expires_at: new Date(expiresMs).toISOString(),
    }
  }
  return { place, link }
}

/** Listens where it should, or, where another program is there already (a second node, say), at a free port. */
async function listenNear(place: Place, { host, port }: LoopbackPlace): Promise<LoopbackPlace> {
  try {
    await listenAt(place, host, port)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || port === 0) throw error
    await listenAt(place, host, 0)
  }
  return { host, port: (place.server.address() as AddressInfo).port }
}

async function listenAt({ server }: Place, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port, exclusive: true }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
