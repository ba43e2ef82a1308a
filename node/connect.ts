/** Takes a node among its peers: network, links, exchange, and the desk where others are invited. */

import { type DeviceId, isCellarError } from '../protocol/index.ts'
import { openNetwork } from './adapters/libp2p-network.ts'
import { readAddress } from './mesh/addresses.ts'
import { admit } from './mesh/admit.ts'
import { Contacts } from './mesh/contacts.ts'
import { listenAddress } from './mesh/listen-address.ts'
import { InvitationDesk, type PairingEvent } from './mesh/pairing/invite.ts'
import { Online } from './online.ts'
import type { Connected, NodeParts } from './parts.ts'

/** A connection that can be ended. */
export interface ConnectedNode extends Connected {
  close(): Promise<void>
}

/**
 * Opens the network and begins to follow the peers.
 *
 * @throws {CellarError} `CONFIG_INVALID` when it cannot listen where it is told to
 */
export async function connectParts(parts: NodeParts): Promise<ConnectedNode> {
  const { config, keys, ledger, store, world, events } = parts
  const network = await openNetwork({
    seed: keys.device,
    listen: config.listen.map(listenAddress),
    mdns: config.mdns,
    clock: world.clock,
    onFault: (error) => {
      if (isCellarError(error)) events.emit({ kind: 'trouble', code: error.code, message: error.message })
      else {
        const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
        events.emit({ kind: 'trouble', code: 'PEER_ERROR', message })
      }
    },
  })
  const addresses = parts.catalog.sub('addresses')
  const online = new Online({ ledger, store, network, clock: world.clock, events })
  online.start()
  const { clock, random } = world
  const contacts = await Contacts.open({
    network,
    ledger,
    clock,
    random,
    events,
    addresses,
    configured: config.peers.map(readAddress),
  })
  const pairing = new Set<(event: PairingEvent) => void>()
  const desk = new InvitationDesk({
    network,
    clock: world.clock,
    random: world.random,
    mesh: ledger.membership.mesh,
    name: ledger.self.name,
    ...(keys.vault !== undefined && { vaultKey: keys.vault }),
    admit: (request) => admit(ledger, world.clock, request),
    addresses: () => [
      ...network.addresses(),
      ...knownAddresses(parts, network.connected(), (device) => network.addressesOf(device)),
    ],
    onEvent: (event) => {
      for (const listener of pairing) listener(event)
    },
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
    .flatMap((device) => addressesOf(device).map((address) => `${address}/p2p/${device}`))
}
