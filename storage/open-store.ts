/** Opens a store in a directory (disk-layout.md §2). */
import { join } from 'node:path'
import { CellarError, isCellarError } from '../protocol/index.ts'
import { openLevelKeyValue } from './adapters/level-key-value.ts'
import { nodeDisk } from './adapters/node-disk.ts'
import type { ChunkStore } from './chunk-store.ts'
import { isDiskFull, type Disk } from './disk.ts'
import { DiskStore } from './disk-store.ts'
import { ChunkIndex } from './index/chunk-index.ts'
import type { KeyValue } from './key-value.ts'
import type { MappedPages } from './mapped-pages.ts'
import { memoryKeyValue } from './memory-key-value.ts'
import { packDefaults, PackFiles } from './pack/pack-files.ts'
import { HoldsFile } from './store/holds-file.ts'
import type { StoreParts } from './store/parts.ts'
import { rebuild } from './store/rebuild.ts'
import { recover } from './store/recover.ts'
import { Reserve } from './store/reserve.ts'
import { Staging } from './store/staging.ts'
import { Turnstile } from './turnstile.ts'

/** What a store is told when it is opened. */
export interface StoreOptions {
  /** Directory, absolute; made if it is not there. */
  readonly dir: string
  /** Bytes all packs together may have; `QUOTA_EXCEEDED` beyond. Default: no bound. */
  readonly quotaBytes?: number
  /** Bytes kept free on the disk by a file, for the day it is full. Default 16 MiB, less on a small disk. */
  readonly reserveBytes?: number
  /** Bytes of the disk that packs leave alone. Default 8 MiB. */
  readonly headroomBytes?: number
  /** Length from which a pack takes no more chunks. Default 64 MiB. */
  readonly packBytes?: number
  /** The disk; default the real one. */
  readonly disk?: Disk
  /** Opens the map that the index lives in; default LevelDB in `index/`. For simulations. */
  readonly openIndex?: () => Promise<KeyValue>
  /** Lets go of the pages of the index. @defaultValue nobody does */
  readonly pages?: MappedPages
}

const FORMAT = 'rootcellar store 1\n'
const MiB = 1024 * 1024

/**
 * Opens the store in a directory, recovering what a crash left. On a full disk it gives its reserve back; if that is
 * not enough it opens for reading only (`stats().readOnly`).
 *
 * @throws {CellarError} `STORE_IN_USE` at once (context: pid, if known), `STORE_UNKNOWN`, `STORE_FULL` when it would
 *   have to be made on a full disk
 */
export async function openStore(options: StoreOptions): Promise<ChunkStore> {
  const disk = options.disk ?? nodeDisk()
  try {
    await prepareDirectory(disk, options.dir)
    return await openPrepared(disk, options)
  } catch (error) {
    if (!isDiskFull(error) || error instanceof CellarError) throw error
    throw new CellarError('STORE_FULL', `the disk of ${options.dir} is full`, {}, { cause: error })
  }
}

/** Whether nothing was ever stored in a directory, told without opening the store. */
export function isUnusedStore(dir: string): boolean {
  const disk = nodeDisk()
  const packs = join(dir, 'packs')
  return disk.size(packs) === undefined || disk.list(packs).length === 0
}

/** Makes the directories and the file that says what this is, or checks it. */
async function prepareDirectory(disk: Disk, dir: string): Promise<void> {
  const path = join(dir, 'format')
  const size = disk.size(path) ?? 0
  if (size === 0) {
    disk.mkdir(join(dir, 'packs'))
    disk.remove(path)
    const file = disk.open(path, 'create')
    file.write([Buffer.from(FORMAT)], 0)
    await file.sync()
    file.close()
    await disk.syncDirectory(dir)
    return
  }
  const file = disk.open(path, 'read')
  const text = Buffer.alloc(Math.min(size, 64))
  file.read(text, 0)
  file.close()
  if (text.toString() !== FORMAT)
    throw new CellarError('STORE_UNKNOWN', `${dir} is no store that this program knows`)
}

async function openPrepared(disk: Disk, options: StoreOptions): Promise<ChunkStore> {
  const reserve = new Reserve(disk, options.dir, options.reserveBytes ?? 16 * MiB)
  const opened = await openMap(disk, options, reserve)
  const parts: StoreParts = {
    // The packs are listed only now, when no other process can change them.
    packs: new PackFiles(disk, join(options.dir, 'packs'), {
      quotaBytes: options.quotaBytes ?? packDefaults.quotaBytes,
      headroomBytes: options.headroomBytes ?? packDefaults.headroomBytes,
      packBytes: options.packBytes ?? packDefaults.packBytes,
    }),
    index: new ChunkIndex(opened.map),
    staging: new Staging(),
    holdsFile: new HoldsFile(disk, options.dir),
    reserve,
    turnstile: new Turnstile(),
    isReadOnly: opened.isReadOnly,
  }
  try {
    return new DiskStore(parts, await makeReady(parts))
  } catch (error) {
    parts.packs.close()
    await parts.index.close()
    throw error
  }
}

/** The map of the index; a damaged one is set aside and begun anew, on a full disk there is one in memory. */
async function openMap(
  disk: Disk,
  options: StoreOptions,
  reserve: Reserve,
): Promise<{ map: KeyValue; isReadOnly: boolean }> {
  const directory = join(options.dir, 'index')
  const { pages } = options
  const open =
    options.openIndex ??
    (() => openLevelKeyValue(directory, { onDiskFull: () => reserve.release(), ...(pages && { pages }) }))
  try {
    return { map: await open(), isReadOnly: false }
  } catch (error) {
    if (isCellarError(error, 'STORE_FULL')) return { map: memoryKeyValue(), isReadOnly: true }
    if (!isCellarError(error, 'STORE_DAMAGED')) throw error
  }
  let number = 1
  while (disk.size(`${directory}.damaged-${String(number)}`) !== undefined) number++
  disk.rename(directory, `${directory}.damaged-${String(number)}`)
  return { map: await open(), isReadOnly: false }
}

/** Loads, rebuilds and recovers, as need be. @returns whether the index was rebuilt */
async function makeReady(parts: StoreParts): Promise<boolean> {
  if (parts.isReadOnly) {
    await rebuild(parts, { readData: false })
    return true
  }
  const isThere = await parts.index.load()
  const isLost = !isThere && (parts.packs.numbers().length > 0 || parts.holdsFile.read().size > 0)
  if (isLost) await rebuild(parts, { readData: true })
  else if (!isThere) await parts.index.markReady()
  await recover(parts)
  await reconcileHolds(parts)
  await parts.reserve.restore()
  return isLost
}

/** The index says what is held; the file beside the packs must name at least that (ordering.md §4). */
async function reconcileHolds(parts: StoreParts): Promise<void> {
  const written = parts.holdsFile.read()
  const isSame =
    written.size === parts.index.holds.size && [...parts.index.holds].every((root) => written.has(root))
  if (isSame) return
  try {
    await parts.holdsFile.rewrite(parts.index.holds)
  } catch (error) {
    if (!isDiskFull(error)) throw error // on a full disk the next opening does it
  }
}
