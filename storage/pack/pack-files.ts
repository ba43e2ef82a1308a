/** The pack files of a store: which there are, which take records, what is not yet synced. Knows no index. */
import { join } from 'node:path'
import { CellarError, type ChunkId } from '../../protocol/index.ts'
import type { PackLoan } from '../chunk-store.ts'
import { isDiskFull, type Disk, type DiskFile } from '../disk.ts'
import {
  encodePackHeader,
  encodeRecordHeader,
  packBytesMax,
  packHeaderBytes,
  packName,
  packNumber,
  recordHeaderBytes,
} from './format.ts'
import { OpenFiles } from './open-files.ts'

/** How packs are written. */
export interface PackOptions {
  /** Bytes of the disk that packs never use, so that the index can live. */
  readonly headroomBytes: number
  /** Bytes all packs together may have. */
  readonly quotaBytes: number
  /** Length from which a pack takes no more records. */
  readonly packBytes: number
}

/**
 * What is done with a pack: `idle` takes records when asked; `active` is written here, `lent` elsewhere; `closing` is
 * being emptied; `damaged` is only read.
 */
type PackUse = 'idle' | 'active' | 'lent' | 'closing' | 'damaged'

interface PackFile {
  size: number
  use: PackUse
  /** Written since the last sync. */
  isDirty: boolean
  /** Syncs under way: the file must stay open, or its descriptor could by then be another file's. */
  syncs: number
}

const CHECK_SPACE_BYTES = 1024 * 1024

/** The files in a directory of packs. */
export class PackFiles {
  readonly #disk: Disk
  readonly #directory: string
  readonly #options: PackOptions
  readonly #packs = new Map<number, PackFile>()
  readonly #files: OpenFiles
  #active: number | undefined
  #last = 0
  #bytes = 0
  #unsynced = 0
  #untilSpaceCheck = 0
  #isDirectoryDirty = false

  constructor(disk: Disk, directory: string, options: PackOptions) {
    this.#disk = disk
    this.#directory = directory
    this.#options = options
    this.#files = new OpenFiles({
      disk,
      path: (pack) => this.path(pack),
      isBusy: (pack) => this.#packs.get(pack)?.isDirty === true || (this.#packs.get(pack)?.syncs ?? 0) > 0,
    })
    for (const name of disk.list(directory)) {
      const pack = packNumber(name)
      if (pack !== undefined)
        this.#add(pack, { size: disk.size(this.path(pack)) ?? 0, use: 'idle', isDirty: false, syncs: 0 })
    }
  }

  #add(pack: number, file: PackFile): void {
    this.#packs.set(pack, file)
    this.#bytes += file.size
    this.#last = Math.max(this.#last, pack)
  }

  /** Bytes of all pack files. */
  get bytes(): number {
    return this.#bytes
  }

  /** Bytes written here since the last sync. */
  get unsyncedBytes(): number {
    return this.#unsynced
  }

  /** Numbers of all packs, ascending. */
  numbers(): number[] {
    return [...this.#packs.keys()].sort((a, b) => a - b)
  }

  /** Absolute path of a pack. */
  path(pack: number): string {
    return join(this.#directory, packName(pack))
  }

  /** Bytes of a pack; 0 when it is not there. */
  size(pack: number): number {
    return this.#packs.get(pack)?.size ?? 0
  }

  /** What is done with a pack; undefined when there is none. */
  use(pack: number): PackUse | undefined {
    return this.#packs.get(pack)?.use
  }

  /** Takes a pack, idle or active, out of use so that it can be emptied. @returns false when it is used otherwise */
  beginClosing(pack: number): boolean {
    const file = this.#packs.get(pack)
    if (file?.use !== 'idle' && file?.use !== 'active' && file?.use !== 'closing') return false
    if (this.#active === pack) this.#active = undefined
    file.use = 'closing'
    return true
  }

  /** Ends what `beginClosing` began. */
  endClosing(pack: number): void {
    const file = this.#packs.get(pack)
    if (file?.use === 'closing') file.use = 'idle'
  }

  /** Never again writes to a pack. */
  setDamaged(pack: number): void {
    const file = this.#packs.get(pack)
    if (file !== undefined) file.use = 'damaged'
    if (this.#active === pack) this.#active = undefined
  }

  /** Sees to it that no number up to `pack` is given to a new pack. */
  reserveNumber(pack: number): void {
    this.#last = Math.max(this.#last, pack)
  }

  /**
   * Appends a record to the active pack.
   *
   * @throws {CellarError} `STORE_FULL`, `QUOTA_EXCEEDED`; nothing is changed then
   */
  append(id: ChunkId, bytes: Uint8Array): { pack: number; offset: number } {
    this.#checkRoom(recordHeaderBytes + bytes.byteLength)
    const { pack, at } = this.#append([encodeRecordHeader(id, bytes.byteLength), bytes])
    return { pack, offset: at + recordHeaderBytes }
  }

  #append(parts: readonly Uint8Array[]): { pack: number; at: number } {
    return this.#guard(() => {
      const pack = this.#writable()
      const at = this.size(pack)
      this.#write(pack, parts)
      if (this.size(pack) >= this.#options.packBytes) this.#retire(pack)
      return { pack, at }
    })
  }

  /**
   * Appends whole records as they are to the active pack; for what frees space, so it may use the headroom.
   *
   * @param records - one record behind another; borrowed
   * @returns where the first record begins
   * @throws {CellarError} `STORE_FULL`; nothing is changed then
   */
  appendRecords(records: Uint8Array): { pack: number; at: number } {
    return this.#append([records])
  }

  /** Bytes that may still be written to the disk of the packs. */
  get freeBytes(): number {
    return this.#disk.freeBytes(this.#directory)
  }

  /** Bytes by which the packs may grow, by disk and quota; below zero when either is used up. */
  get roomBytes(): number {
    return Math.min(this.freeBytes - this.#options.headroomBytes, this.#options.quotaBytes - this.#bytes)
  }

  #guard<T>(write: () => T): T {
    try {
      return write()
    } catch (error) {
      if (!isDiskFull(error)) throw error
      throw new CellarError('STORE_FULL', `the disk of ${this.#directory} is full`, {}, { cause: error })
    }
  }

  #checkRoom(length: number): void {
    if (this.#bytes + length > this.#options.quotaBytes) {
      const context = { quotaBytes: this.#options.quotaBytes }
      throw new CellarError('QUOTA_EXCEEDED', `the quota of ${this.#directory} is used up`, context)
    }
    this.#untilSpaceCheck -= length
    if (this.#untilSpaceCheck > 0) return
    const freeBytes = this.#disk.freeBytes(this.#directory)
    if (freeBytes < this.#options.headroomBytes + length) {
      throw new CellarError('STORE_FULL', `the disk of ${this.#directory} is full`, { freeBytes })
    }
    this.#untilSpaceCheck = Math.min(CHECK_SPACE_BYTES, freeBytes - this.#options.headroomBytes - length)
  }

  /** The active pack, or the first one with room, or a new one. */
  #writable(): number {
    this.#active ??= this.#claim('active')
    return this.#active
  }

  #claim(use: 'active' | 'lent', bytesMax = this.#options.packBytes): number {
    for (const pack of this.numbers()) {
      const file = this.#packs.get(pack)
      if (file?.use !== 'idle' || file.size >= bytesMax || file.size < packHeaderBytes) continue
      file.use = use
      return pack
    }
    return this.#create(use)
  }

  #create(use: 'active' | 'lent'): number {
    const pack = this.#last + 1
    const path = this.path(pack)
    const file = this.#disk.open(path, 'create')
    this.#isDirectoryDirty = true
    try {
      file.write([encodePackHeader(pack)], 0)
    } catch (error) {
      file.close()
      this.#disk.remove(path)
      throw error
    }
    this.#add(pack, { size: packHeaderBytes, use, isDirty: true, syncs: 0 })
    this.#files.keep(pack, file)
    return pack
  }

  #write(pack: number, parts: readonly Uint8Array[]): void {
    const entry = this.#entry(pack)
    const file = this.#files.get(pack)
    try {
      file.write(parts, entry.size)
    } catch (error) {
      this.#cutBack(pack, file)
      throw error
    }
    const length = parts.reduce((sum, part) => sum + part.byteLength, 0)
    entry.size += length
    entry.isDirty = true
    this.#bytes += length
    this.#unsynced += length
  }

  /** Takes away what a failed write may have left. */
  #cutBack(pack: number, file: DiskFile): void {
    try {
      file.truncate(this.size(pack))
    } catch {
      this.setDamaged(pack) // unknown bytes at its end: nothing is appended behind them
    }
  }

  #entry(pack: number): PackFile {
    const entry = this.#packs.get(pack)
    if (entry === undefined) throw new TypeError(`there is no pack ${String(pack)}`)
    return entry
  }

  #retire(pack: number): void {
    if (this.#active !== pack) return
    this.#active = undefined
    this.#entry(pack).use = 'idle'
  }

  /**
   * Lends a pack to a writer in another thread.
   *
   * @param longest - bytes from which it takes no more; at most those of all packs
   * @throws {CellarError} `STORE_FULL`, `QUOTA_EXCEEDED`
   */
  lend(longest: number = Infinity): PackLoan {
    this.#checkRoom(CHECK_SPACE_BYTES)
    return this.#guard(() => {
      const packBytes = Math.min(longest, this.#options.packBytes)
      const pack = this.#claim('lent', packBytes)
      const left = this.#options.quotaBytes - this.#bytes
      const bytesMax = Math.min(packBytes, this.size(pack) + left)
      const { headroomBytes } = this.#options
      return { path: this.path(pack), pack, offset: this.size(pack), bytesMax, headroomBytes }
    })
  }

  /** Notes that a borrower has written up to `end`. */
  noteLent(pack: number, end: number): void {
    const entry = this.#entry(pack)
    if (end <= entry.size) return
    this.#bytes += end - entry.size
    this.#unsynced += end - entry.size
    entry.size = end
    entry.isDirty = true
  }

  /** Takes a lent pack back and cuts off what was not adopted. */
  giveBack(pack: number): void {
    const entry = this.#packs.get(pack)
    if (entry?.use !== 'lent') return
    entry.use = 'idle'
    this.#files.get(pack).truncate(entry.size)
  }

  /** Says that another process may have written to a pack, or made it, without a sync: the next one here sees to it. */
  setUnsynced(pack: number): void {
    this.#entry(pack).isDirty = true
    this.#isDirectoryDirty = true
  }

  /**
   * Makes packs durable, and the names of new ones.
   *
   * @returns the packs whose sync failed, with why: what was written to them since the last sync may be lost
   */
  async sync(): Promise<ReadonlyMap<number, unknown>> {
    const failed = new Map<number, unknown>()
    const dirty = [...this.#packs].filter(([, entry]) => entry.isDirty)
    this.#unsynced = 0
    const syncOne = async (pack: number, entry: PackFile): Promise<void> => {
      entry.isDirty = false // what is written from now on is for the next sync
      entry.syncs++
      try {
        await this.#files.get(pack).sync()
      } catch (error) {
        failed.set(pack, error)
      } finally {
        entry.syncs--
      }
    }
    await Promise.all(dirty.map(([pack, entry]) => syncOne(pack, entry)))
    if (this.#isDirectoryDirty) {
      this.#isDirectoryDirty = false
      try {
        await this.#disk.syncDirectory(this.#directory)
      } catch (error) {
        this.#isDirectoryDirty = true
        for (const [pack] of dirty) failed.set(pack, error)
      }
    }
    return failed
  }

  /** Fills a buffer from a pack. @returns bytes read: fewer when the file is shorter, 0 when it is not there */
  read(pack: number, offset: number, into: Uint8Array): number {
    if (!this.#packs.has(pack)) return 0
    return this.#files.get(pack).read(into, offset)
  }

  /** A pack opened for reading, apart from what the store has open; the caller closes it. */
  openApart(pack: number): DiskFile {
    return this.#disk.open(this.path(pack), 'read')
  }

  /** A pack, open; borrowed for the moment, closed by others at will. */
  file(pack: number): DiskFile {
    return this.#files.get(pack)
  }

  /** Cuts a pack to a length. */
  truncate(pack: number, length: number): void {
    const entry = this.#entry(pack)
    this.#files.get(pack).truncate(length)
    this.#bytes -= entry.size - length
    entry.size = length
  }

  /** Removes a pack file; durable after `syncNames`. */
  drop(pack: number): void {
    this.#files.close(pack)
    this.#bytes -= this.size(pack)
    this.#packs.delete(pack)
    this.#disk.remove(this.path(pack))
  }

  /** Makes removals durable. */
  async syncNames(): Promise<void> {
    await this.#disk.syncDirectory(this.#directory)
  }

  /** Closes all files. */
  close(): void {
    this.#files.closeAll()
  }
}

/** The options of packs as a store uses them. */
export const packDefaults: PackOptions = {
  headroomBytes: 8 * 1024 * 1024,
  quotaBytes: Infinity,
  packBytes: packBytesMax,
}
