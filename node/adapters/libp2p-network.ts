/** The network over libp2p: TCP, Noise, yamux, mDNS, gossip (mesh.md). */

import '../polyfill.ts'
import { randomBytes } from 'node:crypto'
import { noise } from '@chainsafe/libp2p-noise'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { GossipSub } from '@libp2p/gossipsub'
import { type Identify, identify } from '@libp2p/identify'
import type { Connection, ConnectionGater, PeerId, Stream } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { tcp } from '@libp2p/tcp'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import {
  CellarError,
  type Clock,
  type DeviceId,
  isCellarError,
  noticeBytesMax,
  streamsPerConnectionMax,
  streamsPerProtocolMax,
} from '../../protocol/index.ts'
import { AddressBook, bareAddress, readAddress } from '../mesh/addresses.ts'
import { FoundQueue } from '../mesh/found-queue.ts'
import { sortAddresses } from '../mesh/policy.ts'
import type { Access, CallAs, Channel, ChannelHandler, FoundDevice, Network } from '../network.ts'
import { helloProtocol } from './hello.ts'
import { StreamChannel } from './libp2p-channel.ts'
import { Links } from './libp2p-links.ts'
import { type Beacon, beacon, invitationTag, type MdnsComponents, meshTag } from './libp2p-mdns.ts'
import { membersGossip, Notices } from './libp2p-notices.ts'
import { boundedYamux } from './libp2p-yamux.ts'
import { systemWorld } from './system-world.ts'

/** How a device is on the network. */
export interface NetworkOptions {
  /** 32 bytes: the seed of the device's Ed25519 key. */
  readonly seed: Uint8Array
  /** Multiaddrs to listen at, such as `/ip4/0.0.0.0/tcp/4001`; none: this device only calls. */
  readonly listen: readonly string[]
  /** Addresses to tell others besides, such as a name that a router forwards. */
  readonly announce?: readonly string[]
  /** Whether to find devices on the local network, and be found. */
  readonly mdns: boolean
  /** Default: the system's clock. */
  readonly clock?: Clock
  /** Time between questions by mDNS; default 10 s. */
  readonly mdnsIntervalMs?: number
  /** Told of faults in handlers that are ours, not the peer's. */
  readonly onFault?: (error: unknown) => void
}

type Services = { identify: Identify; gossip: GossipSub; lan: LanService }
type Node = Libp2p<Services>

/** Hands out what mDNS needs of libp2p: only services are given its components. */
interface LanService {
  readonly components: MdnsComponents
}

const checkEveryMs = 1000
const pairingSeekMs = 1000

/** Opens the network: listening, and finding others if asked to. @throws {CellarError} `CONFIG_INVALID` */
export async function openNetwork(options: NetworkOptions): Promise<Network> {
  const key = await generateKeyPairFromSeed('Ed25519', options.seed)
  const network = new Libp2pNetwork(options, peerIdFromPrivateKey(key).toString() as DeviceId)
  let node: Node
  try {
    node = await createLibp2p<Services>({
      privateKey: key,
      // Nothing about program or host for whoever asks.
      nodeInfo: { name: 'rootcellar', version: '1', userAgent: 'rootcellar' },
      addresses: { listen: [...options.listen], appendAnnounce: [...(options.announce ?? [])] },
      transports: [tcp({ dialOpts: { noDelay: true }, listenOpts: { noDelay: true } })],
      connectionEncrypters: [noise()],
      streamMuxers: [boundedYamux()],
      connectionGater: network.gate(),
      connectionManager: {
        inboundConnectionThreshold: 50,
        maxIncomingPendingConnections: 64,
        inboundUpgradeTimeout: 5000,
        maxConnections: 300,
        maxParallelDials: 16,
      },
      // The main thread may be busy for seconds in a backup: a late pong is no reason to hang up.
      connectionMonitor: { pingInterval: 15_000, pingTimeout: { minTimeout: 15_000 } },
      services: {
        identify: identify({ runOnConnectionOpen: false, maxInboundStreams: 2 }),
        gossip: membersGossip((device) => network.isMember(device)),
        lan: (components: MdnsComponents): LanService => ({ components }),
      },
    })
  } catch (error) {
    throw new CellarError(
      'CONFIG_INVALID',
      `cannot listen at ${options.listen.join(', ')}`,
      {},
      { cause: error },
    )
  }
  await network.begin(node)
  return network
}

class Libp2pNetwork implements Network {
  readonly device: DeviceId
  readonly #options: NetworkOptions
  readonly #clock: Clock
  readonly #ending = new AbortController()
  readonly #links: Links
  readonly #book = new AddressBook()
  readonly #channels = new Set<StreamChannel>()
  readonly #access = new Map<string, Access>()
  readonly #notice = new Set<(notice: Uint8Array, from: DeviceId) => void>()
  readonly #peer = new Set<(device: DeviceId, state: 'up' | 'down') => void>()
  readonly #found = new Set<(found: FoundDevice, isNew: boolean) => void>()
  readonly #beacons = new Set<Beacon>()
  readonly #calls = new Map<DeviceId, Promise<void>>()
  #guestCalls = 0
  #node!: Node
  #notices!: Notices
  #closed: Promise<void> | undefined

  constructor(options: NetworkOptions, device: DeviceId) {
    this.#options = options
    this.device = device
    this.#clock = options.clock ?? systemWorld.clock
    this.#links = new Links({
      device,
      instance: randomBytes(16).toString('hex'),
      nowMs: () => this.#clock.monotonicMs(),
      addresses: () => this.addresses(),
      isOpenToStrangers: () => [...this.#access.values()].includes('anyone'),
      track: (channel) => this.#track(channel),
      onAddresses: (other, addresses) => {
        this.hint(other, addresses)
      },
      onGreeted: (connection) => {
        // Tells gossip of the peer. It takes the newest connection, so it is told of each.
        this.#node.services.identify.identify(connection).catch(() => undefined)
      },
      onPeer: (other, state) => {
        for (const listener of this.#peer) listener(other, state)
      },
    })
  }

  isMember(device: DeviceId): boolean {
    return this.#links.isMember(device)
  }

  /** Decides on connections once the other end has proven its id; everything else is decided by the hello. */
  gate(): ConnectionGater {
    const id = (peer: PeerId) => peer.toString() as DeviceId
    return {
      denyDialPeer: (peer) => this.#guestCalls === 0 && !this.isMember(id(peer)),
      denyDialMultiaddr: () => false,
      denyInboundEncryptedConnection: (peer) => !this.#links.mayConnect(id(peer)),
      filterMultiaddrForPeer: () => true,
    }
  }

  async begin(node: Node): Promise<void> {
    this.#node = node
    node.addEventListener('connection:open', ({ detail }) => {
      this.#links.add(detail)
    })
    node.addEventListener('connection:close', ({ detail }) => {
      this.#onConnectionClosed(detail)
    })
    this.#notices = new Notices(
      node.services.gossip,
      (device) => this.isMember(device),
      (notice, from) => {
        for (const listener of this.#notice) listener(notice, from)
      },
    )
    await node.handle(helloProtocol, (stream, connection) => this.#links.answer(stream, connection), {
      maxInboundStreams: 4,
    })
    void this.#watch()
    if (this.#options.mdns) {
      await this.#beacon(meshTag, true, this.#options.mdnsIntervalMs ?? 10_000, (found) => {
        this.#onFound(found)
      })
    }
  }

  addresses(): string[] {
    return this.#node.getMultiaddrs().map((address) => address.toString())
  }

  connected(): DeviceId[] {
    return [...this.#links.up].sort()
  }

  members(allowed: ReadonlySet<DeviceId>): void {
    this.#links.setMembers(allowed)
  }

  allowed(): ReadonlySet<DeviceId> {
    return this.#links.allowed
  }

  handle(protocol: string, access: Access, handler: ChannelHandler): () => void {
    this.#access.set(protocol, access)
    const serve = (stream: Stream, connection: Connection) => this.#serve(stream, connection, access, handler)
    this.#node
      .handle(protocol, serve, { maxInboundStreams: streamsPerProtocolMax, force: true })
      .catch(this.#fault)
    return () => {
      if (!this.#access.delete(protocol)) return
      this.#node.unhandle(protocol).catch(this.#fault)
    }
  }

  async open(device: DeviceId, protocol: string, signal: AbortSignal): Promise<Channel> {
    const until = AbortSignal.any([signal, this.#ending.signal])
    let connection = this.#links.best(device)
    if (connection === undefined) {
      await this.#call(device, until)
      connection = this.#links.best(device)
    }
    if (connection === undefined) throw new CellarError('PEER_GONE', `device ${device} hung up`, { device })
    try {
      const stream = await connection.newStream(protocol, {
        signal: until,
        maxOutboundStreams: streamsPerConnectionMax,
      })
      return this.#track(new StreamChannel(stream, () => this.#clock.monotonicMs()))
    } catch (error) {
      throw this.#explain(error, signal, `device ${device}`)
    }
  }

  async dial(address: string, signal: AbortSignal, as: CallAs = 'member'): Promise<DeviceId> {
    let target: Multiaddr
    try {
      target = multiaddr(readAddress(address))
    } catch (error) {
      if (isCellarError(error)) throw error
      throw new CellarError('USAGE', `"${address}" is not an address`, {}, { cause: error })
    }
    const connection = await this.#connect([target], signal, as, address)
    const device = connection.remotePeer.toString() as DeviceId
    if (connection.direction === 'outbound')
      this.hint(device, [bareAddress(connection.remoteAddr.toString())])
    return device
  }

  async connect(device: DeviceId, signal: AbortSignal): Promise<void> {
    if (!this.#links.up.has(device)) await this.#call(device, AbortSignal.any([signal, this.#ending.signal]))
  }

  hint(device: DeviceId, addresses: readonly string[]): boolean {
    return this.#book.add(device, addresses)
  }

  addressesOf(device: DeviceId): string[] {
    return [...this.#book.of(device)]
  }

  publish(notice: Uint8Array): void {
    if (notice.byteLength > noticeBytesMax) throw new RangeError('a notice is too long')
    if (this.#closed === undefined) this.#notices.publish(notice)
  }

  onNotice(listener: (notice: Uint8Array, from: DeviceId) => void): () => void {
    return subscribe(this.#notice, listener)
  }

  onPeer(listener: (device: DeviceId, state: 'up' | 'down') => void): () => void {
    return subscribe(this.#peer, listener)
  }

  onFound(listener: (found: FoundDevice, isNew: boolean) => void): () => void {
    return subscribe(this.#found, listener)
  }

  advertise(number: string): () => void {
    if (!this.#options.mdns) return () => undefined
    const started = this.#beacon(invitationTag(number), true, 60_000, () => undefined)
    started.catch(this.#fault)
    return () => {
      started.then((it) => this.#stopBeacon(it)).catch(this.#fault)
    }
  }

  async *seek(number: string, signal: AbortSignal): AsyncGenerator<FoundDevice> {
    if (!this.#options.mdns) return
    const until = AbortSignal.any([signal, this.#ending.signal])
    const queue = new FoundQueue(until)
    const started = await this.#beacon(invitationTag(number), false, pairingSeekMs, (found) => {
      queue.push(found)
    })
    try {
      yield* queue
    } finally {
      await this.#stopBeacon(started)
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#stop()
    return this.#closed
  }

  async #stop(): Promise<void> {
    this.#ending.abort(new CellarError('PEER_GONE', 'the network is being closed'))
    for (const channel of this.#channels) channel.abort(new Error('the network is being closed'))
    await Promise.allSettled([...this.#beacons].map((it) => this.#stopBeacon(it)))
    for (const connection of this.#node.getConnections())
      connection.abort(new Error('the network is being closed'))
    await this.#node.stop()
  }

  /** Calls a device at the addresses known, once for all who ask at the same time. */
  async #call(device: DeviceId, signal: AbortSignal): Promise<void> {
    let call = this.#calls.get(device)
    if (call === undefined) {
      const own = new Set(this.addresses().map(bareAddress))
      const targets = sortAddresses(this.addressesOf(device), own).map((one) =>
        multiaddr(`${one}/p2p/${device}`),
      )
      if (!this.isMember(device))
        throw new CellarError('NOT_A_MEMBER', `device ${device} is no member here`, { device })
      if (targets.length === 0) {
        throw new CellarError('PEER_GONE', `no address is known for device ${device}`, { device })
      }
      const until = AbortSignal.any([AbortSignal.timeout(callMs), this.#ending.signal])
      call = this.#connect(targets, until, 'member', `device ${device}`).then(() => undefined)
      call.catch(() => undefined).finally(() => this.#calls.delete(device))
      this.#calls.set(device, call)
    }
    await abortable(call, signal)
  }

  async #connect(targets: Multiaddr[], signal: AbortSignal, as: CallAs, what: string): Promise<Connection> {
    const until = AbortSignal.any([signal, this.#ending.signal])
    if (as === 'guest') this.#guestCalls += 1
    try {
      const connection = await this.#node.dial(targets, { signal: until })
      await this.#links.greet(connection, as, until)
      return connection
    } catch (error) {
      throw this.#explain(error, signal, what)
    } finally {
      if (as === 'guest') this.#guestCalls -= 1
    }
  }

  async #serve(
    stream: Stream,
    connection: Connection,
    access: Access,
    handler: ChannelHandler,
  ): Promise<void> {
    const from = connection.remotePeer.toString() as DeviceId
    if (access === 'members' && !this.isMember(from)) {
      stream.abort(new Error('not a member'))
      return
    }
    const channel = this.#track(new StreamChannel(stream, () => this.#clock.monotonicMs()))
    try {
      await handler(channel, from)
      await channel.finish()
    } catch (error) {
      channel.abort(error as Error)
      if (!isCellarError(error)) this.#fault(error)
    }
  }

  #onConnectionClosed(connection: Connection): void {
    this.#links.remove(connection)
    const device = connection.remotePeer.toString() as DeviceId
    // What strangers leave in libp2p's address book must not pile up.
    if (!this.isMember(device)) this.#node.peerStore.delete(connection.remotePeer).catch(() => undefined)
  }

  #onFound(found: FoundDevice): void {
    if (!this.isMember(found.device)) return
    const isNew = this.hint(found.device, found.addresses)
    for (const listener of this.#found) listener(found, isNew)
  }

  async #beacon(
    tag: string,
    answers: boolean,
    intervalMs: number,
    onFound: (found: FoundDevice) => void,
  ): Promise<Beacon> {
    const made = beacon(this.#node.services.lan.components, { tag, answers, intervalMs, onFound })
    this.#beacons.add(made)
    await made.start()
    return made
  }

  async #stopBeacon(started: Beacon): Promise<void> {
    if (this.#beacons.delete(started)) await started.stop()
  }

  #track(channel: StreamChannel): StreamChannel {
    this.#channels.add(channel)
    if (this.#ending.signal.aborted) channel.abort(new Error('the network is being closed'))
    return channel
  }

  /** Looks once a second after what hangs. */
  async #watch(): Promise<void> {
    while (!this.#ending.signal.aborted) {
      try {
        await this.#clock.sleep(checkEveryMs, this.#ending.signal)
      } catch {
        return
      }
      const nowMs = this.#clock.monotonicMs()
      for (const channel of this.#channels) {
        if (channel.state === 'ended') this.#channels.delete(channel)
        else channel.check(nowMs)
      }
      this.#links.check(nowMs)
    }
  }

  readonly #fault = (error: unknown): void => {
    this.#options.onFault?.(error)
  }

  /** Turns what libp2p throws into an error of ours. */
  #explain(error: unknown, signal: AbortSignal, what: string): unknown {
    if (isCellarError(error)) return error
    if (signal.aborted) return signal.reason
    const name = error instanceof Error ? error.name : ''
    if (name === 'UnsupportedProtocolError') {
      return new CellarError('PEER_PROTOCOL', `${what} does not serve this protocol`, {}, { cause: error })
    }
    if (name === 'DialDeniedError')
      return new CellarError('NOT_A_MEMBER', `${what} is no member here`, {}, { cause: error })
    return new CellarError('PEER_GONE', `${what} cannot be reached`, {}, { cause: error })
  }
}

const callMs = 15_000

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

/** The promise, or the signal's reason if that comes first; the work goes on for others. */
async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  let onAbort!: () => void
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', onAbort, { once: true })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
