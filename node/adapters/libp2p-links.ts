/** The connections of a node: who is at the other end, what it may do, and which one to use (mesh.md §2). */

import type { Connection, Stream } from '@libp2p/interface'
import {
  CellarError,
  type DeviceId,
  helloTimeMsMax,
  strangersMax,
  strangerTimeMsMax,
} from '../../protocol/index.ts'
import { Clones } from '../mesh/clones.ts'
import { chooseLink } from '../mesh/policy.ts'
import type { CallAs } from '../network.ts'
import {
  decodeHello,
  decodeHelloAnswer,
  encodeHello,
  encodeHelloAnswer,
  helloBytesMax,
  helloProtocol,
  type Verdict,
} from './hello.ts'
import { StreamChannel } from './libp2p-channel.ts'
import { underAnyOf } from '../signals.ts'

/** A connection and what its ends have said. */
interface Link {
  readonly connection: Connection
  readonly device: DeviceId
  readonly caller: DeviceId
  readonly openedMs: number
  sinceMs: number
  verdict: Verdict | undefined
  instance: string | undefined
  /** When a refused or doubled one is to be cut at the latest. */
  endsMs: number | undefined
}

/** What the links need of their node. */
export interface LinksHost {
  readonly device: DeviceId
  readonly instance: string
  /** Running time in milliseconds: for ages and deadlines only. */
  nowMs(): number
  /** Addresses to tell members. */
  addresses(): string[]
  /** A device that is no member may connect: something is served to anyone. */
  isOpenToStrangers(): boolean
  /** Counts a channel among those to break off when the node closes; gives it back. */
  track(channel: StreamChannel): StreamChannel
  /** A member has said in its hello where it can be reached; checked already, at most 16. */
  onAddresses(device: DeviceId, addresses: readonly string[]): void
  /** A link to a member has been greeted; it may be a further one. */
  onGreeted(connection: Connection): void
  /** The first link to a member stands, or the last one has ended. */
  onPeer(device: DeviceId, state: 'up' | 'down'): void
  /** Two programs are running with the key of this member; told again each time that it shows. */
  onClone(device: DeviceId): void
}

/** All links of a node. */
export class Links {
  readonly #host: LinksHost
  readonly #links = new Map<string, Link>()
  readonly #up = new Set<DeviceId>()
  readonly #clones = new Clones()
  #allowed: ReadonlySet<DeviceId> = new Set()

  constructor(host: LinksHost) {
    this.#host = host
  }

  /** The members to whom a greeted link stands. */
  get up(): ReadonlySet<DeviceId> {
    return this.#up
  }

  /** The members, as the node said last; a view. */
  get allowed(): ReadonlySet<DeviceId> {
    return this.#allowed
  }

  /** Whether a device is a member, as the node said last. */
  isMember(device: DeviceId): boolean {
    return this.#allowed.has(device)
  }

  /** Whether a device that proved its id may stay connected at all (the gate). */
  mayConnect(device: DeviceId): boolean {
    if (this.isMember(device)) return true
    let strangers = 0
    for (const link of this.#links.values()) if (!this.isMember(link.device)) strangers += 1
    return strangers < strangersMax
  }

  /** Takes a connection in, either way; it is greeted by the one who called. */
  add(connection: Connection): void {
    const device = connection.remotePeer.toString() as DeviceId
    const nowMs = this.#host.nowMs()
    this.#links.set(connection.id, {
      connection,
      device,
      caller: connection.direction === 'outbound' ? this.#host.device : device,
      openedMs: nowMs,
      sinceMs: nowMs,
      verdict: undefined,
      instance: undefined,
      endsMs: undefined,
    })
  }

  /** Takes note that a connection has ended, and tells when it was the last link to its device. */
  remove(connection: Connection): void {
    const link = this.#links.get(connection.id)
    if (link === undefined) return
    this.#links.delete(connection.id)
    this.#settle(link.device)
  }

  /** The connection to open channels on, if one stands. */
  best(device: DeviceId): Connection | undefined {
    const links = this.#of(device).filter(
      (link) => link.verdict !== 'refused' && link.connection.status === 'open',
    )
    const members = links.filter((link) => link.verdict === 'member')
    return (chooseLink(members) ?? chooseLink(links.filter((link) => link.verdict === 'guest')))?.connection
  }

  /**
   * Says hello on a connection, and takes in what the other end answers. @throws {CellarError} `NOT_A_MEMBER`,
   * `PEER_GONE`
   */
  async greet(connection: Connection, as: CallAs, signal: AbortSignal): Promise<void> {
    const link = this.#links.get(connection.id)
    if (link === undefined) throw new CellarError('PEER_GONE', 'the connection ended at once')
    if (as === 'member' && !this.isMember(link.device)) throw this.#refuse(link, 'is no member here')
    const hello = (until: AbortSignal) => this.#hello(link, as, until)
    await underAnyOf([signal, AbortSignal.timeout(helloTimeMsMax)], hello)
  }

  async #hello(link: Link, as: CallAs, until: AbortSignal): Promise<void> {
    const { connection } = link
    const stream = await connection.newStream(helloProtocol, { signal: until })
    const channel = this.#host.track(new StreamChannel(stream, () => this.#host.nowMs(), helloBytesMax))
    try {
      const isMember = this.isMember(link.device)
      await channel.send(
        encodeHello({ instance: this.#host.instance, addresses: isMember ? this.#host.addresses() : [] }),
      )
      const bytes = await channel.receive(until)
      if (bytes === undefined) throw new CellarError('PEER_GONE', 'the peer hung up without a word')
      const answer = decodeHelloAnswer(bytes)
      void channel.close()
      if (answer.verdict === 'refused') throw this.#refuse(link, 'does not have this device as a member')
      if (answer.verdict === 'guest' && as === 'member')
        throw notAMember(link.device, 'does not have this device as a member')
      this.#greeted(link, isMember ? answer.verdict : 'guest', answer.instance, answer.addresses)
    } catch (error) {
      channel.abort(error as Error)
      throw error
    }
  }

  /** Answers a hello. */
  async answer(stream: Stream, connection: Connection): Promise<void> {
    const channel = this.#host.track(new StreamChannel(stream, () => this.#host.nowMs(), helloBytesMax))
    const link = this.#links.get(connection.id)
    try {
      const bytes = await channel.receive(AbortSignal.timeout(helloTimeMsMax))
      if (bytes === undefined || link === undefined) throw new CellarError('PEER_GONE', 'a peer hung up')
      const hello = decodeHello(bytes)
      const verdict = this.#judge(link.device)
      const addresses = verdict === 'member' ? this.#host.addresses() : []
      // Ready before it is said: the caller may open its first channel in the next moment.
      if (verdict === 'refused') this.#end(link, helloTimeMsMax)
      else this.#greeted(link, verdict, hello.instance, hello.addresses)
      await channel.send(encodeHelloAnswer({ instance: this.#host.instance, addresses, verdict }))
      await channel.finish()
      // Only now: on a busy machine the answer would be cut off with the link, and the caller would think nobody is here.
      if (verdict === 'refused') link.endsMs = this.#host.nowMs() + 1000
    } catch (error) {
      channel.abort(error as Error)
    }
  }

  /** Takes the members of now: cuts those who are none any more. */
  setMembers(allowed: ReadonlySet<DeviceId>): void {
    const before = this.#allowed
    this.#allowed = new Set(allowed)
    for (const link of [...this.#links.values()]) {
      const isMember = allowed.has(link.device)
      if (!isMember && (before.has(link.device) || !this.#host.isOpenToStrangers())) this.#cut(link)
      else if (isMember && link.verdict === 'guest' && link.caller === this.#host.device) {
        // It was paired just now: the other end learns at about the same time; calling again later does the rest.
        this.greet(link.connection, 'member', AbortSignal.timeout(helloTimeMsMax)).catch(() => undefined)
      }
    }
  }

  /** Cuts what has outstayed: once a second. */
  check(nowMs: number): void {
    for (const link of [...this.#links.values()]) {
      const isMember = this.isMember(link.device)
      const isSilent = link.verdict === undefined && nowMs - link.openedMs > helloTimeMsMax
      const isStale = !isMember && nowMs - link.openedMs > strangerTimeMsMax
      const isUnasked =
        !isMember && link.verdict === 'guest' && !this.#host.isOpenToStrangers() && isIdle(link)
      const isEnding =
        link.endsMs !== undefined && nowMs > link.endsMs && (link.verdict === 'refused' || isIdle(link))
      if (isSilent || isStale || isUnasked || isEnding) this.#cut(link)
    }
  }

  #judge(device: DeviceId): Verdict {
    if (this.isMember(device)) return 'member'
    return this.#host.isOpenToStrangers() ? 'guest' : 'refused'
  }

  #greeted(link: Link, verdict: Verdict, instance: string, addresses: readonly string[]): void {
    link.verdict = verdict
    link.sinceMs = this.#host.nowMs()
    link.instance = instance
    if (verdict !== 'member') return
    if (this.#clones.note(link.device, instance)) this.#host.onClone(link.device)
    for (const other of this.#of(link.device)) {
      // Another start of the program: what stood before is dead, whatever the connection says.
      if (other.instance !== undefined && other.instance !== instance) this.#cut(other)
    }
    this.#host.onAddresses(link.device, addresses)
    this.#settle(link.device)
    this.#host.onGreeted(link.connection)
  }

  /** Tells when a device came or went, and lets all but one of its links end once they are idle. */
  #settle(device: DeviceId): void {
    const members = this.#of(device).filter((link) => link.verdict === 'member')
    const keep = chooseLink(members)
    for (const link of members) if (link !== keep) this.#end(link, 2000, 'member')
    if (keep !== undefined) keep.endsMs = undefined
    if (keep !== undefined && !this.#up.has(device)) {
      this.#up.add(device)
      this.#host.onPeer(device, 'up')
    } else if (keep === undefined && this.#up.delete(device)) this.#host.onPeer(device, 'down')
  }

  #of(device: DeviceId): Link[] {
    return [...this.#links.values()].filter((link) => link.device === device)
  }

  #end(link: Link, afterMs: number, verdict: Verdict = 'refused'): void {
    link.verdict = verdict
    link.endsMs ??= this.#host.nowMs() + afterMs
  }

  #refuse(link: Link, why: string): CellarError {
    const error = notAMember(link.device, why)
    this.#cut(link)
    return error
  }

  #cut(link: Link): void {
    this.#links.delete(link.connection.id)
    link.connection.abort(new Error('the link is not wanted'))
    this.#settle(link.device)
  }
}

/** Whether nothing of ours runs over a link. */
function isIdle(link: Link): boolean {
  return !link.connection.streams.some((stream) => stream.protocol.startsWith('/rootcellar/'))
}

function notAMember(device: DeviceId, why: string): CellarError {
  return new CellarError('NOT_A_MEMBER', `device ${device} ${why}`, { device })
}
