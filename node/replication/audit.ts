/** Asks holders to prove that they have what they say, and remembers who did (replication.md §6, R7). */

import {
  AUDIT_PROTOCOL,
  CellarError,
  type ChunkId,
  type Clock,
  decodeFrame,
  type DeviceId,
  encodeMessage,
  isCellarError,
  NO_PROOF,
  PROOF_NONCE_BYTES,
  proofOf,
  proveIdsMax,
  type Random,
  type RootId,
} from '../../protocol/index.ts'
import type { ChunkStore } from '../../storage/index.ts'
import type { Events } from '../events.ts'
import { limitTime } from '../mesh/time-limit.ts'
import type { Channel, Network } from '../network.ts'
import type { Doubts } from '../watching/doubts.ts'
import { sampleChunks } from './sample.ts'

/** A proof is recent for so long, milliseconds of running time. */
export const proofAgeMsMax = 3_600_000
/** Before a holder that failed is asked again about the same root. */
const failedRestMs = 3_600_000
/** Before a holder that could not answer, or had been asked enough, is asked again. */
const busyRestMs = 60_000
/** Longest time for one answer: a slow disk may have to read much. */
const answerMsMax = 120_000

/** What auditing stands on. */
export interface AuditParts {
  readonly store: ChunkStore
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly events: Events
  /** Remembers what could not be proven. @defaultValue nobody does */
  readonly doubts?: Pick<Doubts, 'lacking' | 'note'>
}

/**
 * What asking came to: `later` says that nothing is known, as the holder is away or busy, or as chunks to compare with
 * are not here.
 */
export type AuditOutcome = 'proven' | 'failed' | 'later'

/** Proofs of possession that this device has seen. Kept in memory only: after a restart nobody has proven anything. */
export class Auditor {
  readonly #parts: AuditParts
  /** When a device proved a root, by {@link nameOf}; the oldest first. */
  readonly #proven = new Map<string, number>()
  /** Not to be asked before. */
  readonly #rests = new Map<string, number>()
  /** Devices that had been asked enough, for whatever root. */
  readonly #busy = new Map<DeviceId, number>()
  #request = 0

  constructor(parts: AuditParts) {
    this.#parts = parts
  }

  /** Whether a device has proven lately that it has a root. */
  isProven(device: DeviceId, root: RootId): boolean {
    const atMs = this.#proven.get(nameOf(device, root))
    return atMs !== undefined && this.#parts.clock.monotonicMs() - atMs < proofAgeMsMax
  }

  /** In how many milliseconds a device may be asked about a root: 0 when it may be now. */
  restMs(device: DeviceId, root: RootId): number {
    const untilMs = Math.max(this.#rests.get(nameOf(device, root)) ?? 0, this.#busy.get(device) ?? 0)
    return Math.max(0, untilMs - this.#parts.clock.monotonicMs())
  }

  /**
   * Asks a device to prove that it has a root which is whole here. A device that cannot is told of as trouble.
   *
   * @throws the signal's reason when it is aborted
   */
  async audit(device: DeviceId, root: RootId, signal: AbortSignal): Promise<AuditOutcome> {
    const outcome = await this.#tryAudit(device, root, signal)
    const name = nameOf(device, root)
    const nowMs = this.#parts.clock.monotonicMs()
    this.#proven.delete(name)
    this.#rests.delete(name)
    this.#dropOld(nowMs)
    if (outcome === 'proven') this.#proven.set(name, nowMs)
    else this.#rests.set(name, nowMs + (outcome === 'failed' ? failedRestMs : busyRestMs))
    return outcome
  }

  async #tryAudit(device: DeviceId, root: RootId, signal: AbortSignal): Promise<AuditOutcome> {
    const { clock, events, doubts } = this.#parts
    try {
      const lacking = await limitTime(clock, answerMsMax, (within) => this.#ask(device, root, within), signal)
      await doubts?.note(device, root, lacking)
      events.emit({ kind: 'audited', device, root, outcome: lacking.length === 0 ? 'proven' : 'failed' })
      if (lacking.length === 0) return 'proven'
      const message = `it says that it holds snapshot ${root}, and could not prove ${String(lacking.length)} of its chunks`
      events.emit({ kind: 'trouble', code: 'COPY_UNPROVEN', message, device })
      return 'failed'
    } catch (error) {
      if (signal.aborted || !isCellarError(error)) throw error
      if (error.code === 'PEER_BUSY') this.#busy.set(device, clock.monotonicMs() + busyRestMs)
      if (error.code === 'PEER_PROTOCOL')
        events.emit({ kind: 'trouble', code: error.code, message: error.message, device })
      return 'later'
    }
  }

  /** @returns the chunks of the sample that were not proven */
  async #ask(device: DeviceId, root: RootId, signal: AbortSignal): Promise<ChunkId[]> {
    const { network, random } = this.#parts
    const ids = this.#choose(device, root)
    const nonce = random.bytes(PROOF_NONCE_BYTES) // W6.3
    const request = this.#request++ % 2 ** 32
    const channel = await network.open(device, AUDIT_PROTOCOL, signal)
    try {
      await channel.send(encodeMessage({ type: 'prove', request, nonce, ids }))
      const macs = await receiveProof(channel, request, signal)
      if (macs.length !== ids.length)
        throw new CellarError('PEER_PROTOCOL', 'a peer proved another number of chunks than was asked for')
      return ids.filter((id, at) => !this.#isRight(device, nonce, id, macs[at] as Uint8Array))
    } catch (error) {
      channel.abort(error as Error)
      throw error
    } finally {
      await channel.close()
    }
  }

  /** What it could not prove before is asked for again: a sample drawn by luck elsewhere must not end a doubt. */
  #choose(device: DeviceId, root: RootId): ChunkId[] {
    const { store, random, doubts } = this.#parts
    const again = doubts?.lacking(device, root).filter((id) => store.has(id)) ?? []
    return [...new Set([...again, ...sampleChunks(store, root, random)])].slice(0, proveIdsMax)
  }

  /** W6.2: compared with what the own copy gives, its hash checked; no secret is at stake in how long it takes. */
  #isRight(device: DeviceId, nonce: Uint8Array, id: ChunkId, mac: Uint8Array): boolean {
    if (Buffer.compare(mac, NO_PROOF) === 0) return false
    try {
      return Buffer.compare(proofOf(nonce, device, this.#parts.store.get(id)), mac) === 0
    } catch (error) {
      if (isCellarError(error, 'CHUNK_CORRUPT')) this.#parts.events.emit({ kind: 'bad-chunk', id })
      throw error
    }
  }

  #dropOld(nowMs: number): void {
    for (const [name, atMs] of this.#proven) {
      if (nowMs - atMs < proofAgeMsMax) break
      this.#proven.delete(name)
    }
    for (const [name, untilMs] of this.#rests) {
      if (untilMs > nowMs) break
      this.#rests.delete(name)
    }
  }
}

async function receiveProof(
  channel: Channel,
  request: number,
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  const frame = await channel.receive(signal)
  if (frame === undefined) throw new CellarError('PEER_GONE', 'the peer ended the exchange without a proof')
  const decoded = decodeFrame(frame)
  const message = decoded.kind === 'message' ? decoded.message : undefined
  if (message?.type === 'error')
    throw new CellarError(message.code, `the peer proves nothing now (${message.message})`)
  if (message?.type !== 'proof' || message.request !== request)
    throw new CellarError('PEER_PROTOCOL', 'a peer sent something else than the proof it was asked for')
  return message.macs
}

function nameOf(device: DeviceId, root: RootId): string {
  return `${device}/${root}`
}
