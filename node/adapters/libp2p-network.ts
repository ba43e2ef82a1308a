/** The network over libp2p: TCP, Noise, yamux, mDNS, gossip (mesh.md). */

import '../polyfill.ts'
import { randomBytes } from 'node:crypto'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Connection, ConnectionGater, PeerId, Stream } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import {
  CellarError,
  type Clock,
  type DeviceId,
  frameBytesMax,
  isCellarError,
  noticeBytesMax,
  pairingMessageBytesMax,
  streamsPerConnectionMax,
  streamsPerProtocolMax,
} from '../../protocol/index.ts'
import { AddressBook, bareAddress, readAddress, withoutLoopback } from '../mesh/addresses.ts'
import { sortAddresses } from '../mesh/policy.ts'
import { subscribe } from '../mesh/subscribe.ts'
import { abortable } from '../mesh/time-limit.ts'
import type { Access, CallAs, Channel, ChannelHandler, FoundDevice, Network } from '../network.ts'
import { helloProtocol } from './hello.ts'
import { StreamChannel } from './libp2p-channel.ts'
import { Links } from './libp2p-links.ts'
import { Lan } from './libp2p-mdns.ts'
import { explainCall, type Libp2pNode, startNode } from './libp2p-node.ts'
import { Notices } from './libp2p-notices.ts'
import { systemWorld } from './system-world.ts'
import { anyOf, underAnyOf } from '../signals.ts'

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
  /** Puts the channels of a protocol under limits of speed; default: as they are. */
  readonly shape?: (channel: Channel, protocol: string) => Channel
  /** Told of faults in handlers that are ours, not the peer's. */
  readonly onFault?: (error: unknown) => void
}

const checkEveryMs = 1000

/** Opens the network: listening, and finding others if asked to. @throws {CellarError} `CONFIG_INVALID` */
export async function openNetwork(options: NetworkOptions): Promise<Network> {
  const key = await generateKeyPairFromSeed('Ed25519', options.seed)
  const network = new Libp2pNetwork(options, peerIdFromPrivateKey(key).toString() as DeviceId)
  const node = await startNode({
    key,
    listen: options.listen,
    announce: options.announce ?? [],
    gate: network.gate(),
    isMember: (device) => network.isMember(device),
  })
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
  readonly #calls = new Map<DeviceId, Promise<void>>()
  #guestCalls = 0
  #node!: Libp2pNode
  #notices!: Notices
  #lan: Lan | undefined
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
        this.hint(other, withoutLoopback(addresses))
      },
      onGreeted: (connection) => {
        // Tells gossip of the peer. It takes the newest connection, so it is told of each.
        this.#node.services.identify.identify(connection).catch(() => undefined)
      },
      onClone: (other) => {
        const what = `device ${other} runs twice: two programs use its key`
        this.#fault(new CellarError('KEY_CLONED', what, { device: other }))
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

  async begin(node: Libp2pNode): Promise<void> {
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
    if (!this.#options.mdns) return
    this.#lan = new Lan(node.services.lan.components)
    await this.#lan.begin(this.#options.mdnsIntervalMs ?? 10_000, (found) => {
      this.#onFound(found)
    })
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
    return await underAnyOf([signal, this.#ending.signal], async (until) => {
      return await this.#open(device, protocol, until).catch((error: unknown) => {
        throw explainCall(error, signal, `device ${device}`)
      })
    })
  }

  async #open(device: DeviceId, protocol: string, until: AbortSignal): Promise<Channel> {
    let connection = this.#links.best(device)
    if (connection === undefined) {
      await this.#call(device, until)
      connection = this.#links.best(device)
    }
    if (connection === undefined) throw new CellarError('PEER_GONE', `device ${device} hung up`, { device })
    // libp2p's own limit of time holds only where no signal is given.
    const stream = await underAnyOf([until, AbortSignal.timeout(openMs)], (signal) =>
      connection.newStream(protocol, { signal, maxOutboundStreams: streamsPerConnectionMax }),
    )
    return this.#shape(this.#track(new StreamChannel(stream, () => this.#clock.monotonicMs())), protocol)
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
    if (this.#links.up.has(device)) return
    await underAnyOf([signal, this.#ending.signal], (until) => this.#call(device, until))
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
    return this.#lan?.advertise(number, this.#fault) ?? (() => undefined)
  }

  async *seek(number: string | undefined, signal: AbortSignal): AsyncGenerator<FoundDevice> {
    if (this.#lan === undefined) return
    const until = anyOf([signal, this.#ending.signal])
    try {
      yield* this.#lan.seek(number, until)
    } finally {
      until.clear()
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#stop()
    return this.#closed
  }

  async #stop(): Promise<void> {
    this.#ending.abort(new CellarError('PEER_GONE', 'the network is being closed'))
    for (const channel of this.#channels) channel.abort(new Error('the network is being closed'))
    await this.#lan?.close()
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
      const limit = AbortSignal.timeout(callMs)
      call = this.#connect(targets, limit, 'member', `device ${device}`).then(() => undefined)
      call.catch(() => undefined).finally(() => this.#calls.delete(device))
      this.#calls.set(device, call)
    }
    await abortable(call, signal)
  }

  async #connect(targets: Multiaddr[], signal: AbortSignal, as: CallAs, what: string): Promise<Connection> {
    const until = anyOf([signal, this.#ending.signal])
    if (as === 'guest') this.#guestCalls += 1
    try {
      const connection = await this.#node.dial(targets, { signal: until })
      await this.#links.greet(connection, as, until)
      return connection
    } catch (error) {
      throw explainCall(error, signal, what)
    } finally {
      until.clear()
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
    // Whoever may be a stranger gets no room for more than the short messages of pairing.
    const bytesMax = access === 'anyone' ? pairingMessageBytesMax : frameBytesMax
    const channel = this.#track(new StreamChannel(stream, () => this.#clock.monotonicMs(), bytesMax))
    try {
      await handler(this.#shape(channel, stream.protocol), from)
      await channel.finish()
    } catch (error) {
      channel.abort(error as Error)
      if (!isCellarError(error)) this.#fault(error)
    }
  }

  #shape(channel: Channel, protocol: string): Channel {
    return this.#options.shape?.(channel, protocol) ?? channel
  }

  #onConnectionClosed(connection: Connection): void {
    this.#links.remove(connection)
    const device = connection.remotePeer.toString() as DeviceId
    // What strangers leave in libp2p's address book must not pile up.
    if (!this.isMember(device)) this.#node.peerStore.delete(connection.remotePeer).catch(() => undefined)
  }

  #onFound(found: FoundDevice): void {
    if (!this.isMember(found.device)) return
    const isNew = this.hint(found.device, withoutLoopback(found.addresses))
    for (const listener of this.#found) listener(found, isNew)
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
      try {
        this.#check(this.#clock.monotonicMs())
      } catch (error) {
        this.#fault(error)
      }
    }
  }

  #check(nowMs: number): void {
    for (const channel of this.#channels) {
      if (channel.state === 'ended') this.#channels.delete(channel)
      else channel.check(nowMs)
    }
    this.#links.check(nowMs)
  }

  readonly #fault = (error: unknown): void => {
    this.#options.onFault?.(error)
  }
}

const callMs = 15_000
const openMs = 15_000
