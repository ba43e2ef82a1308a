/** A small mesh in one process: real ledgers, stores in memory, links in memory, the system's clock. */
import {
  admitMember,
  type CellarError,
  type ChunkId,
  foundMesh,
  type Membership,
  type Role,
  type RootId,
  type Signer,
  signerFromSeed,
} from '../../protocol/index.ts'
import { type Catalog, type ChunkStore, memoryCatalog, memoryStore } from '../../storage/index.ts'
import { MemoryHub, memoryNetwork } from '../../node/adapters/memory-network.ts'
import { systemWorld } from '../../node/adapters/system-world.ts'
import { Events, type NodeEvent } from '../../node/events.ts'
import { Ledger } from '../../node/ledger/ledger.ts'
import type { Saying } from '../../node/ledger/own.ts'
import { entryKey } from '../../node/ledger/records.ts'
import type { Network } from '../../node/network.ts'
import { Online } from '../../node/online.ts'
import { testTree } from './chunks.ts'

/** One device of the small mesh. */
export interface TestDevice {
  readonly name: string
  readonly signer: Signer
  readonly catalog: Catalog
  readonly store: ChunkStore
  readonly events: Events
  readonly troubles: NodeEvent[]
  ledger: Ledger
  network?: Network
  online?: Online
}

/** The signer of a device in tests; equal numbers, equal keys. */
export function testSigner(number: number): Signer {
  return signerFromSeed(new Uint8Array(32).fill(number))
}

/** A mesh of a keeper and, behind it, devices of the roles given. */
export function testMembership(roles: readonly Role[]): { membership: Membership; signers: Signer[] } {
  const signers = [testSigner(1), ...roles.map((_, at) => testSigner(at + 2))]
  const keeper = signers[0] as Signer
  let membership = foundMesh(keeper, { name: 'device-1', nonce: new Uint8Array(16), atMs: 0 })
  for (const [at, role] of roles.entries()) {
    const device = (signers[at + 1] as Signer).device
    membership = admitMember(membership, keeper, { device, name: `device-${String(at + 2)}`, role, atMs: 0 })
  }
  return { membership, signers }
}

/** A device that has joined and done nothing yet. */
export async function testDevice(signer: Signer, membership: Membership): Promise<TestDevice> {
  const catalog = memoryCatalog()
  await catalog.batch(
    membership.entries.map((value, epoch) => ({ type: 'put', key: entryKey(epoch), value })),
    { durable: true },
  )
  const events = new Events()
  const troubles: NodeEvent[] = []
  events.on((event) => {
    if (event.kind === 'trouble') troubles.push(event)
  })
  const ledger = await Ledger.open({ catalog, signer, clock: systemWorld.clock, events, program: 'test' })
  return { name: ledger.self.name, signer, catalog, store: memoryStore(), events, troubles, ledger }
}

/** Puts a device among its peers on a hub. */
export function goOnline(hub: MemoryHub, device: TestDevice, clock = systemWorld.clock): Online {
  const network = memoryNetwork(hub, { device: device.signer.device })
  network.members(new Set([...device.ledger.membership.members.keys()]))
  const { ledger, store, events } = device
  device.network = network
  device.online = new Online({ ledger, store, network, ...systemWorld, clock, events })
  device.online.start()
  return device.online
}

/** Ends what `goOnline` began. */
export async function goOffline(device: TestDevice): Promise<void> {
  await device.online?.close()
  await device.network?.close()
}

/** Links two devices. */
export async function link(a: TestDevice, b: TestDevice): Promise<void> {
  const [address] = b.network?.addresses() ?? []
  await a.network?.dial(address ?? '', AbortSignal.timeout(5000))
}

/** Stores, holds and announces a snapshot of `count` chunks. */
export async function announce(device: TestDevice, seed: string, count: number): Promise<ChunkId> {
  const { root, chunks } = testTree(seed, count)
  for (const { id, bytes } of chunks) await device.store.put(id, bytes)
  await device.store.commit()
  await device.store.hold(root.id)
  await device.ledger.announce({ root: root.id, source: new Uint8Array(16), sizeClass: 10 })
  return root.id
}

/** Resolves once something is so, looking again at every event of a device. */
export async function until(device: TestDevice, isSo: () => boolean): Promise<void> {
  const signal = AbortSignal.timeout(10_000)
  while (!isSo()) await device.events.next(() => true, signal)
}

/** What a device says that holds these roots, is not full and does not lean. */
export function saying(...holds: RootId[]): Saying {
  return { holds, isFull: false, leans: false }
}

/** A matcher for `assert.rejects`. */
export function withCode(code: string): (error: CellarError) => boolean {
  return (error) => error.code === code
}

export { MemoryHub }
