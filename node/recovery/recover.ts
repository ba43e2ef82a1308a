/** Gets back in with the recovery phrase, when all devices that read are gone (node/spec/recovery.md §3). */

import {
  CellarError,
  type Clock,
  type DeviceId,
  isCellarError,
  type Membership,
  openMembership,
  type Random,
  RECOVER_PROTOCOL,
  type Signer,
} from '../../protocol/index.ts'
import type { RecoverEvent } from '../api-recovery.ts'
import { readAddress } from '../mesh/addresses.ts'
import { limitTime } from '../mesh/time-limit.ts'
import type { Network } from '../network.ts'
import { RecoveryChannel } from './exchange.ts'
import type { PaperKey } from './paper-key.ts'
import { planRecovery, type RecoveryPlan, unknownPhrase } from './plan.ts'
import { anyOf } from '../signals.ts'

/** What recovering stands on. */
export interface RecoverParts {
  /** Of the paper device. */
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly paper: PaperKey
  /** Of the new device. */
  readonly signer: Signer
  readonly name: string
  /** Where to call; empty: whoever is heard of on the local network. */
  readonly at: readonly string[]
  /** The log that an earlier try signed, which somebody may have. */
  readonly begun: Membership | undefined
  /** Remembers a log, durably, before anybody is given it. */
  readonly remember: (membership: Membership) => Promise<void>
  /** Is told how far it is. */
  readonly onEvent: (event: RecoverEvent) => void
  /** How long to listen on the local network, milliseconds. @defaultValue 20 s */
  readonly seekMs?: number
}

/** What it came to. */
export interface Found extends RecoveryPlan {
  /** Who gave the log and took the new entries, and its address with its id. */
  readonly from: DeviceId
  readonly address: string
}

const seekMsDefault = 20_000
const dialMs = 15_000
const talkMs = 60_000

/** Devices on the local network that are asked: anybody there may answer. */
const candidatesMax = 32

/**
 * Finds a device that is left and is let in by it. Once this resolves, that device has the new entries durably.
 *
 * @throws {CellarError} `PHRASE_WRONG` when devices answered and none knows the phrase; `NO_PEER`, `PEER_GONE`; and as
 *   {@link planRecovery}
 */
export async function recoverOver(parts: RecoverParts, signal: AbortSignal): Promise<Found> {
  const { onEvent } = parts
  const stop = new AbortController()
  const either = anyOf([signal, stop.signal])
  const failures: CellarError[] = []
  let tried = 0
  onEvent({ message_type: 'recovering', step: 'looking' })
  try {
    for await (const address of candidates(parts, either)) {
      if (++tried > candidatesMax) break
      try {
        onEvent({ message_type: 'recovering', step: 'asking', address })
        return await tryAt(parts, address, signal)
      } catch (error) {
        signal.throwIfAborted()
        if (!isCellarError(error) || !mayGoOn(error)) throw error
        failures.push(error)
      }
    }
    signal.throwIfAborted()
    throw worst(failures)
  } finally {
    stop.abort(new CellarError('ABORTED', 'somebody was found'))
    either.clear()
  }
}

/** Failures after which another device may be the right one. */
function mayGoOn({ code }: CellarError): boolean {
  return ['PHRASE_WRONG', 'PEER_GONE', 'PEER_PROTOCOL', 'NOT_A_MEMBER', 'MEMBERSHIP_INVALID'].includes(code)
}

function worst(failures: readonly CellarError[]): CellarError {
  const told = failures.find(({ code }) => code === 'PHRASE_WRONG') ?? failures.at(-1)
  const nobody = 'no device of a mesh was heard of on this network; give the address of one with --at'
  return told ?? new CellarError('NO_PEER', nobody)
}

/** Addresses to try, one after the other. */
async function* candidates(parts: RecoverParts, signal: AbortSignal): AsyncGenerator<string> {
  const { network, clock, at, seekMs = seekMsDefault } = parts
  if (at.length > 0) {
    yield* at
    return
  }
  const over = new AbortController()
  const either = anyOf([signal, over.signal])
  clock.sleep(seekMs, either).then(
    () => {
      over.abort(new CellarError('ABORTED', 'looked long enough'))
    },
    () => undefined,
  )
  const asked = new Set<DeviceId>()
  try {
    for await (const { device, addresses } of network.seek(undefined, either)) {
      if (asked.has(device)) continue
      asked.add(device)
      for (const address of addresses) yield withDevice(address, device)
    }
  } finally {
    over.abort(new CellarError('ABORTED', 'done'))
    either.clear()
  }
}

async function tryAt(parts: RecoverParts, at: string, signal: AbortSignal): Promise<Found> {
  const { network, clock } = parts
  const from = await limitTime(clock, dialMs, (until) => network.dial(at, until, 'guest'), signal).catch(
    (error: unknown) => {
      throw isCellarError(error, 'NOT_A_MEMBER') ? unknownPhrase() : error
    },
  )
  const channel = await limitTime(
    clock,
    dialMs,
    (until) => network.open(from, RECOVER_PROTOCOL, until),
    signal,
  )
  const recovery = new RecoveryChannel(channel)
  const onEnd = (): void => {
    channel.abort(new CellarError('ABORTED', 'recovering was broken off'))
  }
  signal.addEventListener('abort', onEnd)
  try {
    const plan = await limitTime(clock, talkMs, () => talk(parts, recovery, from), signal)
    return { ...plan, from, address: withDevice(readAddress(at), from) }
  } catch (error) {
    channel.abort(error as Error)
    throw error
  } finally {
    signal.removeEventListener('abort', onEnd)
    await recovery.close()
  }
}

async function talk(parts: RecoverParts, recovery: RecoveryChannel, from: DeviceId): Promise<RecoveryPlan> {
  const { onEvent, paper, signer, name, random, clock } = parts
  const log = openMembership(await recovery.askLog())
  const newcomer = { paper, signer, name, random, atMs: clock.nowMs() }
  const plan = planRecovery(log, from, newcomer, parts.begun)
  onEvent({ message_type: 'recovering', step: 'opened' })
  const { membership } = plan
  // Before anybody has it: after a crash the same entries are given again, and not others in their place.
  await parts.remember(membership)
  const news = membership.entries.slice(log.entries.length)
  if (news.length > 0) {
    const { membershipHead } = await recovery.hand(news)
    if (membershipHead !== membership.headHash)
      throw new CellarError('MEMBERSHIP_FORK', 'the other device has another membership than it was given')
  }
  onEvent({ message_type: 'recovering', step: 'admitted' })
  return plan
}

function withDevice(address: string, device: DeviceId): string {
  return address.includes('/p2p/') ? address : `${address}/p2p/${device}`
}
