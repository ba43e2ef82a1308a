/** Joining: finds the inviter of a code, proves to know it, and takes what makes a member (pairing.md §3). */

import {
  CellarError,
  type Clock,
  type DeviceId,
  deviceNameBytesMax,
  type ErrorCode,
  isCellarError,
  type MeshId,
  type Random,
  ROLE_CAPABILITIES,
  type MachineRole,
  PAIR_PROTOCOL,
} from '../../../protocol/index.ts'
import type { Channel, Network } from '../../network.ts'
import { fingerprintOf, readSecret, type Secret } from './code.ts'
import { decodePairing, encodePairing } from './messages.ts'
import { JoinerTry } from './session.ts'
import { limitTime } from '../time-limit.ts'
import { anyOf } from '../../signals.ts'

/** What the node gives for joining. */
export interface JoinerParts {
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  /**
   * Checks and stores what was given, durably, before the inviter is told that it arrived. When it throws, nothing
   * is told; joining again, with the same or a new code, gives the same.
   */
  keep(joined: Joined): Promise<void>
  /** The code was right: what is offered, before anything is stored. */
  onTerms?(terms: Pick<Joined, 'inviter' | 'inviterName' | 'role' | 'mayForget' | 'checkWords'>): void
}

/** What is typed. */
export interface JoinOptions {
  /** A code or a token. */
  readonly code: string
  /** This device's name: 1 .. 64 bytes. */
  readonly name: string
  /** Where to call, instead of looking on the local network: HOST:PORT or multiaddrs. */
  readonly at?: readonly string[]
  /** How long to look on the local network; default 20 s. */
  readonly seekMs?: number
}

/** What joining gave. */
export interface Joined {
  readonly mesh: MeshId
  readonly role: MachineRole
  readonly mayForget: boolean
  readonly inviter: DeviceId
  readonly inviterName: string
  /** The membership log, oldest first; not checked yet: `openMembership` does. */
  readonly entries: readonly Uint8Array[]
  /** 32 bytes; for those who may read. */
  readonly vaultKey?: Uint8Array
  /** Multiaddrs of members. */
  readonly addresses: readonly string[]
  /** Three words that the inviter shows too. */
  readonly checkWords: readonly string[]
}

const seekMsDefault = 20_000
/** Time to look for another inviter of the same number after one did not take the code. */
const seekOnMs = 2000
/** Each device tried may be one that guesses: so many at most. */
const guessesMax = 3
const dialMs = 15_000
const tryMs = 75_000

/**
 * Joins a mesh.
 *
 * @throws {CellarError} `CODE_WRONG`, `CODE_EXPIRED`, `PAIRING_REFUSED`, `NO_PEER` when the inviter is not found,
 *   `PEER_GONE`, `USAGE`, and what `keep` throws
 */
export async function join(parts: JoinerParts, options: JoinOptions, signal: AbortSignal): Promise<Joined> {
  const nameBytes = Buffer.byteLength(options.name)
  if (nameBytes === 0 || nameBytes > deviceNameBytesMax)
    throw new CellarError('USAGE', 'a name has 1 to 64 bytes')
  const secret = readSecret(options.code)
  const stop = new AbortController()
  const either = anyOf([signal, stop.signal])
  const failures: CellarError[] = []
  let guesses = 0
  try {
    for await (const address of candidates(parts, secret, options, either, failures)) {
      try {
        return await tryAt(parts, secret, options.name, address, signal, () => (guesses += 1))
      } catch (error) {
        signal.throwIfAborted()
        if (!isCellarError(error) || !mayGoOn(error.code)) throw error
        failures.push(error)
        if (guesses >= guessesMax) break
      }
    }
    signal.throwIfAborted()
    throw worst(failures, secret.number)
  } finally {
    stop.abort(new Error('done'))
    either.clear()
  }
}

/** Failures after which another device may be the right one. */
function mayGoOn(code: ErrorCode): boolean {
  return [
    'CODE_WRONG',
    'CODE_EXPIRED',
    'PAIRING_REFUSED',
    'PEER_GONE',
    'PEER_PROTOCOL',
    'NOT_A_MEMBER',
  ].includes(code)
}

/** The failure that says most. */
function worst(failures: readonly CellarError[], number: string): CellarError {
  for (const code of ['CODE_WRONG', 'CODE_EXPIRED', 'PAIRING_REFUSED'] as const) {
    const found = failures.find((failure) => failure.code === code)
    if (found !== undefined) return found
  }
  const last = failures.at(-1)
  if (last?.code === 'NOT_A_MEMBER') return new CellarError('PAIRING_REFUSED', 'no invitation is open there')
  return (
    last ??
    new CellarError(
      'NO_PEER',
      `no device on this network has an invitation ${number}; give its address with --at`,
    )
  )
}

/** Addresses to try, one after the other: those given, those in a token, then what is heard on the local network. */
async function* candidates(
  { network, clock }: JoinerParts,
  secret: Secret,
  options: JoinOptions,
  signal: AbortSignal,
  failures: readonly CellarError[],
): AsyncGenerator<string> {
  if (options.at !== undefined && options.at.length > 0) {
    yield* options.at
    return
  }
  yield* secret.addresses ?? []
  const over = new AbortController()
  const either = anyOf([signal, over.signal])
  const wait = async (ms: number) => {
    await clock.sleep(ms, either)
    over.abort(new Error('looked long enough'))
  }
  wait(options.seekMs ?? seekMsDefault).catch(() => undefined)
  try {
    for await (const { device, addresses } of network.seek(secret.number, either)) {
      for (const address of addresses) {
        const before = failures.length
        yield `${address}/p2p/${device}`
        // A device that answered is not asked again at its other addresses.
        if (failures.length > before && failures.at(-1)?.code !== 'PEER_GONE') break
      }
      if (failures.some((failure) => failure.code !== 'PEER_GONE')) wait(seekOnMs).catch(() => undefined)
    }
  } finally {
    over.abort(new Error('done'))
    either.clear()
  }
}

async function tryAt(
  parts: JoinerParts,
  secret: Secret,
  name: string,
  address: string,
  signal: AbortSignal,
  onGuess: () => void,
): Promise<Joined> {
  const { network, clock } = parts
  const inviter = await limitTime(clock, dialMs, (until) => network.dial(address, until, 'guest'), signal)
  if (secret.fingerprint !== undefined && Buffer.compare(secret.fingerprint, fingerprintOf(inviter)) !== 0) {
    throw new CellarError('PAIRING_REFUSED', 'the device that answered is not the one that made the token')
  }
  const channel = await limitTime(
    clock,
    dialMs,
    (until) => network.open(inviter, PAIR_PROTOCOL, until),
    signal,
  )
  try {
    const work = (until: AbortSignal) => exchange(parts, secret, name, inviter, channel, until, onGuess)
    return await limitTime(clock, tryMs, work, signal)
  } catch (error) {
    channel.abort(error as Error)
    throw error
  }
}

async function exchange(
  parts: JoinerParts,
  { number, secret }: Secret,
  name: string,
  inviter: DeviceId,
  channel: Channel,
  signal: AbortSignal,
  onGuess: () => void,
): Promise<Joined> {
  const { network, random } = parts
  const attempt = new JoinerTry({ joiner: network.device, inviter, number, secret, random })
  await channel.send(encodePairing(attempt.start()))
  const proof = attempt.prove(decodePairing(await next(channel, signal), 'share'))
  onGuess()
  await channel.send(encodePairing(proof))
  const { terms, checkWords } = attempt.welcome(decodePairing(await next(channel, signal), 'welcome'))
  parts.onTerms?.({ ...terms, inviter, checkWords })
  await channel.send(encodePairing(attempt.request(name)))
  const gift = attempt.gift(decodePairing(await next(channel, signal), 'gift'))
  if (ROLE_CAPABILITIES[terms.role].has('read') !== (gift.vaultKey !== undefined)) {
    throw new CellarError('PEER_PROTOCOL', `the inviter sent a ${terms.role} what does not fit its role`)
  }
  const joined: Joined = { ...terms, ...gift, inviter, checkWords }
  await parts.keep(joined)
  await channel.send(encodePairing(attempt.thanks()))
  await channel.close()
  // The inviter closes once it has read the thanks; if it does not, it will see us as a member anyway.
  await channel.receive(signal).catch(() => undefined)
  return joined
}

async function next(channel: Channel, signal: AbortSignal): Promise<Uint8Array> {
  const frame = await channel.receive(signal)
  if (frame === undefined) throw new CellarError('PEER_GONE', 'the inviting device hung up')
  return frame
}
