/** An ordered map on `level`, with what LevelDB needs to live on a full disk (index.md §4). */
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Level } from 'level'
import { CellarError } from '../../protocol/index.ts'
import { isDiskFull } from '../disk.ts'
import type { KeyRange, KeyValue, KeyValueChange } from '../key-value.ts'
import { bytesPerLook, type MappedPages, type MappedTables } from '../mapped-pages.ts'
import { Turnstile } from '../turnstile.ts'

/** How much memory the map may use, and whom to call when its disk is full. */
export interface LevelOptions {
  /** Bytes of the block cache. Default 8 MiB. */
  readonly cacheBytes?: number
  /** Called when the disk is full; returns true when it gave space back and one more try is worth it. */
  readonly onDiskFull?: () => boolean
  /** Called after writes that went well since then; returns true when room is set aside again. */
  readonly onRelief?: () => Promise<boolean>
  /** Keeps count of what was looked at, and lets go of it. @defaultValue nobody does */
  readonly pages?: MappedPages
}

const MiB = 1024 * 1024
const ENTRIES_PER_READ = 1000
/** So often is what was written read again until it lies in the lowest level. */
const READS_PER_WRITE = 12

const settings = (cacheBytes: number) =>
  ({
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    compression: false, // ids are random bytes
    cacheSize: cacheBytes,
    writeBufferSize: 4 * MiB,
    // None is ever closed for others, which `whilePinned` relies on: a mapped file takes no descriptor.
    maxOpenFiles: 50_000,
  }) as const

/** `level` runs on LevelDB wherever there are files: it says of itself what stands nowhere in the types. */
type Database = Level<Buffer, Buffer> & { getProperty(name: string): string }
type Operation = { type: 'put'; key: Buffer; value: Buffer } | { type: 'del'; key: Buffer }

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Turns what `level` throws into one of our codes. */
function translate(error: unknown, directory: string): unknown {
  const text = error instanceof Error ? `${error.message} ${causeOf(error)?.message ?? ''}` : String(error)
  const code = causeOf(error)?.code ?? (error as NodeJS.ErrnoException).code
  const cause = { cause: error }
  if (code === 'LEVEL_LOCKED') {
    const pid = pidIn(directory)
    const who = pid === undefined ? 'another process' : `process ${String(pid)}`
    return new CellarError(
      'STORE_IN_USE',
      `${who} has ${directory} open`,
      pid === undefined ? {} : { pid },
      cause,
    )
  }
  if (isDiskFull(error))
    return new CellarError('STORE_FULL', `the disk under ${directory} is full`, {}, cause)
  if (code === 'LEVEL_CORRUPTION' || /corrupt|missing files|does not exist/i.test(text)) {
    return new CellarError('STORE_DAMAGED', `the index in ${directory} is damaged: ${text}`, {}, cause)
  }
  return error
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}

/** More than LevelDB writes when it is opened: its logs once more as tables, and a manifest. */
function bytesToOpen(directory: string): number {
  const logs = readdirSync(directory).filter((name) => name.endsWith('.log'))
  const bytes = logs.map((name) => statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0)
  return bytes.reduce((sum, size) => sum + size, MiB / 2)
}

function causeOf(error: unknown): NodeJS.ErrnoException | undefined {
  return error instanceof Error && error.cause instanceof Error ? error.cause : undefined
}

// Only read while the lock of LevelDB is held by someone, so that a number left by a killed process misleads nobody.
const pidPath = (directory: string): string => join(directory, 'PID')

function pidIn(directory: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidPath(directory), 'utf8'), 10)
    return pid > 0 ? pid : undefined
  } catch {
    return undefined
  }
}

function notePid(directory: string): void {
  try {
    // Always as long, so that on a full disk the bytes fit where the last ones were.
    writeFileSync(pidPath(directory), `${String(process.pid).padEnd(11)}\n`, { flag: 'r+' })
  } catch {
    try {
      writeFileSync(pidPath(directory), `${String(process.pid).padEnd(11)}\n`)
    } catch {
      // a courtesy only
    }
  }
}

class LevelKeyValue implements KeyValue, MappedTables {
  readonly #directory: string
  readonly #options: LevelOptions
  readonly #leave: (() => void) | undefined
  #database: Database
  /** The disk was full, and what had been set aside for that is gone. */
  #isRoomGiven = false
  /** A write failed: what is written behind it would be lost, as LevelDB reads its log only up to what is cut off. */
  #isSpoilt = false
  /** It was closed to be opened again, and is not open yet. */
  #isShut = false
  #isClosed = false
  /** One write at a time: none may come between one that fails and the opening. */
  readonly #turnstile = new Turnstile()

  constructor(directory: string, options: LevelOptions, database: Database) {
    this.#directory = directory
    this.#options = options
    this.#database = database
    this.#leave = options.pages?.join(this)
  }

  /**
   * The tables that are in use now and stay so as long as an iterator is open: what it may still read is neither
   * removed nor unmapped.
   */
  whilePinned(step: (paths: readonly string[]) => void): void {
    if (this.#database.status !== 'open') return
    const before = this.#tables()
    const iterator = this.#database.iterator({ limit: 1 })
    try {
      // What was in use before and after was so in between, when the iterator was made.
      const after = new Set(this.#tables())
      step(before.filter((path) => after.has(path)))
    } finally {
      void iterator.close()
    }
  }

  /** Paths of the tables in use, as the system names them. */
  #tables(): string[] {
    const directory = realpathSync(this.#directory)
    const said = this.#database.getProperty('leveldb.sstables')
    return [...said.matchAll(/^ (\d+):\d+\[/gm)].map(([, number = '']) =>
      join(directory, `${number.padStart(6, '0')}.ldb`),
    )
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.#options.pages?.looked(1)
    if (this.#isShut) throw this.#wasFull() // for some milliseconds: who asks for one value cannot wait
    return this.#database.getSync(asBuffer(key))
  }

  async batch(changes: readonly KeyValueChange[], durable: boolean): Promise<void> {
    const operations = changes.map((change): Operation => {
      const key = asBuffer(change.key)
      return change.type === 'put'
        ? { type: 'put', key, value: asBuffer(change.value) }
        : { type: 'del', key }
    })
    this.#countWritten(changes)
    await this.#turnstile.run(() => this.#write(operations, { sync: durable }))
    if (this.#isRoomGiven) this.#isRoomGiven = (await this.#options.onRelief?.()) === false
  }

  /** What is written is read again, some time later and by a thread of its own, to be merged with what is there. */
  #countWritten(changes: readonly KeyValueChange[]): void {
    const { pages } = this.#options
    if (pages === undefined) return
    let bytes = 0
    for (const change of changes)
      bytes += change.key.byteLength + (change.type === 'put' ? change.value.byteLength : 0)
    pages.looked(Math.ceil((bytes * READS_PER_WRITE) / bytesPerLook))
  }

  async #write(operations: Operation[], options: { readonly sync: boolean }): Promise<void> {
    if (this.#isSpoilt) await this.#openAgain(this.#wasFull())
    try {
      await this.#database.batch(operations, options)
    } catch (error) {
      this.#isSpoilt = !this.#isClosed
      if (!isDiskFull(error)) throw translate(error, this.#directory)
      await this.#writeOpenedAgain(operations, options, error)
    }
  }

  async #writeOpenedAgain(operations: Operation[], options: { readonly sync: boolean }, error: unknown) {
    await this.#openAgain(error)
    try {
      await this.#database.batch(operations, options)
    } catch (second) {
      this.#isSpoilt = true
      throw translate(isDiskFull(second) ? second : error, this.#directory)
    }
  }

  /**
   * After a failed write nothing is written until the database is opened again; what it had promised is still there. It
   * is closed only with room to open it: closed for good it could not even be read.
   *
   * @param error - why
   */
  async #openAgain(error: unknown): Promise<void> {
    if (this.#options.onDiskFull?.() === true) this.#isRoomGiven = true
    if (freeBytes(this.#directory) < bytesToOpen(this.#directory)) throw translate(error, this.#directory)
    this.#isShut = true
    try {
      await this.#database.close()
      this.#database = await openDatabase(this.#directory, this.#options)
    } catch (second) {
      throw translate(isDiskFull(second) ? second : error, this.#directory)
    }
    this.#isShut = false
    this.#isSpoilt = false
  }

  #wasFull(): CellarError {
    return new CellarError(
      'STORE_FULL',
      `the disk under ${this.#directory} was full, and what is there has to be opened again`,
    )
  }

  async *iterate(range: KeyRange): AsyncIterable<readonly [Uint8Array, Uint8Array]> {
    if (this.#isShut) await this.#turnstile.run(() => Promise.resolve())
    if (this.#isShut) throw this.#wasFull()
    const database = this.#database
    const iterator = database.iterator({ gte: asBuffer(range.gte), lt: asBuffer(range.lt) })
    try {
      for (;;) {
        const entries = await iterator.nextv(ENTRIES_PER_READ).catch((error: unknown) => {
          // It was closed with the database.
          throw this.#isShut || database !== this.#database ? this.#wasFull() : error
        })
        if (entries.length === 0) return
        this.#options.pages?.looked(1 + Math.floor(bytesOf(entries) / bytesPerLook))
        yield* entries as [Buffer, Buffer][]
      }
    } finally {
      await iterator.close()
    }
  }

  async clear(): Promise<void> {
    await this.#turnstile.run(async () => {
      if (this.#isSpoilt) await this.#openAgain(this.#wasFull())
      await this.#database.clear()
    })
  }

  async close(): Promise<void> {
    this.#leave?.()
    await this.#turnstile.run(() => {
      this.#isClosed = true
      return this.#database.close()
    })
  }
}

function bytesOf(entries: readonly (readonly [Buffer, Buffer])[]): number {
  return entries.reduce((sum, [key, value]) => sum + key.byteLength + value.byteLength, 0)
}

async function openDatabase(directory: string, options: LevelOptions): Promise<Database> {
  const database = new Level(directory, settings(options.cacheBytes ?? 8 * MiB)) as unknown as Database
  await database.open()
  notePid(directory)
  return database
}

/**
 * Opens the map in a directory, made if it is not there. LevelDB's lock lasts as long as the process.
 *
 * @throws {CellarError} `STORE_IN_USE` (context: pid, if known), `STORE_FULL`, `STORE_DAMAGED`
 */
export async function openLevelKeyValue(
  directory: string,
  options: LevelOptions = {},
): Promise<KeyValue & MappedTables> {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    return new LevelKeyValue(directory, options, await openDatabase(directory, options))
  } catch (error) {
    if (!isDiskFull(error) || options.onDiskFull?.() !== true) throw translate(error, directory)
  }
  try {
    return new LevelKeyValue(directory, options, await openDatabase(directory, options))
  } catch (error) {
    throw translate(error, directory)
  }
}
