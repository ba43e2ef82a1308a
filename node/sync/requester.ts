/** Asks one peer for the listings and entries that are newer than ours (sync.md §3). */

import {
  CellarError,
  type Clock,
  type DeviceId,
  encodeMessage,
  type HeadName,
  isCellarError,
  type ListingHash,
  ListingJoiner,
  type ListingPart,
  type Message,
} from '../../protocol/index.ts'
import type { Channel } from '../network.ts'
import { messagesOf } from '../messages.ts'
import { isOfOwnDisk } from '../own-disk.ts'
import { Outbox } from './outbox.ts'
import type { SyncParts } from './responder.ts'

/** After so long what the disk here did not take is asked for again, milliseconds. */
export const askAgainMs = 30_000

/** What following stands on. */
export interface FollowParts extends SyncParts {
  readonly clock: Clock
}

/**
 * Follows one peer until its channel ends: what it says it has newer is asked for, checked and kept.
 *
 * @throws {CellarError} what broke the channel off; the ledger is whole in any case
 */
export async function followPeer(parts: FollowParts, peer: DeviceId, channel: Channel): Promise<void> {
  const follower = new Follower(parts, peer, channel)
  await follower.run()
}

class Follower {
  readonly #parts: FollowParts
  readonly #peer: DeviceId
  readonly #channel: Channel
  readonly #outbox: Outbox
  /** The listing asked for and not yet answered: one at a time. */
  #asked: { readonly name: HeadName; readonly joiner: ListingJoiner } | undefined
  /** Listings that were asked for in vain on this link, by hash: not asked for again until the peer has a newer one. */
  readonly #refused = new Set<ListingHash>()
  #hasContact = false
  /** The whole log of a peer with another one was asked for: the place where they part is the proof (R8). */
  #hasAskedForAll = false
  /** Heads last told, looked at again once the membership they need has come. */
  #heads: readonly HeadName[] = []
  /** The membership that the peer told of last. */
  #told: { readonly epoch: number; readonly head: string } | undefined
  readonly #end = new AbortController()
  #isToAskAgain = false
  /** Of those refused: what the disk here did not take. */
  readonly #untaken = new Set<ListingHash>()

  constructor(parts: FollowParts, peer: DeviceId, channel: Channel) {
    this.#parts = parts
    this.#peer = peer
    this.#channel = channel
    this.#outbox = new Outbox(channel)
  }

  async run(): Promise<void> {
    try {
      await this.#outbox.send(encodeMessage(this.#parts.ledger.hello()))
      for await (const message of messagesOf(this.#channel)) await this.#take(message)
    } finally {
      this.#end.abort()
    }
  }

  async #take(message: Message): Promise<void> {
    const { ledger } = this.#parts
    switch (message.type) {
      case 'hello':
        if (message.mesh !== ledger.membership.mesh)
          throw new CellarError('PEER_PROTOCOL', 'a peer belongs to another mesh')
        this.#told = { epoch: message.epoch, head: message.membershipHead }
        await this.#compareMembership()
        break
      case 'membership':
        await this.#takeMembership(message.entries)
        break
      case 'heads':
        this.#heads = message.heads
        this.#forgetRefused()
        await this.#askForNewer()
        break
      case 'listing':
        await this.#takeListing(message)
        break
      case 'error':
        throw new CellarError(message.code, `the peer ended the exchange (${message.message})`)
      default:
        throw new CellarError('PEER_PROTOCOL', `a peer sent "${message.type}" where it tells of listings`)
    }
  }

  async #compareMembership(): Promise<void> {
    if (this.#told === undefined) return
    const { epoch, head } = this.#told
    const { membership } = this.#parts.ledger
    if (epoch > membership.epoch) await this.#send({ type: 'getMembership', fromEpoch: membership.epoch })
    else if (membership.hashes[epoch] !== head) await this.#send({ type: 'getMembership', fromEpoch: 0 })
  }

  async #takeMembership(entries: readonly Uint8Array[]): Promise<void> {
    try {
      await this.#parts.ledger.acceptMembership(entries)
    } catch (error) {
      if (!isCellarError(error)) throw error
      this.#parts.events.emit({
        kind: 'trouble',
        code: error.code,
        message: error.message,
        device: this.#peer,
      })
      if (isOfOwnDisk(error.code)) this.#askAgain()
      const isUnproven = error.code === 'MEMBERSHIP_FORK' && !this.#parts.ledger.isMembershipForked
      if (isUnproven && !this.#hasAskedForAll) {
        this.#hasAskedForAll = true
        await this.#send({ type: 'getMembership', fromEpoch: 0 })
      }
      // What waits for these entries would ask for them again, and at once, for as long as the disk is full say.
      return
    }
    this.#refused.clear()
    await this.#askForNewer()
  }

  /** Asks for the next listing of which the peer has more than we have; reports contact once there is none. */
  async #askForNewer(): Promise<void> {
    if (this.#asked !== undefined) return
    const { ledger, events } = this.#parts
    for (const name of this.#heads) {
      const fromSeq = this.#refused.has(name.hash) ? undefined : ledger.newerFrom(name)
      if (fromSeq === undefined) continue
      this.#asked = { name, joiner: new ListingJoiner() }
      await this.#send({
        type: 'getListing',
        device: name.device,
        incarnation: name.incarnation,
        fromSeq,
        tip: name.hash,
      })
      return
    }
    if (this.#hasContact) return
    this.#hasContact = true
    events.emit({ kind: 'contact', device: this.#peer })
  }

  /** What the peer names no more need not be remembered: else it could name others without end. */
  #forgetRefused(): void {
    const named = new Set(this.#heads.map((head) => head.hash))
    for (const hash of this.#refused) if (!named.has(hash)) this.#refused.delete(hash)
  }

  async #takeListing(part: ListingPart): Promise<void> {
    const asked = this.#asked
    if (asked === undefined)
      throw new CellarError('PEER_PROTOCOL', 'a peer sent a listing that was not asked for')
    const listing = asked.joiner.add(part)
    if (listing === undefined) return
    this.#asked = undefined
    await this.#offer(asked.name, listing.heads, listing.bodyBytes)
    await this.#askForNewer()
  }

  /**
   * Offers a listing to the ledger; one that does not fit is left alone until the peer has another, or the membership
   * it needs has come.
   */
  async #offer(name: HeadName, heads: readonly Uint8Array[], body: Uint8Array): Promise<void> {
    const { ledger, events } = this.#parts
    try {
      const outcome = await ledger.acceptListing(heads, body)
      if (ledger.newerFrom(name) !== undefined) this.#refused.add(name.hash)
      if (outcome === 'wait') await this.#send({ type: 'getMembership', fromEpoch: ledger.membership.epoch })
    } catch (error) {
      if (!isCellarError(error)) throw error
      this.#refused.add(name.hash)
      if (isOfOwnDisk(error.code)) {
        this.#untaken.add(name.hash)
        this.#askAgain()
      }
      events.emit({ kind: 'trouble', code: error.code, message: error.message, device: this.#peer })
    }
  }

  /** Nothing is wrong with what the disk here did not take, and the peer may have nothing newer for long. */
  #askAgain(): void {
    if (this.#isToAskAgain) return
    this.#isToAskAgain = true
    const later = async (): Promise<void> => {
      await this.#parts.clock.sleep(askAgainMs, this.#end.signal)
      this.#isToAskAgain = false
      for (const hash of this.#untaken) this.#refused.delete(hash)
      this.#untaken.clear()
      await this.#compareMembership()
      await this.#askForNewer()
    }
    later().catch((error: unknown) => {
      if (!this.#end.signal.aborted) this.#channel.abort(error as Error)
    })
  }

  async #send(message: Message): Promise<void> {
    await this.#outbox.send(encodeMessage(message))
  }
}
