/** Disk and map of one process: slow, and dead with it; what the machine keeps lies beneath. */

import type { Disk, DiskFile } from '../../storage/disk.ts'
import type { KeyRange, KeyValue, KeyValueChange } from '../../storage/key-value.ts'
import type { MemoryDisk } from '../../storage/memory-disk.ts'
import type { MemoryKeyValue } from '../../storage/memory-key-value.ts'
import { CellarError } from '../../protocol/index.ts'
import { Serial } from '../../node/serial.ts'
import { never, type Power } from './power.ts'

/** What one machine keeps. */
export interface Platter {
  readonly disk: MemoryDisk
  /** Changes of both maps fail as those of a full disk do. */
  readonly isMapFull: () => boolean
}

/** Does one change of the disk, which may be the last one of the process. */
function change<T>(power: Power, disk: MemoryDisk, step: () => T): T {
  power.check()
  const burnt = power.burn()
  if (burnt === undefined) return step()
  try {
    if (burnt.isDone) return step()
    // A loss of power tears the write; a killed process has not begun it.
    if (burnt.ending === 'power-loss') {
      disk.crashAfter(0, (below) => power.draw(below))
      step()
    }
  } catch {
    // the program sees the same as without power
  } finally {
    power.end(burnt.ending)
  }
  power.check()
  throw new TypeError('a burnt fuse leaves no power')
}

/** The disk as one process sees it. */
export class LiveDisk implements Disk {
  readonly #disk: MemoryDisk
  readonly #power: Power

  constructor({ disk }: Platter, power: Power) {
    this.#disk = disk
    this.#power = power
  }

  open(path: string, mode: 'read' | 'write' | 'create'): DiskFile {
    const open = () => new LiveFile(this.#disk, this.#power, this.#disk.open(path, mode))
    if (mode === 'create') return change(this.#power, this.#disk, open)
    this.#power.check()
    return open()
  }

  list(directory: string): string[] {
    this.#power.check()
    return this.#disk.list(directory)
  }

  size(path: string): number | undefined {
    this.#power.check()
    return this.#disk.size(path)
  }

  mkdir(): void {
    this.#power.check()
  }

  rename(from: string, to: string): void {
    change(this.#power, this.#disk, () => {
      this.#disk.rename(from, to)
    })
  }

  remove(path: string): void {
    change(this.#power, this.#disk, () => {
      this.#disk.remove(path)
    })
  }

  async syncDirectory(): Promise<void> {
    await this.#power.latency()
    const burnt = this.#power.burn()
    if (burnt?.isDone === false) this.#power.end(burnt.ending)
    if (!this.#power.isOn) await never()
    await this.#disk.syncDirectory()
    if (burnt !== undefined) this.#power.end(burnt.ending)
    if (!this.#power.isOn) await never()
  }

  freeBytes(): number {
    this.#power.check()
    return this.#disk.freeBytes()
  }
}

class LiveFile implements DiskFile {
  readonly #disk: MemoryDisk
  readonly #power: Power
  readonly #file: DiskFile

  constructor(disk: MemoryDisk, power: Power, file: DiskFile) {
    this.#disk = disk
    this.#power = power
    this.#file = file
  }

  read(into: Uint8Array, position: number): number {
    this.#power.check()
    return this.#file.read(into, position)
  }

  write(parts: readonly Uint8Array[], position: number): void {
    change(this.#power, this.#disk, () => {
      this.#file.write(parts, position)
    })
  }

  size(): number {
    this.#power.check()
    return this.#file.size()
  }

  truncate(length: number): void {
    change(this.#power, this.#disk, () => {
      this.#file.truncate(length)
    })
  }

  /** Whether what is written while it goes on is durable after it, nobody can know. */
  async sync(): Promise<void> {
    if (!this.#power.isOn) await never()
    const isSoon = this.#power.draw(2) === 0
    const done = isSoon ? this.#syncNow() : undefined
    await this.#power.latency()
    await (done ?? this.#syncNow())
  }

  async #syncNow(): Promise<void> {
    const burnt = this.#power.burn()
    if (burnt?.isDone === false) this.#power.end(burnt.ending)
    if (!this.#power.isOn) await never()
    await this.#file.sync()
    if (burnt !== undefined) this.#power.end(burnt.ending)
    if (!this.#power.isOn) await never()
  }

  close(): void {
    this.#file.close()
  }
}

/** A map as one process sees it. */
export class LiveKeyValue implements KeyValue {
  readonly #map: MemoryKeyValue
  readonly #platter: Platter
  readonly #power: Power
  readonly #serial = new Serial()

  constructor(map: MemoryKeyValue, platter: Platter, power: Power) {
    this.#map = map
    this.#platter = platter
    this.#power = power
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#power.check()
    return this.#map.get(key)
  }

  async batch(changes: readonly KeyValueChange[], durable: boolean): Promise<void> {
    await this.#serial.run(async () => {
      if (durable) await this.#power.latency()
      if (!this.#power.isOn) await never()
      if (this.#platter.isMapFull() && changes.some(({ type }) => type === 'put'))
        throw new CellarError('STORE_FULL', 'the disk is full')
      const burnt = this.#power.burn()
      if (burnt?.isDone === false) this.#power.end(burnt.ending)
      if (!this.#power.isOn) await never()
      await this.#map.batch(changes, durable)
      if (burnt !== undefined) this.#power.end(burnt.ending)
      if (!this.#power.isOn) await never()
    })
  }

  iterate(range: KeyRange): AsyncIterable<readonly [Uint8Array, Uint8Array]> {
    this.#power.check()
    return this.#map.iterate(range)
  }

  async clear(): Promise<void> {
    this.#power.check()
    await this.#map.clear()
  }

  async close(): Promise<void> {
    await this.#serial.idle()
  }
}
