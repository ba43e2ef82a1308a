/** One simulated machine: a disk that outlives its processes, and the real node on it. */

import {
  type ChunkId,
  chunkIdOf,
  type DeviceId,
  type Membership,
  type RootId,
  type Signer,
  signerFromSeed,
} from '../../protocol/index.ts'
import { memoryCatalog, openStore } from '../../storage/index.ts'
import { type DiskImage, MemoryDisk } from '../../storage/memory-disk.ts'
import { type ChunkRecord, decodeChunkRecord, idKey, idOfKey, TABLE } from '../../storage/index/record.ts'
import type { KeyValueChange } from '../../storage/key-value.ts'
import { packName } from '../../storage/pack/format.ts'
import { type MemoryKeyValue, memoryKeyValue } from '../../storage/memory-key-value.ts'
import { type MemoryHub, memoryNetwork } from '../../node/adapters/memory-network.ts'
import { assembleNode, closeAll, type Closer } from '../../node/assemble.ts'
import { type Config, CONFIG_DEFAULT } from '../../node/config.ts'
import { goAmong } from '../../node/connect.ts'
import { homePaths } from '../../node/home.ts'
import { entryKey } from '../../node/ledger/records.ts'
import type { Network } from '../../node/network.ts'
import type { NodeParts } from '../../node/parts.ts'
import { deriveAllKeys, vaultOf } from '../../node/vault.ts'
import { LiveDisk, LiveKeyValue, type Platter } from './live-disk.ts'
import { type Ending, type Fuse, Power } from './power.ts'
import type { Chance } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** What a machine stands on. */
export interface MachineParts {
  readonly name: string
  /** 32 bytes. */
  readonly seed: Uint8Array
  readonly vaultKey: Uint8Array | undefined
  readonly scheduler: Scheduler
  readonly hub: MemoryHub
  readonly chance: Chance
  readonly diskLatencyMs: number
  readonly config: Partial<Config>
  /** Told when chunks that were in the index of the store are gone from it, or bad: each time, at once. */
  readonly onGone: (machine: Machine, gone: readonly ChunkId[]) => void
  /** Told when the store lets a root go. */
  readonly onReleased: (machine: Machine, root: RootId) => void
  /** Told when its process ends unasked; its node is still there, and does nothing more. */
  readonly onEnd: (machine: Machine, ending: Ending) => void
  /** Told of errors that no part of a node expected. */
  readonly onFault: (machine: Machine, error: unknown) => void
}

/** All that a machine keeps, at one moment. */
export interface MachineImage {
  readonly disk: DiskImage
  readonly state: ReadonlyMap<string, Uint8Array>
  readonly index: ReadonlyMap<string, Uint8Array>
  /** See `Machine.damaged`. */
  readonly damaged: ReadonlyMap<ChunkId, string>
  readonly atMs: number
}

/** A wall clock begins here: a day that is plainly not today. */
const epochMs = 1_700_000_000_000

const EMPTY = new Uint8Array(0)

function placeText({ pack, offset }: Pick<ChunkRecord, 'pack' | 'offset'>): string {
  return `${String(pack)}/${String(offset)}`
}

/** Payloads of a simulation are small, and nothing is gained by compressing them. */
const noZstd = { name: 'none', compress: (raw: Uint8Array) => raw, decompress: (body: Uint8Array) => body }

/** A machine; its node runs from `start` until it is stopped or ends. */
export class Machine {
  readonly #parts: MachineParts
  readonly signer: Signer
  readonly disk = new MemoryDisk()
  readonly #platter: Platter
  readonly #state: MemoryKeyValue = memoryKeyValue()
  readonly #index: MemoryKeyValue = memoryKeyValue()
  #power: Power | undefined
  #closers: Closer[] = []
  #network: Network | undefined
  /** Chunks with good bytes, by the index on the disk. */
  readonly chunks = new Set<ChunkId>()
  /** Chunks of which a bit was flipped: where they lay then. */
  readonly damaged = new Map<ChunkId, string>()
  /** The node, once it is up. */
  node: NodeParts | undefined
  /** By how much the wall clock is wrong, milliseconds. */
  wallErrorMs = 0
  isMapFull = false
  /** Its wall clock has been wrong. */
  hasJumped = false
  /** A bit was flipped once on its disk. */
  hasRotted = false
  /** How the last process ended, until the next one starts. */
  ending: Ending | undefined

  constructor(parts: MachineParts) {
    this.#parts = parts
    this.signer = signerFromSeed(parts.seed)
    this.#platter = { disk: this.disk, isMapFull: () => this.isMapFull && this.node !== undefined }
    this.#index.beforeBatch = (changes) => {
      this.#watch(changes)
    }
  }

  get name(): string {
    return this.#parts.name
  }

  get device(): DeviceId {
    return this.signer.device
  }

  get isOn(): boolean {
    return this.#power?.isOn === true
  }

  get isAsleep(): boolean {
    return this.#power?.isAsleep === true
  }

  /** Up, awake and able to do what it is asked. */
  get isReady(): boolean {
    return this.node !== undefined && this.isOn && !this.isAsleep
  }

  /** Whether good bytes of a chunk are on its disk. */
  has(id: ChunkId): boolean {
    return this.chunks.has(id) && !this.damaged.has(id)
  }

  /** Bytes of the disk in use. */
  get usedBytes(): number {
    const { capacityBytes } = this.disk
    this.disk.capacityBytes = 1e12
    const used = 1e12 - this.disk.freeBytes()
    this.disk.capacityBytes = capacityBytes
    return used
  }

  /** Whether it has ever been told of a mesh. */
  isMember = false

  /** Writes what joining leaves on the disk of a new device. */
  async join(membership: Membership): Promise<void> {
    const ledger = memoryCatalog(this.#state).sub('ledger')
    await ledger.batch(
      membership.entries.map((value, epoch) => ({ type: 'put' as const, key: entryKey(epoch), value })),
      { durable: true },
    )
    this.isMember = true
  }

  /** The chunks of another machine in the place of its own: the same disk under a new key. */
  takeChunksOf(other: Machine): void {
    const mine = `/machines/${this.name}/`
    const theirs = `/machines/${other.name}/`
    this.disk.load(
      new Map([...other.disk.image()].map(([path, bytes]) => [path.replace(theirs, mine), bytes])),
    )
    this.#index.load(other.#index.image())
    for (const [id, place] of other.damaged) this.damaged.set(id, place)
    this.hasRotted = other.hasRotted
    this.#rescan()
  }

  /** Flips a bit of a chunk on the disk. */
  flip(id: ChunkId, bit: number): boolean {
    const record = this.#recordOf(id)
    if (record === undefined) return false
    const path = `/machines/${this.name}/store/packs/${packName(record.pack)}`
    if (!this.disk.list(`/machines/${this.name}/store/packs`).includes(packName(record.pack))) return false
    this.disk.flip(path, record.offset + ((bit >> 3) % record.length), bit & 7)
    this.damaged.set(id, placeText(record))
    this.hasRotted = true
    return true
  }

  /** Starts the program. Resolves when the node is up; never when its process ends before. */
  async start(): Promise<NodeParts> {
    const { scheduler, chance, diskLatencyMs, name, onEnd } = this.#parts
    if (this.isOn) throw new TypeError(`${name} is on`)
    const power = new Power({
      scheduler,
      chance,
      wallMs: () => Math.floor(epochMs + scheduler.nowMs + this.wallErrorMs),
      latencyMsMax: diskLatencyMs,
      onEnd: (ending) => {
        this.ending = ending
        onEnd(this, ending)
        this.#cutOff()
      },
    })
    this.ending = undefined
    this.#power = power
    const closers: Closer[] = []
    this.#closers = closers
    const node = await this.#assemble(power, closers)
    await node.connect()
    this.node = node
    return node
  }

  /** Ends the program in order. */
  async stop(): Promise<void> {
    this.node = undefined
    await closeAll(this.#closers)
    this.#power?.switchOff()
    this.#network = undefined
  }

  /** Ends the program now, or at a later change of its disk. */
  light(fuse: Fuse): void {
    if (this.#power !== undefined) this.#power.fuse = fuse
  }

  /** Puts the fuse out, if one burns. */
  putOut(): void {
    if (this.#power !== undefined) this.#power.fuse = undefined
  }

  /** Ends the program at once, without its doing. */
  end(ending: Ending): void {
    this.#power?.end(ending)
  }

  /** Closes the lid. */
  fallAsleep(): void {
    this.#power?.fallAsleep()
  }

  /** Opens the lid. */
  wake(): void {
    this.#power?.wake()
  }

  /** What is on its disk now. */
  image(): MachineImage {
    return {
      disk: this.disk.image(),
      state: this.#state.image(),
      index: this.#index.image(),
      damaged: new Map(this.damaged),
      atMs: this.#parts.scheduler.nowMs,
    }
  }

  /** Puts an older disk in; the machine is off. */
  load(image: MachineImage): void {
    this.disk.load(image.disk)
    this.#state.load(image.state)
    this.#index.load(image.index)
    this.damaged.clear()
    for (const [id, place] of image.damaged) this.damaged.set(id, place)
    this.#rescan()
  }

  #cutOff(): void {
    this.node = undefined
    void this.#network?.close()
    this.#network = undefined
    this.#closers = []
  }

  /** Loses what was not synced when power was lost; before the next start. @returns whether something was torn */
  loseUnsynced(): boolean {
    const { chance } = this.#parts
    const draw = (below: number) => chance.below(below)
    const before = this.disk.image()
    this.disk.restart(draw)
    this.#state.crash(draw(this.#state.undurableBatches + 1))
    this.#index.crash(draw(this.#index.undurableBatches + 1))
    this.#rescan()
    const after = this.disk.image()
    return [...before].some(([path, bytes]) => Buffer.compare(bytes, after.get(path) ?? EMPTY) !== 0)
  }

  #recordOf(id: ChunkId): ChunkRecord | undefined {
    const value = this.#index.get(idKey(TABLE.chunk, id))
    const record = value && decodeChunkRecord(value)
    return record === undefined || record.isBad || record.pack === 0 ? undefined : record
  }

  /** Follows the index of the store: what is there, and what is gone. */
  #watch(changes: readonly KeyValueChange[]): void {
    const gone: ChunkId[] = []
    for (const change of changes) {
      if (change.key[0] === TABLE.hold && change.type === 'del')
        this.#parts.onReleased(this, idOfKey(change.key))
      if (change.key[0] !== TABLE.chunk || change.key.length !== 33) continue
      const id = idOfKey(change.key)
      const record = change.type === 'put' ? decodeChunkRecord(change.value) : undefined
      const isGood = record !== undefined && !record.isBad && record.pack !== 0
      const damagedAt = this.damaged.get(id)
      if (damagedAt !== undefined) this.#lookAgain(id, damagedAt, isGood ? record : undefined)
      if (isGood) this.chunks.add(id)
      else if (this.chunks.delete(id) && damagedAt === undefined) gone.push(id)
    }
    if (gone.length > 0) this.#parts.onGone(this, gone)
  }

  /** A damaged chunk has another place: a good copy was put there, or the bad one was moved. */
  #lookAgain(id: ChunkId, damagedAt: string, record: ChunkRecord | undefined): void {
    if (record === undefined) this.damaged.delete(id)
    else if (damagedAt !== placeText(record)) {
      const bytes = new Uint8Array(record.length)
      const file = this.disk.open(`/machines/${this.name}/store/packs/${packName(record.pack)}`, 'read')
      file.read(bytes, record.offset)
      if (chunkIdOf(bytes) === id) this.damaged.delete(id)
      else this.damaged.set(id, placeText(record))
    }
  }

  #rescan(): void {
    const before = [...this.chunks]
    this.chunks.clear()
    for (const [name, value] of this.#index.image()) {
      if (name.charCodeAt(0) !== TABLE.chunk || name.length !== 33) continue
      const { isBad, pack } = decodeChunkRecord(value)
      if (!isBad && pack !== 0) this.chunks.add(idOfKey(Buffer.from(name, 'latin1')))
    }
    const gone = before.filter((id) => !this.chunks.has(id))
    if (gone.length > 0) this.#parts.onGone(this, gone)
  }

  #assemble(power: Power, closers: Closer[]): Promise<NodeParts> {
    const { name, seed, vaultKey, hub, config, onFault } = this.#parts
    const storePath = `/machines/${name}/store`
    return assembleNode(
      {
        home: homePaths(`/machines/${name}`, {}),
        config: { ...CONFIG_DEFAULT, listen: [], ...config },
        limits: {},
        keys: { device: seed, vault: vaultKey },
        world: power.world,
        catalog: memoryCatalog(new LiveKeyValue(this.#state, this.#platter, power)),
        storePath,
        openStore: (quotaBytes) =>
          openStore({
            dir: storePath,
            disk: new LiveDisk(this.#platter, power),
            openIndex: () => Promise.resolve(new LiveKeyValue(this.#index, this.#platter, power)),
            reserveBytes: 0,
            headroomBytes: 512,
            packBytes: 4096,
            ...(quotaBytes !== undefined && { quotaBytes }),
          }),
        openVault: (key, before) => {
          const { keys, older } = deriveAllKeys(key, before)
          return Promise.resolve(vaultOf(keys, noZstd, older))
        },
        isRunning: true,
        connect: (parts) => {
          const network = memoryNetwork(hub, {
            device: this.device,
            mdns: true,
            onFault: (error) => {
              if (power.isOn) onFault(this, error)
            },
          })
          this.#network = network
          return goAmong(parts, network, new AbortController())
        },
      },
      closers,
    )
  }
}
