/** Puts a node together from the files of its home, and takes it apart again (README.md "Where to start reading"). */

import type { CellarError, World } from '../protocol/index.ts'
import { isUnusedStore, openCatalog, openStore } from '../storage/index.ts'
import { machineSurroundings } from './adapters/machine-surroundings.ts'
import { systemWorld } from './adapters/system-world.ts'
import { indexPages, keepHeapSmall, trimMemory, tuneAllocator, tuneMemory } from './adapters/memory.ts'
import { keepTrimmed } from './trim.ts'
import { makePrivateDirectory } from './adapters/private-files.ts'
import type { NodeHandle } from './api.ts'
import { handleOf } from './api.ts'
import { keepActivity } from './activity/keep.ts'
import { prepareThreads } from './backup/threads.ts'
import { assembleNode, closeAll, type Closer } from './assemble.ts'
import { type AskPassphrase, type HomePaths, readConfig, readKeys } from './home.ts'
import type { LogSink } from './logging/log.ts'
import { handlersOf } from './operations/index.ts'
import { followOrders } from './operations/follow-orders.ts'
import { retentionOf } from './operations/retain.ts'
import { sealAgain } from './operations/seal-again.ts'
import { followSchedule } from './operations/scheduled.ts'
import { remakerOf } from './operations/thin.ts'
import type { NodeParts } from './parts.ts'
import type { RateLimits } from './replication/rate.ts'
import { keepTelling } from './telling/keep.ts'
import { openVault } from './vault.ts'
import { VERSION } from './version.ts'

/** How a node is opened. */
export interface OpenNodeOptions {
  /**
   * `running`: until it is stopped, among its peers at once. `command`: for one command, among the peers only if it
   * needs them.
   */
  readonly mode: 'running' | 'command'
  /** In the place of the settings' own, for this opening. */
  readonly limits?: RateLimits
  /** Where its log goes; left out: nowhere. */
  readonly log?: LogSink
  /** Asked when the keys are under a passphrase. @defaultValue nobody: `PASSPHRASE_NEEDED` */
  readonly passphrase?: AskPassphrase
  /** @defaultValue the system's clock and randomness */
  readonly world?: World
  /** It is opened to back up. */
  readonly isForBackup?: boolean
}

/** A node, and what the process it runs in has to do with it. */
export interface OpenedNode extends NodeHandle {
  /** Where its page for a browser is to be served, by the settings; undefined: nowhere. */
  readonly dashboardListen: string | undefined
  /** Has it tell what went wrong outside of it, in status and log. */
  readonly onTrouble: (error: CellarError) => void
}

/**
 * Opens the node of a home.
 *
 * @throws {CellarError} `NO_MESH`, `STATE_LOST`, `KEY_MODE`, `KEY_INVALID`, `CONFIG_INVALID`, `STORE_IN_USE`,
 *   `STORE_DAMAGED`
 */
export async function openNode(home: HomePaths, options: OpenNodeOptions): Promise<OpenedNode> {
  const closers: Closer[] = []
  try {
    const parts = await openParts(home, options, closers)
    closers.push(keepActivity(parts))
    if (options.mode === 'command') closers.push(await keepTelling(parts, loadOutside))
    if (options.log !== undefined) await keepLog(parts, options.log, closers)
    if (options.mode === 'running') {
      await parts.connect()
      const retention = retentionOf(parts)
      closers.push(() => retention.close())
      retention.start()
      const remaker = remakerOf(parts)
      closers.push(() => remaker.close())
      closers.push(await keepTelling(parts, loadOutside))
      closers.push(followSchedule(parts), followOrders(parts), () => parts.begun.close())
      closers.push(
        keepTrimmed({
          clock: parts.world.clock,
          residentBytes: () => process.memoryUsage.rss(),
          trim: trimMemory,
        }),
      )
    }
    return {
      ...handleOf(handlersOf(parts), () => closeAll(closers)),
      dashboardListen: parts.config.dashboard.listen,
      onTrouble: ({ code, message }) => {
        parts.events.emit({ kind: 'trouble', code, message })
      },
    }
  } catch (error) {
    await closeAll(closers)
    throw error
  }
}

async function openParts(home: HomePaths, options: OpenNodeOptions, closers: Closer[]): Promise<NodeParts> {
  tuneMemory(options.mode === 'running')
  if (options.isForBackup === true) tuneAllocator()
  const keys = await readKeys(home, options.passphrase)
  // Who only stores is often the smallest machine of the house.
  if (options.mode === 'running' && keys.vault === undefined) keepHeapSmall()
  const config = readConfig(home)
  const storePath = config.store ?? home.store
  // The first backup has all there is to read: its threads load their code while the node is opened.
  if (options.isForBackup === true && isUnusedStore(storePath)) prepareThreads()
  return await assembleNode(
    {
      home,
      config,
      readConfig: () => readConfig(home),
      limits: options.limits ?? {},
      keys,
      world: options.world ?? systemWorld,
      catalog: await openCatalog(home.state, { pages: indexPages }),
      storePath,
      openStore: (quotaBytes) => {
        makePrivateDirectory(storePath)
        return openStore({
          dir: storePath,
          pages: indexPages,
          ...(quotaBytes !== undefined && { quotaBytes }),
        })
      },
      openVault,
      surroundings: machineSurroundings(),
      isRunning: options.mode === 'running',
      outside: loadOutside,
      sealAgain,
      connect: async (parts) => {
        tuneAllocator()
        return (await loadConnect()).connectParts(parts)
      },
    },
    closers,
  )
}

/** Writes down what happens to the very end: what closes the other parts is told too. */
async function keepLog(parts: NodeParts, sink: LogSink, closers: Closer[]): Promise<void> {
  const { openLog } = await import('./logging/log.ts')
  const { clock } = parts.world
  const log = openLog({ ...parts, clock, nameOf: (device) => parts.ledger.nameOf(device) }, sink)
  const { name, role } = parts.ledger.self
  log.info(`${name} begins as ${role}`, { version: VERSION, pid: process.pid, store: parts.storePath })
  closers.unshift(() => {
    log.info(`${name} has ended`, {})
    log.close()
    return Promise.resolve()
  })
}

/** Most nodes tell nobody but their own status. */
const loadOutside = async () => (await import('./adapters/outside.ts')).systemOutside

/** The network takes longer to load than most commands to run: loaded when a node goes among its peers. */
const loadConnect = () => import('./connect.ts')
