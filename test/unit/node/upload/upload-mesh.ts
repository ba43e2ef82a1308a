/** A laptop that may lean and devices that store, in one process: what uploads are tried on. */
import {
  changeMember,
  type ChunkId,
  type Clock,
  type DeviceId,
  type Membership,
  type Signer,
} from '../../../../protocol/index.ts'
import { type Catalog, type ChunkStore, memoryCatalog, memoryStore } from '../../../../storage/index.ts'
import { type MemoryKeyValue, memoryKeyValue } from '../../../../storage/memory-key-value.ts'
import { memoryNetwork } from '../../../../node/adapters/memory-network.ts'
import { systemWorld } from '../../../../node/adapters/system-world.ts'
import type { StagedChunk } from '../../../../node/backup/staging.ts'
import { Reaper } from '../../../../node/deletion/reaper.ts'
import { Events } from '../../../../node/events.ts'
import { Ledger } from '../../../../node/ledger/ledger.ts'
import { entryKey } from '../../../../node/ledger/records.ts'
import type { Network } from '../../../../node/network.ts'
import { UploadKeeper } from '../../../../node/upload/keeper.ts'
import { OwnUploads } from '../../../../node/upload/own.ts'
import type { SessionUpload } from '../../../../node/upload/session.ts'
import { UPLOAD_PROTOCOL } from '../../../../protocol/index.ts'
import { testChunk, type TestChunk } from '../../../support/chunks.ts'
import { MemoryHub, saying, testMembership } from '../../../support/mesh.ts'

/** One device. */
export interface UploadDevice {
  readonly device: DeviceId
  readonly ledger: Ledger
  readonly events: Events
  /** Under the catalog: a test may have it fail. */
  readonly map: MemoryKeyValue
  readonly catalog: Catalog
  readonly store: ChunkStore
  readonly network: Network
  readonly keeper: UploadKeeper
  readonly own: OwnUploads
  readonly reaper: Reaper
  /** What it says of its room; a test may set it. */
  room: { isFull: boolean; failed(): void }
  close(): Promise<void>
}

/** The mesh: device 0 is a keeper that stores, device 1 the laptop, the others store. */
export interface UploadMesh {
  readonly hub: MemoryHub
  readonly membership: Membership
  readonly laptop: UploadDevice
  readonly holders: readonly UploadDevice[]
  /** Opens a device anew over what it had on its disk. */
  restart(device: UploadDevice): Promise<UploadDevice>
  link(a: UploadDevice, b: UploadDevice): Promise<void>
  close(): Promise<void>
}

/** What one device is opened from. */
interface DeviceGiven {
  readonly hub: MemoryHub
  readonly membership: Membership
  readonly signer: Signer
  readonly clock: Clock
  readonly quotaBytes: number | undefined
}

/** Opens one device, anew or over what it had on its disk. */
async function openDevice(given: DeviceGiven, before?: UploadDevice): Promise<UploadDevice> {
  const { hub, membership, signer, clock, quotaBytes } = given
  const map = before?.map ?? memoryKeyValue()
  const catalog = before?.catalog ?? memoryCatalog(map)
  if (before === undefined) {
    await catalog.sub('ledger').batch(
      membership.entries.map((value, epoch) => ({ type: 'put', key: entryKey(epoch), value }) as const),
      { durable: true },
    )
  }
  const store = before?.store ?? memoryStore(quotaBytes === undefined ? {} : { quotaBytes })
  const events = new Events()
  const { random } = systemWorld
  const ledger = await Ledger.open({
    catalog: catalog.sub('ledger'),
    signer,
    clock,
    events,
    program: 'test',
  })
  const network = memoryNetwork(hub, { device: signer.device })
  network.members(new Set(membership.members.keys()))
  const keeper = await UploadKeeper.open({ catalog: catalog.sub('uploads'), ledger, store, clock, events })
  const connect = () => Promise.resolve({ network })
  const own = await OwnUploads.open({
    ...{ catalog: catalog.sub('own-uploads'), ledger, store, clock, random, events, connect },
  })
  const reaper = new Reaper({
    ...{ ledger, store, clock, events },
    settings: { holdWindowMs: 0, floorAgeMs: 0, floorNewest: 0 },
    isStoreInUse: () => false,
    isPromised: (id) => keeper.isPromised(id),
    publish: () => ledger.publish(saying(...store.holds())).then(() => true),
    pauseFetching: (step) => step(),
  })
  const device: UploadDevice = {
    ...{ device: signer.device, ledger, events, map, catalog, store, network, keeper, own, reaper },
    room: { isFull: false, failed: () => undefined },
    close: () => network.close(),
  }
  network.handle(UPLOAD_PROTOCOL, 'members', (channel, from) => keeper.serve(from, channel, device.room))
  return device
}

/** Opens the mesh; nobody is linked yet. */
export async function uploadMesh(
  options: {
    readonly storers?: number
    readonly leans?: boolean
    readonly quotaBytes?: number
    /** Of the laptop. @defaultValue that of the system */
    readonly clock?: Clock
  } = {},
): Promise<UploadMesh> {
  const hub = new MemoryHub()
  const roles = ['writer', ...Array.from({ length: options.storers ?? 0 }, () => 'storer')] as 'writer'[]
  const made = testMembership(roles)
  const { signers } = made
  const laptopId = signers[1]?.device ?? raise()
  const membership =
    options.leans === false
      ? made.membership
      : changeMember(made.membership, signers[0] ?? raise(), {
          device: laptopId,
          atMs: 0,
          capabilities: new Set(['backup', 'read', 'lean']),
        })
  const open = (number: number, before?: UploadDevice): Promise<UploadDevice> => {
    const isLaptop = number === 1
    const clock = (isLaptop ? options.clock : undefined) ?? systemWorld.clock
    const quotaBytes = isLaptop ? undefined : options.quotaBytes
    return openDevice({ hub, membership, signer: signers[number] ?? raise(), clock, quotaBytes }, before)
  }
  const opened = new Set<UploadDevice>()
  const track = async (device: Promise<UploadDevice>): Promise<UploadDevice> => {
    opened.add(await device)
    return await device
  }
  const all = await Promise.all(signers.map((_, number) => track(open(number))))
  return {
    hub,
    membership,
    laptop: all[1] ?? raise(),
    holders: all.filter((_, number) => number !== 1),
    restart: async (device) => {
      await device.close()
      opened.delete(device)
      return await track(
        open(
          signers.findIndex((signer) => signer.device === device.device),
          device,
        ),
      )
    },
    link: async (a, b) => {
      await a.network.dial(b.network.addresses()[0] ?? '', AbortSignal.timeout(5000))
    },
    close: async () => {
      for (const device of opened) await device.close()
    },
  }
}

function raise(): never {
  throw new TypeError('there is no such device')
}

/** Content that does not repeat. */
export function contentOf(name: string, count: number, bytes = 1000): TestChunk[] {
  return Array.from({ length: count }, (_, at) => testChunk(`${name} ${String(at)}`, [], bytes))
}

/** As a backup tells what it stored. */
export function stagedOf(chunks: readonly TestChunk[]): StagedChunk[] {
  return chunks.map(({ id, bytes }) => ({ id, length: bytes.byteLength }))
}

/** Ids of chunks. */
export function idsOf(chunks: readonly TestChunk[]): ChunkId[] {
  return chunks.map(({ id }) => id)
}

/** So much may be staged in these tests, bytes. */
export const stagingBytes = 20_000

/** Ends what a test waits for in vain. */
export const inTime = (): AbortSignal => AbortSignal.timeout(10_000)

/** Stores as a backup does. @returns the most that was staged, bytes */
export async function storeWithin(
  { store }: UploadDevice,
  bounded: SessionUpload,
  chunks: readonly TestChunk[],
): Promise<number> {
  let most = 0
  for (const chunk of chunks) {
    if (store.has(chunk.id) || bounded.has(chunk.id)) continue
    const release = await bounded.reserve(chunk.bytes.byteLength)
    await store.put(chunk.id, chunk.bytes)
    bounded.staged(stagedOf([chunk]))
    release()
    most = Math.max(most, store.stats().bytes)
  }
  return most
}

/** A laptop, who stores for it, and the session that is open. */
export class SessionBench {
  mesh!: UploadMesh
  laptop!: UploadDevice
  desktop!: UploadDevice
  session: SessionUpload | undefined
  /** Who was told of as taking something. */
  told: DeviceId[] = []

  async start(options: Parameters<typeof uploadMesh>[0] = {}): Promise<void> {
    this.mesh = await uploadMesh(options)
    this.laptop = this.mesh.laptop
    this.desktop = this.mesh.holders[0] ?? raise()
  }

  async begin(): Promise<SessionUpload> {
    this.told = []
    const onHolder = (device: DeviceId) => void this.told.push(device)
    this.session = await this.laptop.own.begin({ stagingBytes, signal: inTime(), onHolder })
    return this.session ?? raise()
  }

  async end(): Promise<void> {
    if (this.session !== undefined) await this.laptop.own.end(this.session)
    this.session = undefined
  }

  /** Opens the laptop anew after a crash; its session is gone. */
  async restart(): Promise<void> {
    // Nobody hears of its end; left open, it would look for a holder for minutes.
    await this.laptop.close()
    await this.session?.close()
    this.session = undefined
    this.laptop = await this.mesh.restart(this.laptop)
  }

  async close(): Promise<void> {
    await this.end()
    await this.mesh.close()
  }

  /** See {@link storeWithin}. */
  async store(bounded: SessionUpload, chunks: readonly TestChunk[]): Promise<number> {
    return await storeWithin(this.laptop, bounded, chunks)
  }

  /** Those that are not on the laptop. */
  goneOf(chunks: readonly TestChunk[]): TestChunk[] {
    return chunks.filter(({ id }) => !this.laptop.store.has(id))
  }

  /** Says whether each is here, or counted on. */
  isKept(bounded: SessionUpload, chunks: readonly TestChunk[]): boolean {
    return chunks.every(({ id }) => this.laptop.store.has(id) || bounded.has(id))
  }
}
