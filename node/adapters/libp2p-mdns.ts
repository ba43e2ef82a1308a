/** Finding devices on the local network by multicast DNS (mesh.md §3). */

import type { PeerDiscovery, PeerInfo } from '@libp2p/interface'
import { mdns } from '@libp2p/mdns'
import { addressBytesMax, addressesPerDeviceMax, type DeviceId } from '../../protocol/index.ts'
import type { FoundDevice } from '../network.ts'

/** What of libp2p the module needs. */
export type MdnsComponents = Parameters<ReturnType<typeof mdns>>[0]

/** One service on the local network: asks, answers, or both. */
export interface Beacon {
  start(): Promise<void>
  stop(): Promise<void>
}

interface BeaconOptions {
  /** Name of the service: `_rootcellar._udp.local`, or that of an invitation. */
  readonly tag: string
  /** Whether to answer others who ask for it. */
  readonly answers: boolean
  readonly intervalMs: number
  readonly onFound: (found: FoundDevice) => void
}

/** The service that every node with mDNS answers to. The names in it are random: only ids and addresses are told. */
export const meshTag = '_rootcellar._udp.local'

/** The service of one invitation: its number, and nothing of the code. @param number - 4 digits */
export function invitationTag(number: string): string {
  return `_rootcellar-${number}._udp.local`
}

/**
 * A beacon, not started. It listens to the module's own 'peer' event, which comes again when a device comes back
 * at another port, and it stays out of libp2p's discovery: what strangers send is not kept in its address book.
 */
export function beacon(components: MdnsComponents, options: BeaconOptions): Beacon {
  const { tag, answers, intervalMs, onFound } = options
  const module = mdns({ serviceTag: tag, broadcast: answers, interval: intervalMs })(
    components,
  ) as PeerDiscovery & {
    start(): Promise<void>
    stop(): Promise<void>
  }
  module.addEventListener('peer', (event: CustomEvent<PeerInfo>) => {
    const { id, multiaddrs } = event.detail
    const addresses = multiaddrs
      .map((address) => address.toString())
      .filter((text) => text.length <= addressBytesMax)
    onFound({ device: id.toString() as DeviceId, addresses: addresses.slice(0, addressesPerDeviceMax) })
  })
  return { start: () => module.start(), stop: () => module.stop() }
}
