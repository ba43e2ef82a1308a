/** Devices that let go of what others hold, one step at a time: real ledgers, stores and shedders, no network. */

import { Events, type NodeEvent } from '../../../../node/events.ts'
import { Reaper } from '../../../../node/deletion/reaper.ts'
import { type Proofs, Shedder } from '../../../../node/deletion/shedder.ts'
import { Ledger } from '../../../../node/ledger/ledger.ts'
import { entryKey } from '../../../../node/ledger/records.ts'
import { heldRoots } from '../../../../node/online.ts'
import {
  changeCopiesGoal,
  type DeviceId,
  goalHolders,
  holdersOf,
  type Membership,
  rankHolders,
  type RootId,
  type Signer,
} from '../../../../protocol/index.ts'
import { type Catalog, type ChunkStore, memoryCatalog, memoryStore } from '../../../../storage/index.ts'
import { testTree } from '../../../support/chunks.ts'
import { testMembership } from '../../../support/mesh.ts'
import { ManualClock } from '../manual-clock.ts'

/** A device; everything but its ledger, store and what is written outlives a crash. */
export interface ShedDevice {
  readonly signer: Signer
  readonly device: DeviceId
  catalog: Catalog
  store: ChunkStore
  events: Events
  ledger: Ledger
  shedder: Shedder
  reaper: Reaper
  readonly troubles: NodeEvent[]
  isFull: boolean
}

const never = () => AbortSignal.timeout(20_000)

/** What wraps the catalog and the store of a device, to make them fail. */
export type Wrap = (given: { catalog: Catalog; store: ChunkStore }) => { catalog: Catalog; store: ChunkStore }

/** A mesh of storing devices with a goal of so many copies; time stands still. */
export class ShedMesh {
  readonly clock = new ManualClock()
  readonly devices: ShedDevice[] = []
  readonly keeper: Signer
  /** Devices that say that they hold what they have not. */
  readonly liars = new Set<DeviceId>()
  /** Who has proven what to whom. */
  readonly proven = new Set<string>()
  /** How often a device was asked. */
  asked = 0
  membership: Membership

  private constructor(membership: Membership, keeper: Signer) {
    this.membership = membership
    this.keeper = keeper
  }

  /** @param count - devices, the first a keeper, the others storers that may be given more */
  static async open(count: number, goal: number): Promise<ShedMesh> {
    const { membership, signers } = testMembership(Array.from({ length: count - 1 }, () => 'writer' as const))
    const keeper = signers[0] as Signer
    const mesh = new ShedMesh(changeCopiesGoal(membership, keeper, { copiesGoal: goal, atMs: 0 }), keeper)
    for (const signer of signers) await mesh.add(signer)
    return mesh
  }

  /** A device that has joined. */
  async add(signer: Signer, membership = this.membership): Promise<ShedDevice> {
    const catalog = memoryCatalog()
    await catalog.batch(
      membership.entries.map((value, epoch) => ({ type: 'put', key: entryKey(epoch), value })),
      { durable: true },
    )
    const added = await this.#assemble(signer, catalog, memoryStore())
    this.devices.push(added)
    return added
  }

  /** The program of a device dies, and another begins with what is on its disk. */
  async restart(one: ShedDevice, wrap: Wrap = (given) => given): Promise<void> {
    const { catalog, store } = wrap(one)
    for (const key of [...this.proven]) if (key.startsWith(one.device)) this.proven.delete(key)
    const { ledger, shedder, reaper, events } = await this.#assemble(one.signer, catalog, store)
    Object.assign(one, { ledger, shedder, reaper, events })
  }

  /** The devices by the ranking of a root: those that should hold it come first. */
  ranked(root: RootId): ShedDevice[] {
    const ranking = rankHolders(this.membership, root)
    return ranking.flatMap((device) => this.devices.filter((one) => one.device === device))
  }

  /** Takes a longer membership log over, at some devices or all. */
  async changeMembership(next: Membership, at: readonly ShedDevice[] = this.devices): Promise<void> {
    this.membership = next
    for (const { ledger } of at) await ledger.acceptMembership(next.entries)
  }

  /** A snapshot of one device; each of a source of its own, unless said. */
  async announce(one: ShedDevice, seed: string, source = seed): Promise<RootId> {
    const root = await this.hold(one, seed)
    await one.ledger.announce({ root, source: sourceOf(source), sizeClass: 10 })
    return root
  }

  /** A device comes to hold a snapshot. */
  async hold({ store }: ShedDevice, seed: string): Promise<RootId> {
    const { root, chunks } = testTree(seed, 6)
    for (const { id, bytes } of chunks) await store.put(id, bytes)
    await store.commit()
    await store.hold(root.id)
    return root.id
  }

  /** A device signs what is new. */
  async publish(one: ShedDevice): Promise<void> {
    await one.ledger.publish({ holds: heldRoots(one.store), isFull: one.isFull, leans: false })
  }

  /** A device hears all that another knows. */
  async tell(from: ShedDevice, to: ShedDevice): Promise<void> {
    await to.ledger.acceptMembership(from.ledger.membership.entries).catch(() => undefined)
    for (const name of from.ledger.heads()) {
      const fromSeq = to.ledger.newerFrom(name)
      if (fromSeq === undefined) continue
      const { heads, body } = from.ledger.listingSince({ ...name, fromSeq, tip: name.hash })
      await to.ledger.acceptListing(heads, body)
    }
  }

  /** All publish and hear one another, so many times. */
  async gossip(rounds = 2, among: readonly ShedDevice[] = this.devices): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      for (const one of among) await this.publish(one)
      for (const from of among) for (const to of among) if (from !== to) await this.tell(from, to)
    }
  }

  /** A device goes on with letting go. */
  async step(one: ShedDevice): Promise<void> {
    await one.shedder.step(never())
  }

  /** Everyone goes on with everything, again and again. */
  async settle(rounds = 6, among: readonly ShedDevice[] = this.devices): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      for (const one of among) {
        await this.step(one)
        await one.reaper.reap({ signal: never() })
      }
      await this.gossip(1, among)
      await this.clock.advance(61_000)
    }
  }

  /** Devices that have a root whole, whatever they say. */
  whole(root: RootId): ShedDevice[] {
    return this.devices.filter(({ store, device }) => store.isComplete(root) && !this.liars.has(device))
  }

  /** Devices that keep a root: whole, and marked as held. */
  keeping(root: RootId): ShedDevice[] {
    return this.whole(root).filter(({ store }) => store.isHeld(root))
  }

  /** Who says that he holds a root, as one device knows. */
  said(by: ShedDevice, root: RootId): DeviceId[] {
    return holdersOf(by.ledger.view, by.ledger.membership, root)
  }

  /** Who should hold a root. */
  goal(root: RootId): DeviceId[] {
    return goalHolders(this.membership, root)
  }

  async #assemble(signer: Signer, catalog: Catalog, store: ChunkStore): Promise<ShedDevice> {
    const events = new Events()
    const troubles: NodeEvent[] = []
    events.on((event) => {
      if (event.kind === 'trouble') troubles.push(event)
    })
    const { clock } = this
    const ledger = await Ledger.open({ catalog, signer, clock, events, program: 'test' })
    const connected = () =>
      this.devices.map(({ device }) => device).filter((device) => device !== signer.device)
    const proofs = this.#proofsOf(signer.device)
    const shedder = new Shedder({ ledger, store, clock, events, proofs, connected })
    const reaper = new Reaper({
      ledger,
      store,
      clock,
      events,
      settings: { holdWindowMs: 0, floorAgeMs: 0, floorNewest: 0 },
      isStoreInUse: () => false,
      publish: async () => {
        await ledger.publish({ holds: heldRoots(store), isFull: false, leans: false })
        return true
      },
      pauseFetching: (step) => step(),
    })
    const device = signer.device
    return { signer, device, catalog, store, events, ledger, shedder, reaper, troubles, isFull: false }
  }

  #proofsOf(asker: DeviceId): Proofs {
    const name = (device: DeviceId, root: RootId) => `${asker}/${device}/${root}`
    return {
      isProven: (device, root) => this.proven.has(name(device, root)),
      restMs: () => 0,
      audit: (device, root) => {
        this.asked++
        const holder = this.devices.find((one) => one.device === device)
        const isWhole = holder?.store.isComplete(root) === true && !this.liars.has(device)
        if (isWhole) this.proven.add(name(device, root))
        return Promise.resolve(isWhole ? 'proven' : 'failed')
      },
    }
  }
}

function sourceOf(name: string): Uint8Array {
  return new Uint8Array(Buffer.from(name.padEnd(16, '.')).subarray(0, 16))
}

/** Copies that a scene wants. */
export const goal = 2

/** A root that its goal's devices hold, announced by the first of them, and further ones that need not. */
export interface Scene {
  readonly mesh: ShedMesh
  readonly root: RootId
  /** Those that should hold it. */
  readonly first: ShedDevice
  readonly second: ShedDevice
  /** Those that hold it besides. */
  readonly third: ShedDevice
  readonly fourth: ShedDevice
}

/** Makes one; the others that hold the root follow in the ranking. */
export async function scene(options: { holders?: number; devices?: number } = {}): Promise<Scene> {
  const mesh = await ShedMesh.open(options.devices ?? 4, goal)
  // What is announced last by its source is never let go by its owner: so the first announces it.
  const owner = mesh.devices[0] as ShedDevice
  let seed = 0
  let root = await mesh.hold(owner, `root ${String(seed)}`)
  while (mesh.ranked(root)[0] !== owner) {
    await owner.store.release(root)
    root = await mesh.hold(owner, `root ${String(++seed)}`)
  }
  await mesh.announce(owner, `root ${String(seed)}`)
  const ranked = mesh.ranked(root) as [ShedDevice, ShedDevice, ShedDevice, ShedDevice]
  for (const one of ranked.slice(1, options.holders ?? 3)) await mesh.hold(one, `root ${String(seed)}`)
  await mesh.gossip()
  const [first, second, third, fourth] = ranked
  return { mesh, root, first, second, third, fourth }
}
