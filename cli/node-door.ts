/** The real ways to a node: over its control socket, or by opening one in this process. */

import {
  type AskPassphrase,
  CellarError,
  connectNode,
  findHome,
  type HomePaths,
  isCellarError,
  type LogSink,
  type NodeHandle,
  type RateLimits,
  readHomeFacts,
} from '../node/client.ts'
import type { NodeDoor, ReachOptions, RunningNode } from './world.ts'

const RETRY_MS = 100

/** How long a command waits for another one that has the store open and does not answer for it. */
const WAIT_MS = 60_000

/** Loads the node only when one is opened: network and store take longer to load than most commands to run. */
const loadNode = () => import('../node/index.ts')

const loadRecovery = async () => await (await loadNode()).loadRecovery()

/** The ways to a node of this process's user. */
export function nodeDoor(env: Readonly<Record<string, string | undefined>>): NodeDoor {
  return {
    home: (directory) => findHome(directory, env),
    facts: readHomeFacts,
    connect: (home) => connectNode(home.socket),
    reach,
    run,
    init: async (home, options, paper) => (await loadNode()).initDevice(home, options, paper),
    join: async (home, options, on) => (await loadNode()).joinMesh(home, options, on),
    recover: async (home, options, on) => (await loadRecovery()).recoverDevice(home, options, on),
    refuseSecond: async (home) => {
      ;(await loadNode()).refuseSecond(home)
    },
    phrases: async () => (await loadRecovery()).phraseTools,
    readSecretFile: async (path) => (await loadRecovery()).readSecretFile(path),
    writeSecretFile: async (path, text) => {
      ;(await loadRecovery()).writeSecretFile(path, text)
    },
    setPassphrase: async (home, passphrase, ask) => (await loadNode()).setPassphrase(home, passphrase, ask),
    removePassphrase: async (home, ask) => (await loadNode()).removePassphrase(home, ask),
  }
}

async function reach(home: HomePaths, signal: AbortSignal, options: ReachOptions): Promise<NodeHandle> {
  for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
    const running = await connectNode(home.socket)
    if (running !== undefined) return limitless(running, options.limits)
    try {
      return await openForCommand(home, signal, options)
    } catch (error) {
      if (!isCellarError(error, 'STORE_IN_USE') || waitedMs >= WAIT_MS) throw error
    }
    await pause(signal)
  }
}

/** A node that runs already has its own limits: better to say so than to go faster than was asked. */
function limitless(running: NodeHandle, limits: RateLimits): NodeHandle {
  if (Object.keys(limits).length === 0) return running
  throw new CellarError(
    'USAGE',
    'a node runs here and keeps its own limits: give them to cellar start, or in config.toml',
  )
}

/** Opens a node for one command. Commands that come meanwhile are answered too: no command waits for another. */
async function openForCommand(
  home: HomePaths,
  signal: AbortSignal,
  options: ReachOptions,
): Promise<NodeHandle> {
  const { openNode, serveControl } = await loadNode()
  signal.throwIfAborted()
  const node = await openNode(home, { mode: 'command', ...options })
  try {
    const server = await serveControl({ path: home.socket, handle: node })
    const close = async (): Promise<void> => {
      const end = (): void => void server.close()
      if (signal.aborted) await server.close()
      signal.addEventListener('abort', end)
      try {
        await server.drain()
      } finally {
        signal.removeEventListener('abort', end)
        await node.close()
      }
    }
    let closing: Promise<void> | undefined
    return {
      call: (method, params, options) => node.call(method, params, options),
      close: () => (closing ??= close()),
    }
  } catch (error) {
    await node.close()
    throw error
  }
}

async function run(
  home: HomePaths,
  signal: AbortSignal,
  limits: RateLimits,
  log: LogSink,
  passphrase?: AskPassphrase,
): Promise<RunningNode> {
  const { openNode, serveControl } = await loadNode()
  for (let waitedMs = 0; ; waitedMs += RETRY_MS) {
    await refuseSecond(home, signal)
    try {
      const node = await openNode(home, { mode: 'running', limits, log, ...(passphrase && { passphrase }) })
      let stop = (): void => undefined
      const stopAsked = new Promise<void>((resolve) => (stop = resolve))
      try {
        const { dashboardListen: listen, onTrouble } = node
        const dashboard = { listen, tokenFile: home.dashboardToken, onTrouble }
        const server = await serveControl({ path: home.socket, handle: node, onStop: stop, dashboard })
        return { handle: node, stopAsked, close: () => server.close().finally(() => node.close()) }
      } catch (error) {
        await node.close()
        throw error
      }
    } catch (error) {
      if (!isCellarError(error, 'STORE_IN_USE') || waitedMs >= WAIT_MS) throw error
    }
    await pause(signal)
  }
}

/** One node for a home; a command that has it open for a moment is no node. */
async function refuseSecond(home: HomePaths, signal: AbortSignal): Promise<void> {
  const other = await connectNode(home.socket)
  if (other === undefined) return
  const status = await other.call('status', {}, { signal }).catch((error: unknown) => {
    if (isCellarError(error, 'NODE_STOPPED')) return undefined
    throw error
  })
  await other.close()
  if (status?.running === true) {
    throw new CellarError('STORE_IN_USE', `a node runs here already (process ${String(status.pid)})`, {
      pid: status.pid,
    })
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve, RETRY_MS))
  signal.throwIfAborted()
}
