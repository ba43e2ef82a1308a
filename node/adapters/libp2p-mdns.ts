/** Finding devices on the local network by multicast DNS (mesh.md §3). */

import type { PeerDiscovery, PeerInfo } from '@libp2p/interface'
import { mdns } from '@libp2p/mdns'
import { addressBytesMax, addressesPerDeviceMax, type DeviceId } from '../../protocol/index.ts'
import { FoundQueue } from '../mesh/found-queue.ts'
import type { FoundDevice } from '../network.ts'

/** What of libp2p the module needs. */
export type MdnsComponents = Parameters<ReturnType<typeof mdns>>[0]

/** One service on the local network: asks, answers, or both. */
interface Beacon {
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
const meshTag = '_rootcellar._udp.local'

/** The service of one invitation: its number, and nothing of the code. @param number - 4 digits */
function invitationTag(number: string): string {
  return `_rootcellar-${number}._udp.local`
}

/**
 * A beacon, not started. It listens to the module's own 'peer' event, which comes again when a device comes back
 * at another port, and it stays out of libp2p's discovery: what strangers send is not kept in its address book.
 */
function beacon(components: MdnsComponents, options: BeaconOptions): Beacon {
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

const seekEveryMs = 1000
const answerEveryMs = 60_000

/** This device on the local network: found and finding, for the mesh and for invitations. */
export class Lan {
  readonly #components: MdnsComponents
  readonly #beacons = new Set<Beacon>()

  constructor(components: MdnsComponents) {
    this.#components = components
  }

  /** Answers for the mesh, and asks for others of any mesh. */
  async begin(intervalMs: number, onFound: (found: FoundDevice) => void): Promise<void> {
    await this.#start({ tag: meshTag, answers: true, intervalMs, onFound })
  }

  /** Answers for the number of an invitation. @returns ends it */
  advertise(number: string, onFault: (error: unknown) => void): () => void {
    const tag = invitationTag(number)
    const started = this.#start({ tag, answers: true, intervalMs: answerEveryMs, onFound: () => undefined })
    started.catch(onFault)
    return () => {
      started.then((one) => this.#stop(one)).catch(onFault)
    }
  }

  /** Asks for the number of an invitation, or for any device, until the signal is aborted. */
  async *seek(number: string | undefined, signal: AbortSignal): AsyncGenerator<FoundDevice> {
    const queue = new FoundQueue(signal)
    const onFound = (found: FoundDevice) => {
      queue.push(found)
    }
    const tag = number === undefined ? meshTag : invitationTag(number)
    const started = await this.#start({ tag, answers: false, intervalMs: seekEveryMs, onFound })
    try {
      yield* queue
    } finally {
      await this.#stop(started)
    }
  }

  /** Ends announcing and looking; idempotent. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#beacons].map((one) => this.#stop(one)))
  }

  async #start(options: BeaconOptions): Promise<Beacon> {
    const made = beacon(this.#components, options)
    this.#beacons.add(made)
    await made.start()
    return made
  }

  async #stop(started: Beacon): Promise<void> {
    if (this.#beacons.delete(started)) await started.stop()
  }
}
