/** Takes a node among its peers: network, links, exchange, and the desk where others are invited. */

import {
  CellarError,
  CHUNKS_PROTOCOL,
  type DeviceId,
  isCellarError,
  UPLOAD_PROTOCOL,
} from '../protocol/index.ts'
import { openNetwork } from './adapters/libp2p-network.ts'
import { limitsAt, localMoment } from './config/limits.ts'
import { readAddress, withoutLoopback } from './mesh/addresses.ts'
import { admit } from './mesh/admit.ts'
import { Contacts } from './mesh/contacts.ts'
import { listenAddress } from './mesh/listen-address.ts'
import { InvitationDesk, type PairingEvent } from './mesh/pairing/invite.ts'
import { Online } from './online.ts'
import type { Network } from './network.ts'
import type { Connected, NodeParts } from './parts.ts'
import { Rates } from './replication/rate.ts'

/** What a person may slow. */
const BULK: readonly string[] = [CHUNKS_PROTOCOL, UPLOAD_PROTOCOL]

/** A connection that can be ended. */
export interface ConnectedNode extends Connected {
  /** Ends the handlers, the links and the network; idempotent, resolves when all of it has ended. */
  close(): Promise<void>
}

/**
 * Opens the network and begins to follow the peers.
 *
 * @throws {CellarError} `CONFIG_INVALID` when it cannot listen where it is told to; `NOT_A_MEMBER` once this device
 *   was removed
 */
export async function connectParts(parts: NodeParts): Promise<ConnectedNode> {
  const { config, keys, world, events } = parts
  const ending = new AbortController()
  const limits = () => ({ ...limitsAt(parts.config, localMoment(world.clock.nowMs())), ...parts.limits })
  const rates = new Rates(world.clock, limits, ending.signal)
  const network = await openNetwork({
    seed: keys.device,
    listen: config.listen.map(listenAddress),
    mdns: config.mdns,
    clock: world.clock,
    // Only the bulk is slowed: listings and pairing are small, and others wait for them.
    shape: (channel, protocol) => (BULK.includes(protocol) ? rates.apply(channel) : channel),
    onFault: (error) => {
      if (isCellarError(error)) events.emit({ kind: 'trouble', code: error.code, message: error.message })
      else {
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
        events.emit({ kind: 'trouble', code: 'PEER_ERROR', message })
      }
    },
  })
  return await goAmong(parts, network, ending)
}

/**
 * Follows the peers over a network that is open, and opens the desk.
 *
 * @param ending - aborted when the node closes; what this began has ended, the network too, when it throws
 * @throws {CellarError} `NOT_A_MEMBER` once this device was removed
 */
export async function goAmong(
  parts: NodeParts,
  network: Network,
  ending: AbortController,
): Promise<ConnectedNode> {
  try {
    return await follow(parts, network, ending)
  } catch (error) {
    // Else what was opened would keep the process running.
    await network.close()
    throw error
  }
}

async function follow(parts: NodeParts, network: Network, ending: AbortController): Promise<ConnectedNode> {
  const { config, ledger, store, world, events } = parts
  const { name } = ledger.self
  const { clock, random } = world
  const contactsParts = {
    network,
    ledger,
    clock,
    random,
    events,
    addresses: parts.catalog.sub('addresses'),
    configured: config.peers.map(readAddress),
  }
  const online = new Online({
    ...{ ledger, store, network, clock, random, events },
    sheds: parts.isRunning,
    doubts: parts.watching.doubts,
    uploads: parts.uploads,
    orders: parts.orders,
  })
  online.start()
  const contacts = await Contacts.open(contactsParts).catch(async (error: unknown) => {
    await online.close()
    throw error
  })
  const pairing = new Set<(event: PairingEvent) => void>()
  const desk = new InvitationDesk({
    network,
    clock: world.clock,
    random: world.random,
    mesh: ledger.membership.mesh,
    name,
    get vaultKey() {
      return parts.ring.newestKey
    },
    admit: (request) => admit(ledger, world.clock, request, { ring: parts.ring, random: world.random }),
    addresses: () => [
      ...withoutLoopback(network.addresses()),
      ...knownAddresses(parts, network.connected(), (device) => network.addressesOf(device)),
    ],
    onEvent: (event) => {
      for (const listener of pairing) listener(event)
    },
  })
  const off = parts.settings.onChange((now) => {
    contacts.configure(now.peers.map(readAddress))
  })
  return {
    network,
    online,
    contacts,
    desk,
    onPairing: (listener) => {
      pairing.add(listener)
      return () => pairing.delete(listener)
    },
    async close() {
      ending.abort(new CellarError('ABORTED', 'the node is closing'))
      off()
      desk.close()
      await contacts.close()
      await online.close()
      await network.close()
    },
  }
}

/** Where the members that are linked now can be called, for a newcomer. */
function knownAddresses(
  parts: NodeParts,
  devices: readonly DeviceId[],
  addressesOf: (device: DeviceId) => string[],
): string[] {
  return devices
    .filter((device) => device !== parts.signer.device)
    .flatMap((device) => withoutLoopback(addressesOf(device)).map((address) => `${address}/p2p/${device}`))
}
