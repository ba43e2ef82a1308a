/** Keeps links to the members: calls those that are not there, sooner or later, without storms (mesh.md §2). */

import { CellarError, type Clock, type DeviceId, isCellarError, type Random } from '../../protocol/index.ts'
import type { Network } from '../network.ts'
import { type CallState, callFailed, callHeard, freshCall, linkLost } from './policy.ts'
import { limitTime } from './time-limit.ts'
import { underAnyOf } from '../signals.ts'

/** What keeping links needs. */
export interface PeersParts {
  readonly network: Network
  readonly clock: Clock
  /** For the spread of the waits. */
  readonly random: Random
  /** Told when an address worked, so that it can be remembered over a restart. */
  onAddresses?(device: DeviceId, addresses: readonly string[]): void
}

/** A member, as far as its link goes. */
export interface PeerStatus {
  readonly device: DeviceId
  readonly isConnected: boolean
  /** Calls that failed since it was last there. */
  readonly failures: number
  /** Running time of the next call. */
  readonly dueMs: number
  /** Why the last call failed. */
  readonly lastError?: CellarError
}

interface Target {
  readonly device: DeviceId
  state: CallState
  upSinceMs?: number
  isCalling: boolean
  lastError?: CellarError | undefined
}

const callMs = 15_000
/** Calls at once: a household that comes home together must not stumble over itself. */
const callsMax = 8
const restMsMax = 3_600_000

/** Keeps a link to each member that can be reached, until closed. */
export class Peers {
  readonly #parts: PeersParts
  readonly #targets = new Map<DeviceId, Target>()
  readonly #ending = new AbortController()
  readonly #offs: (() => void)[]
  readonly #running: Promise<void>
  #wake = new AbortController()
  #calls = 0

  constructor(parts: PeersParts) {
    const { network } = parts
    this.#parts = parts
    this.#offs = [
      network.onPeer((device, state) => {
        this.#onPeer(device, state)
      }),
      network.onFound(({ device }, isNew) => {
        this.#onHeard(device, isNew)
      }),
    ]
    this.#running = this.#run()
  }

  /**
   * Sets whom to keep links to, with addresses remembered or configured for them, and tells the network who is a
   * member: links to others end at once.
   *
   * @param uncalled - members too, but never there to be called: keys on paper
   */
  setMembers(members: ReadonlyMap<DeviceId, readonly string[]>, uncalled: readonly DeviceId[] = []): void {
    const { network } = this.#parts
    network.members(new Set([...members.keys(), ...uncalled]))
    for (const device of [...this.#targets.keys()]) if (!members.has(device)) this.#targets.delete(device)
    for (const [device, addresses] of members) {
      if (device === network.device) continue
      const isNew = network.hint(device, addresses)
      if (this.#targets.has(device)) this.#onHeard(device, isNew)
      else this.#targets.set(device, { device, state: this.#fresh(), isCalling: false })
    }
    this.#poke()
  }

  /** Adds addresses of a member, and calls it soon if one was not known. */
  hint(device: DeviceId, addresses: readonly string[]): void {
    this.#onHeard(device, this.#parts.network.hint(device, addresses))
  }

  /** Calls everyone now who is not there: a person asked, or the network came back. */
  callNow(): void {
    for (const target of this.#targets.values()) target.state = this.#fresh()
    this.#poke()
  }

  /**
   * Every member that is kept in touch with: linked or not, failures in a row, when it is called next
   * (running time).
   */
  status(): PeerStatus[] {
    const up = new Set(this.#parts.network.connected())
    return [...this.#targets].map(([device, { state, lastError }]) => {
      const isConnected = up.has(device)
      const status = { device, isConnected, failures: isConnected ? 0 : state.failures, dueMs: state.dueMs }
      return lastError === undefined || isConnected ? status : { ...status, lastError }
    })
  }

  /** Stops calling; the links stay with the network. Idempotent. */
  async close(): Promise<void> {
    for (const off of this.#offs.splice(0)) off()
    this.#ending.abort(new CellarError('ABORTED', 'no more calls'))
    await this.#running
  }

  #fresh(): CallState {
    return freshCall(this.#parts.clock.monotonicMs())
  }

  #onPeer(device: DeviceId, state: 'up' | 'down'): void {
    const { clock, network } = this.#parts
    const nowMs = clock.monotonicMs()
    const target = this.#targets.get(device)
    if (target === undefined) return
    target.lastError = undefined
    if (state === 'up') target.upSinceMs = nowMs
    else target.state = linkLost(target.state, nowMs, nowMs - (target.upSinceMs ?? nowMs), this.#chance())
    if (state === 'up') this.#parts.onAddresses?.(device, network.addressesOf(device))
    this.#poke()
  }

  #onHeard(device: DeviceId, isNew: boolean): void {
    const target = this.#targets.get(device)
    if (target === undefined || this.#isUp(target)) return
    const { network, clock } = this.#parts
    target.state = callHeard(target.state, {
      own: network.device,
      other: device,
      isNew,
      nowMs: clock.monotonicMs(),
    })
    this.#poke()
  }

  async #run(): Promise<void> {
    const { clock } = this.#parts
    while (!this.#ending.signal.aborted) {
      const wake = this.#wake.signal
      const nowMs = clock.monotonicMs()
      let nextMs = nowMs + restMsMax
      for (const target of this.#targets.values()) {
        if (target.isCalling || this.#isUp(target)) continue
        if (target.state.dueMs > nowMs) nextMs = Math.min(nextMs, target.state.dueMs)
        else if (this.#calls < callsMax) void this.#call(target)
      }
      const sleep = (until: AbortSignal) => clock.sleep(nextMs - nowMs, until)
      await underAnyOf([wake, this.#ending.signal], sleep).catch(() => undefined) // aborted: the loop sees it
    }
  }

  /** Something changed: looks again who is due. */
  #poke(): void {
    const wake = this.#wake
    this.#wake = new AbortController()
    wake.abort(new Error('something changed'))
  }

  async #call(target: Target): Promise<void> {
    const { network, clock } = this.#parts
    target.isCalling = true
    this.#calls += 1
    try {
      await limitTime(clock, callMs, (signal) => network.connect(target.device, signal), this.#ending.signal)
      if (!this.#isUp(target)) throw new CellarError('PEER_GONE', 'the link was lost at once')
    } catch (error) {
      if (this.#ending.signal.aborted) return
      target.lastError = isCellarError(error)
        ? error
        : new CellarError('PEER_GONE', 'no answer', {}, { cause: error })
      target.state = callFailed(target.state, clock.monotonicMs(), this.#chance())
    } finally {
      target.isCalling = false
      this.#calls -= 1
      this.#poke()
    }
  }

  #isUp({ device }: Target): boolean {
    return this.#parts.network.connected().includes(device)
  }

  #chance(): number {
    return (this.#parts.random.bytes(1)[0] ?? 0) / 256
  }
}
