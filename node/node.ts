/** Puts a node together from the files of its home, and takes it apart again (README.md "Where to start reading"). */

import { memberNow, signerFromSeed, type World } from '../protocol/index.ts'
import { openCatalog, openStore } from '../storage/index.ts'
import { systemWorld } from './adapters/system-world.ts'
import { tuneMemory } from './adapters/memory.ts'
import { makePrivateDirectory } from './adapters/private-files.ts'
import type { NodeHandle } from './api.ts'
import { handleOf } from './api.ts'
import { Events } from './events.ts'
import { type HomePaths, readConfig, readKeys } from './home.ts'
import { Jobs } from './jobs.ts'
import { Ledger } from './ledger/ledger.ts'
import type { Config } from './config.ts'
import type { ConnectedNode } from './connect.ts'
import { handlersOf } from './operations/index.ts'
import type { NodeParts } from './parts.ts'
import type { RateLimits } from './replication/rate.ts'
import { Snapshots } from './snapshots.ts'
import { Troubles } from './troubles.ts'
import { openVault } from './vault.ts'
import { PROGRAM } from './version.ts'

/** How a node is opened. */
export interface OpenNodeOptions {
  /**
   * `running`: until it is stopped, among its peers at once. `command`: for one command, among the peers only if it
   * needs them.
   */
  readonly mode: 'running' | 'command'
  /** In the place of the settings' own, for this opening. */
  readonly limits?: RateLimits
  /** @defaultValue the system's clock and randomness */
  readonly world?: World
}

/**
 * Opens the node of a home.
 *
 * @throws {CellarError} `NO_MESH`, `STATE_LOST`, `KEY_MODE`, `KEY_INVALID`, `CONFIG_INVALID`, `STORE_IN_USE`,
 *   `STORE_DAMAGED`
 */
export async function openNode(home: HomePaths, options: OpenNodeOptions): Promise<NodeHandle> {
  const closers: (() => Promise<void>)[] = []
  try {
    const parts = await openParts(home, options, closers)
    if (options.mode === 'running') await parts.connect()
    return handleOf(handlersOf(parts), () => closeAll(closers))
  } catch (error) {
    await closeAll(closers)
    throw error
  }
}

async function openParts(
  home: HomePaths,
  options: OpenNodeOptions,
  closers: (() => Promise<void>)[],
): Promise<NodeParts> {
  tuneMemory()
  const world = options.world ?? systemWorld
  const keys = readKeys(home)
  const config = readConfig(home)
  const limits = limitsOf(config, options.limits)
  const signer = signerFromSeed(keys.device)
  const events = new Events()
  const catalog = await openCatalog(home.state)
  closers.push(() => catalog.close())
  const ledger = await Ledger.open({
    catalog: catalog.sub('ledger'),
    signer,
    clock: world.clock,
    events,
    program: PROGRAM,
  })
  const storePath = config.store ?? home.store
  makePrivateDirectory(storePath)
  const quotaBytes = memberNow(ledger.membership, signer.device)?.quotaBytes
  const store = await openStore({ dir: storePath, ...(quotaBytes !== undefined && { quotaBytes }) })
  closers.push(
    () => store.close(),
    () => ledger.idle(),
  )
  const vault = keys.vault === undefined ? undefined : await openVault(keys.vault)
  let connected: Promise<ConnectedNode> | undefined
  let current: ConnectedNode | undefined
  closers.push(async () => {
    await connected?.catch(() => undefined) // whoever asked for it was told
    await current?.close()
  })
  const parts: NodeParts = {
    home,
    config,
    limits,
    keys,
    world,
    signer,
    events,
    jobs: new Jobs(),
    troubles: new Troubles(events, world.clock, (device) => ledger.nameOf(device)),
    catalog,
    store,
    storePath,
    ledger,
    vault,
    snapshots: new Snapshots({ ledger, store, cache: catalog.sub('roots'), vault }),
    isRunning: options.mode === 'running',
    startedMs: world.clock.nowMs(),
    connect: () =>
      (connected ??= loadConnect().then(async ({ connectParts }) => {
        current = await connectParts(parts)
        return current
      })),
    connected: () => current,
  }
  return parts
}

/** The network takes longer to load than most commands to run: loaded when a node goes among its peers. */
const loadConnect = () => import('./connect.ts')

/** What a command line says goes before what the settings say. */
function limitsOf({ limitUpload, limitDownload }: Config, given: RateLimits = {}): RateLimits {
  const kib = 1024
  return {
    ...(limitUpload !== undefined && { uploadBytesPerSecond: limitUpload * kib }),
    ...(limitDownload !== undefined && { downloadBytesPerSecond: limitDownload * kib }),
    ...given,
  }
}

/** Closes in the opposite order of opening, all of it, even when one part fails. */
async function closeAll(closers: (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = []
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) {
    try {
      await close()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
