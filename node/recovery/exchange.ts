/** What a paper device and one that is left say to each other (node/spec/recovery.md §3). */

import {
  CellarError,
  type DeviceId,
  encodeMessage,
  type Hello,
  isCellarError,
  isPaper,
  memberNow,
  type Message,
} from '../../protocol/index.ts'
import { messagesOf } from '../messages.ts'
import type { Channel } from '../network.ts'
import type { SyncParts } from '../sync/responder.ts'

/**
 * Serves somebody who has the recovery phrase: hands out the membership log, and takes the entry by which he lets a new
 * device in. It is judged as any other entry is.
 *
 * @throws {CellarError} `NOT_ENTITLED` for whoever is not the mesh's paper device
 */
export async function serveRecovery(parts: SyncParts, from: DeviceId, channel: Channel): Promise<void> {
  const { ledger, events } = parts
  const member = memberNow(ledger.membership, from)
  if (member === undefined || !isPaper(member))
    throw new CellarError('NOT_ENTITLED', 'a device that is no paper device wants to recover', {
      device: from,
    })
  // Seen also when nobody is let in: the vault keys stand in what is handed out.
  const told = `somebody who has the recovery phrase asked ${ledger.nameOf(ledger.device)} for the keys of the mesh`
  events.emit({ kind: 'trouble', code: 'PHRASE_USED', message: told })
  for await (const message of messagesOf(channel))
    await channel.send(encodeMessage(await answer(parts, message)))
}

async function answer({ ledger }: SyncParts, message: Message): Promise<Message> {
  switch (message.type) {
    case 'getMembership':
      return { type: 'membership', entries: ledger.membership.entries.slice(message.fromEpoch) }
    case 'membership':
      try {
        await ledger.acceptMembership(message.entries)
        return ledger.hello()
      } catch (error) {
        if (!isCellarError(error)) throw error
        return { type: 'error', code: error.code, message: error.message.slice(0, 200) }
      }
    default:
      throw new CellarError('PEER_PROTOCOL', `a peer sent "${message.type}" where it recovers`)
  }
}

/** The other end of it: asks a device that is left. */
export class RecoveryChannel {
  readonly #channel: Channel
  readonly #messages: AsyncIterator<Message>

  constructor(channel: Channel) {
    this.#channel = channel
    this.#messages = messagesOf(channel)[Symbol.asyncIterator]()
  }

  /** The whole membership log as that device has it, oldest entry first; not checked. */
  async askLog(): Promise<readonly Uint8Array[]> {
    const answered = await this.#ask({ type: 'getMembership', fromEpoch: 0 })
    if (answered.type !== 'membership') throw this.#unasked(answered)
    return answered.entries
  }

  /**
   * Hands over entries that follow that device's log.
   *
   * @returns its hello: by it, it says how far its log goes now, durably
   * @throws {CellarError} what it refuses them with
   */
  async hand(entries: readonly Uint8Array[]): Promise<Hello> {
    const answered = await this.#ask({ type: 'membership', entries })
    if (answered.type !== 'hello') throw this.#unasked(answered)
    return answered
  }

  /** Ends it. */
  async close(): Promise<void> {
    await this.#channel.close()
  }

  async #ask(message: Message): Promise<Message> {
    await this.#channel.send(encodeMessage(message))
    const next = await this.#messages.next()
    if (next.done === true) throw new CellarError('PEER_GONE', 'the other device hung up')
    const answered = next.value
    if (answered.type === 'error')
      throw new CellarError(answered.code, `the other device refused (${answered.message})`)
    return answered
  }

  #unasked({ type }: Message): CellarError {
    return new CellarError('PEER_PROTOCOL', `a device answered with "${type}", which was not asked for`)
  }
}
