/** `cellar recover`: makes a home of a recovery phrase (node/spec/recovery.md §3). */

import {
  CellarError,
  type DeviceId,
  isCellarError,
  machinesOf,
  type Membership,
  memberNow,
  openMembership,
  signerFromSeed,
} from '../../protocol/index.ts'
import { type Catalog, openCatalog } from '../../storage/index.ts'
import { makePrivateDirectory } from '../adapters/private-files.ts'
import { systemWorld } from '../adapters/system-world.ts'
import type { RoleName } from '../api-mesh.ts'
import type { Recovered, RecoverEvent, RecoverOptions } from '../api-recovery.ts'
import { beginningConfig, refuseSecond, settle, writeMembership } from '../found.ts'
import { endRecovering, type HomePaths, recoveringKey } from '../home.ts'
import { entryKey } from '../ledger/records.ts'
import type { PaperKey } from './paper-key.ts'
import { recoverOver } from './recover.ts'

const keyBytes = 32
const shortIdDigits = 8

/** What recovering waits and tells by. */
export interface RecoverContext {
  readonly paper: PaperKey
  readonly signal: AbortSignal
  /** Is told how far it is. */
  readonly onEvent?: (event: RecoverEvent) => void
}

/**
 * Makes this device a keeper of the mesh whose recovery phrase a person has, by any device that is left.
 *
 * The order: the key of the new device; then the entries that let it in, here; then at the device that is left; then
 * the home, the device key last. After a crash anywhere the same command goes on, with the same key and the same
 * entries.
 *
 * @throws {CellarError} `MESH_EXISTS`, `PHRASE_WRONG`, `NO_PEER`, `PEER_GONE`, `KEY_INVALID`, `MEMBERSHIP_FORK`
 */
export async function recoverDevice(
  home: HomePaths,
  options: RecoverOptions,
  context: RecoverContext,
): Promise<Recovered> {
  refuseSecond(home)
  const { paper, signal } = context
  const { random, clock } = systemWorld
  const config = beginningConfig(home, options.listen, options.store)
  const device = recoveringKey(home, random.bytes(keyBytes))
  const signer = signerFromSeed(device)
  makePrivateDirectory(home.directory)
  const begun = await inLedger(home, (ledger) => readMembership(ledger))
  const { openNetwork } = await import('../adapters/libp2p-network.ts')
  const network = await openNetwork({
    seed: paper.seed(),
    listen: [],
    mdns: config.mdns && options.at.length === 0,
    clock,
  })
  try {
    const found = await recoverOver(
      {
        ...{ network, clock, random, paper, signer, begun },
        name: options.name,
        at: options.at,
        remember: (membership) => inLedger(home, (ledger) => writeMembership(ledger, membership)),
        onEvent: context.onEvent ?? (() => undefined),
      },
      signal,
    )
    const { membership, vaultKeys, from, address } = found
    const vault = vaultKeys.at(-1)
    await settle(home, { config, membership, device, vault, addresses: [address] })
    endRecovering(home)
    return {
      message_type: 'recovered',
      id: membership.mesh,
      short_id: membership.mesh.slice(0, shortIdDigits),
      ...namesOf(membership, signer.device, options.name),
      from,
      from_name: memberNow(membership, from)?.name ?? '',
      others: machinesOf(membership)
        .filter((member) => member.device !== signer.device)
        .map(({ name, role }) => ({ name, role: role as RoleName })),
      home: home.directory,
      keys: home.directory,
      store: config.store ?? home.store,
    }
  } finally {
    await network.close()
  }
}

function namesOf(membership: Membership, device: DeviceId, wished: string) {
  const name = memberNow(membership, device)?.name ?? wished
  return { device, name, role: 'keeper' as const, ...(name !== wished && { name_taken: wished }) }
}

async function inLedger<T>(home: HomePaths, work: (ledger: Catalog) => Promise<T>): Promise<T> {
  const catalog = await openCatalog(home.state)
  try {
    return await work(catalog.sub('ledger'))
  } finally {
    await catalog.close()
  }
}

/** The log of an earlier try; one that cannot be read was not given to anybody, or is known there. */
async function readMembership(ledger: Catalog): Promise<Membership | undefined> {
  const entries: Uint8Array[] = []
  for (let epoch = 0; ; epoch++) {
    const entry = ledger.get(entryKey(epoch))
    if (entry === undefined) break
    entries.push(entry)
  }
  if (entries.length === 0) return undefined
  try {
    return openMembership(entries)
  } catch (error) {
    if (isCellarError(error))
      throw new CellarError('STORE_DAMAGED', 'what an earlier try kept cannot be read')
    throw error
  }
}
