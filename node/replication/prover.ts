/** Proves to peers that chunks are here (wire.md §6, replication.md §6), within what each may ask for. */

import {
  CellarError,
  type ChunkId,
  type Clock,
  type DeviceId,
  encodeMessage,
  isCellarError,
  type Message,
  NO_PROOF,
  proofOf,
  type Prove,
} from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import { messagesOf } from '../messages.ts'
import type { Channel } from '../network.ts'
import { pause } from '../pause.ts'

/** What a device may have read for it at once, bytes: the samples of some twenty snapshots. */
const burstBytes = 256 * 1024 * 1024
/** And from then on, bytes a second: a small part of what a slow disk can do. */
const refillBytesPerMs = 4 * 1024
/** What a question costs for each chunk beside its bytes: looking for one that is not there is work too. */
const chunkCostBytes = 32 * 1024

/** How much each device may still have read for its questions (W6.4). */
export class ProofBudgets {
  readonly #clock: Clock
  readonly #spent = new Map<DeviceId, { bytes: number; atMs: number }>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Whether a device may ask on: what is read after that may go beyond by one chunk. */
  mayAsk(device: DeviceId): boolean {
    return this.#spentBy(device) < burstBytes
  }

  /** Notes that a chunk was read, or looked for in vain. */
  spend(device: DeviceId, chunkBytes: number): void {
    const bytes = this.#spentBy(device) + chunkBytes + chunkCostBytes
    this.#spent.set(device, { bytes, atMs: this.#clock.monotonicMs() })
  }

  #spentBy(device: DeviceId): number {
    const spent = this.#spent.get(device)
    if (spent === undefined) return 0
    const left = spent.bytes - (this.#clock.monotonicMs() - spent.atMs) * refillBytesPerMs
    if (left > 0) return left
    this.#spent.delete(device)
    return 0
  }
}

/** What proving stands on. */
export interface ProverParts {
  readonly store: ChunkStore
  readonly budgets: ProofBudgets
  /** This device: it stands in what it proves. */
  readonly self: DeviceId
  /** A chunk read here is bad: it is not proven. */
  bad(id: ChunkId): void
}

/**
 * Answers one peer's questions until its channel ends, one after the other; a peer that asks for more than it may is
 * told so, and its channel ends.
 */
export async function serveProofs(parts: ProverParts, peer: DeviceId, channel: Channel): Promise<void> {
  for await (const message of messagesOf(channel)) {
    if (message.type !== 'prove')
      throw new CellarError('PEER_PROTOCOL', `a peer sent "${message.type}" where it asks for proofs`)
    const answer = await answerTo(parts, peer, message)
    await channel.send(encodeMessage(answer))
    if (answer.type === 'error') return
  }
}

async function answerTo(parts: ProverParts, peer: DeviceId, question: Prove): Promise<Message> {
  const macs: Uint8Array[] = []
  for (const id of question.ids) {
    if (!parts.budgets.mayAsk(peer))
      return { type: 'error', code: 'PEER_BUSY', message: 'more proofs than one device may ask for' }
    const chunk = tryGet(parts, id)
    parts.budgets.spend(peer, chunk?.byteLength ?? 0)
    macs.push(chunk === undefined ? NO_PROOF : proofOf(question.nonce, parts.self, chunk))
    await pause() // each is milliseconds of work: others have their turn in between
  }
  return { type: 'proof', request: question.request, macs }
}

/** The chunk with its hash checked: what has rotted is found by the one who has it, not by the one who asks. */
function tryGet(parts: ProverParts, id: ChunkId): Uint8Array | undefined {
  if (!parts.store.has(id)) return undefined
  try {
    return parts.store.get(id)
  } catch (error) {
    if (!isCellarError(error, 'CHUNK_CORRUPT') && !isCellarError(error, 'CHUNK_NOT_FOUND')) throw error
    parts.bad(id)
    return undefined
  }
}
