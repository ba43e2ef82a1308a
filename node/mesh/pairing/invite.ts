/** Inviting: shows a code, serves those who try it, and admits the one who knows it (pairing.md §3, §5). */

import {
  CellarError,
  type Clock,
  type DeviceId,
  type ErrorCode,
  errorCodeToWire,
  isCellarError,
  type MeshId,
  type Random,
  ROLE_CAPABILITIES,
  type MachineRole,
  PAIR_PROTOCOL,
} from '../../../protocol/index.ts'
import type { Channel, Network } from '../../network.ts'
import { withoutLoopback } from '../addresses.ts'
import { codeRandomBytes, makeCode, makeToken, type Secret, tokenRandomBytes } from './code.ts'
import { decodePairing, encodePairing, type PairingMessage } from './messages.ts'
import {
  codeTtlMs,
  finished,
  freshInvitation,
  guessedRight,
  guessedWrong,
  type InvitationState,
  refusal,
  tokenTtlMs,
  triesLeft,
} from './policy.ts'
import { InviterTry } from './session.ts'
import { limitTime } from '../time-limit.ts'

/** What a newcomer is admitted as. */
export interface AdmitRequest {
  readonly device: DeviceId
  readonly name: string
  readonly role: MachineRole
  readonly mayForget: boolean
  readonly quotaBytes?: number
}

/** What the node gives for inviting. */
export interface InviterParts {
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly mesh: MeshId
  /** This device's name, as the joiner's person sees it. */
  readonly name: string
  /** 32 bytes; sent to keepers and writers only. A storer has none, and admits nobody. */
  readonly vaultKey?: Uint8Array | undefined
  /**
   * Admits the device, durably, and lets the network know it as a member. Idempotent: for one that is a member
   * already, after an interrupted try, it gives the log as it stands.
   *
   * @returns the whole membership log, oldest entry first
   */
  admit(request: AdmitRequest): Promise<readonly Uint8Array[]>
  /** Where members can be called; default: this device's own addresses. */
  addresses?(): readonly string[]
  /** Tells the person what happens, wrong tries among it. */
  onEvent?(event: PairingEvent): void
}

/** What the inviting person gets to know. */
export type PairingEvent =
  | {
      readonly kind: 'wrong'
      readonly number: string
      readonly device: DeviceId
      readonly triesLeft?: number
    }
  | { readonly kind: 'burned'; readonly number: string }
  | {
      readonly kind: 'proven'
      readonly number: string
      readonly device: DeviceId
      readonly checkWords: readonly string[]
    }
  | ({ readonly kind: 'admitted'; readonly number: string } & Paired)
  | { readonly kind: 'failed'; readonly number: string; readonly device: DeviceId; readonly code: ErrorCode }

/** A device that was admitted. */
export interface Paired {
  readonly device: DeviceId
  readonly name: string
  readonly role: MachineRole
  /** Three words that the other side shows too. */
  readonly checkWords: readonly string[]
  /** Whether the newcomer has said that it stored everything; if not, it may have to be invited again. */
  readonly isConfirmed: boolean
}

/** What is offered, and how. */
export interface InviteOptions {
  readonly role: MachineRole
  readonly mayForget?: boolean
  /** The newcomer's name, instead of the one it gives itself. */
  readonly name?: string
  readonly quotaBytes?: number
  /** Default 15 minutes, for a token 24 hours; by running time. */
  readonly ttlMs?: number
  /** A long token for a device without a keyboard, instead of a code. */
  readonly token?: boolean
}

/** An open invitation. */
export interface Invitation {
  /** What to type, or to put into a file. */
  readonly code: string
  readonly number: string
  readonly kind: 'code' | 'token'
  readonly role: MachineRole
  /** Wall-clock time, for display. */
  readonly expiresAtMs: number
  /** The device admitted. Rejects with `CODE_EXPIRED`, `PAIRING_REFUSED` (burned) or `ABORTED`. */
  readonly done: Promise<Paired>
  /** Takes the invitation back; `done` rejects with `ABORTED` if nobody was admitted yet. */
  cancel(): void
}

interface Open {
  readonly secret: Secret
  readonly options: InviteOptions
  readonly ending: AbortController
  readonly settle: { resolve(paired: Paired): void; reject(error: CellarError): void }
  readonly hide: () => void
  state: InvitationState
  admitted: Paired | undefined
}

/** Time for the exchange before the code is proven: machines only. */
const guessMs = 15_000
/** Time for the rest: the membership log, and storing it. */
const admitMs = 60_000
const sessionsMax = 32

/** All invitations of one node. While one is open, devices that are no members reach pairing, and nothing else. */
export class InvitationDesk {
  readonly #parts: InviterParts
  readonly #open = new Map<string, Open>()
  #sessions = 0
  #endService: (() => void) | undefined

  constructor(parts: InviterParts) {
    this.#parts = parts
  }

  /** Opens an invitation. @throws {CellarError} `NOT_ENTITLED` when this device has no vault key to share */
  invite(options: InviteOptions): Invitation {
    const { network, clock, vaultKey } = this.#parts
    if (vaultKey === undefined && mayRead(options.role)) {
      throw new CellarError('NOT_ENTITLED', `this device cannot read, so it cannot invite a ${options.role}`)
    }
    const secret = this.#draw(options)
    const ttlMs = options.ttlMs ?? (secret.kind === 'token' ? tokenTtlMs : codeTtlMs)
    let settle!: Open['settle']
    const done = new Promise<Paired>((resolve, reject) => (settle = { resolve, reject }))
    done.catch(() => undefined) // who does not wait is not told
    const open: Open = {
      secret,
      options,
      ending: new AbortController(),
      settle,
      hide: network.advertise(secret.number),
      state: freshInvitation(secret.kind, clock.monotonicMs() + ttlMs),
      admitted: undefined,
    }
    this.#open.set(secret.number, open)
    this.#endService ??= network.handle(PAIR_PROTOCOL, 'anyone', (channel, from) =>
      this.#serve(channel, from),
    )
    clock.sleep(ttlMs, open.ending.signal).then(
      () => {
        this.#end(open, new CellarError('CODE_EXPIRED', 'nobody used the code in time'))
      },
      () => undefined,
    )
    return {
      code: secret.text,
      number: secret.number,
      kind: secret.kind,
      role: options.role,
      expiresAtMs: clock.nowMs() + ttlMs,
      done,
      cancel: () => {
        this.#end(open, new CellarError('ABORTED', 'the invitation was taken back'))
      },
    }
  }

  /** Takes all invitations back. */
  close(): void {
    for (const open of [...this.#open.values()])
      this.#end(open, new CellarError('ABORTED', 'the node is being stopped'))
  }

  #draw(options: InviteOptions): Secret {
    const { random, network } = this.#parts
    for (;;) {
      const secret =
        options.token === true
          ? makeToken(random.bytes(tokenRandomBytes), network.device, withoutLoopback(network.addresses()))
          : makeCode(random.bytes(codeRandomBytes))
      if (!this.#open.has(secret.number)) return secret
    }
  }

  #end(open: Open, error: CellarError | undefined): void {
    if (!this.#open.delete(open.secret.number)) return
    open.state = finished(open.state)
    open.hide()
    open.ending.abort(new CellarError('ABORTED', 'the invitation is over'))
    if (this.#open.size === 0) {
      this.#endService?.()
      this.#endService = undefined
    }
    if (open.admitted !== undefined) open.settle.resolve(open.admitted)
    else open.settle.reject(error ?? new CellarError('ABORTED', 'the invitation is over'))
  }

  async #serve(channel: Channel, from: DeviceId): Promise<void> {
    if (this.#sessions >= sessionsMax) {
      await refuse(channel, 'PEER_BUSY')
      return
    }
    this.#sessions += 1
    try {
      const proven = await limitTime(this.#parts.clock, guessMs, (signal) =>
        this.#guess(channel, from, signal),
      )
      if (proven === undefined) return
      await limitTime(this.#parts.clock, admitMs, (signal) => this.#admit(channel, from, proven, signal))
    } finally {
      this.#sessions -= 1
    }
  }

  /** The exchange up to the guess. @returns the try if it was right; the other side has been told if not */
  async #guess(channel: Channel, from: DeviceId, signal: AbortSignal) {
    const { network, random, clock } = this.#parts
    const start = decodePairing(await next(channel, signal), 'start')
    const open = start.type === 'start' ? this.#open.get(start.number) : undefined
    if (open === undefined || start.type === 'refuse') {
      await refuse(channel, 'PAIRING_REFUSED')
      return undefined
    }
    const { number, secret } = open.secret
    const attempt = new InviterTry({ joiner: from, inviter: network.device, number, secret, random })
    const before = refusal(open.state, from, clock.monotonicMs())
    if (before !== undefined) {
      await refuse(channel, before)
      return undefined
    }
    await channel.send(encodePairing(attempt.share(start)))
    const proof = decodePairing(await next(channel, signal), 'proof')
    if (proof.type === 'refuse') return undefined
    // Asked again: meanwhile others may have used it up. From here to the count nothing waits.
    const now = refusal(open.state, from, clock.monotonicMs())
    if (now !== undefined) {
      await refuse(channel, now)
      return undefined
    }
    if (attempt.judge(proof)) {
      open.state = guessedRight(open.state, from)
      this.#tell({ kind: 'proven', number, device: from, checkWords: attempt.checkWords })
      return { open, attempt }
    }
    this.#wrong(open, from)
    await refuse(channel, 'CODE_WRONG')
    return undefined
  }

  #wrong(open: Open, from: DeviceId): void {
    const { number } = open.secret
    open.state = guessedWrong(open.state)
    const left = triesLeft(open.state)
    this.#tell({ kind: 'wrong', number, device: from, ...(left === undefined ? {} : { triesLeft: left }) })
    if (!open.state.isOver) return
    this.#tell({ kind: 'burned', number })
    this.#end(open, new CellarError('PAIRING_REFUSED', 'three wrong tries: the code cannot be used any more'))
  }

  /** The part after the proof: all of it sealed. */
  async #admit(
    channel: Channel,
    from: DeviceId,
    { open, attempt }: { readonly open: Open; readonly attempt: InviterTry },
    signal: AbortSignal,
  ): Promise<void> {
    const { options } = open
    const { number } = open.secret
    const { role, mayForget = false, quotaBytes } = options
    try {
      const { mesh, name: inviterName } = this.#parts
      await channel.send(encodePairing(attempt.welcome({ mesh, role, mayForget, inviterName })))
      const request = decodePairing(await next(channel, signal), 'request')
      if (request.type === 'refuse') return
      // Opened even where its name does not count: each sealed message is one step of the exchange.
      const asked = attempt.request(request)
      const name = options.name ?? asked
      if (open.state.isOver) throw new CellarError('CODE_EXPIRED', 'the invitation is over')
      const entries = await this.#parts.admit({
        device: from,
        name,
        role,
        mayForget,
        ...(quotaBytes === undefined ? {} : { quotaBytes }),
      })
      open.admitted = { device: from, name, role, checkWords: attempt.checkWords, isConfirmed: false }
      this.#tell({ kind: 'admitted', number, ...open.admitted })
      const { vaultKey } = this.#parts
      const addresses = this.#parts.addresses?.() ?? this.#parts.network.addresses()
      const gift = { entries, addresses, ...(mayRead(role) && vaultKey !== undefined ? { vaultKey } : {}) }
      await channel.send(encodePairing(attempt.gift(gift)))
      const thanks = decodePairing(await next(channel, signal), 'thanks')
      if (thanks.type === 'refuse') return
      attempt.thanks(thanks)
      open.admitted = { ...open.admitted, isConfirmed: true }
      this.#end(open, undefined)
    } catch (error) {
      const code = isCellarError(error) ? error.code : 'PEER_ERROR'
      this.#tell({ kind: 'failed', number, device: from, code })
      await refuse(channel, code).catch(() => undefined)
      if (!isCellarError(error)) throw error
    }
  }

  #tell(event: PairingEvent): void {
    this.#parts.onEvent?.(event)
  }
}

function mayRead(role: MachineRole): boolean {
  return ROLE_CAPABILITIES[role].has('read')
}

async function next(channel: Channel, signal: AbortSignal): Promise<Uint8Array> {
  const frame = await channel.receive(signal)
  if (frame === undefined) throw new CellarError('PEER_GONE', 'the other device hung up while pairing')
  return frame
}

async function refuse(channel: Channel, code: ErrorCode): Promise<void> {
  const message: PairingMessage = { type: 'refuse', code: errorCodeToWire(code) }
  await channel.send(encodePairing(message))
}
