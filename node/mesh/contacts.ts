/**
 * Whom to keep links to, and where they may be: the members, with the addresses remembered, told and configured
 * (mesh.md §2).
 */

import {
  CellarError,
  type Clock,
  type DeviceId,
  isCellarError,
  machinesOf,
  papersOf,
  type Random,
} from '../../protocol/index.ts'
import type { Catalog } from '../../storage/index.ts'
import type { Events } from '../events.ts'
import type { Ledger } from '../ledger/ledger.ts'
import type { Network } from '../network.ts'
import { loadAddresses, saveAddresses } from './address-store.ts'
import { deviceOfAddress } from './addresses.ts'
import { Peers } from './peers.ts'
import { callFailed, freshCall } from './policy.ts'
import { underAnyOf } from '../signals.ts'

/** An address whose device is linked is looked after so often, milliseconds. */
const lookAgainMs = 5000
const dialMs = 15_000

/** What this room stands on. */
export interface ContactsParts {
  readonly network: Network
  readonly ledger: Ledger
  readonly clock: Clock
  readonly random: Random
  readonly events: Events
  /** Where addresses are remembered over a restart. */
  readonly addresses: Catalog
  /** Multiaddrs from the settings, with or without a device id. */
  readonly configured: readonly string[]
}

/** Keeps links to the members; owns nothing but its own calls. */
export class Contacts {
  readonly #parts: ContactsParts
  readonly #known: Map<DeviceId, readonly string[]>
  readonly #peers: Peers
  readonly #end = new AbortController()
  readonly #off: () => void
  /** Bare addresses that are called, and how to stop. */
  readonly #called = new Map<string, AbortController>()
  readonly #calls = new Set<Promise<void>>()
  #saving: Promise<void> = Promise.resolve()
  #epoch = -1

  private constructor(parts: ContactsParts, known: Map<DeviceId, readonly string[]>) {
    this.#parts = parts
    this.#known = known
    this.#peers = new Peers({
      network: parts.network,
      clock: parts.clock,
      random: parts.random,
      onAddresses: (device, addresses) => {
        this.#remember(device, addresses)
      },
    })
    this.#tellMembers()
    this.#off = parts.events.on((event) => {
      if (event.kind === 'view') this.#tellMembers()
    })
    this.#callBare(parts.configured)
  }

  /** Begins to keep links. */
  static async open(parts: ContactsParts): Promise<Contacts> {
    const known = await loadAddresses(parts.addresses)
    putFirst(known, parts.configured)
    return new Contacts(parts, known)
  }

  /** Takes other addresses from the settings: new ones are called at once, others no more; links that stand stay. */
  configure(configured: readonly string[]): void {
    if (this.#end.signal.aborted) return
    putFirst(this.#known, configured)
    this.#callBare(configured)
    this.#epoch = -1
    this.#tellMembers()
  }

  /** Calls everyone who is not there, now. */
  callNow(): void {
    this.#peers.callNow()
  }

  /** Where a device was last known to be. */
  addressesOf(device: DeviceId): readonly string[] {
    const now = this.#parts.network.addressesOf(device)
    return now.length > 0 ? now : (this.#known.get(device) ?? [])
  }

  /** Ends calling and waits for what is being written. */
  async close(): Promise<void> {
    this.#off()
    this.#end.abort(new CellarError('ABORTED', 'no more calls'))
    await this.#peers.close()
    await Promise.all([...this.#calls, this.#saving])
  }

  /** Calls those addresses that say no device, and no others. */
  #callBare(configured: readonly string[]): void {
    const bare = new Set(configured.filter((address) => deviceOfAddress(address) === undefined))
    for (const [address, end] of this.#called) {
      if (bare.has(address)) continue
      this.#called.delete(address)
      end.abort(new CellarError('ABORTED', 'the settings name it no more'))
    }
    for (const address of bare) {
      if (this.#called.has(address)) continue
      const end = new AbortController()
      this.#called.set(address, end)
      const keepCalling = (signal: AbortSignal) => this.#keepCalling(address, signal)
      const calls = underAnyOf([this.#end.signal, end.signal], keepCalling).finally(() => {
        this.#calls.delete(calls)
      })
      this.#calls.add(calls)
    }
  }

  /** Who is a member decides who may link: a removed device is cut off at once. */
  #tellMembers(): void {
    const { membership } = this.#parts.ledger
    if (membership.epoch === this.#epoch) return
    this.#epoch = membership.epoch
    const targets = machinesOf(membership).map(
      ({ device }) => [device, this.#known.get(device) ?? []] as const,
    )
    this.#peers.setMembers(
      new Map(targets),
      papersOf(membership).map(({ device }) => device),
    )
  }

  #remember(device: DeviceId, addresses: readonly string[]): void {
    if (addresses.length === 0 || addresses.join('\n') === this.#known.get(device)?.join('\n')) return
    this.#known.set(device, addresses)
    this.#saving = this.#saving
      .then(() => saveAddresses(this.#parts.addresses, device, addresses))
      .catch((error: unknown) => {
        // Nobody waits for this, and a full disk is no reason to lose a link: an address is found again.
        const code = isCellarError(error) ? error.code : 'INTERNAL'
        this.#parts.events.emit({ kind: 'trouble', code, message: (error as Error).message })
      })
  }

  /** An address without a device id: whoever answers there, if it is a member, is kept a link to. */
  async #keepCalling(address: string, signal: AbortSignal): Promise<void> {
    const { network, clock, random } = this.#parts
    let device: DeviceId | undefined
    let state = freshCall(clock.monotonicMs())
    const isEnded = () => signal.aborted
    while (!isEnded()) {
      if (device === undefined || !network.connected().includes(device)) {
        try {
          const dial = (until: AbortSignal) => network.dial(address, until)
          device = await underAnyOf([signal, AbortSignal.timeout(dialMs)], dial)
          network.hint(device, [address])
          state = freshCall(clock.monotonicMs() + lookAgainMs)
        } catch (error) {
          if (isEnded()) return
          if (!isCellarError(error) && !(error instanceof DOMException)) throw error
          device = undefined
          state = callFailed(state, clock.monotonicMs(), (random.bytes(1)[0] ?? 0) / 256)
        }
      } else state = freshCall(clock.monotonicMs() + lookAgainMs)
      // Aborted: the loop sees it.
      await clock.sleep(Math.max(state.dueMs - clock.monotonicMs(), 250), signal).catch(() => undefined)
    }
  }
}

/** What a person has set is tried before what is remembered. */
function putFirst(known: Map<DeviceId, readonly string[]>, configured: readonly string[]): void {
  for (const address of configured) {
    const device = deviceOfAddress(address)
    if (device === undefined) continue
    known.set(device, [address, ...(known.get(device) ?? []).filter((other) => other !== address)])
  }
}
