/**
 * A disk in memory: the twin of `adapters/node-disk.ts`, which can be full, fail, and lose in a crash what was not
 * synced.
 */
import { dirname } from 'node:path'
import type { Disk, DiskFile } from './disk.ts'

const SECTOR_BYTES = 512

/** What a file is, whatever its names. */
interface Inode {
  data: Buffer
  /** The content at the last sync. */
  synced: Buffer
}

/** Draws a whole number from 0 up to, not including, `below`. */
export type Draw = (below: number) => number

type Names = Map<string, Inode>

/** All files of a disk at one moment. */
export type DiskImage = ReadonlyMap<string, Uint8Array>

function fault(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code })
}

class MemoryFile implements DiskFile {
  readonly #disk: MemoryDisk
  readonly #inode: Inode
  #isOpen = true

  constructor(disk: MemoryDisk, inode: Inode) {
    this.#disk = disk
    this.#inode = inode
  }

  #use(): Inode {
    if (!this.#isOpen) throw new TypeError('the file is closed')
    return this.#inode
  }

  read(into: Uint8Array, position: number): number {
    this.#disk.check()
    const { data } = this.#use()
    const part = data.subarray(Math.min(position, data.length), position + into.byteLength)
    this.#disk.counts.reads++
    this.#disk.counts.readBytes += part.length
    into.set(part)
    return part.length
  }

  write(parts: readonly Uint8Array[], position: number): void {
    const inode = this.#use()
    const bytes = Buffer.concat(parts)
    const taken = this.#disk.step(bytes.length, position + bytes.length - inode.data.length)
    this.#disk.counts.writtenBytes += taken
    const data = Buffer.alloc(Math.max(inode.data.length, position + taken))
    inode.data.copy(data)
    bytes.copy(data, position, 0, taken)
    inode.data = data
    this.#disk.finish(taken < bytes.length)
  }

  size(): number {
    this.#disk.check()
    return this.#use().data.length
  }

  truncate(length: number): void {
    const inode = this.#use()
    this.#disk.step()
    const data = Buffer.alloc(length)
    inode.data.copy(data, 0, 0, Math.min(length, inode.data.length))
    inode.data = data
  }

  async sync(): Promise<void> {
    await Promise.resolve()
    this.#disk.step()
    const inode = this.#use()
    if (this.#disk.failingSyncs > 0) {
      this.#disk.failingSyncs--
      inode.data = Buffer.concat([inode.synced, Buffer.alloc(inode.data.length - inode.synced.length)])
      throw fault('EIO', 'input/output error')
    }
    inode.synced = Buffer.from(inode.data)
  }

  close(): void {
    this.#isOpen = false
  }
}

/** A disk in memory. */
export class MemoryDisk implements Disk {
  /** Bytes it can hold. */
  capacityBytes = Infinity
  #names: Names = new Map()
  #durable: Names = new Map()
  /** Changes of names since the last sync of a directory, in order. */
  #changes: ((names: Names) => void)[] = []
  #stepsLeft = Infinity
  #isDown = false
  #draw: Draw = () => 0
  /** Changes made since it was made. */
  steps = 0
  /** What was read from files, and written to them, since it was made: to count what an operation costs. */
  readonly counts = { reads: 0, readBytes: 0, writtenBytes: 0 }
  /** How many of the next syncs of files fail with `EIO`, and lose what they should have kept. */
  failingSyncs = 0

  /** Makes the machine crash after so many more changes; a write is then done in part, as `draw` says. */
  crashAfter(steps: number, draw: Draw): void {
    this.#stepsLeft = steps
    this.#draw = draw
  }

  /** Says whether the crash has come. */
  get isDown(): boolean {
    return this.#isDown
  }

  /** Throws once the machine is down. */
  check(): void {
    if (this.#isDown) throw fault('EIO', 'the machine is down')
  }

  /**
   * Counts a change and fails it when its time has come.
   *
   * @param bytes - how many it writes; @param growth - by how much its file grows
   * @returns how many of the bytes are written
   */
  step(bytes = 0, growth = 0): number {
    this.check()
    this.steps++
    if (--this.#stepsLeft < 0) {
      this.#isDown = true
      if (bytes === 0) this.check()
      return this.#draw(bytes)
    }
    const room = this.freeBytes()
    return growth > room ? Math.max(0, bytes - (growth - room)) : bytes
  }

  /** Ends a write. */
  finish(isShort: boolean): void {
    this.check()
    if (isShort) throw fault('ENOSPC', 'no space left on device')
  }

  #change(apply: (names: Names) => void): void {
    this.step()
    apply(this.#names)
    this.#changes.push(apply)
  }

  #find(path: string): Inode {
    const inode = this.#names.get(path)
    if (inode === undefined) throw fault('ENOENT', path)
    return inode
  }

  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile {
    this.check()
    if (mode !== 'create') return new MemoryFile(this, this.#find(path))
    if (this.#names.has(path)) throw fault('EEXIST', path)
    const inode: Inode = { data: Buffer.alloc(0), synced: Buffer.alloc(0) }
    this.#change((names) => names.set(path, inode))
    return new MemoryFile(this, inode)
  }

  list(directory: string): string[] {
    this.check()
    const inside = [...this.#names.keys()].filter((path) => dirname(path) === directory)
    return inside.map((path) => path.slice(directory.length + 1)).sort()
  }

  size(path: string): number | undefined {
    this.check()
    return this.#names.get(path)?.data.length
  }

  mkdir(): void {
    this.check()
  }

  rename(from: string, to: string): void {
    const inode = this.#find(from)
    this.#change((names) => {
      names.delete(from)
      names.set(to, inode)
    })
  }

  remove(path: string): void {
    if (this.size(path) !== undefined) this.#change((names) => names.delete(path))
  }

  async syncDirectory(): Promise<void> {
    await Promise.resolve()
    this.step()
    for (const apply of this.#changes) apply(this.#durable)
    this.#changes = []
  }

  freeBytes(): number {
    this.check()
    let used = 0
    for (const { data } of this.#names.values()) used += data.length
    return Math.max(0, this.capacityBytes - used)
  }

  /** Flips one bit of a file, on the platter. */
  flip(path: string, position: number, bit: number): void {
    const { data, synced } = this.#find(path)
    for (const copy of new Set([data, synced])) {
      if (position < copy.length) copy[position] = (copy[position] ?? 0) ^ (1 << bit)
    }
  }

  /** The disk as it is now, all of it written: what a backup of the machine would have. */
  image(): DiskImage {
    return new Map([...this.#names].map(([path, { data }]) => [path, Uint8Array.from(data)]))
  }

  /** Puts an image in the place of all there is: the disk goes back in time. The machine is off meanwhile. */
  load(image: DiskImage): void {
    const inodes = [...image].map(([path, bytes]): [string, Inode] => {
      return [path, { data: Buffer.from(bytes), synced: Buffer.from(bytes) }]
    })
    this.#names = new Map(inodes)
    this.#durable = new Map(inodes)
    this.#changes = []
  }

  /**
   * Starts the machine again after a crash: of what was not synced, some sectors and some changes of names, in their
   * order, have reached the disk, as `draw` says.
   */
  restart(draw: Draw): void {
    const survivors = draw(this.#changes.length + 1)
    for (const apply of this.#changes.slice(0, survivors)) apply(this.#durable)
    for (const inode of new Set(this.#durable.values())) tear(inode, draw)
    this.#names = new Map(this.#durable)
    this.#changes = []
    this.#stepsLeft = Infinity
    this.#isDown = false
  }
}

/** Leaves of a file a mixture of what was synced and what was written since. */
function tear(inode: Inode, draw: Draw): void {
  const { data, synced } = inode
  if (data.equals(synced)) return
  const shorter = Math.min(data.length, synced.length)
  const length = shorter + draw(Math.max(data.length, synced.length) - shorter + 1)
  const left = Buffer.alloc(length)
  for (let at = 0; at < length; at += SECTOR_BYTES) {
    const source = draw(3) === 0 ? synced : data
    source.subarray(at, Math.min(at + SECTOR_BYTES, length)).copy(left, at)
  }
  inode.data = left
  inode.synced = Buffer.from(left)
}
