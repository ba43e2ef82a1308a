/** The network without a network: devices in one process, for tests and simulations. It keeps to mesh.md. */

import { CellarError, type DeviceId, isCellarError, noticeBytesMax } from '../../protocol/index.ts'
import { AddressBook, bareAddress, deviceOfAddress } from '../mesh/addresses.ts'
import { FoundQueue } from '../mesh/found-queue.ts'
import { subscribe } from '../mesh/subscribe.ts'
import { type Carry, MemoryChannel } from './memory-channel.ts'
import type { Access, CallAs, Channel, ChannelHandler, FoundDevice, Network } from '../network.ts'

/** How things travel between the networks of a hub: what a simulation makes slow, or loses. */
export interface MemoryHubOptions {
  /** @defaultValue frames arrive at once */
  readonly carry?: Carry
  /** Delivers a notice: once, later, more than once, or never. @defaultValue once, soon */
  readonly spread?: (deliver: () => void) => void
}

/** What joins the networks of one process. */
export class MemoryHub {
  readonly options: MemoryHubOptions
  readonly #networks = new Map<string, MemoryNetwork>()
  readonly #cut = new Set<string>()
  #next = 1

  constructor(options: MemoryHubOptions = {}) {
    this.options = options
  }

  /** @returns a free address */
  enter(network: MemoryNetwork): string {
    const address = `/memory/${String(this.#next++)}`
    this.#networks.set(address, network)
    return address
  }

  /** Takes a network away that has closed. */
  leave(address: string): void {
    this.#networks.delete(address)
  }

  /** The network at an address (with or without a device id at its end), if one is open there. */
  at(address: string): MemoryNetwork | undefined {
    return this.#networks.get(bareAddress(address))
  }

  /** Every open network; a copy. */
  all(): MemoryNetwork[] {
    return [...this.#networks.values()]
  }

  /** Whether two devices are cut off from each other. */
  isCut(a: DeviceId, b: DeviceId): boolean {
    return this.#cut.has(pair(a, b))
  }

  /** Cuts two devices off from each other: their link breaks, and no new one comes about. */
  cut(a: DeviceId, b: DeviceId): void {
    this.#cut.add(pair(a, b))
    for (const network of this.all()) if (network.device === a) network.drop(b)
  }

  /** Lets two devices reach each other again; they link when one of them calls. */
  mend(a: DeviceId, b: DeviceId): void {
    this.#cut.delete(pair(a, b))
  }
}

function pair(a: DeviceId, b: DeviceId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}

/** How a device is on a hub. */
export interface MemoryNetworkOptions {
  readonly device: DeviceId
  /** Whether it is found on the "local network". */
  readonly mdns?: boolean
  /** Told of errors that handlers threw. */
  readonly onFault?: (error: unknown) => void
}

/** Opens a network on a hub. */
export function memoryNetwork(hub: MemoryHub, options: MemoryNetworkOptions): Network {
  return new MemoryNetwork(hub, options)
}

class MemoryNetwork implements Network {
  readonly device: DeviceId
  readonly #hub: MemoryHub
  readonly #options: MemoryNetworkOptions
  readonly #address: string
  readonly #book = new AddressBook()
  readonly #links = new Map<
    DeviceId,
    { readonly peer: MemoryNetwork; readonly channels: Set<MemoryChannel> }
  >()
  readonly #up = new Set<DeviceId>()
  readonly #handlers = new Map<string, { readonly access: Access; readonly handler: ChannelHandler }>()
  readonly #notice = new Set<(notice: Uint8Array, from: DeviceId) => void>()
  readonly #peer = new Set<(device: DeviceId, state: 'up' | 'down') => void>()
  readonly #found = new Set<(found: FoundDevice, isNew: boolean) => void>()
  readonly #numbers = new Set<string>()
  readonly #seekers = new Map<FoundQueue, string | undefined>()
  #allowed: ReadonlySet<DeviceId> = new Set()
  #isClosed = false

  constructor(hub: MemoryHub, options: MemoryNetworkOptions) {
    this.#hub = hub
    this.#options = options
    this.device = options.device
    this.#address = hub.enter(this)
    if (options.mdns === true) queueMicrotask(() => this.#tellLan())
  }

  addresses(): string[] {
    return [`${this.#address}/p2p/${this.device}`]
  }

  connected(): DeviceId[] {
    return [...this.#up].sort()
  }

  members(allowed: ReadonlySet<DeviceId>): void {
    const before = this.#allowed
    this.#allowed = new Set(allowed)
    for (const device of [...this.#links.keys()]) {
      if (!allowed.has(device) && (before.has(device) || !this.#isOpenToStrangers())) this.drop(device)
      else this.#settle(device)
    }
    if (this.#options.mdns === true) queueMicrotask(() => this.#tellLan())
  }

  allowed(): ReadonlySet<DeviceId> {
    return this.#allowed
  }

  handle(protocol: string, access: Access, handler: ChannelHandler): () => void {
    const served = { access, handler }
    this.#handlers.set(protocol, served)
    return () => {
      if (this.#handlers.get(protocol) === served) this.#handlers.delete(protocol)
    }
  }

  async open(device: DeviceId, protocol: string, signal: AbortSignal): Promise<Channel> {
    signal.throwIfAborted()
    await Promise.resolve()
    if (!this.#links.has(device)) await this.#call(device, signal)
    const link = this.#links.get(device)
    if (link === undefined) throw new CellarError('PEER_GONE', `device ${device} hung up`, { device })
    const served = link.peer.#handlers.get(protocol)
    if (served === undefined) {
      throw new CellarError('PEER_PROTOCOL', `device ${device} does not serve this protocol`, { device })
    }
    const [near, far] = MemoryChannel.pair(this.#hub.options.carry)
    link.channels.add(near)
    near.onEnd = () => link.channels.delete(near)
    if (served.access === 'members' && !link.peer.#allowed.has(this.device)) far.abort(gone('not a member'))
    else link.peer.#serve(far, this.device, served.handler)
    return near
  }

  async dial(address: string, signal: AbortSignal, as: CallAs = 'member'): Promise<DeviceId> {
    signal.throwIfAborted()
    await Promise.resolve()
    if (this.#isClosed) throw gone('the network is closed')
    const peer = this.#hub.at(address)
    if (peer === undefined || peer.#isClosed || this.#hub.isCut(this.device, peer.device))
      throw gone(`nobody at ${address}`)
    const expected = deviceOfAddress(address)
    if (expected !== undefined && expected !== peer.device) throw gone(`somebody else at ${address}`)
    const isMember = this.#allowed.has(peer.device)
    if (as === 'member' && !isMember) throw notAMember(peer.device, 'is no member here')
    const isKnownThere = peer.#allowed.has(this.device)
    const verdict = isKnownThere ? 'member' : peer.#isOpenToStrangers() ? 'guest' : 'refused'
    if (verdict === 'refused' || (verdict === 'guest' && as === 'member')) {
      throw notAMember(peer.device, 'does not have this device as a member')
    }
    if (!this.#links.has(peer.device)) {
      const channels = new Set<MemoryChannel>()
      this.#links.set(peer.device, { peer, channels })
      peer.#links.set(this.device, { peer: this, channels })
    }
    this.hint(peer.device, [address])
    if (isMember && isKnownThere) {
      this.hint(peer.device, peer.addresses())
      peer.hint(this.device, this.addresses())
      peer.#settle(this.device)
    }
    this.#settle(peer.device)
    return peer.device
  }

  async connect(device: DeviceId, signal: AbortSignal): Promise<void> {
    if (!this.#up.has(device)) await this.#call(device, signal)
  }

  hint(device: DeviceId, addresses: readonly string[]): boolean {
    return this.#book.add(device, addresses)
  }

  addressesOf(device: DeviceId): string[] {
    return [...this.#book.of(device)]
  }

  publish(notice: Uint8Array): void {
    if (notice.byteLength > noticeBytesMax) throw new RangeError('a notice is too long')
    this.#spread(new Set([this]), notice.slice(), this.device)
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
    if (this.#options.mdns !== true) return () => undefined
    this.#numbers.add(number)
    for (const network of this.#hub.all()) {
      for (const [queue, wanted] of network.#seekers) if (wanted === number) queue.push(this.#asFound())
    }
    return () => {
      this.#numbers.delete(number)
    }
  }

  async *seek(number: string | undefined, signal: AbortSignal): AsyncGenerator<FoundDevice> {
    if (this.#options.mdns !== true) return
    const queue = new FoundQueue(signal)
    this.#seekers.set(queue, number)
    for (const network of this.#hub.all()) {
      const isSought =
        number === undefined
          ? network !== this && network.#options.mdns === true
          : network.#numbers.has(number)
      if (isSought) queue.push(network.#asFound())
    }
    try {
      yield* queue
    } finally {
      this.#seekers.delete(queue)
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#hub.leave(this.#address)
    for (const device of [...this.#links.keys()]) this.drop(device)
    await Promise.resolve()
  }

  /** Ends the link to a device, from both ends. */
  drop(device: DeviceId): void {
    const link = this.#links.get(device)
    if (link === undefined) return
    this.#links.delete(device)
    for (const channel of [...link.channels]) channel.lose()
    this.#settle(device)
    link.peer.drop(this.device)
  }

  #isOpenToStrangers(): boolean {
    return [...this.#handlers.values()].some((served) => served.access === 'anyone')
  }

  async #call(device: DeviceId, signal: AbortSignal): Promise<void> {
    if (!this.#allowed.has(device)) throw notAMember(device, 'is no member here')
    let last: unknown = gone(`no address is known for device ${device}`)
    for (const address of this.addressesOf(device)) {
      try {
        await this.dial(`${address}/p2p/${device}`, signal)
        return
      } catch (error) {
        signal.throwIfAborted()
        last = error
      }
    }
    throw last
  }

  #serve(channel: MemoryChannel, from: DeviceId, handler: ChannelHandler): void {
    this.#links.get(from)?.channels.add(channel)
    channel.onEnd = () => this.#links.get(from)?.channels.delete(channel)
    const served = (async () => {
      await handler(channel, from)
      await channel.close()
      channel.finish()
    })()
    served.catch((error: unknown) => {
      channel.abort(error as Error)
      if (!isCellarError(error)) this.#options.onFault?.(error)
    })
  }

  #settle(device: DeviceId): void {
    const link = this.#links.get(device)
    const isUp = link !== undefined && this.#allowed.has(device) && link.peer.#allowed.has(this.device)
    if (isUp === this.#up.has(device)) return
    if (isUp) this.#up.add(device)
    else this.#up.delete(device)
    for (const listener of this.#peer) listener(device, isUp ? 'up' : 'down')
    if (isUp) link.peer.#settle(this.device)
  }

  #spread(reached: Set<MemoryNetwork>, notice: Uint8Array, from: DeviceId): void {
    for (const device of this.#up) {
      const peer = this.#links.get(device)?.peer
      if (peer === undefined || reached.has(peer)) continue
      reached.add(peer)
      const spread = this.#hub.options.spread ?? queueMicrotask
      spread(() => {
        if (peer.#isClosed || !peer.#allowed.has(from)) return
        for (const listener of peer.#notice) listener(notice.slice(), from)
        peer.#spread(reached, notice, from)
      })
    }
  }

  #tellLan(): void {
    for (const other of this.#hub.all()) {
      if (other === this || other.#options.mdns !== true || other.#isClosed) continue
      other.#hear(this.#asFound())
      this.#hear(other.#asFound())
    }
  }

  #hear(found: FoundDevice): void {
    if (!this.#allowed.has(found.device)) return
    const isNew = this.hint(found.device, found.addresses)
    for (const listener of this.#found) listener(found, isNew)
  }

  #asFound(): FoundDevice {
    return { device: this.device, addresses: [this.#address] }
  }
}

function gone(what: string): CellarError {
  return new CellarError('PEER_GONE', what)
}

function notAMember(device: DeviceId, why: string): CellarError {
  return new CellarError('NOT_A_MEMBER', `device ${device} ${why}`, { device })
}
