/**
 * Serves a node's methods: to programs of the same person over a Unix socket of mode 0600, and, where the settings say
 * so, to a browser of this machine (spec/control.md).
 */

import { chmodSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import { CellarError } from '../../protocol/errors.ts'
import type { World } from '../../protocol/index.ts'
import { systemWorld } from '../adapters/system-world.ts'
import type { NodeHandle } from '../api.ts'
import { Calls, type CallsOptions } from './calls.ts'
import { isAnswering } from './client.ts'
import type { Dashboard, DashboardOptions } from './dashboard.ts'
import { closeWaitMs, dashboardLimits, socketLimits } from './limits.ts'
import { Place } from './place.ts'

/** What a control server needs. */
export interface ControlServerOptions {
  /** Path of the socket; its directory is there and private. */
  readonly path: string
  /** Answers the methods; not closed by the server. */
  readonly handle: NodeHandle
  /** Called once `stop` was asked for and answered. Without it, `stop` goes to the handle like any method. */
  readonly onStop?: () => void
  /** Serves the dashboard's address too; left out, `dashboard` goes to the handle like any method. */
  readonly dashboard?: DashboardOptions
  /** @defaultValue the system's */
  readonly world?: World
}

/** A control socket that takes calls. */
export interface ControlServer {
  /** Requests that are being answered. */
  readonly calls: () => number
  /** Takes no more calls and resolves when those under way have ended by themselves. Idempotent. */
  drain(): Promise<void>
  /**
   * Takes no more calls, aborts those under way with `NODE_STOPPED`, removes the socket. Idempotent.
   *
   * @returns names of methods that did not end within seconds all the same: their callers were cut off
   */
  close(): Promise<readonly string[]>
}

/** A command that serves its socket for a moment has no such address. */
const loadDashboard = () => import('./dashboard.ts')

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
  const { handle, onStop, dashboard: wanted, world = systemWorld } = options
  let dashboard: Dashboard | undefined
  const openDashboard = wanted === undefined ? undefined : () => linkOf(dashboard)
  const answers: CallsOptions = { handle, onStop, openDashboard }
  const socket = placeOfSocket(answers)
  await listen(socket.server, options.path)
  if (wanted !== undefined) {
    const { serveDashboard } = await loadDashboard()
    dashboard = await serveDashboard(wanted, new Calls(answers, dashboardLimits), world)
  }
  const places = dashboard === undefined ? [socket] : [socket, dashboard.place]
  if (onStop !== undefined) await socket.prepare()
  let closing: Promise<readonly string[]> | undefined
  return {
    calls: () => places.reduce((sum, place) => sum + place.answering, 0),
    drain: () => drain(places),
    close: () => (closing ??= close(places, world)),
  }
}

function placeOfSocket(answers: CallsOptions): Place {
  const calls = new Calls(answers, socketLimits)
  // Loaded with the first request: a command that serves its socket for a moment needs none of it.
  const place = new Place(calls, async () => (await import('./app.ts')).socketListener(calls))
  // A backup may send nothing for hours; the person at the other end is the owner.
  place.server.requestTimeout = 0
  place.server.timeout = 0
  return place
}

function linkOf(dashboard: Dashboard | undefined) {
  if (dashboard !== undefined) return dashboard.link()
  throw new CellarError(
    'CONFIG_INVALID',
    'the dashboard is off: the settings say so ([dashboard] listen), or cellar status says why',
  )
}

async function drain(places: readonly Place[]): Promise<void> {
  await Promise.all(places.map((place) => place.drain()))
}

/** Whoever does not end when told to is not waited for: a node ends within seconds, whatever it is doing. */
async function close(places: readonly Place[], world: World): Promise<readonly string[]> {
  for (const place of places) place.abort(new CellarError('NODE_STOPPED', 'the node was stopped meanwhile'))
  const waiting = new AbortController()
  const late = world.clock
    .sleep(closeWaitMs, waiting.signal)
    .then(() => places.flatMap((place) => place.calls.underWay))
    .catch(() => [])
  const methods = await Promise.race([drain(places).then(() => []), late])
  waiting.abort()
  for (const place of places) place.cut()
  return methods
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
