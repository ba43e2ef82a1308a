/** The seam to the other devices: links to them, and channels of frames over the links (mesh.md). */

import type { DeviceId } from '../protocol/index.ts'

/** A two-way flow of frames between two devices, under one protocol name. */
export interface Channel {
  /**
   * Sends one frame. The parts of a list are one frame, put together on the way.
   *
   * @param frame - 0 .. `frameBytesMax` bytes in all; kept until sent: do not change them afterwards
   * @returns resolves when more may be sent: it waits while the peer does not read, so memory stays flat
   * @throws {CellarError} `PEER_GONE` when the channel has ended; `FRAME_TOO_LONG`
   */
  send(frame: Uint8Array | readonly Uint8Array[]): Promise<void>

  /**
   * Takes the next whole frame. While nobody asks for frames the peer is stopped after about a mebibyte.
   * One call at a time.
   *
   * @returns the frame, fresh, 0 .. `frameBytesMax` bytes; undefined at the clean end
   * @throws {CellarError} `PEER_GONE` when the channel broke, also inside a frame; `FRAME_TOO_LONG`
   * @throws the signal's reason when it is aborted; the channel stays usable
   */
  receive(signal?: AbortSignal): Promise<Uint8Array | undefined>

  /** Ends our direction once all is handed on; what the peer still sends can be received. Idempotent. */
  close(): Promise<void>

  /** Breaks the channel off, both directions, at once. The peer sees `PEER_GONE`. Idempotent. */
  abort(error: Error): void
}

/** Who may open channels of a protocol: members only, or anyone while it is offered (pairing). */
export type Access = 'members' | 'anyone'

/** What a call of this device may end at: a member only, or also a device that lets guests pair. */
export type CallAs = 'member' | 'guest'

/** Serves one channel that a peer opened; the channel is closed when it returns, broken off when it throws. */
export type ChannelHandler = (channel: Channel, from: DeviceId) => Promise<void>

/** A device heard of on the local network: a hint, never a proof. */
export interface FoundDevice {
  readonly device: DeviceId
  readonly addresses: readonly string[]
}

/** One device's view of the network. Every other end is proven to own its device id. */
export interface Network {
  readonly device: DeviceId

  /** Where others can reach this device: multiaddrs that end in its id. */
  addresses(): string[]

  /** Members that a link stands to, sorted. */
  connected(): DeviceId[]

  /** Sets who is a member. Links to devices that are not in it any more are closed at once. */
  members(allowed: ReadonlySet<DeviceId>): void

  /** Who is a member now. */
  allowed(): ReadonlySet<DeviceId>

  /**
   * Serves a protocol. While one for `anyone` is served, devices that are no members may connect and reach
   * that one, and nothing else.
   *
   * @returns ends the service; open channels of it go on
   */
  handle(protocol: string, access: Access, handler: ChannelHandler): () => void

  /**
   * Opens a channel to a device: over the link that stands, else by calling it at the addresses known.
   *
   * @throws {CellarError} `PEER_GONE` when it cannot be reached; `NOT_A_MEMBER`; `PEER_PROTOCOL` when it does not
   *   serve the protocol
   */
  open(device: DeviceId, protocol: string, signal: AbortSignal): Promise<Channel>

  /**
   * Calls an address and waits until the other end has said what we are to it.
   *
   * @param address - a multiaddr with or without a device id, or HOST:PORT
   * @param as - `guest` is content with a device that only lets us pair; default `member`
   * @returns the device that answered, proven
   * @throws {CellarError} `PEER_GONE`; `NOT_A_MEMBER` when either side does not have the other as a member
   */
  dial(address: string, signal: AbortSignal, as?: CallAs): Promise<DeviceId>

  /**
   * Makes sure that a link to a member stands: the one there is, or a new one by the addresses known.
   *
   * @throws {CellarError} `PEER_GONE`, `NOT_A_MEMBER`
   */
  connect(device: DeviceId, signal: AbortSignal): Promise<void>

  /** Adds addresses at which a device may be; the newest are tried first. @returns whether one was not known */
  hint(device: DeviceId, addresses: readonly string[]): boolean

  /** The addresses known for a device, those that worked last first. */
  addressesOf(device: DeviceId): string[]

  /**
   * Tells a notice (at most `noticeBytesMax` bytes) to all members that can be reached; may be lost, may come twice.
   */
  publish(notice: Uint8Array): void

  /** Calls back for each notice of another member. @returns ends it */
  onNotice(listener: (notice: Uint8Array, from: DeviceId) => void): () => void

  /** Calls back when the first link to a member stands, and when the last one has gone. @returns ends it */
  onPeer(listener: (device: DeviceId, state: 'up' | 'down') => void): () => void

  /**
   * Calls back when a member is heard of on the local network, also when it is heard again.
   *
   * @param listener - told also whether an address was not known before
   * @returns ends it
   */
  onFound(listener: (found: FoundDevice, isNew: boolean) => void): () => void

  /** Answers those who look for an invitation's number on the local network. @returns ends it */
  advertise(number: string): () => void

  /**
   * Looks for the inviter of a number on the local network until the signal is aborted; each device once per address.
   *
   * @param number - undefined: any device of any mesh
   */
  seek(number: string | undefined, signal: AbortSignal): AsyncIterable<FoundDevice>

  /** Ends all links and listening; resolves within two seconds. Idempotent. */
  close(): Promise<void>
}
